"""What the pages of one application have in common."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.pages import Crumb, PageMixin
from apps.funding.models import EquipmentApplication


def list_crumb() -> Crumb:
    return (_("Applications"), reverse("funding:list"))


class ApplicationMixin(PermissionRequiredMixin, PageMixin):
    """One application of the person's scope: wrong role 403, outside the scope 404."""

    permission_required = "funding.view_equipmentapplication"
    application: EquipmentApplication

    def rows(self) -> QuerySet[Any]:
        rows = EquipmentApplication.objects.visible_to(self.request.user)
        return rows.select_related("school__school_type", "round__programme", "concept", "created_by", "submitted_by")

    def find(self, pk: int) -> EquipmentApplication:
        self.application = get_object_or_404(self.rows(), pk=pk)
        return self.application

    def get_breadcrumbs(self) -> list[Crumb]:
        application = self.application
        return [list_crumb(), (application.title, reverse("funding:detail", args=[application.pk]))]
