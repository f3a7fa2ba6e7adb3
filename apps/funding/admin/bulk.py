"""The queue's actions on several applications: from the chosen rows to the page of the action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.funding.admin.batch import Batch
from apps.funding.admin.batch_proposed import ProposedBatch
from apps.funding.admin.bulk_actions import ACTIONS
from apps.funding.admin.chosen import LIMIT, ids_of, page_about

PAGE = "admin:funding_equipmentapplication_bulk"


class BulkMixin:
    """The change list's actions; each leads to a page of its own before anything happens."""

    actions = (
        "approve_proposed_selected",
        "approve_selected",
        "propose_selected",
        "reserve_selected",
        "return_selected",
        "reject_selected",
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.bulk_view)  # type: ignore[attr-defined]
        own = [path("bulk/<slug:name>/", view, name="funding_equipmentapplication_bulk")]
        return own + super().get_urls()  # type: ignore[misc,no-any-return]

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Rows outside the scope: 404, as if they did not exist."""
        action = ACTIONS.get(name)
        if action is None:
            raise Http404
        if not request.user.has_perm(action.permission):
            raise PermissionDenied(action.permission)
        ids = ids_of(request)
        rows = list(self.get_queryset(request).filter(pk__in=ids).order_by("submitted_at", "pk"))  # type: ignore[attr-defined]
        if not ids or len(rows) != len(ids):
            raise Http404
        kind = ProposedBatch if name == "approve_proposed" else Batch
        return kind(self, request, action, rows).answer()  # type: ignore[arg-type]

    @admin.action(description=_("Approve selection …"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "approve", rows)

    @admin.action(description=_("Approve what is proposed of the selection …"), permissions=["approve"])
    def approve_proposed_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "approve_proposed", rows)

    @admin.action(description=_("Propose to approve selection …"), permissions=["propose"])
    def propose_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "propose", rows)

    @admin.action(description=_("Pencil selection into a budget …"), permissions=["reserve"])
    def reserve_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "reserve", rows)

    @admin.action(description=_("Return selection with a question …"), permissions=["return"])
    def return_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "return", rows)

    @admin.action(description=_("Reject selection …"), permissions=["reject"])
    def reject_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "reject", rows)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["approve"].permission)

    def has_propose_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["propose"].permission)

    def has_reserve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["reserve"].permission)

    def has_return_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["return"].permission)

    def has_reject_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["reject"].permission)

    def _to_bulk(self, request: HttpRequest, name: str, rows: QuerySet[Any]) -> HttpResponse | None:
        ids = list(rows.values_list("pk", flat=True)[: LIMIT + 1])
        if len(ids) > LIMIT:
            sentence = gettext("Please choose at most %(limit)s applications at once.") % {"limit": LIMIT}
            messages.warning(request, sentence)
            return None
        kept = {"_changelist_filters": request.GET.urlencode()} if request.GET else {}
        return HttpResponseRedirect(page_about(PAGE, ids, name, **kept))
