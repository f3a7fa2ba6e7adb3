"""Tags of the admin's lists."""

import html
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django import template
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()

_ROW_LINK = re.compile(r"^<t[hd][^>]*><a (?=href=)[^>]*>(?P<text>.*?)</a>", re.DOTALL)
"""Django's own cell with the way to the row."""


@register.filter
def labelled(cells: Sequence[SafeString], headers: Sequence[dict[str, Any]]) -> Iterator[SafeString]:
    """Puts each column's name into its cell, for narrow screens where a row becomes a card."""
    for cell, header in zip(cells, headers, strict=True):
        if "action-checkbox" in header["class_attrib"] or cell.startswith("<th"):
            yield cell
        else:
            tag, rest = cell.split(" ", 1)
            label = format_html(' data-label="{}" ', capfirst(header["text"]))
            yield mark_safe(f"{tag}{label}{rest}")  # noqa: S308 - Django's own cell and an escaped attribute


@register.filter
def told_apart(rows: Sequence[Sequence[SafeString]]) -> list[list[SafeString]]:
    """Names the links that read alike on a page (budgets of several years) with what tells their rows apart.

    A name begins with what is seen and takes in as many of the following cells as help: none is added in vain.
    """
    told = [list(row) for row in rows]
    alike: defaultdict[str, list[tuple[list[SafeString], int, list[str]]]] = defaultdict(list)
    for row in told:
        for place, cell in enumerate(row):
            if link := _ROW_LINK.match(cell):
                words = [_words(link["text"]), *filter(None, map(_words, row[place + 1 :]))]
                alike[words[0]].append((row, place, words))
                break
    for same in alike.values():
        if len(same) > 1:
            _name(same)
    return told


def _name(same: Sequence[tuple[list[SafeString], int, list[str]]]) -> None:
    longest = max(len(words) for _row, _place, words in same)
    needed = max(range(2, max(longest, 2) + 1), key=lambda n: len({tuple(words[:n]) for _row, _place, words in same}))
    for row, place, words in same:
        name = format_html('<a aria-label="{}" ', ", ".join(words[:needed]))
        row[place] = mark_safe(row[place].replace("<a ", name, 1))  # noqa: S308 - Django's own cell and an escaped name


def _words(cell: str) -> str:
    return " ".join(html.unescape(strip_tags(cell.replace("<", " <"))).split())
