"""Cells of official files as Python values. Each parser takes the stripped text and raises `CellError`."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext_noop as _

from apps.core.imports.faults import CellError, shown

Parser = Callable[[str], Any]
_NOTHING = frozenset({"", "null"})
_is_url = URLValidator(schemes=["http", "https"])


def text(*, longest: int, empty: bool = True) -> Parser:
    """Text on one line, runs of blanks as one."""

    def parse(cell: str) -> str:
        value = " ".join(cell.split())
        _refuse_empty(value, empty)
        if not value.isprintable() and any(unicodedata.category(char) == "Cc" for char in value):
            raise CellError(_("The text holds control characters."))
        if len(value) > longest:
            raise CellError(_("The text is longer than %(longest)s characters."), longest=longest)
        return value

    return parse


def code(pattern: str, message: str, *, empty: bool = False) -> Parser:
    """A key kept as text (leading zeros matter) that matches `pattern` as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> str:
        _refuse_empty(cell, empty)
        if cell and not compiled.fullmatch(cell):
            raise CellError(message, value=shown(cell))
        return cell

    return parse


def one_of(values: Iterable[str], *, empty: bool = False) -> Parser:
    """One of the keys of an official list."""
    allowed = tuple(values)

    def parse(cell: str) -> str:
        _refuse_empty(cell, empty)
        if cell and cell not in allowed:
            raise CellError(
                _("The key “%(value)s” is unknown; the list has %(allowed)s."),
                value=shown(cell),
                allowed=", ".join(allowed),
            )
        return cell

    return parse


def day(cell: str) -> datetime.date | None:
    """ "01.08.2018"; nothing for an empty cell."""
    if cell.lower() in _NOTHING:
        return None
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", cell, re.ASCII)
    try:
        if match is None:
            raise ValueError(cell)
        return datetime.date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        raise CellError(_("“%(value)s” is not a day such as 01.08.2024."), value=shown(cell)) from None


def whole_number(*, lowest: int = 0, highest: int = 2_147_483_647) -> Parser:
    """A whole number, thousands points allowed ("1.234"); nothing for an empty cell."""

    def parse(cell: str) -> int | None:
        if cell.lower() in _NOTHING:
            return None
        if not re.fullmatch(r"\d{1,3}(\.\d{3})+|\d{1,12}", cell, re.ASCII):
            raise CellError(_("“%(value)s” is not a whole number."), value=shown(cell))
        number = int(cell.replace(".", ""))
        if not lowest <= number <= highest:
            raise CellError(
                _("%(value)s lies outside of %(lowest)s to %(highest)s."), value=number, lowest=lowest, highest=highest
            )
        return number

    return parse


def filled(parse: Parser) -> Parser:
    """The same parser for a cell that must not be empty."""

    def refusing(cell: str) -> Any:
        value = parse(cell)
        if value is None or value == "":
            raise CellError(_("The cell is empty."))
        return value

    return refusing


def metres(cell: str) -> int | None:
    """A coordinate in whole metres; fractions are rounded half-up."""
    if cell.lower() in _NOTHING:
        return None
    if not re.fullmatch(r"\d{1,8}([.,]\d{1,12})?", cell, re.ASCII):
        raise CellError(_("“%(value)s” is not a coordinate in metres."), value=shown(cell))
    return int(Decimal(cell.replace(",", ".")).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def email(cell: str) -> str:
    if cell:
        try:
            validate_email(cell)
        except ValidationError:
            raise CellError(_("“%(value)s” is not an e-mail address."), value=shown(cell)) from None
    return cell


def homepage(cell: str) -> str:
    """An address of a web page; official files often leave out the scheme."""
    if not cell or cell.lower() in _NOTHING:
        return ""
    address = cell if "://" in cell else f"https://{cell}"
    try:
        _is_url(address)
    except ValidationError:
        raise CellError(_("“%(value)s” is not a web address."), value=shown(cell)) from None
    if len(address) > 200:
        raise CellError(_("The text is longer than %(longest)s characters."), longest=200)
    return address


def _refuse_empty(value: str, empty: bool) -> None:
    if not value and not empty:
        raise CellError(_("The cell is empty."))
