"""What was committed and paid for a school, year by year."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, F, Q, Sum, Value, When

from apps.core.money import ZERO, CentsField
from apps.funding.choices import LedgerKind
from apps.funding.models import LedgerEntry
from apps.schools.models import School

_EUROS = CentsField()


@dataclass(frozen=True)
class SchoolYearMoney:
    """Euros of a fiscal year; municipal money and grants add up to `committed`. What was released counts no longer."""

    fiscal_year: int
    municipal: Decimal
    grants: Decimal
    paid: Decimal

    @property
    def committed(self) -> Decimal:
        return self.municipal + self.grants


def money_of_school(school: School) -> list[SchoolYearMoney]:
    """Committed for a school's approved lines and for what the office bought for it, newest year first; one query."""
    of_school = Q(line__application__school=school) | Q(line__isnull=True, order_line__school=school)
    none = Value(ZERO, output_field=_EUROS)
    given = Case(
        When(kind=LedgerKind.COMMIT, then=F("amount")),
        When(kind=LedgerKind.RELEASE, then=-F("amount")),
        default=none,
        output_field=_EUROS,
    )
    rows = (
        LedgerEntry.objects.filter(of_school)
        .order_by()
        .values("budget__fiscal_year")
        .annotate(
            municipal=Sum(given, filter=Q(budget__grant__isnull=True), default=none),
            grants=Sum(given, filter=Q(budget__grant__isnull=False), default=none),
            paid=Sum("amount", filter=Q(kind=LedgerKind.PAY), default=none),
        )
        .order_by("-budget__fiscal_year")
    )
    money = [SchoolYearMoney(row["budget__fiscal_year"], row["municipal"], row["grants"], row["paid"]) for row in rows]
    return [year for year in money if year.committed or year.paid]
