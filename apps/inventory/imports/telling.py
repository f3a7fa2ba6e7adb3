"""What a checked list of devices tells people: its format, what was left unread, and how its changes read."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formats
from apps.core.imports.sources import ImportSource
from apps.inventory.choices import Condition, DeviceStatus, Disposal, Ownership
from apps.inventory.imports.formats import Format
from apps.inventory.models import Device, DeviceKind

SENSES = {"status": DeviceStatus, "ownership": Ownership, "condition": Condition, "disposal": Disposal}
DAYS = frozenset({"bought_on", "use_until", "bound_until", "disposed_on"})
HOLDS_FROM, TAKEN_IN = "since", "taken_in"
"""Of a device that moves, from which day on; TAKEN_IN is the day on which the list is applied."""
AMOUNTS = frozenset({"price", "proceeds"})


class TellingSource(ImportSource):
    """The part of the source that only shows what the rest has found out."""

    format: Format | None

    def option_labels(self) -> list[str]:
        labels = [str(self.format.label)] if self.format else []
        if self.options.get("mapping_name"):
            labels.append(_("assignment “%(name)s”") % {"name": self.options["mapping_name"]})
        if self.options.get("school"):
            labels.append(_("school %(number)s") % {"number": self.options["school"]})
        if self.options.get("kind"):
            kind = DeviceKind.objects.filter(code=self.options["kind"]).first()
            labels.append(_("new products: %(kind)s") % {"kind": kind or self.options["kind"]})
        return labels + self.dropped() + self.end()

    def end(self) -> list[str]:
        """What the last line of an export tells against this file."""
        told = self.options.get("end", "")
        if told == "missing":
            sentence = _(
                "the last line of the export is missing: rows may have been cut off. Please compare their number"
            )
            return [sentence]
        if told:
            before, now = told.split()
            return [_("the export had %(before)s rows, this file has %(now)s") % {"before": before, "now": now}]
        return []

    def dropped(self) -> list[str]:
        columns, dropped = int(self.options.get("dropped_columns", 0)), int(self.options.get("dropped_cells", 0))
        if not columns:
            return []
        sentence = ngettext(
            "%(columns)d column with secrets or personal data was dropped unread (filled cells: %(cells)d)",
            "%(columns)d columns with secrets or personal data were dropped unread (filled cells: %(cells)d)",
            columns,
        )
        return [sentence % {"columns": columns, "cells": dropped}]

    def remarks(self) -> list[str]:
        labels = [_("Format: %(name)s") % {"name": self.format.label}] if self.format else []
        return labels + self.dropped() + self.end()

    def more_figures(self) -> dict[str, Any]:
        figures = {name: int(self.options.get(key, 0))
                   for name, key in (("columns", "dropped_columns"), ("cells", "dropped_cells"))}  # fmt: skip
        return {"format": self.options.get("recognised", ""), "dropped": figures,
                "unused_columns": int(self.options.get("unused", 0))}  # fmt: skip

    def field_label(self, name: str) -> str:
        if name == HOLDS_FROM:
            return _("From this day on")
        return str(Device._meta.get_field(name).verbose_name)

    def display(self, name: str, value: Any) -> str:
        if value in (None, ""):
            return ""
        if (name, value) == (HOLDS_FROM, TAKEN_IN):
            return _("the day on which the import is applied")
        if name in SENSES:
            return str(SENSES[name](value).label)
        if name in DAYS or name == HOLDS_FROM:
            return formats.day(datetime.date.fromisoformat(value))
        return formats.euro(value) if name in AMOUNTS else str(value)
