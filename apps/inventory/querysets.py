from __future__ import annotations

import datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from apps.core.clock import today
from apps.core.querysets import ReferenceQuerySet, ScopedQuerySet
from apps.core.text import sort_key
from apps.inventory.choices import ENDED_STATUSES, CountedAs, Ownership, ScanState
from apps.inventory.loan_choices import LoanState
from apps.schools.querysets import SchoolScopedQuerySet, serves_all


class ProductQuerySet(ReferenceQuerySet[Any]):
    def priced(self, day: datetime.date | None = None) -> ProductQuerySet:
        """With `price_of_day`: the gross price in euros that holds on a day (today), None where there is none yet."""
        from apps.inventory.models import ProductPrice

        prices = ProductPrice.objects.filter(product=OuterRef("pk"), valid_from__lte=day or today())
        return self.annotate(price_of_day=Subquery(prices.order_by("-valid_from").values("gross_price")[:1]))


class DeviceQuerySet(SchoolScopedQuerySet[Any]):
    permission = "inventory.view_device"

    def _visible_to(self, user: Any) -> Any:
        """Devices of the person's schools, and those that were lost, stolen or retired there.

        Those who see the depot see what lies there, too.
        """
        from apps.schools.models import School

        if not user.has_perm(self.permission):
            return self.none()
        if user.has_perm("schools.scope_all"):
            return self.all()
        schools = School.objects.visible_to(user).values("pk")
        seen = Q(school__in=schools) | Q(status__in=ENDED_STATUSES, last_school__in=schools)
        if user.has_perm("inventory.see_depot"):
            seen |= Q(school__isnull=True, last_school__isnull=True)
        return self.filter(seen)

    def bound_on(self, day: datetime.date) -> DeviceQuerySet:
        """Devices that a grant binds on a day; its last day counts."""
        return self.filter(bound_until__gte=day)

    def search(self, text: str) -> DeviceQuerySet:
        rows = self
        for word in sort_key(text).split():
            rows = rows.filter(search_text__contains=word)
        return rows


class PlacementQuerySet(SchoolScopedQuerySet[Any]):
    permission = "inventory.view_device"

    def on(self, day: datetime.date) -> PlacementQuerySet:
        """Placements that hold on a day (half-open: `since` counts, `until` does not)."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=day), since__lte=day)

    def open(self) -> PlacementQuerySet:
        return self.filter(until__isnull=True)

    def counted_as(self, line: str) -> PlacementQuerySet:
        """Placements behind one line of a quota figure."""
        parents = Q(ownership=Ownership.PARENT_FINANCED)
        condition = {
            CountedAs.PUPILS: Q(countable=True) & ~parents,
            CountedAs.PARENT_FINANCED: Q(countable=True) & parents,
            CountedAs.PRESENTATION: Q(presentation=True),
        }
        return self.filter(condition[CountedAs(line)])


class OwnQuerySet(ScopedQuerySet[Any]):
    """What only the person sees who sent it."""

    def _visible_to(self, user: Any) -> OwnQuerySet:
        return self.filter(by=user)


def school_of_then(device: str, at: str) -> Subquery:
    """The school where a device stood, or from where it was lost, at a moment; both named as fields of the row."""
    from apps.inventory.models import Device

    records = Device.history.filter(id=OuterRef(device), history_date__lte=OuterRef(at))
    newest = records.order_by("-history_date", "-history_id")
    return Subquery(newest.values(then=Coalesce("school_id", "last_school_id"))[:1])


class AttachmentQuerySet(ScopedQuerySet[Any]):
    """Whoever sees a device sees its files; who serves single schools, those that were added while it stood there."""

    def _visible_to(self, user: Any) -> AttachmentQuerySet:
        from apps.inventory.models import Device
        from apps.schools.models import School

        rows = self.filter(device__in=Device.objects.visible_to(user).values("pk"))
        if serves_all(user):
            return rows
        schools = School.objects.visible_to(user).values("pk")
        return rows.annotate(school_then=school_of_then("device", "at")).filter(school_then__in=schools)

    def of_earlier_schools(self, device: Any) -> AttachmentQuerySet:
        """Of the files of one device, those that were added while it stood at another school than now or last."""
        now = device.school_id or device.last_school_id
        rows = self.annotate(school_then=school_of_then("device", "at")).filter(school_then__isnull=False)
        return rows.exclude(school_then=now) if now else rows

    def removable_by(self, user: Any) -> AttachmentQuerySet:
        """What the person may remove of what they see: their own files and those of people of their schools.

        Those who serve no single schools, as the office, remove any.
        """
        from apps.schools.models import Membership, School

        rows: Any = self.visible_to(user)
        if not user.has_perm("inventory.change_device"):
            return rows.none()  # type: ignore[no-any-return]  # the managers are built at run time
        if serves_all(user):
            return rows  # type: ignore[no-any-return]  # likewise
        colleagues = Membership.objects.filter(school__in=School.objects.visible_to(user)).values("user")
        return rows.filter(Q(by=user) | Q(by__in=colleagues))  # type: ignore[no-any-return]  # likewise


class ScanSessionQuerySet(ScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> Any:
        """One's own; those who use the depot see all of their schools, so that no scanned delivery is forgotten."""
        from apps.schools.models import School

        if not user.has_perm("inventory.add_device"):
            return self.none()
        within = Q(school__in=School.objects.visible_to(user).values("pk"))
        if user.has_perm("inventory.use_depot"):
            return self.filter(within | Q(school__isnull=True))
        return self.filter(within, by=user)

    def open(self) -> Any:
        return self.filter(state=ScanState.OPEN)


class ScanQuerySet(ScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> Any:
        from apps.inventory.models import ScanSession

        return self.filter(session__in=ScanSession.objects.visible_to(user).values("pk"))

    def kept(self) -> Any:
        """Scans that were not removed again."""
        return self.filter(removed_at__isnull=True)


class StocktakeQuerySet(SchoolScopedQuerySet[Any]):
    permission = "inventory.view_stocktake"


class StocktakePartQuerySet(SchoolScopedQuerySet[Any]):
    """Devices and scans of a stocktake: visible with it."""

    permission = "inventory.view_stocktake"
    school_path = "stocktake__school"


class LoanQuerySet(SchoolScopedQuerySet[Any]):
    """Loans of the person's schools."""

    permission = "inventory.view_loan"

    def open(self) -> LoanQuerySet:
        return self.filter(state=LoanState.OUT)

    def overdue(self, day: datetime.date) -> LoanQuerySet:
        return self.filter(state=LoanState.OUT, due_on__lt=day)

    def due_within(self, first: datetime.date, last: datetime.date) -> LoanQuerySet:
        """Open loans due from `first` to `last`, both included."""
        return self.filter(state=LoanState.OUT, due_on__range=(first, last))


class LoanPartQuerySet(SchoolScopedQuerySet[Any]):
    """Changes and reminders: visible with their loan."""

    permission = "inventory.view_loan"
    school_path = "loan__school"
