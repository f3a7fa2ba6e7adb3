"""The page for the phone: one field, the camera, and what was scanned; it goes on without network."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View

from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory import stocktake_selectors as selectors
from apps.inventory.stocktake_choices import Outcome
from apps.inventory.stocktake_forms import ScanForm, sites_of
from apps.inventory.stocktake_views import RunMixin, StocktakePageMixin

LONGEST = 200_000
"""Characters of one message of a phone: more than its hundred scans ever need."""


class StocktakeScanView(RunMixin, TemplateView):
    """A POST with `code` is the plain form; one with `scans` (JSON) comes from the page's script and gets JSON."""

    template_name = "inventory/stocktakes/scan.html"
    heading = gettext_lazy("Scan")
    needs_open = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.stocktake.is_open:
            messages.info(request, _("This stocktake is closed. Nothing about it changes any more."))
            return self.overview()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        moment = _stamp()
        rooms = selectors.rooms_of(self.stocktake)
        room, site = self._place()
        scans = selectors.last_scans(self.stocktake, self.request.user)
        words = selectors.Words(self.request.user, [scan.item for scan in scans])
        return super().get_context_data(
            moment=moment,
            scan_id=uuid.uuid4(),
            room=room,
            site=site,
            sites=sites_of(self.stocktake),
            rooms=list(dict.fromkeys(row.room for row in rooms if row.room)),
            next=selectors.next_room(rooms, site, room),
            next_words=_("Next room: %(room)s (%(found)s of %(expected)s found)"),
            walk=walk_through(rooms),
            progress_text=progress_text(selectors.progress_of(self.stocktake)),
            scans=[(Outcome(scan.outcome), words.result(scan), scan) for scan in scans],
            **kwargs,
        )

    def _place(self) -> tuple[str, int | None]:
        asked = self.request.GET
        site = asked.get("site", "")
        return (
            asked.get("room", self.stocktake.room)[:60],
            int(site) if site.isdecimal() and len(site) < 19 else self.stocktake.site_id,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "scans" in request.POST:
            return self._from_script(request.POST["scans"])
        form = ScanForm(request.POST)
        place = {"room": request.POST.get("room", ""), "site": request.POST.get("site", "")}
        if not form.is_valid():
            messages.error(request, _("Nothing was read. Please scan again."))
            return self._again(place)
        sent = form.cleaned_data
        scan = services.SentScan(sent["id"], sent["code"], room=sent["room"], site=sent["site"])
        (answer,) = services.count_scans(stocktake=self.stocktake, scans=[scan], by=request.user)
        if answer.scan is None:
            messages.error(request, answer.refused)
        return self._again(place)

    def _again(self, place: dict[str, str]) -> HttpResponse:
        query = urlencode({name: value for name, value in place.items() if value})
        return redirect(f"{reverse('inventory:stocktake_scan', args=[self.stocktake.pk])}?{query}")

    def _from_script(self, text: str) -> HttpResponse:
        try:
            scans = read_scans(text)
            answers = services.count_scans(stocktake=self.stocktake, scans=scans, by=self.request.user)
        except (ValueError, TypeError, KeyError, RecursionError):
            return JsonResponse({"message": _("These scans cannot be read. Please load the page again.")}, status=400)
        except DomainError as error:
            return JsonResponse({"message": str(error)}, status=400)
        words = selectors.Words(self.request.user, [answer.scan.item for answer in answers if answer.scan])
        return JsonResponse(
            {
                "moment": _stamp(),
                "answers": [_answer(answer, words) for answer in answers],
                "progress": progress_text(selectors.progress_of(self.stocktake)),
                "rooms": walk_through(selectors.rooms_of(self.stocktake)),
            }
        )


class StocktakeWorkerView(StocktakePageMixin, View):
    """The service worker of one scan page: its address lets it answer for that page alone."""

    permission_required = "inventory.run_stocktake"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        path = reverse("inventory:stocktake_scan", args=[self.stocktake.pk])
        script = render_to_string("inventory/stocktakes/worker.js", {"path": json.dumps(path)})
        return HttpResponse(script, content_type="text/javascript; charset=utf-8")


def _stamp() -> str:
    """Tells a kept page which kept answers are newer than itself: stamps sort as text."""
    return clock.now().astimezone(datetime.UTC).isoformat(timespec="microseconds")


def read_scans(text: str) -> list[services.SentScan]:
    """The scans of a phone's message: a list of {id, code, room, site, at}. ValueError, TypeError, KeyError if not."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    return [
        services.SentScan(
            uuid.UUID(str(row["id"])),
            str(row["code"]),
            room=str(row.get("room") or ""),
            site=int(row["site"]) if row.get("site") else None,
            at=_moment(row.get("at")),
        )
        for row in list(json.loads(text))
    ]


def _moment(text: object) -> datetime.datetime | None:
    """A moment with time zone, else None: the portal then takes its own."""
    found = parse_datetime(text) if isinstance(text, str) else None
    return found if found is not None and found.tzinfo is not None else None


def _answer(answer: services.Answer, words: selectors.Words) -> dict[str, Any]:
    if answer.scan is None:
        refused = {"tone": "danger", "label": _("not counted"), "text": answer.refused, "refused": True}
        return {"id": str(answer.id), **refused}
    outcome = Outcome(answer.scan.outcome)
    known = {"id": str(answer.id), "tone": outcome.tone.value, "label": str(outcome.label)}
    return known | {"text": words.result(answer.scan)}


def progress_text(progress: selectors.Progress) -> str:
    """ "142 of 180 found"."""
    return _("%(found)s of %(expected)s found") % {
        "found": formats.number(progress.found),
        "expected": formats.number(progress.expected),
    }


def walk_through(rooms: Sequence[selectors.RoomProgress]) -> list[tuple[str, int | None, int, int]]:
    """The rooms in their order as the page's script knows them: room, site, expected, found."""
    return [(row.room, row.site_id, row.expected, row.found) for row in rooms]
