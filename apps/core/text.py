"""Stored search and sort columns, so that both databases find and sort German names alike; and text within HTML."""

import html
import unicodedata
from typing import Any

_DIN_5007 = str.maketrans({"ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o"})

LONGEST_KEY = 18
"""Digits of a number that fits the databases' largest integer whatever they are."""


def sort_key(text: str) -> str:
    """Sort key after DIN 5007-1 (ä as a, ß as ss): lower case, without accents, single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    lowered = text.casefold().translate(_DIN_5007)
    plain = "".join(char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char))
    return " ".join(plain.split())


def search_text(*parts: object) -> str:
    """What a row is found by: all its parts as one folded string; search terms go through `sort_key` too."""
    return sort_key(" ".join(str(part) for part in parts if part not in (None, "")))


def as_html(value: Any) -> str:
    """A value within HTML, as Django's `conditional_escape` has it: that one asks each text whether it is lazy."""
    return str(value.__html__()) if hasattr(value, "__html__") else html.escape(str(value))


def as_key(text: str | None) -> int:
    """The key that an address or a form names; 0, which no row has, for what is no number that a database holds."""
    return int(text) if text and text.isdecimal() and len(text) <= LONGEST_KEY else 0
