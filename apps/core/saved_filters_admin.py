"""A person's own filters above a change list of the admin, as above the lists of the portal."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.core import saved_filter_answers, saved_filters

OF_EVERY_LIST = ("q", "o")
"""Search and sorting."""


class PlainChangeList(ChangeList):
    """Takes the parameter that asks for the list without the filter that opens with it."""

    def get_filters_params(self, params: Any = None) -> Any:
        asked = super().get_filters_params(params)
        asked.pop(saved_filters.PLAIN, None)
        return asked


class SavedFiltersMixin:
    """Stands before the admin's base. `saved_as` names the list; its template includes the two parts of the portal."""

    saved_as: str

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = saved_filters.known_query(request.GET, self.parameters())
        if request.method == "POST" and any(name in request.POST for name in saved_filter_answers.ACTIONS):
            if not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]
                raise PermissionDenied
            return saved_filter_answers.answer(request, list_name=self.saved_as, query=query)
        own = saved_filters.own_filters(request.user, self.saved_as, query)
        first = next((entry.row.query for entry in own if entry.row.is_default), "")
        if first and request.method == "GET" and not request.GET:
            return HttpResponseRedirect(f"{request.path}?{first}")
        shown = {"own_filters": own, "can_keep": bool(query), "plain_address": f"?{saved_filters.PLAIN}=none"}
        response: HttpResponse = super().changelist_view(request, shown | (extra_context or {}))  # type: ignore[misc]
        return response

    def parameters(self) -> tuple[str, ...]:
        """What the list knows of its address: its filters', search and sorting."""
        return (*(entry.parameter_name for entry in self.list_filter), *OF_EVERY_LIST)  # type: ignore[attr-defined]
