"""The page that prints labels."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from apps.core.exports import file_name
from apps.inventory import labels
from apps.inventory.filters import DeviceFilters
from apps.inventory.label_forms import LabelForm
from apps.inventory.models import Device
from apps.inventory.views import DevicePageMixin


class LabelsView(DevicePageMixin, FormView):
    """Labels for one device (`tag`), for those that the list sends (`ids`), or for what its filters show.

    The list posts `ids` alone and gets the form; the form posts `sheet`, the places and the same `ids` and gets the
    PDF. A `tag` that the person does not see is 404, foreign `ids` are left out as unknown.
    """

    permission_required = ("inventory.view_device", "inventory.print_labels")
    template_name = "inventory/labels.html"
    form_class = LabelForm
    heading = _("Print labels")

    def get_permission_required(self) -> tuple[str, ...]:
        return self.permission_required

    @cached_property
    def chosen(self) -> labels.Chosen:
        rows = Device.objects.visible_to(self.request.user)
        ids = set(self.request.POST.getlist("ids"))
        if ids or (not self._printing and self.request.method == "POST"):
            known = [number for number in ids if number.isdecimal() and len(number) < 19]
            return labels.chosen_devices(rows.filter(pk__in=known), named=len(ids))
        if tag := self.request.GET.get("tag"):
            return self._one(rows, tag)
        filters = DeviceFilters(self.request.GET or None, queryset=rows, request=self.request)
        return labels.chosen_devices(filters.qs)

    def _one(self, rows: Any, tag: str) -> labels.Chosen:
        chosen = labels.chosen_devices(rows.filter(tag=tag))
        if not chosen.devices:
            raise Http404
        return chosen

    @property
    def _printing(self) -> bool:
        return "sheet" in self.request.POST

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if not self._printing:
            kwargs = {name: value for name, value in kwargs.items() if name not in ("data", "files")}
        return {**kwargs, "cancel_url": self._back(), "initial": {"ids": self.request.POST.getlist("ids")}}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self._printing and self.chosen.devices:
            return super().post(request, *args, **kwargs)
        return self.get(request, *args, **kwargs)

    def form_valid(self, form: LabelForm) -> HttpResponse:
        sheet, start = form.cleaned_data["sheet"], form.cleaned_data["start"]
        name = file_name(gettext("labels"), "pdf")
        response = HttpResponse(labels.labels_pdf(self.chosen.devices, sheet, start), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _back(self) -> str:
        """The device's page, or the list as it was filtered."""
        if self.request.GET.get("tag") and self.chosen.devices:
            return str(self.chosen.devices[0].get_absolute_url())
        query = self.request.GET.urlencode()
        return reverse("inventory:list") + (f"?{query}" if query else "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = self.chosen
        return super().get_context_data(
            chosen=chosen,
            only_device=chosen.devices[0] if len(chosen.devices) == 1 else None,
            limit=labels.AT_ONCE,
            list_url=self._back(),
            **kwargs,
        )
