"""What a serial number looks like, and what is scanned by mistake instead. Pure: texts in, texts out."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

DEFAULT_PATTERN = r"[A-Z0-9-]{4,40}"
LONGEST = 80
"""Characters of a serial number, as the device keeps it."""
_ARTICLE_NUMBER_LENGTHS = frozenset({8, 12, 13})
_NESTED = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")


def validate_pattern(text: str) -> None:
    """Refuses what is no regular expression, and repetitions of repetitions: they can take for ever."""
    try:
        re.compile(text)
    except re.error:
        raise ValidationError(_("This is no regular expression. Please write one such as [A-Z0-9]{12}.")) from None
    if _NESTED.search(text):
        raise ValidationError(_("Please do not repeat a group that repeats something itself."))


def looks_right(serial: str, pattern: str = "") -> bool:
    """Whether the whole number, in capital letters, is as the pattern says; else letters, digits, hyphens, 4 to 40."""
    return re.fullmatch(pattern or DEFAULT_PATTERN, serial) is not None


def is_article_number(text: str) -> bool:
    """Whether it is an EAN-8, UPC-A or EAN-13 with the right check digit (GS1): weights 3 and 1 from the right."""
    if len(text) not in _ARTICLE_NUMBER_LENGTHS or not text.isascii() or not text.isdigit():
        return False
    weighted = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text)))
    return sum(weighted) % 10 == 0
