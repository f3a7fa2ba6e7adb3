"""The source: rows of a device list, matched by serial number, then by inventory number.

A product that is not on file is created where the file names its maker, model and kind, and cannot be applied for
until the office sets its price; otherwise the row is faulty and names it. Serial numbers stay as they are, but for
blanks and small letters.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.files import File
from django.db.models import Min, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy, gettext_noop

from apps.core.imports.columns import folded
from apps.core.imports.faults import CellError, Fault
from apps.core.imports.sources import ReadAgain, Row
from apps.core.models import ImportRow, RowAction
from apps.inventory.imports import cells, differences, keeping
from apps.inventory.imports.catalogue import Catalogue, Devices, Schools, on_file, shown_on_file
from apps.inventory.imports.formats import ALL_COLUMNS
from apps.inventory.imports.naming import NamingSource
from apps.inventory.imports.shapes import Shape, Shapes
from apps.inventory.imports.telling import HOLDS_FROM, TAKEN_IN
from apps.inventory.imports.upload import DevicesUploadForm
from apps.inventory.models import Device, Product
from apps.inventory.services import alike, batches
from apps.inventory.services.alike import OWN
from apps.inventory.services.newcomers import Newcomer, create_batch
from apps.schools.models import School
from apps.schools.services import raise_inputs_version

FIELDS = ("tag", "serial", "product", "kind", "status", "school", "site", "room", "last_school", HOLDS_FROM,
          "ownership", "price", "bought_on", "use_until", "condition", "bound_until", "bound_by", "disposal",
          "disposed_on", "proceeds", "note")  # fmt: skip
LOCKED = 5_000
"""Numbers that are looked up at once to find what must be locked."""


@dataclass
class Planned:
    """What a row would do: facts of a device, None for a new one, from a day on."""

    device: Device | None
    facts: dict[str, Any]
    day: datetime.date


class DevicesSource(NamingSource):
    """Options: `format` (one of FORMATS; without it the header tells), `school` (number of the school of all rows that
    name none) and `kind` (code of the kind of products that are not on file, where the row names none). What the check
    found out is added: `recognised`, `dropped_columns`, `dropped_cells`, `unused`.
    """

    name = "devices"
    label = gettext_lazy("Devices")
    permission = "inventory.import_devices"
    columns = ALL_COLUMNS
    key_column = "serial"
    fields = FIELDS
    upload_form = DevicesUploadForm
    takes_exports = True
    named_reasons = frozenset({"not_on_file"})
    reasons = {
        "trashed": gettext_lazy("deleted in the device management"),
        "private": gettext_lazy("private device: nothing of it is kept"),
        "second_line": gettext_lazy("second line of the same device"),
        "not_on_file": gettext_lazy("not on file here, and the list does not say what device it is"),
    }

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        super().__init__(options)
        self._names: set[str] = set()
        self._end_rows: int | None = None
        self._is_locked = False
        self._known_serials: set[str] = set()
        self._known_tags: set[str] = set()

    @classmethod
    def kept_file(cls, upload: File, options: dict[str, str]) -> File:
        """Without the cells of columns with secrets or personal data: they are never stored."""
        return keeping.stripped(upload, cls(options), options)

    # -- the file as a whole ----------------------------------------------------------------------------------------

    def see_record(self, cells: Sequence[str]) -> None:
        if not self._personal:
            return
        dropped = sum(1 for place in self._personal if place < len(cells) and cells[place].strip())
        if dropped:
            self.options["dropped_cells"] = str(int(self.options["dropped_cells"]) + dropped)

    def see_end(self, rows: int) -> None:
        self._end_rows = rows

    def see_end_of_file(self, rows: int, *, is_workbook: bool) -> None:
        """Our own export, known by its column of kind codes, says at its end how many rows it had."""
        self.options.pop("end", None)
        may_be_cut_off = "kind_code" in self._fields and not (is_workbook or "workbook" in self.options)
        if self._end_rows is None and may_be_cut_off:
            self.options["end"] = "missing"
        elif self._end_rows not in (None, rows):
            self.options["end"] = f"{self._end_rows} {rows}"

    # -- one row ----------------------------------------------------------------------------------------------------

    def key_of(self, data: Mapping[str, str]) -> str:
        if _is_private(data):
            return ""
        return _number(data, "serial") or _number(data, "tag")

    def key_title(self, data: Mapping[str, str]) -> str:
        return self.title("serial" if _number(data, "serial") else "tag")

    def left_out(self, data: Mapping[str, str]) -> str:
        if _is_private(data):
            data.clear()  # type: ignore[attr-defined]  # the engine's own dict: nothing of it shall be staged
            return "private"
        if "trashed" in data and data["trashed"].casefold() in {"true", "yes", "1"}:
            return "trashed"
        if self.format and self.format.name == "iserv":
            name = _number(data, "tag")
            if name and name in self._names:
                return "second_line"
            self._names.add(name)
        return ""

    def prepare(self) -> None:
        self.catalogue, self.schools = Catalogue(), Schools()
        self.touched: set[int] = set()
        self._names = set()
        self._tags: dict[str, int] = {}
        self._seen: dict[int, int] = {}
        self._shapes = Shapes()
        self._own = [column for column in self.all_columns() if column.name in OWN]

    def read(self, row: Row) -> None:
        """All faults of a row at once: those of its cells, and those that follow from what could be read."""
        key = self._shapes.key(row.data)
        shape = self._shapes.get(key)
        if shape is not None and self._read_like(row, shape):
            return
        super().read(row)
        if "said" not in row.values:
            self.clean(row)
        said: differences.Said = row.values["said"]
        if not row.errors and not row.hints and not _is_unsaved(said.product) and not self._only_room():
            row.values["shape"] = self._shapes.remember(key, said, row.label)

    def _read_like(self, row: Row, shape: Shape) -> bool:
        """Reads a row whose other cells are known; False where there is anything to say of its own ones."""
        values = dict(shape.said.values)
        try:
            for column in self._own:
                values[column.name] = self._parsed(column, row.data.get(column.name, ""))
        except CellError:
            return False
        tag = values.get("tag")
        if not (tag or values.get("serial")) or (tag and self._tags.setdefault(tag, row.line) != row.line):
            return False
        values |= {"said": shape.said_with(values), "shape": shape}
        row.values, row.label = values, shape.label
        return True

    def clean(self, row: Row) -> None:
        values = row.values
        if self._only_room() and values.get("room"):
            values["room"] = values["room"].removesuffix("WLAN").rstrip(" -_")
        if not values.get("serial") and not values.get("tag"):
            row.errors.append(
                Fault(self.title("serial") or self.title("tag"),
                      gettext_noop("The row has neither a serial number nor an inventory number."))
            )  # fmt: skip
        tag = values.get("tag")
        if tag and row.line and self._tags.setdefault(tag, row.line) != row.line:
            message = gettext_noop("“%(key)s” stands in line %(first)s already; each may stand in the file once.")
            row.errors.append(Fault(self.title("tag"), message, {"key": tag, "first": self._tags[tag]}))
        row.label = " ".join(filter(None, (values.get("manufacturer"), values.get("model"))))
        row.label = row.label or values.get("product") or ""
        row.values["said"] = self._said(row)

    # -- comparing --------------------------------------------------------------------------------------------------

    def lock(self, staged: QuerySet[ImportRow]) -> None:
        """Remembers which numbers are on file: only these are looked up again. A device that is added with another of
        the numbers after this meets their unique constraint.
        """
        known = staged.exclude(action=RowAction.NEW).order_by()
        rows = list(known.values_list(KeyTextTransform("serial", "data"), KeyTextTransform("tag", "data")))
        found = list(shown_on_file(staged.filter(action=RowAction.NEW).order_by()))
        for start in range(0, len(rows), LOCKED):
            some = rows[start : start + LOCKED]
            found += on_file(
                (_as_number(serial or "") for serial, _tag in some), (_as_number(tag or "") for _serial, tag in some)
            )
        self._known_serials |= {serial for _key, serial, _tag in found}
        self._known_tags |= {tag for _key, _serial, tag in found}
        self._is_locked = True
        batches.lock_devices(key for key, _serial, _tag in found)

    def compare(self, rows: Sequence[Row]) -> None:
        serials = {row.values.get("serial") or "" for row in rows}
        tags = {row.values.get("tag") or "" for row in rows}
        if self._is_locked:
            serials, tags = serials & self._known_serials, tags & self._known_tags
        known = Devices(serials, tags)
        for row in rows:
            device = self._match(row, known)
            shape: Shape | None = row.values.get("shape")
            if row.errors or (device is None and shape is not None and _plan_like(row, shape)):
                continue
            said: differences.Said = row.values["said"]
            if device is None and self._only_room():
                row.reason = "not_on_file"
                continue
            if device is not None and not self._is_own():
                said.kind = None
            elif said.product is None and device is None:
                self._find_product(row, said)
                self._find_only_product(row, said)
            days = known.days(device) if device is not None else None
            outcome = differences.of_known(device, said, days) if device and days else differences.of_new(said)
            row.errors += outcome.told(self._title_of)
            row.hints += outcome.hinted(self._title_of)
            row.target = Planned(device, outcome.facts, outcome.day)
            row.changes = _changes(device, outcome.facts) | _holds_from(outcome, said)
            row.action = RowAction.NEW if device is None else RowAction.CHANGED if row.changes else RowAction.UNCHANGED
            if device is None and shape is not None and not row.errors and not _is_unsaved(outcome.facts["product"]):
                shape.learn(outcome.facts, row.changes, outcome.day)

    def _title_of(self, name: str) -> str:
        """Faults about a place are told at the column that the file has for it."""
        if name == "school":
            return self.title("school_number") or self.title("school")
        return self.title(name)

    def _match(self, row: Row, known: Devices) -> Device | None:
        serial, tag = row.values.get("serial"), row.values.get("tag")
        by_serial, by_tag = known.by_serial.get(serial or ""), known.by_tag.get(tag or "")
        device = by_serial or by_tag
        if device is None:
            return None
        row.label = f"{device.tag} {device.product}"
        if by_serial is not None and tag and tag != by_serial.tag:
            message = gettext_noop("The device with this serial number bears the inventory number %(tag)s.")
            fault = Fault(self.title("tag"), message, {"tag": by_serial.tag})
            (row.errors if self._is_own() else row.hints).append(fault)
        if self._is_foreign(device):
            message = gettext_noop("This device stands at a school of another authority.")
            row.errors.append(Fault("", message))
        first = self._seen.setdefault(device.pk, row.line)
        if first != row.line:
            message = gettext_noop("This device stands in line %(first)s already.")
            row.errors.append(Fault("", message, {"first": first}))
        return device

    def _is_foreign(self, device: Device) -> bool:
        school = device.school or device.last_school
        return school is not None and not school.authority.is_own

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        self._add_products(rows, by=by, reason=reason)
        plans: list[Planned] = [row.target for row in rows]
        new = [Newcomer(plan.facts, plan.day) for plan in plans if plan.device is None]
        known = [batches.Entry(plan.device, plan.facts, plan.day) for plan in plans if plan.device is not None]
        self.touched |= create_batch(new, by=by, reason=reason)
        self.touched |= batches.write_batch(known, by=by, reason=reason)

    def write_alike(
        self, staged: QuerySet[ImportRow], read_again: ReadAgain, *, by: Any, reason: str
    ) -> QuerySet[ImportRow]:
        """New devices that are alike: the rules are asked for the first of each shape.

        Of the rows that are left for later those that name a product first are read, too: the first row of the list
        says what a new product is.
        """
        new = staged.filter(action=RowAction.NEW)
        first = set(alike.gather(new)) if alike.is_possible() else set()
        if not first:
            return staged
        keys = sorted(first | set(_first_of_products(alike.without_gathered(new))))
        shapes: dict[int, Newcomer] = {}
        for start in range(0, len(keys), LOCKED):
            some = keys[start : start + LOCKED]
            rows = read_again(staged.filter(pk__in=some).order_by("pk"))
            self._add_products(rows, by=by, reason=reason)
            read = zip(some, rows, strict=True)
            shapes |= {key: Newcomer(row.target.facts, row.target.day) for key, row in read if key in first}
        self.touched |= alike.create_alike(shapes, by=by, reason=reason)
        return alike.without_gathered(staged)

    def _add_products(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        """Each new product once, however many rows name it."""
        unsaved = [row.target.facts for row in rows if _is_unsaved(row.target.facts.get("product"))]
        new: dict[str, Product] = {}
        for facts in unsaved:
            new.setdefault(folded(str(facts["product"])), facts["product"])
        for product in batches.add_products(list(new.values()), by=by, reason=reason):
            self.catalogue.add(product)
            new[folded(str(product))] = product
        for facts in unsaved:
            facts["product"] = new[folded(str(facts["product"]))]

    def finish(self) -> None:
        raise_inputs_version(self.touched)


def _first_of_products(staged: QuerySet[ImportRow]) -> QuerySet[Any, int]:
    """The key of the first row that names each product as it does."""
    names = {f"{name}_named": KeyTextTransform(name, "data") for name in ("manufacturer", "model", "product")}
    return staged.order_by().values(**names).annotate(first=Min("pk")).values_list("first", flat=True)


def _plan_like(row: Row, shape: Shape) -> bool:
    """What becomes of a new device, as the rules said of the first of its shape; False where they must be asked."""
    if shape.day is None or (row.values.get("room") and not shape.is_placed):
        return False
    own = {name: value for name in OWN if (value := row.values.get(name)) not in (None, "")}
    row.target = Planned(None, {"tag": "", **shape.facts, **own}, shape.day)
    row.changes = {**shape.changes, **{name: [None, _as_json(value)] for name, value in own.items()}}
    row.action = RowAction.NEW
    return True


def _changes(device: Device | None, facts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Field -> [old, new] as JSON; a new device has nothing old, and only what is known of it.

    Sites of two schools that bear the same name are left out: the school's own line says what changes.
    """
    if device is None:
        return {name: [None, _as_json(value)] for name, value in facts.items() if value not in (None, "")}
    pairs = {name: [_as_json(getattr(device, name)), _as_json(value)] for name, value in facts.items()}
    return {name: [old, new] for name, (old, new) in pairs.items() if name != "site" or old != new}


def _holds_from(outcome: differences.Outcome, said: differences.Said) -> dict[str, list[Any]]:
    """From when a device stands elsewhere; without a day in the row that is the day on which the list is taken in."""
    if not outcome.moves:
        return {}
    is_named = said.values.get(outcome.day_column) is not None
    return {HOLDS_FROM: [None, outcome.day.isoformat() if is_named else TAKEN_IN]}


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, School):
        return f"{value.number} {value.short_name}"
    return str(value)


def _number(data: Mapping[str, str], name: str) -> str:
    """A serial or inventory number as it is compared."""
    return _as_number(data.get(name, ""))


def _as_number(cell: str) -> str:
    return " ".join(cells.raw(cell).split()).upper()


def _is_private(data: Mapping[str, str]) -> bool:
    return "private" in data and data["private"].casefold() in {"personal", "persönlich"}


def _is_unsaved(product: Product | None) -> bool:
    return product is not None and product.pk is None
