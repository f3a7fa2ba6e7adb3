"""What was approved for a school, year by year."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum, Value

from apps.core.money import ZERO, CentsField
from apps.funding.models import LineAllocation
from apps.schools.models import School


@dataclass(frozen=True)
class SchoolYearMoney:
    """Euros of a fiscal year; municipal money and grants add up to `approved`."""

    fiscal_year: int
    municipal: Decimal
    grants: Decimal

    @property
    def approved(self) -> Decimal:
        return self.municipal + self.grants


def money_of_school(school: School) -> list[SchoolYearMoney]:
    """Sums of the allocations to a school's approved lines, newest year first; one query."""
    none = Value(ZERO, output_field=CentsField())
    rows = (
        LineAllocation.objects.filter(line__application__school=school)
        .order_by()
        .values("budget__fiscal_year")
        .annotate(
            municipal=Sum("amount", filter=Q(budget__grant__isnull=True), default=none),
            grants=Sum("amount", filter=Q(budget__grant__isnull=False), default=none),
        )
        .order_by("-budget__fiscal_year")
    )
    return [SchoolYearMoney(row["budget__fiscal_year"], row["municipal"], row["grants"]) for row in rows]
