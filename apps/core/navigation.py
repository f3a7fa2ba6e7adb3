"""The navigation row: each app registers its entries, `core` shows those that the person may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import Promise


@dataclass(frozen=True)
class NavigationItem:
    """`permissions`: any of them opens the page; none named: every signed-in person."""

    label: str | Promise
    url_name: str
    order: int
    permissions: tuple[str, ...] = ()


_items: list[NavigationItem] = []


def register(item: NavigationItem) -> None:
    if item not in _items:
        _items.append(item)
        _items.sort(key=lambda entry: entry.order)


def navigation_for(request: HttpRequest) -> list[dict[str, object]]:
    """Entries for this person: label, url, current (bool)."""
    user = request.user
    if not user.is_authenticated:
        return []
    entries: list[dict[str, object]] = []
    for item in _items:
        if item.permissions and not any(user.has_perm(permission) for permission in item.permissions):
            continue
        url = reverse(item.url_name)
        current = request.path == url if url == "/" else request.path.startswith(url)
        entries.append({"label": item.label, "url": url, "current": current})
    return entries
