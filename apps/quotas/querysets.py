from __future__ import annotations

from typing import Any

from apps.schools.querysets import SchoolScopedQuerySet


class QuotaFigureQuerySet(SchoolScopedQuerySet[Any]):
    permission = "quotas.view_quotafigure"
