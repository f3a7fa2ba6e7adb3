"""The admin's page about a row's past: who changed what, when and why, inside the person's scope only."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.money import CentsField

SHARE_PLACES = 4
"""Decimals with four places are shares of one: funding rates, which people read in percent."""


@dataclass(frozen=True)
class Change:
    """One field of one change, in words."""

    field: str
    old: str
    new: str


def changes_between(newer: Any, older: Any | None, leave_out: Collection[str] = ()) -> list[Change]:
    """All tracked fields that differ, also those that only services write; without `older` all that is filled."""
    changes = []
    for field in newer.tracked_fields:
        if field.name in leave_out:
            continue
        value = getattr(newer, field.attname)
        before = getattr(older, field.attname) if older is not None else None
        if field.primary_key or value == before or (older is None and value in ("", None)):
            continue
        old = shown(older, field) if older is not None else ""
        changes.append(Change(str(capfirst(field.verbose_name)), old, shown(newer, field)))
    return changes


def shown(record: Any, field: models.Field[Any, Any]) -> str:
    """A field's value as people read it; what a row that is gone was called is not known any more."""
    value = getattr(record, field.attname)
    if value in (None, ""):
        return formats.missing()
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.is_relation:
        try:
            return str(getattr(record, field.name))
        except ObjectDoesNotExist:
            return f"#{value}"
    if field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, CentsField | models.DecimalField):
        return _number(value, field)
    if isinstance(value, datetime.datetime):
        return formats.moment(value)
    return formats.day(value) if isinstance(value, datetime.date) else str(value)


def _number(value: Any, field: Any) -> str:
    if isinstance(field, CentsField):
        return formats.euro(value)
    if field.decimal_places != SHARE_PLACES:
        return formats.number(value, field.decimal_places)
    percent = value * 100
    return formats.percent(percent, 0 if percent == int(percent) else 2)


def told(records: Iterable[Any], leave_out: Collection[str] = ()) -> list[Any]:
    """Historical records of one row, newest first, each with its changes in words; `leave_out` names fields."""
    rows = list(records)
    for newer, older in pairwise([*rows, None]):
        if older is not None or newer.history_type == "+":
            newer.history_delta_changes = changes_between(newer, older, leave_out)
    return rows


class HistoryPageMixin:
    """One page per row instead of simple-history's two."""

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()  # type: ignore[misc]
        return [url for url in urls if not (url.name or "").endswith("_simple_history")]

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> models.QuerySet[Any]:
        """With the people who wrote: simple-history forgets them where a model has no foreign key of its own."""
        records: models.QuerySet[Any] = super().get_history_queryset(*args, **kwargs)  # type: ignore[misc]
        return records.select_related("history_user")

    def history_view_title(self, request: HttpRequest, obj: Any) -> str:
        return _("History of “%(row)s”") % {"row": obj}

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: Any, foreign_keys_are_objs: bool = True
    ) -> None:
        told(historical_records)
