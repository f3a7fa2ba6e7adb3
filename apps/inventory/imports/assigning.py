"""Which column of a list goes where: as its format knows it, as somebody saved it, or as somebody put it right now.

Columns with secrets or personal data are closed: whatever an assignment says, they are never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import DomainError, ImportFileError
from apps.core.imports import mappings
from apps.core.imports.columns import Column, find_columns, folded
from apps.core.imports.faults import shown
from apps.inventory.imports.catalogue import Schools
from apps.inventory.imports.formats import ALL_COLUMNS, FORMATS, PLAIN, Format, is_personal, recognised
from apps.inventory.imports.telling import TellingSource
from apps.inventory.models import DeviceKind

KEYS = frozenset({"serial", "tag"})
LABELS: Mapping[str, str | Promise] = {
    "tag": gettext_lazy("Inventory number"),
    "serial": gettext_lazy("Serial number"),
    "manufacturer": gettext_lazy("Manufacturer"),
    "model": gettext_lazy("Model"),
    "product": gettext_lazy("Product"),
    "kind": gettext_lazy("Device kind"),
    "kind_code": gettext_lazy("Code of the kind"),
    "school_number": gettext_lazy("School number"),
    "school": gettext_lazy("School"),
    "site": gettext_lazy("Site"),
    "room": gettext_lazy("Room"),
    "ownership": gettext_lazy("Ownership"),
    "price": gettext_lazy("Acquisition cost"),
    "bought_on": gettext_lazy("Bought on"),
    "status": gettext_lazy("Status"),
    "since": gettext_lazy("Stands there since"),
    "condition": gettext_lazy("Condition"),
    "use_until": gettext_lazy("Planned end of use"),
    "bound_until": gettext_lazy("Bound until"),
    "bound_by": gettext_lazy("File reference of the grant"),
    "note": gettext_lazy("Note"),
}
"""What a column can be assigned to; all are columns of the plain table."""


def known_fields(kind: Format, header: Sequence[str]) -> list[str]:
    """What the format itself takes each column for, by its name; empty for what it does not know."""
    names = {folded(name): place for place, name in enumerate(header)}
    fields = [""] * len(header)
    for column in kind.columns:
        place = next((names[folded(alias)] for alias in column.aliases if folded(alias) in names), None)
        if place is not None and not fields[place]:
            fields[place] = column.name
    return fields


class AssigningSource(TellingSource):
    """Options: `format`, `school` and `kind` as in `DevicesSource`; `mapping` (fields by place, parted by commas)."""

    is_mappable = True

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        super().__init__(options)
        self.format: Format | None = FORMATS.get(self.options.get("format") or self.options.get("recognised", ""))
        self._columns: Sequence[Column] = self.format.columns if self.format else ALL_COLUMNS
        self._fields: list[str] = []
        self._personal: list[int] = []
        self._is_assigned = False

    def all_columns(self) -> Sequence[Column]:
        return self._columns

    def see_header(self, header: Sequence[str]) -> None:
        self._ensure_options()
        assigned = self._assigned(header)
        self.format = self.format or recognised(header)
        self.options["recognised"] = self.format.name
        self._is_assigned = assigned is not None
        self._fields = assigned or known_fields(self.format, header)
        self._columns = self._titled(self.format, header)
        personal = sorted(self.closed_places(header))
        self.options["unused"] = str(self._fields.count("") - len(personal))
        if "dropped_cells" not in self.options:
            self._personal = personal
            self.options |= {"dropped_columns": str(len(personal)), "dropped_cells": "0"}

    def _ensure_options(self) -> None:
        name, number = self.options.get("format", ""), self.options.get("school", "")
        if name and name not in FORMATS:
            raise ImportFileError(_("The format “%(name)s” is unknown.") % {"name": shown(name)})
        if number and Schools().by_number.get(number) is None:
            raise ImportFileError(
                _("There is no school “%(number)s” of the own authority on file.") % {"number": shown(number)}
            )
        kind = self.options.get("kind", "")
        if kind and not DeviceKind.objects.filter(code=kind).exists():
            raise ImportFileError(_("The device kind “%(kind)s” is unknown here.") % {"kind": shown(kind)})

    def _assigned(self, header: Sequence[str]) -> list[str] | None:
        """The fields that somebody assigned, now or to a file like this before; None: nobody."""
        if "mapping" not in self.options:
            saved = mappings.mapping_for(self.name, header)
            if saved is None or self.options.get("format"):
                return None
            self.options |= {"mapping": ",".join(saved.fields), "mapping_name": saved.name}
            self.format = FORMATS.get(saved.options.get("format", ""))
        fields = self.options["mapping"].split(",")
        if len(fields) != len(header):
            return None
        kind = self.format or recognised(header)
        closed, known = _closed(kind, header), {column.name for column in (*PLAIN.columns, *kind.columns)}
        return [name if name in known and place not in closed else "" for place, name in enumerate(fields)]

    def _titled(self, kind: Format, header: Sequence[str]) -> list[Column]:
        """The columns under the names of the file; of the plain table, where the format has no such column."""
        known = {column.name: column for column in PLAIN.columns} | {column.name: column for column in kind.columns}
        places = self._places()
        names = [*dict.fromkeys([*(column.name for column in kind.columns), *places])]
        found = []
        for name in names:
            column = known[name]
            title = header[places[name]] if name in places else column.title
            required = column.required and not self._is_assigned
            found.append(replace(column, aliases=(title, *column.aliases), required=required))
        return found

    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._fields) if name}

    def positions(self, header: Sequence[str]) -> Mapping[str, int]:
        if KEYS.isdisjoint(self._fields):
            raise ImportFileError(
                _("This is not the expected table: it has neither a column of serial numbers nor one of inventory"
                  " numbers.")
            )  # fmt: skip
        found = self._places() if self._is_assigned else find_columns(header, self._columns)
        self.options["titles"] = json.dumps({name: header[place] for name, place in found.items()})
        return found

    def title(self, name: str) -> str:
        """How the file calls a column."""
        return next((column.title for column in self._columns if column.name == name), "")

    # -- what people assign -----------------------------------------------------------------------------------------

    def offered_fields(self) -> Sequence[tuple[str, str | Promise]]:
        return [(column.name, LABELS.get(column.name, column.title)) for column in PLAIN.columns]

    def fields_by_place(self, header: Sequence[str]) -> list[str]:
        return list(self._fields)

    def closed_places(self, header: Sequence[str]) -> set[int]:
        return _closed(self.format or recognised(header), header)

    def ensure_fields(self, fields: Sequence[str]) -> None:
        taken = [name for name in fields if name]
        double = next((name for name in taken if taken.count(name) > 1), "")
        if double:
            label: Any = LABELS.get(double, double)
            raise DomainError(_("“%(field)s” is chosen for two columns. Please choose one.") % {"field": label})
        if KEYS.isdisjoint(taken):
            raise DomainError(_("Please choose the column of the serial numbers or that of the inventory numbers."))

    def mapping_options(self) -> dict[str, str]:
        return {"format": self.format.name} if self.format else {}


def _closed(kind: Format, header: Sequence[str]) -> set[int]:
    known = known_fields(kind, header)
    return {place for place, name in enumerate(header) if not known[place] and is_personal(name)}
