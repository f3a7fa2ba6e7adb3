"""A person's own names for the filters of a list: kept, renamed, opened first, forgotten.

Only parameters that the list knows are kept; their values are read anew each time, under the scope of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.models import SavedFilter

MOST = 20
"""More would be a list to search in itself."""
PLAIN = "saved"
"""Parameter that asks for the list without the filter that opens with it."""


@dataclass(frozen=True)
class OwnFilter:
    """One of the person's filters on the page; `current`: it is what the list shows now."""

    row: SavedFilter
    current: bool

    @property
    def address(self) -> str:
        return f"?{self.row.query}"


def known_query(asked: QueryDict, fields: Iterable[str]) -> str:
    """The address's filters and sorting in one order, without empty ones, page and what the list does not know."""
    kept = QueryDict(mutable=True)
    for name in sorted({*fields, "sort"}):
        values = [value for value in asked.getlist(name) if value.strip()]
        if values:
            kept.setlist(name, values)
    return kept.urlencode()


def own_filters(user: Any, list_name: str, current: str) -> list[OwnFilter]:
    rows = SavedFilter.objects.visible_to(user).filter(list_name=list_name)
    return [OwnFilter(row, row.query == current) for row in rows]


@transaction.atomic
def keep_filter(*, user: Any, list_name: str, name: str, query: str) -> SavedFilter:
    """Keeps a filter under a name that none of the list's others bears; sent twice, it is kept once."""
    name = _tidy(name)
    if not query:
        raise DomainError(_("The list is not filtered. Please filter or sort it first."))
    if len(query) > _longest():
        raise DomainError(_("This filter is too long to be kept. Please shorten what you search for."))
    _lock(user)
    rows = SavedFilter.objects.visible_to(user).filter(list_name=list_name)
    known = _called(rows, name)
    if known is not None and (known.query != query or known.name != name):
        raise DomainError(_taken())
    if known is None and rows.count() >= MOST:
        raise DomainError(_("You have %(most)d filters for this list. Please delete one first.") % {"most": MOST})
    row = known or SavedFilter(user=user, list_name=list_name, name=name)
    row.query = query
    row.save()
    return row


@transaction.atomic
def rename_filter(*, row: SavedFilter, name: str) -> SavedFilter:
    name = _tidy(name)
    _lock(row.user)
    others = SavedFilter.objects.visible_to(row.user).filter(list_name=row.list_name).exclude(pk=row.pk)
    if _called(others, name) is not None:
        raise DomainError(_taken())
    row.name = name
    row.save(update_fields=["name"])
    return row


@transaction.atomic
def open_first(*, row: SavedFilter, first: bool) -> SavedFilter:
    """Lets the list open with this filter, or no longer; at most one of a list does."""
    _lock(row.user)
    SavedFilter.objects.visible_to(row.user).filter(list_name=row.list_name, is_default=True).update(is_default=False)
    if first:
        SavedFilter.objects.filter(pk=row.pk).update(is_default=True)
    row.is_default = first
    return row


def forget_filter(*, row: SavedFilter) -> None:
    row.delete()


def _called(rows: Iterable[SavedFilter], name: str) -> SavedFilter | None:
    """The filter of that name, in whatever case: SQLite would not tell "Ä" from "ä"."""
    return next((row for row in rows if row.name.casefold() == name.casefold()), None)


def _taken() -> str:
    return str(_("Another of your filters is called so. Please choose another name."))


def _tidy(name: str) -> str:
    """A name without needless blanks; refuses none and one that is too long."""
    tidied = " ".join(name.replace("\x00", "").split())
    if not tidied:
        raise DomainError(_("Please enter a name for the filter."))
    if len(tidied) > _longest("name"):
        raise DomainError(
            _("This name is too long. Please take at most %(most)d characters.") % {"most": _longest("name")}
        )
    return tidied


def _longest(field: str = "query") -> int:
    return int(SavedFilter._meta.get_field(field).max_length or 0)  # type: ignore[union-attr]  # a text field


def _lock(user: Any) -> None:
    """Two windows of one person take turns."""
    rows = get_user_model()._default_manager.select_for_update(no_key=True).filter(pk=user.pk)
    list(rows.values_list("pk", flat=True))
