"""Columns are found by name, never by position; each reads its own cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import ImportFileError
from apps.core.text import sort_key


@dataclass(frozen=True)
class Column:
    """`aliases` are the names in files, the official one first; case, blanks and signs do not matter.

    A `required` column must stand in the header. With `lenient` a cell that cannot be read is a hint and taken as
    empty; otherwise it makes the row faulty.
    """

    name: str
    aliases: tuple[str, ...]
    parse: Callable[[str], Any]
    required: bool = True
    lenient: bool = False

    @property
    def title(self) -> str:
        return self.aliases[0]


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A header name without case, blanks and signs: "E-Mail" and "email" are the same."""
    return "".join(char for char in sort_key(name) if char.isalnum())


def known_columns(columns: Sequence[Column]) -> Callable[[Sequence[str]], int]:
    """Says of a list of names how many of them are columns of this kind."""
    names = {folded(alias) for column in columns for alias in column.aliases}
    return lambda header: sum(1 for name in header if folded(name) in names)


def find_columns(header: Sequence[str], columns: Sequence[Column]) -> Mapping[str, int]:
    """Column name -> position. Raises `ImportFileError` naming all columns that are missing or stand twice."""
    by_alias = {folded(alias): column for column in columns for alias in column.aliases}
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        column = by_alias.get(folded(name))
        if column is None:
            continue
        if column.name in positions:
            raise ImportFileError(_("The column “%(column)s” stands in the file twice.") % {"column": column.title})
        positions[column.name] = position
    missing = [column.title for column in columns if column.required and column.name not in positions]
    if missing:
        raise ImportFileError(
            _("This is not the expected table, these columns are missing: %(columns)s.")
            % {"columns": ", ".join(missing)},
            missing=missing,
        )
    return positions
