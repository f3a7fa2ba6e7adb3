"""`manage.py check_ledger`: says ok, and finds every kind of difference."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.funding import services
from apps.funding.choices import LedgerKind
from apps.funding.models import ApplicationLine, Budget, LedgerEntry, LineAllocation
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, decide, make_application

pytestmark = pytest.mark.django_db
D = Decimal


def approved() -> tuple[Budget, ApplicationLine]:
    application, budget = make_application(lines=[("100.00", 2)]), BudgetFactory()
    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, budget))
    ledger.pay(budget, D("50.00"), by=ApproverFactory())
    return budget, application.lines.get()


def check() -> tuple[int, dict[str, Any]]:
    out = StringIO()
    code: Any = 0
    try:
        call_command("check_ledger", "--json", stdout=out)
    except SystemExit as end:
        code = end.code
    return int(code), json.loads(out.getvalue())


def test_all_is_well() -> None:
    approved()

    assert check() == (0, {"ok": True, "budgets": 1, "entries": 2, "differences": []})


def test_in_words() -> None:
    budget, _line = approved()
    Budget.objects.filter(pk=budget.pk).update(committed=D("151.00"))
    out = StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("check_ledger", stdout=out)

    assert end.value.code == 1
    assert out.getvalue().splitlines() == [
        f"committed of budget {budget.pk}: expected 150.00, found 151.00",
        "1 differences in 2 entries of 1 budgets.",
    ]


def _committed(budget: Budget, _line: ApplicationLine) -> None:
    Budget.objects.filter(pk=budget.pk).update(committed=D("150.01"))


def _spent(budget: Budget, _line: ApplicationLine) -> None:
    Budget.objects.filter(pk=budget.pk).update(spent=D("49.99"))


def _allocation(_budget: Budget, line: ApplicationLine) -> None:
    LineAllocation.objects.filter(line=line).update(amount=D("199.99"))


def _allocation_missing(_budget: Budget, line: ApplicationLine) -> None:
    LineAllocation.objects.filter(line=line).delete()


def _quantity(_budget: Budget, line: ApplicationLine) -> None:
    ApplicationLine.objects.filter(pk=line.pk).update(approved_quantity=1)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (_committed, [("committed", "budget", "150.00", "150.01")]),
        (_spent, [("spent", "budget", "50.00", "49.99")]),
        (
            _allocation,
            [("allocation", "both", "199.99", "200.00"), ("line", "line", "200.00", "199.99")],
        ),
        (
            _allocation_missing,
            [("allocation", "both", "0.00", "200.00"), ("line", "line", "200.00", "0.00")],
        ),
        (_quantity, [("line", "line", "100.00", "200.00")]),
    ],
)
def test_every_difference_is_found(
    damage: Callable[[Budget, ApplicationLine], None], expected: list[tuple[str, str, str, str]]
) -> None:
    budget, line = approved()
    approved()
    damage(budget, line)

    code, result = check()

    subjects = {"budget": (budget.pk, None), "line": (None, line.pk), "both": (budget.pk, line.pk)}
    assert (code, result["ok"]) == (1, False)
    assert result["differences"] == [
        {"check": name, "budget": subjects[what][0], "line": subjects[what][1], "expected": wanted, "found": found}
        for name, what, wanted, found in expected
    ]


def test_an_entry_that_no_service_posted_is_found() -> None:
    budget, by = BudgetFactory(), ApproverFactory()
    LedgerEntry.objects.create(budget=budget, kind=LedgerKind.COMMIT, amount=D("1.00"), by=by)

    assert [(row.check, row.expected, row.found) for row in ledger_differences()] == [
        ("committed", D("1.00"), D("0.00"))
    ]


@pytest.mark.postgres_only
@pytest.mark.parametrize("statement", ["UPDATE funding_ledgerentry SET note = 'x'", "DELETE FROM funding_ledgerentry"])
def test_the_database_refuses_to_change_the_ledger(statement: str) -> None:
    approved()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert LedgerEntry.objects.count() == 2


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_the_check_reads_one_snapshot_outside_of_a_transaction() -> None:
    approved()

    assert check()[0] == 0
