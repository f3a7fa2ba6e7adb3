"""The list of applications."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.list_views import PortalListView
from apps.funding.filters import ApplicationFilters
from apps.funding.selectors import application_rows
from apps.funding.tables import ApplicationTable


class ApplicationListView(PortalListView):
    """Applications of the person's schools; the office, the head and the auditor see those of all schools."""

    template_name = "funding/list.html"
    table_class = ApplicationTable
    filterset_class = ApplicationFilters
    permission_required = "funding.view_equipmentapplication"
    heading = _("Applications")
    caption = _("Applications")
    empty_text = _("No applications yet.")
    export_name = "applications"
    saved_as = "applications"

    def get_queryset(self) -> Any:
        return application_rows(self.request.user)

    def get_table(self, rows: Any) -> ApplicationTable:
        self.empty_action = ("funding:create", _("New application")) if self._may_draft() else None
        if self.filterset.shown_day is not None:
            self.caption = _("Applications by their state on %(day)s; the list shows the state of today") % {
                "day": formats.day(self.filterset.shown_day)
            }
        return super().get_table(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_draft=self._may_draft(), **kwargs)

    def _may_draft(self) -> bool:
        return self.request.user.has_perm("funding.draft_application")
