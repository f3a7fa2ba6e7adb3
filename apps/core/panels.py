"""Panels that a higher app shows on a page of a lower one, e.g. applications on the school page.

A panel is a function `(request, row) -> dict | None` with a template; None leaves it out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

Context = Callable[["HttpRequest", Any], "dict[str, Any] | None"]


@dataclass(frozen=True)
class Panel:
    template: str
    context: Context
    order: int


_panels: defaultdict[str, list[Panel]] = defaultdict(list)


def register(place: str, panel: Panel) -> None:
    """`place` names a page, e.g. "schools.school", "inventory.device", "start"."""
    _panels[place].append(panel)
    _panels[place].sort(key=lambda entry: entry.order)


def rendered_panels(place: str, request: HttpRequest, row: models.Model | None = None) -> list[str]:
    """The HTML of all panels of a page that have something to show this person."""
    html = []
    for panel in _panels[place]:
        context = panel.context(request, row)
        if context is not None:
            html.append(render_to_string(panel.template, context, request=request))
    return html
