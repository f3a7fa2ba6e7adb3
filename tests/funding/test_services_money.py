"""The ledger: what may be posted, paid and released; sums agree to the cent."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState, LedgerKind
from apps.funding.models import Budget, LedgerEntry
from apps.funding.reconciliation import ledger_differences
from apps.funding.services.steps import money_transaction
from tests.factories import ApproverFactory, SchoolFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, allow_overrun, change_by_two, decide, make_application

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


def code_of(action: object, *args: object, **values: object) -> str:
    with pytest.raises(DomainError) as caught:
        action(*args, **values)  # type: ignore[operator]
    return caught.value.code


def test_paying_and_releasing_move_committed_money() -> None:
    budget, by = BudgetFactory(), ApproverFactory()

    ledger.commit(budget, D("300.00"), by=by)
    ledger.pay(budget, D("120.50"), by=by, note="Rechnung 4711")
    ledger.release(budget, D("79.50"), by=by)
    ledger.post(budget, LedgerKind.PAY, D("-0.50"), by=by, note="Gutschrift")

    stored = Budget.objects.get(pk=budget.pk)
    assert (stored.committed, stored.spent, stored.available) == (D("100.50"), D("120.00"), D("9779.50"))
    assert (budget.committed, budget.spent) == (D("100.50"), D("120.00"))
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount", "note")) == [
        ("commit", D("300.00"), ""),
        ("pay", D("120.50"), "Rechnung 4711"),
        ("release", D("79.50"), ""),
        ("pay", D("-0.50"), "Gutschrift"),
    ]
    assert stored.history.first().history_user == by
    assert ledger_differences() == []


def test_orders_and_invoices_are_kept_and_move_nothing() -> None:
    budget, by = BudgetFactory(), ApproverFactory()

    for kind in (LedgerKind.ORDER, LedgerKind.INVOICE):
        ledger.post(budget, kind, D("10.00"), by=by)

    stored = Budget.objects.get(pk=budget.pk)
    assert (stored.committed, stored.spent) == (D("0.00"), D("0.00"))
    assert LedgerEntry.objects.count() == 2


def test_the_constraint_stands_behind_the_services() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))

    with pytest.raises(IntegrityError, match="funding_budget_not_overspent"), transaction.atomic():
        Budget.objects.filter(pk=budget.pk).update(committed=D("100.01"))
    with pytest.raises(DomainError) as caught, money_transaction():
        Budget.objects.filter(pk=budget.pk).update(committed=D("60.00"), spent=D("40.01"))

    assert caught.value.code == "constraint"


def test_what_is_no_constraint_of_ours_is_raised_on() -> None:
    school = SchoolFactory()

    with pytest.raises(IntegrityError), money_transaction():
        SchoolFactory(number=school.number)


def test_the_ledger_is_append_only() -> None:
    make_application(S.APPROVED)

    with pytest.raises(TypeError, match="append-only"):
        LedgerEntry.objects.update(note="x")
    with pytest.raises(TypeError, match="append-only"):
        LedgerEntry.objects.all().delete()

    assert LedgerEntry.objects.count() == 1


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "grant", "pay", "release", "freeze", "lower", "overrun"]),
        st.integers(min_value=1, max_value=40_000),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_whatever_happens_the_ledger_agrees_and_nothing_is_overspent(
    operations: list[tuple[str, int]], db: None
) -> None:
    with transaction.atomic():
        _play(operations)
        transaction.set_rollback(True)


def _play(operations: list[tuple[str, int]]) -> None:
    by, school = ApproverFactory(), SchoolFactory()
    municipal = BudgetFactory(appropriation=D("500.00"))
    grant = BudgetFactory(from_grant=True, appropriation=D("300.00"))
    refusals = []
    for name, cents in operations:
        amount = D(cents).scaleb(-2)
        try:
            _perform(name, amount, by=by, school=school, municipal=municipal, grant=grant)
        except DomainError as refusal:
            refusals.append(str(refusal))
        assert ledger_differences() == []
        for budget in Budget.objects.all():
            assert budget.committed >= 0
            assert budget.available >= -budget.freeze
    assert all(refusals)


def _perform(name: str, amount: Decimal, *, by: object, school: object, municipal: Budget, grant: Budget) -> None:
    if name in {"approve", "grant"}:
        application = make_application(school=school, lines=[(str(amount), 1), ("0.07", 3)])  # type: ignore[arg-type]
        source, own = (municipal, None) if name == "approve" else (grant, municipal)
        services.approve(application=application, by=by, decisions=decide(application, source, own))  # type: ignore[arg-type]
    elif name == "pay":
        ledger.pay(municipal, amount, by=by)  # type: ignore[arg-type]
    elif name == "release":
        ledger.release(municipal, amount, by=by)  # type: ignore[arg-type]
    elif name == "freeze":
        change_by_two(municipal, freeze=amount)
    elif name == "lower":
        change_by_two(municipal, appropriation=amount)
    else:
        allow_overrun(grant, str(amount))
