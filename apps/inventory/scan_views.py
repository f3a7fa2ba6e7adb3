"""Pages on which a delivery is scanned in. They work as forms; with the script they answer it in JSON."""

from __future__ import annotations

import uuid
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView, View

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.panels import rendered_panels
from apps.inventory import services
from apps.inventory.choices import ScanState
from apps.inventory.models import Scan, ScanSession
from apps.inventory.scan_checks import MOST_SCANS, ScanAnswer, known_now
from apps.inventory.scan_forms import FACTS, DeliveryForm
from apps.inventory.scan_places import free_places
from apps.inventory.scan_selectors import (
    KitWords,
    Progress,
    newest_scans,
    open_deliveries,
    preview_of,
    progress_of,
    taken_places,
    warning_of,
)
from apps.inventory.taking_in import may_release, obstacle_of
from apps.inventory.views import DevicePageMixin

AT_ONCE = MOST_SCANS
"""Lines that one sending takes."""


class ScanMixin(DevicePageMixin):
    """Those who may add devices; deliveries outside the person's scope are 404."""

    permission_required = "inventory.add_device"
    request: HttpRequest
    kwargs: dict[str, Any]

    def session(self) -> ScanSession:
        rows: Any = ScanSession.objects.select_related("product", "kit", "school", "site", "by")
        found: ScanSession = rows.get_visible_or_404(self.request.user, pk=self.kwargs["pk"])
        return found

    def origin(self, session: ScanSession) -> dict[str, list[str]]:
        """What higher apps say of where the delivery comes from, and of what to do after it."""
        return {
            "origin": rendered_panels("inventory.scan", self.request, session),
            "afterwards": rendered_panels("inventory.scan.ended", self.request, session),
        }

    def crumbs(self, *more: tuple[Any, str]) -> list[tuple[Any, str]]:
        return [*super().get_breadcrumbs(), (_("Scan a delivery"), reverse("inventory:scan_start")), *more]

    def wants_json(self) -> bool:
        return self.request.headers.get("Accept", "") == "application/json"


class ScanStartView(ScanMixin, FormView):
    """The deliveries that wait, and the form that begins another one."""

    template_name = "inventory/scan/start.html"
    form_class = DeliveryForm
    heading = _("Scan a delivery")

    def get_form_kwargs(self) -> dict[str, Any]:
        known = {"user": self.request.user, "submit": _("Begin scanning"), "cancel_url": reverse("inventory:list")}
        return {**super().get_form_kwargs(), **known}

    def form_valid(self, form: DeliveryForm) -> HttpResponse:
        try:
            session = services.start_scanning(token=form.cleaned_data["token"], by=self.request.user, **form.facts())
        except DomainError as error:
            return self.refused(form, error)
        return redirect(session)

    def refused(self, form: DeliveryForm, error: DomainError) -> HttpResponse:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return self.form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(deliveries=open_deliveries(self.request.user), **kwargs)


class ScanChangeView(ScanStartView):
    """Corrects what the devices share. What was scanned stays."""

    template_name = "inventory/scan/change.html"
    heading = _("Correct the delivery")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            return self.handle_no_permission()
        self.row = self.session()
        if self.row.state != ScanState.OPEN:
            return redirect(self.row)
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return self.crumbs((str(self.row), self.row.get_absolute_url()))

    def get_initial(self) -> dict[str, Any]:
        known = {name: getattr(self.row, name) for name in FACTS}
        return {"token": uuid.uuid4(), **known, "product": None if self.row.kit else self.row.product}

    def get_form_kwargs(self) -> dict[str, Any]:
        known = {"submit": _("Save details"), "cancel_url": self.row.get_absolute_url(), "present": self.row.kit}
        return {**super().get_form_kwargs(), **known}

    def form_valid(self, form: DeliveryForm) -> HttpResponse:
        try:
            services.change_scanning(session=self.row, by=self.request.user, **form.facts())
        except DomainError as error:
            return self.refused(form, error)
        messages.success(self.request, _("The details of the delivery are saved."))
        return redirect(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super(ScanStartView, self).get_context_data(**kwargs)


class ScanView(ScanMixin, TemplateView):
    """One delivery: the field for serial numbers while it is open, what became of it afterwards."""

    def get_template_names(self) -> list[str]:
        return ["inventory/scan/page.html" if self.row.state == ScanState.OPEN else "inventory/scan/ended.html"]

    def get_heading(self) -> Any:
        return _("Scan serial numbers") if self.row.state == ScanState.OPEN else _("Scanned delivery")

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return self.crumbs()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.row = self.session()
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.row = self.session()
        try:
            answers = services.record_scans(session=self.row, scanned=sent_scans(request), by=request.user)
        except DomainError as error:
            return self._refused(error)
        if self.wants_json():
            words = KitWords.of(self.row)
            told = {"answers": [_as_json(answer, words) for answer in answers], "warning": warning_of(self.row)}
            return JsonResponse(told | _figures(self.row))
        return self.render_to_response(self.get_context_data(answers=answers, warning=warning_of(self.row)))

    def _refused(self, error: DomainError) -> HttpResponse:
        if self.wants_json():
            return JsonResponse({"message": str(error), "ended": error.code == "ended"}, status=409)
        messages.error(self.request, str(error))
        return redirect(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row, answers = self.row, kwargs.get("answers", [])
        left_out = known_now(row, self.request.user) if row.state == ScanState.TAKEN_IN else []
        words = KitWords.of(row)
        scans = list(newest_scans(row))
        for scan in scans:
            scan.part = part_words(scan, words)
        return super().get_context_data(
            session=row,
            states=ScanState,
            progress=progress_of(row),
            obstacle=obstacle_of(row, 0) if row.state == ScanState.OPEN else "",
            scans=scans,
            **kit_context(row, words),
            key=uuid.uuid4(),
            lines_key=uuid.uuid4(),
            kept=sum(answer.is_kept for answer in answers),
            refused=[answer for answer in answers if not answer.is_kept],
            left_out=left_out,
            query=urlencode({"scan": row.pk}),
            limit=AT_ONCE,
            **self.origin(row),
            **kwargs,
        )


class ScanRemoveView(ScanMixin, View):
    """Takes one scan back; `scan` names it, for the last one too, so that a double click removes one."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row, named = self.session(), request.POST.get("scan", "")
        try:
            scan = services.remove_scan(session=row, scan_id=int(named) if named.isdecimal() else 0, by=request.user)
        except DomainError as error:
            if self.wants_json():
                return JsonResponse({"message": str(error), "ended": True}, status=409)
            messages.error(request, str(error))
            return redirect(row)
        number = scan.serial or _("The device without a number") if scan else ""
        words = _("%(serial)s is removed.") % {"serial": number} if scan else _("This was removed already.")
        if self.wants_json():
            return JsonResponse({"message": str(words), "removed": named, **_figures(row)})
        messages.success(request, words)
        return redirect(row)


class ScanEndView(ScanMixin, TemplateView):
    """Base of the two pages that end a delivery; one that has ended leads to its page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            return self.handle_no_permission()
        self.row = self.session()
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return self.crumbs((str(self.row), self.row.get_absolute_url()))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.row.state != ScanState.OPEN:
            return redirect(self.row)
        return self.render_to_response(self.get_context_data())


class ScanTakeInView(ScanEndView):
    """The summary, and the step that makes devices of what was scanned."""

    template_name = "inventory/scan/take_in.html"
    heading = _("Take in the delivery")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seen = request.POST.get("revision", "")
        try:
            devices = services.take_in(
                session=self.row,
                revision=int(seen) if seen.isdecimal() else -1,
                by=request.user,
                leave_out_known=bool(request.POST.get("leave_out")),
            )
        except DomainError as error:
            self.row = self.session()
            known = error.code == "taken"
            context = self.get_context_data(error="" if known else str(error))
            if context["obstacle"] == context["error"]:
                context["error"] = ""
            return self.render_to_response(context, status=422)
        said = ngettext("%(number)s device is taken in.", "%(number)s devices are taken in.", len(devices))
        messages.success(request, said % {"number": formats.number(len(devices))})
        return redirect(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        progress, known = progress_of(self.row), known_now(self.row, self.request.user)
        preview = preview_of(self.row, {row.scan.serial for row in known})
        number, price = preview.devices, self.row.price
        return super().get_context_data(
            session=self.row,
            progress=progress,
            known=known,
            preview=preview,
            number=number,
            obstacle=obstacle_of(self.row, number if preview.kits is None else preview.kits),
            may_release=may_release(self.row, self.request.user),
            total=None if price is None else price * number,
            **self.origin(self.row),
            **kwargs,
        )


class ScanReleaseView(ScanMixin, View):
    """Lets a delivery go on without what it was begun for, e.g. its order; then it is taken in as any other."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.session()
        try:
            services.release_scanning(session=row, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The delivery goes on without an order. All numbers are kept."))
        return redirect("inventory:scan_take_in", row.pk)


class ScanCancelView(ScanEndView):
    """Asks once, and says how much is lost."""

    template_name = "inventory/scan/cancel.html"
    heading = _("Cancel the delivery")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            services.cancel_scanning(session=self.row, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(self.row)
        messages.success(request, _("The delivery is cancelled. No device was recorded."))
        return redirect(self.row) if self.origin(self.row)["afterwards"] else redirect("inventory:scan_start")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"session": self.row, "progress": progress_of(self.row), **self.origin(self.row)}
        return super().get_context_data(**context, **kwargs)


def sent_scans(request: HttpRequest) -> list[services.SentSerial]:
    """What was sent: `key`, `serial` and, of kits, `place` of each; or one `key` with many `lines`.

    `without` names the key of a device that bears no number.
    """
    keys = [_uuid(text) for text in request.POST.getlist("key")]
    if "lines" in request.POST:
        lines = [line for line in request.POST["lines"].splitlines() if line.strip()]
        if len(lines) > AT_ONCE:
            raise DomainError(_("These are more than %(limit)s lines. Please send them in parts.") % {"limit": AT_ONCE})
        base = keys[0] if keys else uuid.uuid4()
        return [services.SentSerial(uuid.uuid5(base, f"{number}"), line) for number, line in enumerate(lines)]
    without = request.POST.getlist("without")
    rows = zip_longest(keys, request.POST.getlist("serial")[: len(keys)], request.POST.getlist("place")[: len(keys)])
    return [
        services.SentSerial(key, serial or "", _place(place or ""), without=str(key) in without)
        for key, serial, place in rows
    ]


def _place(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise DomainError(_("This sending is damaged. Please load the page again.")) from None


def part_words(scan: Scan, words: KitWords | None) -> str:
    """Which part of which kit a number is of; of one that is taken in without its number scanned, the product."""
    if words is None:
        return ""
    return words.at(scan.place) if scan.place is not None else str(scan.device.product if scan.device else "")


def kit_context(session: ScanSession, words: KitWords | None) -> dict[str, Any]:
    """`kit`, None where the delivery is none, and which number is next."""
    if words is None:
        return {"kit": None}
    turn = kit_in_turn(session, words)
    return {
        "kit": turn,
        "next_words": turn["words"] % words.facts_at(turn["place"]),
        "next_is_first": words.places.is_first(turn["place"]),
    }


def kit_in_turn(session: ScanSession, words: KitWords) -> dict[str, Any]:
    """What the page needs to say which number is next, also while nothing can be sent."""
    gaps, end = free_places(taken_places(session))
    return {
        "slots": words.names(),
        "firsts": words.places.firsts,
        "gaps": gaps,
        "end": end,
        "place": gaps[0] if gaps else end,
        "words": gettext("Next: %(part)s, kit %(kit)s"),
    }


def _as_json(answer: ScanAnswer, words: KitWords | None) -> dict[str, Any]:
    scan = answer.scan
    return {
        "key": str(answer.key),
        "serial": answer.serial,
        "kept": answer.is_kept,
        "outcome": answer.outcome.value,
        "message": answer.message,
        "scan": scan.pk if scan else None,
        "part": part_words(scan, words) if scan else "",
        "at": formats.moment(scan.at) if scan else "",
    }


def _figures(session: ScanSession) -> dict[str, Any]:
    progress: Progress = progress_of(session)
    figures = {"number": progress.shown, "of": progress.of, "hint": progress.hint, "complete": progress.is_complete}
    words = KitWords.of(session)
    return figures if words is None else {**figures, "kit": kit_in_turn(session, words)}
