"""Pages about devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import DetailView, FormView

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.list_views import PortalListView
from apps.core.pages import PageMixin
from apps.core.panels import rendered_panels
from apps.core.tables import PortalTable
from apps.core.text import as_key
from apps.inventory import device_history, forms, loan_forms, selectors, services
from apps.inventory.ageing import use_ends, years_of_use
from apps.inventory.binding import is_bound, refusal
from apps.inventory.bulk_forms import actions_for as bulk_actions_for
from apps.inventory.calculations import warranty_ends
from apps.inventory.choices import Condition, DeviceStatus
from apps.inventory.filters import DeviceFilters
from apps.inventory.models import Device, Kit, Product, ScanSession
from apps.inventory.scan_selectors import delivery_of, waiting_scans
from apps.inventory.services.bulk import MOST
from apps.inventory.tables import (
    DeviceDayExportTable,
    DeviceDayTable,
    DeviceExportTable,
    DeviceTable,
    PlacementTable,
)
from apps.schools.models import School

Text = str | Promise


class DevicePageMixin(PermissionRequiredMixin, PageMixin):
    """Signed in and allowed, or sent to the sign-in, or 403; devices outside the scope are 404."""

    permission_required = "inventory.view_device"

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return [(_("Inventory"), reverse("inventory:list"))]

    def devices(self) -> QuerySet[Any]:
        rows = Device.objects.visible_to(self.request.user)  # type: ignore[attr-defined]
        return rows.select_related("product", "kind", "school", "site", "last_school", "kit_set__kit")

    def device(self) -> Device:
        rows: Any = self.devices()
        return rows.get_visible_or_404(self.request.user, tag=self.kwargs["tag"])  # type: ignore[attr-defined]


class DeviceListView(PortalListView):
    """All devices of the person's scope; with `day` or `counts` the rows behind a quota figure."""

    template_name = "inventory/list.html"
    table_class = DeviceTable
    filterset_class = DeviceFilters
    heading = _("Inventory")
    permission_required = "inventory.view_device"
    export_name = "inventory"
    saved_as = "inventory"
    default_order = ("tag",)

    def get_queryset(self) -> QuerySet[Any]:
        rows = Device.objects.visible_to(self.request.user)
        return rows.select_related("product", "kind", "school", "last_school")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.may_add = request.user.has_perm("inventory.add_device")
        if self.may_add:
            self.empty_text = _("There are no devices here yet. Record the first ones.")
            self.empty_action = ("inventory:add", _("Add devices"))
            self.empty_hint = (
                _("“Import devices” above takes in a whole list, as CSV or XLSX.")
                if self._may_import()
                else _("If you have a long list already, the school office takes it in for you.")
            )
        else:
            self.empty_text = _("There are no devices here yet. The coordinators of the schools record them.")
        found = self._called()
        return redirect(found) if found else super().get(request, *args, **kwargs)

    def _may_import(self) -> bool:
        return self.request.user.has_perm("inventory.import_devices")

    def _called(self) -> Device | None:
        """Whoever searches for a whole number and nothing else wants that device and no list."""
        asked = self.request.GET
        searched = asked.get("q", "")
        filtered = any(value for name, value in asked.items() if name in DeviceFilters.base_filters and name != "q")
        if not searched or filtered or asked.get("export"):
            return None
        return selectors.device_called(searched, self.request.user)

    def get_bulk_actions(self) -> Sequence[tuple[str, Text]]:
        """Changes keep the list's filters, so that one comes back to the same list."""
        user, query = self.request.user, self.request.GET.urlencode()
        actions: list[tuple[str, Text]] = []
        if bulk_actions_for(user):
            actions.append((reverse("inventory:bulk") + (f"?{query}" if query else ""), _("Change or move …")))
        if user.has_perm("inventory.print_labels"):
            actions.append(("inventory:labels", _("Print labels")))
        return actions

    def _unpaged_table(self, rows: Any) -> PortalTable:
        exporting = bool(self.request.GET.get("export"))
        if self.filterset.is_bound and not self.filterset.form.is_valid():
            self.empty_text, self.empty_hint = self.filterset.why_nothing(), ""
            self.empty_action = (self.filterset.reset_address(), _("Show all"))
        self.count_exactly = self.filterset.counted_as is not None
        self.count_up_to, self.known_count = self.filterset.count_up_to, self.filterset.known_count
        if self.filterset.shown_day is not None:
            self.table_class = DeviceDayExportTable if exporting else DeviceDayTable
            self.caption = self._caption()
        elif exporting:
            self.table_class = DeviceExportTable
            rows = rows.select_related("site")
        table = super()._unpaged_table(rows)
        if "school" in table.columns.names() and self.filterset.has_typed_school:
            table.columns["school"].column.orderable = False
        return table

    def _empty_action(self, *, filtered: bool) -> tuple[str, Text] | None:
        """Where only present devices were looked through, the next step is to look through all."""
        if filtered and self.filterset.shows_present_only:
            return self.filterset.address_of_all(), _("Search retired and lost devices, too")
        return super()._empty_action(filtered=filtered)

    def _caption(self) -> str:
        counted = self.filterset.counted_as
        what = counted.label if counted else _("Devices at schools")
        return _("%(what)s on %(day)s") % {"what": what, "day": formats.day(self.filterset.shown_day)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs["may_add"] = self.may_add
        kwargs["may_import"] = self._may_import()
        if self._has_open_delivery():
            kwargs["scanned"], kwargs["delivery"] = waiting_scans(self.request.user)
        kwargs["may_change"] = bool(bulk_actions_for(self.request.user))
        kwargs["elsewhere"] = self._elsewhere()
        context = super().get_context_data(**kwargs)
        table = context["table"]
        context["most_changed"] = min(MOST, table.count_limit) if table.is_capped else MOST
        return context

    def _has_open_delivery(self) -> bool:
        """Most have none; adding up its scans would take a twelfth of each list's time."""
        sessions: Any = ScanSession.objects
        return self.may_add and sessions.visible_to(self.request.user).open().filter(by=self.request.user).exists()

    def _elsewhere(self) -> int:
        """Devices that stood at the person's schools on the day, but are out of their sight today."""
        if self.filterset.shown_day is None:
            return 0
        seen = Device.objects.visible_to(self.request.user)
        return self.filterset.placements().exclude(device__in=seen.values("pk")).count()


class DeviceDetailView(DevicePageMixin, DetailView):
    template_name = "inventory/detail.html"
    context_object_name = "device"

    def get_object(self, queryset: Any = None) -> Device:
        return self.device()

    def get_heading(self) -> str:
        return self.object.tag

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device, user = self.object, self.request.user
        placements = device.placements.visible_to(user).select_related("school", "site", "by").order_by("-since")
        allowed = selectors.actions_for(device, user)
        links = [action.link(device) for name, action in ACTIONS.items() if name in allowed]
        if user.has_perm("inventory.print_labels"):
            url = f"{reverse('inventory:labels')}?{urlencode({'tag': device.tag})}"
            links.append({"label": _("Print label"), "url": url, "danger": False, "correction": True})
        leads = links and not (device.disposal or links[0]["danger"] or links[0]["correction"])
        first = links[:1] if leads else []
        everything = "history" in self.request.GET
        most = device_history.MOST if everything else device_history.SHOWN
        history = device_history.device_history(device, user, most=most + 1)
        delivery, seen = delivery_of(device, user)
        return super().get_context_data(
            statuses=DeviceStatus,
            use_ends=use_ends(device),
            use_years=years_of_use(device),
            conditions=Condition,
            bound=is_bound(device, today()),
            warranty_ends=warranty_ends(device.bought_on, device.product.warranty_months),
            companions=selectors.kit_companions(device, user),
            attachments=device.attachments.visible_to(user).select_related("by"),
            removable=set(device.attachments.removable_by(user).values_list("pk", flat=True)),
            main_action=first[0] if first else None,
            steps=links[len(first) :],
            placement=next((row for row in placements if row.until is None), None),
            placements=PlacementTable(placements, request=self.request, prefix="p-", caption=_("Placements")),
            history=history[:most],
            delivery=delivery,
            delivery_url=delivery.get_absolute_url() if delivery and seen else "",
            delivery_origin=rendered_panels("inventory.device.recorded", self.request, delivery) if delivery else [],
            history_goes_on=len(history) > most,
            panels=rendered_panels("inventory.device", self.request, device),
            **kwargs,
        )


class DeviceAddView(DevicePageMixin, FormView):
    """One device or many alike; the address may fill in `school`, `product`, `quantity`, `price`, `serial`, `room`."""

    permission_required = "inventory.add_device"
    template_name = "inventory/form.html"
    form_class = forms.AddForm
    heading = _("Add devices")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "cancel_url": reverse("inventory:list")}

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET
        product, quantity = asked.get("product", ""), asked.get("quantity", "")
        chosen = Product.objects.filter(pk=as_key(product)).first()
        known = {
            "school": School.objects.visible_to(self.request.user).filter(number=asked.get("school", "")).first(),
            "product": chosen,
            "quantity": int(quantity) if quantity.isdecimal() else None,
            "price": formats.to_decimal(asked.get("price")) or (chosen.gross_price if chosen else None),
            "serials": asked.get("serial", "")[:80],
            "room": asked.get("room", "")[:60],
        }
        return {name: value for name, value in known.items() if value}

    def form_valid(self, form: forms.AddForm) -> HttpResponse:
        try:
            devices = self._add(**form.cleaned_data)
        except DomainError as error:
            return self._refused(form, error)
        first, last = devices[0], devices[-1]
        if len(devices) == 1:
            messages.success(self.request, _("%(tag)s is recorded.") % {"tag": first.tag})
            return redirect(first)
        said = ngettext("%(number)d device is recorded: %(first)s to %(last)s.",
                        "%(number)d devices are recorded: %(first)s to %(last)s.", len(devices))  # fmt: skip
        messages.success(self.request, said % {"number": len(devices), "first": first.tag, "last": last.tag})
        query = urlencode({"added": form.cleaned_data["token"], "sort": "-tag"})
        return redirect(f"{reverse('inventory:list')}?{query}")

    def _add(self, kit: Kit | None = None, **facts: Any) -> list[Device]:
        if kit is None:
            return services.add_devices_once(by=self.request.user, **facts)
        needless = {"product", "tags", "price"}
        facts = {name: value for name, value in facts.items() if name not in needless}
        return services.add_kits_once(kit=kit, by=self.request.user, **facts)

    def _refused(self, form: forms.AddForm, error: DomainError) -> HttpResponse:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return self.form_invalid(form)


@dataclass(frozen=True)
class Action:
    """A step as people see it: its words, its form, its page. `service_name` where the step is part of a larger one."""

    name: str
    slug: str
    label: Text
    done: Text
    form: type[forms.ActionForm]
    danger: bool = False
    correction: bool = False
    hint: Text = ""
    service_name: str = ""

    @property
    def service(self) -> Callable[..., object]:
        return getattr(services, self.service_name or self.name)  # type: ignore[no-any-return]

    def link(self, device: Device) -> dict[str, Any]:
        url = reverse(f"inventory:{self.slug}", args=[device.tag])
        return {"label": self.label, "url": url, "danger": self.danger, "correction": self.correction}


_ENDS = _("It then no longer counts for the school. Its history stays.")
_ALL_ACTIONS = (
    Action("move_device", "move", _("Move"), _("%(tag)s is moved."), forms.MoveForm),
    Action("return_from_repair", "repaired", _("Back from repair"), _("%(tag)s is back from repair."),
           forms.RepairedForm),
    Action("return_loan", "returned", _("Back from loan"), _("%(tag)s is back from loan."),
           loan_forms.LoanReturnForm, service_name="take_back_device"),
    Action("send_to_repair", "repair", _("Send to repair"), _("%(tag)s is in repair."), forms.RepairForm,
           hint=_("It stays with its school and goes on counting there.")),
    Action("lend_device", "lend", _("Lend"), _("%(tag)s is on loan."), loan_forms.LendForm, service_name="hand_out",
           hint=_("It stays with its school and goes on counting there.")),
    Action("take_to_stock", "stock", _("Take into the depot"), _("%(tag)s is in the depot."), forms.StockForm,
           hint=_("In the depot it counts for no school.")),
    Action("report_lost", "lost", _("Report as lost"), _("%(tag)s is reported as lost."), forms.LostForm,
           danger=True, hint=_ENDS),
    Action("report_stolen", "stolen", _("Report as stolen"), _("%(tag)s is reported as stolen."), forms.StolenForm,
           danger=True, hint=_ENDS),
    Action("retire_device", "retire", _("Retire"), _("%(tag)s is retired."), forms.RetireForm, danger=True,
           hint=_ENDS),
    Action("record_disposal", "disposal", _("Say where it went"), _("The whereabouts of %(tag)s are saved."),
           forms.DisposalForm, correction=True),
    Action("add_attachment", "attach", _("Add file"), _("The file is with %(tag)s now."), forms.AttachForm,
           correction=True, hint=_("A photo of the damage, the report to the police, the invoice.")),
    Action("change_condition", "condition", _("Change condition"), _("The condition of %(tag)s is saved."),
           forms.ConditionForm, correction=True),
    Action("change_ownership", "ownership", _("Change ownership"), _("The ownership of %(tag)s is changed."),
           forms.OwnershipForm, correction=True),
    Action("change_kind", "kind", _("Change kind"), _("The kind of %(tag)s is changed."), forms.KindForm,
           correction=True),
    Action("bind_device", "binding", _("Binding by a grant"), _("The binding of %(tag)s is saved."),
           forms.BindingForm, correction=True,
           hint=_("Until that day the device is not retired, sold or given away.")),
    Action("change_details", "edit", _("Correct details"), _("The details of %(tag)s are saved."),
           forms.DetailsForm, correction=True),
)  # fmt: skip
ACTIONS = {action.name: action for action in _ALL_ACTIONS}
"""Service -> its page, in the order of the buttons."""


class DeviceActionView(DevicePageMixin, FormView):
    """One action on one device. What is no longer possible leads back to the device's page and says so."""

    template_name = "inventory/action.html"
    action: Action = ACTIONS["move_device"]

    def get_permission_required(self) -> Sequence[str]:
        transition = selectors.TRANSITIONS.transitions.get(self.action.name)
        return (transition.permission if transition else selectors.CORRECTIONS[self.action.name],)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            return self.handle_no_permission()
        self.row = self.device()
        if self.action.name not in selectors.actions_for(self.row, request.user):
            messages.error(request, self._obstacle())
            return redirect(self.row)
        return super().dispatch(request, *args, **kwargs)

    def _obstacle(self) -> str:
        if selectors.is_held_back(self.action.name, self.row, self.request.user):
            return refusal(self.row)
        words: str = _("This is not possible now: the device is “%(status)s”.")
        return words % {"status": DeviceStatus(self.row.status).label}

    def get_form_class(self) -> type[forms.ActionForm]:
        return self.action.form

    def get_form_kwargs(self) -> dict[str, Any]:
        known = {"user": self.request.user, "device": self.row, "cancel_url": self.row.get_absolute_url()}
        return {**super().get_form_kwargs(), **known}

    def get_heading(self) -> str:
        return f"{self.action.label}: {self.row.tag}"

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return [*super().get_breadcrumbs(), (self.row.tag, self.row.get_absolute_url())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        bound = is_bound(self.row, today())
        return super().get_context_data(
            device=self.row,
            action=self.action,
            statuses=DeviceStatus,
            left_behind=selectors.left_behind(self.row, self.action.name, self.request.user),
            loses_bound=bound and self.action.name in {"report_lost", "report_stolen"},
            **kwargs,
        )

    def form_valid(self, form: forms.ActionForm) -> HttpResponse:
        try:
            self.action.service(device=self.row, by=self.request.user, **form.cleaned_data)
        except DomainError as error:
            if error.code == "illegal_transition":
                messages.error(self.request, str(error))
                return redirect(self.row)
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, self.action.done % {"tag": self.row.tag})
        return redirect(self.row)
