"""What every page of the portal has: a heading and the way to it."""

from collections.abc import Sequence
from typing import Any

from django.utils.functional import Promise

Crumb = tuple[str | Promise, str]


class PageMixin:
    """Puts `heading` and `breadcrumbs` (ancestors without start page and this page) into the context."""

    heading: str | Promise = ""
    breadcrumbs: Sequence[Crumb] = ()

    def get_heading(self) -> str | Promise:
        return self.heading

    def get_breadcrumbs(self) -> Sequence[Crumb]:
        return self.breadcrumbs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("heading", self.get_heading())
        kwargs.setdefault("breadcrumbs", self.get_breadcrumbs())
        return super().get_context_data(**kwargs)  # type: ignore[misc,no-any-return]  # a mixin for generic views
