"""What a serial number looks like, and what is scanned by mistake instead. Pure: texts in, texts out."""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)
DEFAULT_PATTERN = r"[A-Z0-9-]{4,40}"
LONGEST = 80
"""Characters of a serial number, as the device keeps it."""
_ARTICLE_NUMBER_LENGTHS = frozenset({8, 12, 13})
MOST_CHARACTERS, MOST_TIMES, MOST_WAYS = 100, 64, 100_000
"""Of a pattern: its length, the bounds of what it repeats, and the ways to divide a number that a search may try."""
_PART = re.compile(
    r"""(?:\[\^?(?:[^\[\]\\]|\\[dw]|\\[^A-Za-z0-9\s])+\]|\\[dw]|\\[^A-Za-z0-9\s]|[^\\\[\](){}?*+|^$])
    (?P<times>[?*+]|\{(?P<least>[0-9]{1,2})(?P<open>,(?P<most>[0-9]{1,2})?)?\})?
    |(?P<begin>\((?:\?:)?)|(?P<end>\)(?![?*+{]))|(?P<other>\|)""",
    re.VERBOSE,
)


def validate_pattern(text: str) -> None:
    """Refuses what is no regular expression, and what can take for ever: only single characters are repeated."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        raise ValidationError(_("This is no regular expression. Please write one such as [A-Z0-9]{12}.")) from None
    if len(text) > MOST_CHARACTERS:
        raise ValidationError(_("The pattern is too long. Please use at most 100 characters."))
    if _ways(text.removeprefix("^").removesuffix("$")) > MOST_WAYS:
        raise ValidationError(_("Checking this pattern can take very long. Please use fewer of ?, *, + and {4,12}."))


def _ways(text: str) -> int:
    """At most so many ways a search tries before it gives up. Raises ValidationError for what is not understood."""
    ways, place, inside = 1, 0, False
    while place < len(text):
        part = _PART.match(text, place)
        if part is None or (part["begin"] and inside) or _most_times(part) > MOST_TIMES:
            raise ValidationError(
                _("Please use only letters, digits, [A-Z0-9], \\d, \\w and full stops, each with ?, *, + or {4,12}"
                  " after it, at most 64 times. Groups are neither nested nor repeated.")
            )  # fmt: skip
        ways *= _ways_of(part)
        inside = bool(part["begin"]) or (inside and not part["end"])
        place = part.end()
    return ways


def _most_times(part: re.Match[str]) -> int:
    return max(int(part["least"] or 0), int(part["most"] or 0))


def _ways_of(part: re.Match[str]) -> int:
    times = part["times"]
    if part["other"] or times == "?":
        return 2
    if times in {"*", "+"} or (part["open"] and not part["most"]):
        return LONGEST + 1
    return int(part["most"]) - int(part["least"]) + 1 if part["most"] else 1


@lru_cache(maxsize=512)
def is_usable(pattern: str) -> bool:
    """Whether a pattern that is on file is one that `validate_pattern` lets in: it may be older than that rule."""
    try:
        validate_pattern(pattern)
    except ValidationError:
        logger.warning("A pattern of serial numbers is not used, for it is none or takes too long: %s", pattern)
        return False
    return True


def looks_right(serial: str, pattern: str = "") -> bool:
    """Whether the whole number, in capital letters, is as the pattern says; else letters, digits, hyphens, 4 to 40."""
    usable = pattern if pattern and is_usable(pattern) else DEFAULT_PATTERN
    return len(serial) <= LONGEST and re.fullmatch(usable, serial) is not None


def is_article_number(text: str) -> bool:
    """Whether it is an EAN-8, UPC-A or EAN-13 with the right check digit (GS1): weights 3 and 1 from the right."""
    if len(text) not in _ARTICLE_NUMBER_LENGTHS or not text.isascii() or not text.isdigit():
        return False
    weighted = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text)))
    return sum(weighted) % 10 == 0
