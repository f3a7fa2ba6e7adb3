"""Money and applications as they stood on a day that is over: from the ledger, the histories and the status changes."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from apps.core import clock
from apps.core.money import ZERO
from apps.funding.amounts import ledger_effect
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationStatusChange, Budget, LedgerEntry

_AMOUNTS = ("appropriation", "carried_over", "carried_out", "supplement", "virement", "freeze", "overrun_allowed")


def is_past(day: datetime.date | None) -> bool:
    """Whether a day is over; None and today: as things are now."""
    return day is not None and day < clock.today()


def budgets_on(budgets: Iterable[Budget], day: datetime.date) -> list[Budget]:
    """The budgets that there were at the end of a day, in their order, with its euros: to be read and never saved.

    What was given is from their history, committed and spent are from the ledger. Reservations of the past are not
    known: `reserved` is 0.
    """
    rows = list(budgets)
    given, moved = _given(rows, day), _moved(rows, day)
    there = [row for row in rows if row.pk in given]
    for row in there:
        for name in _AMOUNTS:
            setattr(row, name, getattr(given[row.pk], name))
        row.committed, row.spent = moved[row.pk]
        row.reserved = ZERO
    return there


def _given(budgets: list[Budget], day: datetime.date) -> dict[int, Any]:
    """Budget id -> the newest record of its history."""
    records = Budget.history.filter(id=OuterRef("pk"), history_date__lt=clock.end_of(day))
    newest = records.order_by("-history_date", "-history_id").values("history_id")[:1]
    ids = Budget.objects.filter(pk__in=[row.pk for row in budgets]).values_list(Subquery(newest), flat=True)
    found = Budget.history.filter(history_id__in=[pk for pk in ids if pk is not None])
    return {record.id: record for record in found}


def _moved(budgets: list[Budget], day: datetime.date) -> defaultdict[int, tuple[Decimal, Decimal]]:
    """Budget id -> (committed, spent) in euros."""
    sums: defaultdict[int, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    entries = LedgerEntry.objects.filter(budget__in=budgets, at__lt=clock.end_of(day)).order_by()
    for pk, kind, amount in entries.values_list("budget", "kind").annotate(sum=Sum("amount")):
        committed, spent = ledger_effect(kind, amount)
        sums[pk] = sums[pk][0] + committed, sums[pk][1] + spent
    return sums


def applications_on(rows: QuerySet[Any], day: datetime.date, *, drafts: bool) -> QuerySet[Any]:
    """Those that there were at the end of a day, with `state_then`; `drafts`: whether the person may see drafts."""
    end = clock.end_of(day)
    changes = ApplicationStatusChange.objects.filter(application=OuterRef("pk"), at__lt=end)
    newest = changes.order_by("-at", "-pk").values("to_state")[:1]
    then = rows.filter(created_at__lt=end).annotate(
        state_then=Coalesce(Subquery(newest), Value(ApplicationState.DRAFT.value))
    )
    return then if drafts else then.exclude(state_then=ApplicationState.DRAFT)
