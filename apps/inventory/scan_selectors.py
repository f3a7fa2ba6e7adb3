"""Reads about scanned deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import formats
from apps.inventory.models import ScanSession


@dataclass(frozen=True)
class Progress:
    """How many numbers a delivery holds, of how many that were expected (None: nobody said)."""

    number: int
    expected: int | None

    @property
    def shown(self) -> str:
        return formats.number(self.number)

    @property
    def of(self) -> str:
        """ "of 300"; nothing where nobody said."""
        return "" if self.expected is None else _("of %(expected)s") % {"expected": formats.number(self.expected)}

    @property
    def is_complete(self) -> bool:
        return self.number == self.expected

    @property
    def hint(self) -> str:
        if self.expected is None:
            return ""
        missing = self.expected - self.number
        if missing > 0:
            words = ngettext("%(number)s is still missing.", "%(number)s are still missing.", missing)
        elif missing < 0:
            words = ngettext("%(number)s more than expected.", "%(number)s more than expected.", -missing)
        else:
            return _("The delivery is complete.")
        return words % {"number": formats.number(abs(missing))}


def progress_of(session: ScanSession) -> Progress:
    return Progress(session.scans.kept().count(), session.expected)


def newest_scans(session: ScanSession) -> QuerySet[Any]:
    """What a delivery holds, the last one first."""
    return session.scans.kept().select_related("device").order_by("-pk")


def open_deliveries(user: User) -> QuerySet[Any]:
    """What the person may go on with, their own first; each with its `number` of scans."""
    rows: Any = ScanSession.objects.visible_to(user)
    kept = Count("scans", filter=Q(scans__removed_at__isnull=True))
    mine = Case(When(by=user, then=Value(0)), default=Value(1))
    return (  # type: ignore[no-any-return]  # the managers are built at run time
        rows.open().select_related("product", "school", "by").annotate(number=kept, turn=mine).order_by("turn", "-pk")
    )


def waiting_scans(user: User) -> tuple[int, ScanSession | None]:
    """How many numbers the person has scanned and not taken in, and the newest of these deliveries."""
    rows = [row for row in open_deliveries(user).filter(by=user) if row.number]
    return sum(row.number for row in rows), rows[0] if rows else None
