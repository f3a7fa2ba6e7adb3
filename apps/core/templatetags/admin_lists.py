"""Tags of the admin's lists."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


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
