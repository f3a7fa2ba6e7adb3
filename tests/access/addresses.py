"""All addresses that the portal answers, as the resolver knows them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

CATCH_ALL = "admin:catch_all"


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver; `name` with its namespace, the parameters' names, and who answers."""

    name: str
    parameters: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def view_class(self) -> type | None:
        return getattr(self.view, "view_class", None)


@cache
def addresses() -> dict[str, Address]:
    """By name. Names stand once, except for the admin's unnamed old addresses of rows, which only forward."""
    return {address.name: address for address in _walk(get_resolver())}


def forwarding_addresses() -> list[str]:
    """The admin's old addresses of rows, e.g. "admin/schools/school/<path:object_id>/"."""
    return [route for name, route, _pattern in _patterns(get_resolver()) if name is None and "<path:" in route]


def _walk(resolver: URLResolver) -> Iterator[Address]:
    for name, route, pattern in _patterns(resolver):
        if name is None and "<path:" in route:
            continue
        parameters = tuple(pattern.pattern.converters) or tuple(pattern.pattern.regex.groupindex)
        yield Address(name or CATCH_ALL, parameters, pattern.callback)


def _patterns(
    resolver: URLResolver, namespace: str = "", route: str = ""
) -> Iterator[tuple[str | None, str, URLPattern]]:
    for entry in resolver.url_patterns:
        whole = f"{route}{entry.pattern}"
        if isinstance(entry, URLResolver):
            inner = ":".join(filter(None, (namespace, entry.namespace)))
            yield from _patterns(entry, inner, whole)
        else:
            yield (":".join(filter(None, (namespace, entry.name))) if entry.name else None), whole, entry
