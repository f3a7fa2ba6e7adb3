"""Cells of device lists as values: numbers, words in both languages, German and English days and money."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.html import strip_tags
from django.utils.translation import gettext_noop as _

from apps.core import money
from apps.core.exports import unescaped
from apps.core.imports.columns import folded
from apps.core.imports.faults import CellError, shown
from apps.core.imports.parsers import Parser
from apps.core.imports.parsers import text as one_line
from apps.inventory.choices import Condition, DeviceStatus, Disposal, Ownership
from apps.inventory.models import tag_validator
from apps.inventory.numbering import tidy

LONGEST_NOTE = 4_000
LINE_BREAK = "\u2028"
"""Stands for a line break in the kept copy of a workbook, where each row has one line."""
_TAG = re.compile(tag_validator.regex.pattern)
_EXCEL_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? \d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_GERMAN_MONEY = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d{1,12})(?:,(\d{1,2}))?", re.ASCII)
_ENGLISH_MONEY = re.compile(r"(\d{1,3}(?:,\d{3})+(?=\.)|\d{1,3}(?:,\d{3}){2,}|\d{1,12})(?:\.(\d{1,2})0*)?", re.ASCII)

STATUS_WORDS: Mapping[str, DeviceStatus] = {
    "lager": DeviceStatus.IN_STOCK,
    "auf lager": DeviceStatus.IN_STOCK,
    "im depot": DeviceStatus.IN_STOCK,
    "available": DeviceStatus.IN_STOCK,
    "in benutzung": DeviceStatus.IN_USE,
    "im einsatz": DeviceStatus.IN_USE,
    "aktiv": DeviceStatus.IN_USE,
    "active": DeviceStatus.IN_USE,
    "ausgeliehen": DeviceStatus.ON_LOAN,
    "defekt": DeviceStatus.IN_REPAIR,
    "reparatur": DeviceStatus.IN_REPAIR,
    "vermisst": DeviceStatus.LOST,
    "missing": DeviceStatus.LOST,
    "entsorgt": DeviceStatus.RETIRED,
    "ausgemustert": DeviceStatus.RETIRED,
}
SNIPE_STATUS_WORDS: Mapping[str, DeviceStatus] = {
    "archived": DeviceStatus.RETIRED,
    "archiviert": DeviceStatus.RETIRED,
    "out for repair": DeviceStatus.IN_REPAIR,
    "out for diagnostics": DeviceStatus.IN_REPAIR,
    "lost/stolen": DeviceStatus.LOST,
}
SNIPE_AT_PLACE = ("ready to deploy", "deployed", "deployable", "einsatzbereit", "einsetzbar", "herausgegeben")
"""How such a list says that nothing is the matter with a device; the German words are assumed."""
OWNERSHIP_WORDS: Mapping[str, Ownership] = {
    "kauf": Ownership.BOUGHT,
    "leasing": Ownership.LEASED,
    "miete": Ownership.RENTED,
    "spende": Ownership.DONATED,
    "eltern": Ownership.PARENT_FINANCED,
}
CONDITION_WORDS: Mapping[str, Condition] = {
    "kaputt": Condition.DEFECTIVE,
    "broken": Condition.DEFECTIVE,
}
DISPOSAL_WORDS: Mapping[str, Disposal] = {
    "entsorgt": Disposal.SCRAPPED,
    "verschenkt": Disposal.GIVEN_AWAY,
    "gespendet": Disposal.GIVEN_AWAY,
    "zurückgegeben": Disposal.RETURNED,
}
_MORE_WORDS: Mapping[Any, Mapping[str, Any]] = {
    DeviceStatus: STATUS_WORDS,
    Ownership: OWNERSHIP_WORDS,
    Condition: CONDITION_WORDS,
    Disposal: DISPOSAL_WORDS,
}


def raw(cell: str) -> str:
    """The text a person wrote: without the signs that keep spreadsheets from computing or cutting zeros."""
    excel = _EXCEL_TEXT.fullmatch(cell) if cell.startswith("=") else None
    return excel[1] if excel else unescaped(cell)


def plain(parse: Callable[[str], Any]) -> Parser:
    """A parser of the text behind `raw`."""
    return lambda cell: parse(raw(cell))


def from_html(parse: Callable[[str], Any]) -> Parser:
    """A parser of the words in a cell that may hold HTML, as lists of Snipe-IT do."""
    return lambda cell: parse(html.unescape(strip_tags(raw(cell))).strip())


def text(longest: int) -> Parser:
    return plain(one_line(longest=longest))


def tag(cell: str) -> str:
    """An inventory number in capitals; empty for an empty cell."""
    value = tidy(raw(cell)).upper()
    if value:
        if _TAG.search(value) is None:
            message = _("“%(value)s” is not an inventory number: capital letters, digits and hyphens only.")
            raise CellError(message, value=shown(value))
        _ensure_length(value, 32)
    return value


def serial(cell: str) -> str:
    value = tidy(raw(cell)).upper()
    if not value.isprintable() and any(ord(char) < 32 for char in value):
        raise CellError(_("The text holds control characters."))
    _ensure_length(value, 80)
    return value


def note(cell: str) -> str:
    """Text on several lines."""
    value = tidy_lines(raw(cell))
    if not value.isprintable() and any(ord(char) < 32 and char not in "\n\t" for char in value):
        raise CellError(_("The text holds control characters."))
    _ensure_length(value, LONGEST_NOTE)
    return value


def tidy_lines(text: str) -> str:
    """With line breaks of one kind, and nothing around."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace(LINE_BREAK, "\n").strip()


def day(cell: str) -> datetime.date | None:
    """ "01.08.2024", "2024-08-01" or either with a time; a moment with a zone is its day here."""
    value = raw(cell).strip()
    if not value:
        return None
    try:
        if match := _GERMAN_DAY.fullmatch(value):
            return datetime.date(int(match[3]), int(match[2]), int(match[1]))
        if not _ISO_DAY.match(value):
            raise ValueError(value)
        if len(value) == 10:
            return datetime.date.fromisoformat(value)
        moment = datetime.datetime.fromisoformat(value)
        return timezone.localtime(moment).date() if timezone.is_aware(moment) else moment.date()
    except (ValueError, OverflowError):
        raise CellError(_("“%(value)s” is not a day such as 01.08.2024 or 2024-08-01."), value=shown(value)) from None


def amount(cell: str) -> Decimal | None:
    """ "1.234,56 €" or "1234.56"; one point before three digits parts thousands."""
    value = raw(cell).replace("\u202f", "").replace("\xa0", "").strip()
    value = value.removeprefix("€").removesuffix("€").removesuffix("EUR").strip()
    if not value:
        return None
    match = _GERMAN_MONEY.fullmatch(value) or _ENGLISH_MONEY.fullmatch(value)
    if match is None:
        raise CellError(_("“%(value)s” is not an amount such as 1.234,56 or 1234.56."), value=shown(value))
    whole = match[1].replace(".", "").replace(",", "")
    price = Decimal(f"{whole}.{(match[2] or '0')}").quantize(money.CENT)
    if price > money.HIGHEST:
        raise CellError(_("“%(value)s” is too large an amount."), value=shown(value))
    return price


def status(cell: str) -> DeviceStatus | None:
    return _word(raw(cell), _words(DeviceStatus), DeviceStatus)  # type: ignore[no-any-return]


def snipe_status(cell: str) -> DeviceStatus | None:
    """Statuses of Snipe-IT are worded by each city: what is none of ours is not taken over."""
    word = _snipe_word(cell)
    return next((value for known, value in SNIPE_STATUS_WORDS.items() if word.startswith(known)), None)


def is_unknown_snipe_status(cell: str) -> bool:
    """Whether it says neither a status of ours nor that the device is where it belongs."""
    word = _snipe_word(cell)
    return bool(word) and not word.startswith((*SNIPE_STATUS_WORDS, *SNIPE_AT_PLACE))


def _snipe_word(cell: str) -> str:
    return " ".join(html.unescape(strip_tags(raw(cell))).casefold().split())


def ownership(cell: str) -> Ownership | None:
    return _word(raw(cell), _words(Ownership), Ownership)  # type: ignore[no-any-return]


def condition(cell: str) -> Condition | None:
    return _word(raw(cell), _words(Condition), Condition)  # type: ignore[no-any-return]


def disposal(cell: str) -> Disposal | None:
    return _word(raw(cell), _words(Disposal), Disposal)  # type: ignore[no-any-return]


def _word(cell: str, words: Mapping[str, Any], choices: Any) -> Any:
    if not cell:
        return None
    known = words.get(folded(cell))
    if known is None:
        message = _("“%(value)s” is unknown here; please use one of: %(allowed)s.")
        raise CellError(message, value=shown(cell), allowed=", ".join(str(label) for label in choices.labels))
    return known


@lru_cache
def _words(choices: Any) -> Mapping[str, Any]:
    """Folded words -> choice: the code, its label in each language, and other usual words."""
    words = {folded(word): choice for word, choice in _MORE_WORDS[choices].items()}
    words |= {folded(choice.value): choice for choice in choices}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {folded(str(choice.label)): choice for choice in choices}
    return words


def _ensure_length(value: str, longest: int) -> None:
    if len(value) > longest:
        raise CellError(_("The text is longer than %(longest)s characters."), longest=longest)
