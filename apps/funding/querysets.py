from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Q

from apps.core.querysets import ScopedQuerySet
from apps.funding.choices import ApplicationState
from apps.schools.querysets import SchoolScopedQuerySet


class ApplicationQuerySet(SchoolScopedQuerySet[Any]):
    permission = "funding.view_equipmentapplication"

    def _visible_to(self, user: Any) -> Any:
        """Drafts stay at the school until they are submitted; an auditor sees them all."""
        rows = super()._visible_to(user)
        if user.has_perm("funding.see_drafts"):
            return rows
        return rows.exclude(state=ApplicationState.DRAFT)


class ApplicationPartQuerySet(ScopedQuerySet[Any]):
    """Lines, messages, changes of an application: visible with it."""

    application_path = "application"

    def _visible_to(self, user: Any) -> Any:
        from apps.funding.models import EquipmentApplication

        return self.filter(**{f"{self.application_path}__in": EquipmentApplication.objects.visible_to(user)})


class ReplacedDeviceQuerySet(ApplicationPartQuerySet):
    application_path = "line__application"


class AllocationQuerySet(ApplicationPartQuerySet):
    """Which budget pays: for those who see money."""

    application_path = "line__application"

    def _visible_to(self, user: Any) -> Any:
        return super()._visible_to(user) if user.has_perm("funding.view_budget") else self.none()


class ReservationQuerySet(ApplicationPartQuerySet):
    def _visible_to(self, user: Any) -> Any:
        return super()._visible_to(user) if user.has_perm("funding.view_budget") else self.none()


class MoneyQuerySet(ScopedQuerySet[Any]):
    """Budgets, grants, ledger: the city's money, seen by the office, the head and the auditor."""

    def _visible_to(self, user: Any) -> Any:
        return self.all() if user.has_perm("funding.view_budget") else self.none()


class RuleQuerySet(MoneyQuerySet):
    def waiting(self) -> Any:
        """Proposed, and neither confirmed nor declined."""
        return self.filter(proposed_by__isnull=False, confirmed_by__isnull=True, declined_by__isnull=True)

    def begun(self, day: datetime.date) -> Any:
        """Those that hold on a day or have held before; a proposal never has."""
        settled = Q(proposed_by__isnull=True) | Q(confirmed_by__isnull=False)
        return self.filter(settled, valid_from__lte=day)


class ContractQuerySet(MoneyQuerySet):
    def holding_on(self, day: datetime.date) -> Any:
        """Those that have begun and not ended on a day, with suppliers that the city orders at."""
        begun = self.filter(valid_from__lte=day, supplier__is_active=True)
        return begun.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=day))


class NoticeQuerySet(MoneyQuerySet):
    """Change notices are only ever added. A mistake is mended by another one."""

    def update(self, **_values: Any) -> int:
        raise TypeError("Change notices are append-only: record another one")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("Change notices are append-only: record another one")


class RoundQuerySet(ScopedQuerySet[Any]):
    """Rounds are announced to all who have to do with applications."""

    def _visible_to(self, user: Any) -> Any:
        return self.all() if user.has_perm("funding.view_applicationround") else self.none()


class ConceptQuerySet(SchoolScopedQuerySet[Any]):
    """A school's media concepts: for its coordinators, the office and those who audit."""

    permission = "funding.view_mediaconcept"


class LedgerQuerySet(MoneyQuerySet):
    """Entries are only ever added. A mistake is mended by a counter-entry."""

    def update(self, **_values: Any) -> int:
        raise TypeError("The ledger is append-only: post a counter-entry")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("The ledger is append-only: post a counter-entry")


class ReasonTemplateQuerySet(ScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> Any:
        """The office's own wording: for those who decide or audit."""
        return self.all() if user.has_perm("funding.view_reasontemplate") else self.none()
