"""Changing many devices: choose rows, say what is to happen, see what would happen, confirm, see what did happen."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View

from apps.core import formats, jobs
from apps.core.errors import DomainError
from apps.core.nudge import nudge
from apps.inventory import services
from apps.inventory.bulk import Wish
from apps.inventory.bulk_forms import BulkForm, actions_for
from apps.inventory.choices import BulkAction, BulkState
from apps.inventory.filters import ALL, DeviceFilters
from apps.inventory.models import BulkChange, Device
from apps.inventory.services.bulk import MOST
from apps.inventory.tasks import run_waiting_changes
from apps.inventory.undoing import day_of
from apps.inventory.views import DevicePageMixin, Text


class BulkPageMixin(DevicePageMixin):
    """For those who may change a device in any way at all."""

    def has_permission(self) -> bool:
        user = self.request.user  # type: ignore[attr-defined]
        return bool(user.is_authenticated) and super().has_permission() and bool(actions_for(user))


class BulkChooseView(BulkPageMixin, View):
    """Takes the rows of the list, `ids`, or with `all` what its filters show; leads on to the question what to do."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        query = request.GET.urlencode()
        back = reverse("inventory:list") + (f"?{query}" if query else "")
        try:
            change = services.choose_devices(ids=self._ids(), query=query, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(back)
        return redirect(change)

    def _ids(self) -> list[int]:
        if "all" not in self.request.POST:
            ids = self.request.POST.getlist("ids")
            return [int(number) for number in ids if number.isdecimal() and len(number) < 19]
        rows = Device.objects.visible_to(self.request.user)
        filters = DeviceFilters(self.request.GET or None, queryset=rows, request=self.request)
        return list(filters.qs.order_by("pk").values_list("pk", flat=True)[: MOST + 1])


class BulkChangeView(BulkPageMixin, TemplateView):
    """One change, by its state: the question, the preview, the progress, the outcome. A foreign one is 404."""

    def get_heading(self) -> Text:
        return _("Undo a change of many devices") if self.change.undoes_id else _("Change devices")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            return self.handle_no_permission()
        rows: Any = BulkChange.objects.select_related("job", "undoes")
        self.change = rows.get_visible_or_404(request.user, token=kwargs["token"])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A progress that is asked for when it is over loads the whole page: its outcome."""
        response = super().get(request, *args, **kwargs)
        if request.htmx and self.change.state != BulkState.WAITING:
            response["HX-Refresh"] = "true"
        return response

    def get_template_names(self) -> list[str]:
        if self.change.state == BulkState.WAITING and self.request.htmx:
            return ["inventory/_bulk_progress.html"]
        page = {BulkState.CHOSEN: "ask", BulkState.SHOWN: "preview", BulkState.WAITING: "progress"}
        return [f"inventory/bulk_{'ask' if self.asks else page.get(BulkState(self.change.state), 'result')}.html"]

    @property
    def asks(self) -> bool:
        open_still = self.change.state in (BulkState.CHOSEN, BulkState.SHOWN)
        return (
            not self.change.undoes_id
            and open_still
            and ("action" in self.request.GET or self.change.state == BulkState.CHOSEN)
        )

    @property
    def list_url(self) -> str:
        return reverse("inventory:list") + (f"?{self.change.query}" if self.change.query else "")

    @cached_property
    def action(self) -> BulkAction | None:
        asked = self.request.POST.get("action") or self.request.GET.get("action") or self.change.action
        return next((action for action in actions_for(self.request.user) if action == asked), None)

    def form(self) -> BulkForm | None:
        if self.action is None:
            return None
        data = self.request.POST if self.request.method == "POST" else None
        initial = self.change.values if data is None and self.action == self.change.action else {}
        return BulkForm(
            data, user=self.request.user, action=self.action, cancel_url=self.list_url, initial=dict(initial)
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "confirm" in request.POST:
            return self._confirm(request.POST["confirm"])
        if "undo" in request.POST:
            return self._lead_on(services.begin_undo)
        if "again" in request.POST:
            return self._lead_on(services.try_again)
        form = self.form()
        if form is None or not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            services.show_change(token=self.change.token, action=form.action, values=form.values(), by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(self.change)
        return redirect(f"{self.change.get_absolute_url()}#main")

    def _lead_on(self, begin: Callable[..., BulkChange]) -> HttpResponse:
        """To the preview of the change that follows from this one."""
        try:
            following = begin(token=self.change.token, by=self.request.user)
        except DomainError as error:
            messages.error(self.request, str(error))
            return redirect(self.change)
        return redirect(f"{following.get_absolute_url()}#main")

    def _confirm(self, revision: str) -> HttpResponse:
        number = int(revision) if revision.isdecimal() and len(revision) < 9 else -1
        said = self.request.POST.get("promised", "")
        promised = int(said) if said.isdecimal() and len(said) < 9 else None
        try:
            change = services.confirm_change(
                token=self.change.token, revision=number, by=self.request.user, promised=promised
            )
        except DomainError as error:
            messages.error(self.request, str(error))
        else:
            if change.state == BulkState.WAITING:
                nudge(run_waiting_changes)
        return redirect(self.change)

    def _outcome(self) -> dict[str, Any]:
        """The list of the changed devices, and whether they can be, or were, set back."""
        change = self.change
        undone = change.undoing()
        known = bool(change.result.get("changed")) and change.items.exists()
        query = urlencode({"together": change.token, "status": ALL})
        return {
            "changed_url": f"{reverse('inventory:list')}?{query}" if known else "",
            "may_undo": known and undone is None and not change.undoes_id and self.action is not None,
            "undone": undone,
            "undone_words": undone_words(change, undone) if undone and undone.state == BulkState.DONE else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        change, user = self.change, self.request.user
        more: dict[str, Any] = {"number": len(change.ids), "change": change, "list_url": self.list_url}
        if self.request.method == "POST" or self.asks:
            more["actions"] = [(action.value, action.label) for action in actions_for(user)]
            more["chosen"] = self.action
            more.setdefault("form", self.form())
        elif change.state == BulkState.SHOWN:
            more["plan"] = services.plan_of(change, user)
        elif change.state == BulkState.WAITING and change.job is not None:
            more["progress"], more["number"] = jobs.progress_of(change.job), change.job.total
            more["job_state"] = jobs.shown_state(change.job)
        elif change.state == BulkState.DONE:
            more |= self._outcome()
        if change.undoes is not None:
            more["what"] = undo_in_words(change, change.undoes)
        elif change.action:
            more["what"] = in_words(Wish.of(change.action, change.values), has_day="on" in change.values)
        return super().get_context_data(**(more | kwargs))


UNDOING: dict[str, Text] = {BulkState.DONE: _("Is undone"), BulkState.FAILED: _("Was to be undone")}


def undo_in_words(undo: BulkChange, undone: BulkChange) -> list[tuple[Text, Text]]:
    """The change that is set back as label and value."""
    label = UNDOING.get(undo.state, _("Will be undone"))
    said = [(label, BulkAction(undone.action).label), (_("Changed on"), formats.moment(undone.at))]
    return said + ([(_("As before from this day on"), formats.day(day_of(undone)))] if "on" in undone.values else [])


def undone_words(change: BulkChange, undo: BulkChange) -> str:
    """Of a change that was undone: how many devices it had changed, and that they are as before, or some of them."""
    changed, back = (int(row.result["changed"]) for row in (change, undo))
    facts = {
        "changed": formats.number(changed),
        "back": formats.number(back),
        "moment": formats.moment(datetime.datetime.fromisoformat(undo.result["written_at"])),
        "person": undo.by,
    }
    if back < changed:
        return gettext("%(changed)s devices were changed, %(back)s of them undone on %(moment)s by %(person)s.") % facts
    return (
        ngettext(
            "%(changed)s device was changed, undone on %(moment)s by %(person)s.",
            "%(changed)s devices were changed, undone on %(moment)s by %(person)s.",
            changed,
        )
        % facts
    )


def in_words(wish: Wish, *, has_day: bool) -> list[tuple[Text, Text]]:
    """The entries of a change as label and value."""
    said: Sequence[tuple[Text, Any]] = (
        (_("Action"), wish.action.label),
        (_("School"), wish.school),
        (_("Room"), wish.room),
        (_("Reason"), wish.reason),
        (_("Note"), wish.note),
        (_("Ownership"), Device(ownership=wish.ownership).get_ownership_display() if wish.ownership else ""),
        (_("Device kind"), wish.kind),
        (_("From this day on"), formats.day(wish.on) if has_day else ""),
    )
    return [(label, value if isinstance(value, str) else str(value)) for label, value in said if value]
