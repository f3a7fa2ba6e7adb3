"""Tables of devices and placements. Only indexed columns sort."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.exports import csv_blocks
from apps.core.tables import DateColumn, LinkColumn, MoneyColumn, PortalTable, StateColumn, TextColumn
from apps.inventory import device_lines
from apps.inventory.choices import Condition, DeviceStatus, Disposal
from apps.inventory.models import Device, Placement


class DeviceTable(PortalTable):
    tag = LinkColumn(verbose_name=_("Inventory number"))
    product = TextColumn(verbose_name=_("Product"))
    kind = TextColumn(verbose_name=_("Device kind"))
    serial = TextColumn(verbose_name=_("Serial number"))
    status = StateColumn(choices=DeviceStatus, verbose_name=_("Status"), order_by=("status", "tag"))
    school = TextColumn(verbose_name=_("School"), order_by=("school__sort_key", "tag"), empty_values=())
    room = TextColumn(verbose_name=_("Room"), empty_values=())
    bought_on = DateColumn(verbose_name=_("Bought on"), order_by=("bought_on", "tag"))

    class Meta(PortalTable.Meta):
        model = Device
        fields = ("tag", "product", "kind", "serial", "status", "school", "room", "bought_on")
        sortable = ("tag", "status", "school", "bought_on")
        cards = ("product", "status", "school")

    def render_school(self, record: Device) -> Any:
        """A device that stands at no school is not of an unknown one."""
        if record.school is not None:
            return str(record.school)
        if record.last_school is not None:
            return _("last at %(school)s") % {"school": record.last_school}
        return _("in the depot") if record.status == DeviceStatus.IN_STOCK else "–"

    def value_school(self, record: Device) -> str:
        return str(record.school or "")

    def render_room(self, record: Device) -> str:
        return record.room or (formats.missing() if record.school_id else "–")

    def value_room(self, record: Device) -> str:
        return record.room


class DeviceDayTable(DeviceTable):
    """Where the devices stood on the day that the filters name; status is the present one."""

    stood_at = TextColumn(verbose_name=_("Stood at"))
    stood_in = TextColumn(verbose_name=_("Room then"))
    placed_since = DateColumn(verbose_name=_("Stood there since"))
    status = StateColumn(choices=DeviceStatus, verbose_name=_("Status today"), order_by=("status", "tag"))

    class Meta(DeviceTable.Meta):
        fields = ("tag", "product", "kind", "serial", "stood_at", "stood_in", "placed_since", "status")
        sequence = fields
        exclude = ("school", "room", "bought_on")
        sortable = ("tag", "status")
        cards = ("product", "stood_at", "placed_since")


class DeviceExportTable(DeviceTable):
    """More columns than a page has room for: the format that the import of devices takes back, with its stable ids."""

    manufacturer = TextColumn(accessor="product__manufacturer", verbose_name=_("Manufacturer"))
    model = TextColumn(accessor="product__model", verbose_name=_("Model"))
    kind_code = TextColumn(accessor="kind__code", verbose_name=_("Code of the kind"))
    school_number = TextColumn(accessor="school__number", verbose_name=_("School number"))
    site = TextColumn(verbose_name=_("Site"))
    last_school_number = TextColumn(accessor="last_school__number", verbose_name=_("Number of the last school"))
    last_school = TextColumn(verbose_name=_("Last school"))
    ownership = TextColumn(verbose_name=_("Ownership"))
    price = MoneyColumn(verbose_name=_("Acquisition cost"))
    use_until = DateColumn(verbose_name=_("Planned end of use"))
    condition = StateColumn(choices=Condition, verbose_name=_("Condition"))
    bound_until = DateColumn(verbose_name=_("Bound until"))
    bound_by = TextColumn(verbose_name=_("File reference of the grant"))
    disposal = StateColumn(choices=Disposal, verbose_name=_("Whereabouts after retirement"))
    disposed_on = DateColumn(verbose_name=_("Left on"))
    proceeds = MoneyColumn(verbose_name=_("Proceeds"))
    note = TextColumn(verbose_name=_("Note"))

    class Meta(DeviceTable.Meta):
        fields = ("tag", "manufacturer", "model", "kind", "kind_code", "serial", "status", "school_number", "school",
                  "site", "room", "last_school_number", "last_school", "ownership", "price", "bought_on", "use_until",
                  "condition", "bound_until", "bound_by", "disposal", "disposed_on", "proceeds", "note")  # fmt: skip
        sequence = fields
        exclude = ("product",)

    is_import_format = True

    def csv_file(self, records: Any) -> Iterator[str]:
        """On PostgreSQL the database writes the lines itself, where it knows how each column reads."""
        names = [bound.name for bound in self.columns]
        if connection.vendor == "postgresql" and isinstance(records, QuerySet) and device_lines.knows(names):
            return csv_blocks(self.export_header(), device_lines.copied(records, names), ends=True)
        return super().csv_file(records)


class DeviceDayExportTable(DeviceDayTable):
    bought_on = DateColumn(verbose_name=_("Bought on"))
    kind_code = TextColumn(accessor="kind__code", verbose_name=_("Code of the kind"))
    ownership = TextColumn(verbose_name=_("Ownership"))
    price = MoneyColumn(verbose_name=_("Acquisition cost"))

    class Meta(DeviceDayTable.Meta):
        fields = (*DeviceDayTable.Meta.fields, "kind_code", "ownership", "price", "bought_on")
        sequence = fields
        exclude = ("school", "room")


class PlacementTable(PortalTable):
    """Where one device stood when, and what it counted as there."""

    school = TextColumn(verbose_name=_("School"))
    room = TextColumn(verbose_name=_("Room"))
    since = DateColumn(verbose_name=_("Since"))
    until = DateColumn(verbose_name=_("Until"), empty_values=())
    counted = TextColumn(empty_values=(), verbose_name=_("Counts as"), accessor="pk")
    ownership = TextColumn(verbose_name=_("Ownership"))
    by = TextColumn(verbose_name=_("Entered by"))

    class Meta(PortalTable.Meta):
        model = Placement
        fields = ("school", "room", "since", "until", "counted", "ownership", "by")
        sequence = fields
        cards = ("room", "since", "until", "counted")

    def render_school(self, record: Placement) -> str:
        return f"{record.school}, {record.site}" if record.site else str(record.school)

    def render_until(self, value: Any) -> Any:
        return DateColumn().render(value) if value else _("today")

    def render_counted(self, record: Placement) -> Any:
        if record.countable:
            return _("pupils' device")
        return _("presentation device") if record.presentation else _("not counted")
