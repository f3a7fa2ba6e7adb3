"""Pages on which a delivery is scanned in. They work as forms; with the script they answer it in JSON."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import FormView, TemplateView, View

from apps.core import formats
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import ScanState
from apps.inventory.models import ScanSession
from apps.inventory.scan_checks import MOST_SCANS, ScanAnswer, known_now
from apps.inventory.scan_forms import FACTS, DeliveryForm
from apps.inventory.scan_selectors import Progress, newest_scans, open_deliveries, progress_of
from apps.inventory.views import DevicePageMixin

AT_ONCE = MOST_SCANS
"""Lines that one sending takes."""


class ScanMixin(DevicePageMixin):
    """Those who may add devices; deliveries outside the person's scope are 404."""

    permission_required = "inventory.add_device"
    request: HttpRequest
    kwargs: dict[str, Any]

    def session(self) -> ScanSession:
        rows: Any = ScanSession.objects.select_related("product", "school", "site", "by")
        found: ScanSession = rows.get_visible_or_404(self.request.user, pk=self.kwargs["pk"])
        return found

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
        return {"token": uuid.uuid4(), **{name: getattr(self.row, name) for name in FACTS}}

    def get_form_kwargs(self) -> dict[str, Any]:
        known = {"submit": _("Save details"), "cancel_url": self.row.get_absolute_url()}
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
            return JsonResponse({"answers": [_as_json(answer) for answer in answers], **_figures(self.row)})
        return self.render_to_response(self.get_context_data(answers=answers))

    def _refused(self, error: DomainError) -> HttpResponse:
        if self.wants_json():
            return JsonResponse({"message": str(error), "ended": error.code == "ended"}, status=409)
        messages.error(self.request, str(error))
        return redirect(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row, answers = self.row, kwargs.get("answers", [])
        left_out = known_now(row, self.request.user) if row.state == ScanState.TAKEN_IN else []
        return super().get_context_data(
            session=row,
            states=ScanState,
            progress=progress_of(row),
            scans=newest_scans(row),
            key=uuid.uuid4(),
            lines_key=uuid.uuid4(),
            kept=sum(answer.is_kept for answer in answers),
            refused=[answer for answer in answers if not answer.is_kept],
            left_out=left_out,
            query=urlencode({"scan": row.pk}),
            limit=AT_ONCE,
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
        words = _("%(serial)s is removed.") % {"serial": scan.serial} if scan else _("This was removed already.")
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
            return self.render_to_response(self.get_context_data(error="" if known else str(error)), status=422)
        said = ngettext("%(number)s device is taken in.", "%(number)s devices are taken in.", len(devices))
        messages.success(request, said % {"number": formats.number(len(devices))})
        return redirect(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        progress, known = progress_of(self.row), known_now(self.row, self.request.user)
        number = progress.number - len(known)
        price = self.row.price
        return super().get_context_data(
            session=self.row,
            progress=progress,
            known=known,
            number=number,
            total=None if price is None else price * number,
            **kwargs,
        )


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
        return redirect("inventory:scan_start")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(session=self.row, progress=progress_of(self.row), **kwargs)


def sent_scans(request: HttpRequest) -> list[tuple[uuid.UUID, str]]:
    """What was sent: pairs of `key` and `serial`, or one `key` with many `lines`, each of which gets a key from it."""
    keys = [_uuid(text) for text in request.POST.getlist("key")]
    if "lines" in request.POST:
        lines = [line for line in request.POST["lines"].splitlines() if line.strip()]
        if len(lines) > AT_ONCE:
            raise DomainError(_("These are more than %(limit)s lines. Please send them in parts.") % {"limit": AT_ONCE})
        base = keys[0] if keys else uuid.uuid4()
        return [(uuid.uuid5(base, f"{number}"), line) for number, line in enumerate(lines)]
    return list(zip(keys, request.POST.getlist("serial"), strict=False))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise DomainError(_("This sending is damaged. Please load the page again.")) from None


def _as_json(answer: ScanAnswer) -> dict[str, Any]:
    scan = answer.scan
    return {
        "key": str(answer.key),
        "serial": answer.serial,
        "kept": answer.is_kept,
        "outcome": answer.outcome.value,
        "message": answer.message,
        "scan": scan.pk if scan else None,
        "at": formats.moment(scan.at) if scan else "",
    }


def _figures(session: ScanSession) -> dict[str, Any]:
    progress: Progress = progress_of(session)
    return {"number": progress.shown, "of": progress.of, "hint": progress.hint, "complete": progress.is_complete}
