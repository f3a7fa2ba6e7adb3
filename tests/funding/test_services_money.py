"""Budgets and the ledger: what may be posted, changed and overrun; sums agree to the cent."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState, ExpenditureType, LedgerKind
from apps.funding.models import Budget, LedgerEntry
from apps.funding.reconciliation import ledger_differences
from apps.funding.services.steps import money_transaction
from tests.factories import ApproverFactory, ClerkFactory, SchoolFactory
from tests.funding.factories import BudgetFactory, GrantFactory, decide, make_application

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


def code_of(action: object, *args: object, **values: object) -> str:
    with pytest.raises(DomainError) as caught:
        action(*args, **values)  # type: ignore[operator]
    return caught.value.code


def test_a_budget_with_all_its_values() -> None:
    grant, by = GrantFactory(), ApproverFactory()

    budget = services.create_budget(
        by=by,
        reason="Haushaltsplan 2026",
        name="Neuanschaffungen",
        fiscal_year=2026,
        measure_number="400_0300003080",
        product="030101",
        ledger_account="0812000",
        expenditure_type=ExpenditureType.OPERATING,
        grant=grant,
        appropriation=D("1000.00"),
        carried_over=D("100.00"),
        supplement=D("-50.00"),
        freeze=D("25.00"),
    )

    budget.refresh_from_db()
    assert (budget.measure_number, budget.ledger_account) == ("400_0300003080", "0812000")
    assert (budget.available, budget.rate) == (D("1025.00"), grant.rate)
    first = budget.history.get()
    assert (first.history_user, first.history_change_reason) == (by, "Haushaltsplan 2026")


def test_the_same_name_twice_in_a_year_is_refused_with_a_sentence() -> None:
    services.create_budget(by=ApproverFactory(), name="Tablets", fiscal_year=2026, appropriation=D("1.00"))

    with pytest.raises(DomainError) as caught:
        services.create_budget(by=ApproverFactory(), name="Tablets", fiscal_year=2026, appropriation=D("1.00"))

    assert caught.value.code == "constraint"
    services.create_budget(by=ApproverFactory(), name="Tablets", fiscal_year=2027, appropriation=D("1.00"))
    assert Budget.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"appropriation": D("-0.01")}, "appropriation"),
        ({"carried_over": D("-0.01")}, "carried_over"),
        ({"freeze": D("-0.01")}, "freeze"),
        ({"appropriation": D("10.00"), "supplement": D("-10.01")}, "supplement"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"appropriation": D("0.001")}, "appropriation"),
    ],
)
def test_faulty_budgets_are_refused_with_their_field(values: dict[str, object], field: str) -> None:
    given_values = {"name": "Tablets", "fiscal_year": 2026, "appropriation": D("1.00")} | values

    with pytest.raises(DomainError) as caught:
        services.create_budget(by=ApproverFactory(), **given_values)  # type: ignore[arg-type]  # on purpose

    assert caught.value.field == field
    assert not Budget.objects.exists()


def test_a_change_is_kept_with_person_and_reason() -> None:
    budget, by = BudgetFactory(), ApproverFactory()

    changed = services.change_budget(
        budget=budget, by=by, reason="Nachtrag", supplement=D("500.00"), name=budget.name, ledger_account="0812"
    )

    assert (changed.supplement, changed.ledger_account, changed.available) == (D("500.00"), "0812", D("10500.00"))
    newest = changed.history.first()
    assert (newest.history_user, newest.history_change_reason) == (by, "Nachtrag")


def test_a_change_of_nothing_writes_nothing() -> None:
    budget = BudgetFactory()
    before = budget.history.count()

    services.change_budget(budget=budget, by=ApproverFactory(), name=budget.name)

    assert budget.history.count() == before


def test_a_budget_is_not_lowered_below_what_is_committed_and_spent() -> None:
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    services.post_entry(budget=budget, kind=LedgerKind.COMMIT, amount=D("600.00"), by=by)
    services.record_payment(budget=budget, amount=D("200.00"), by=by)

    assert code_of(services.change_budget, budget=budget, by=by, appropriation=D("599.99")) == "below_used"
    lowered = services.change_budget(budget=budget, by=by, appropriation=D("600.00"))

    assert (lowered.available, lowered.committed, lowered.spent) == (D("0.00"), D("400.00"), D("200.00"))


def test_year_and_grant_stay_once_money_has_moved() -> None:
    used, fresh, by = BudgetFactory(), BudgetFactory(), ApproverFactory()
    services.post_entry(budget=used, kind=LedgerKind.COMMIT, amount=D("1.00"), by=by)

    assert code_of(services.change_budget, budget=used, by=by, fiscal_year=2027) == "in_use"
    assert code_of(services.change_budget, budget=used, by=by, grant=GrantFactory()) == "in_use"
    assert services.change_budget(budget=fresh, by=by, fiscal_year=2027).fiscal_year == 2027


def test_a_freeze_may_come_after_commitments() -> None:
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    services.post_entry(budget=budget, kind=LedgerKind.COMMIT, amount=D("800.00"), by=by)

    frozen = services.set_freeze(budget=budget, amount=D("500.00"), reason="Haushaltssperre", by=by)

    assert frozen.available == D("-300.00")
    assert frozen.history.first().history_change_reason == "Haushaltssperre"
    assert code_of(services.post_entry, budget=budget, kind=LedgerKind.COMMIT, amount=D("0.01"), by=by) == (
        "unaffordable"
    )
    assert code_of(services.set_freeze, budget=budget, amount=D("0.00"), reason=" ", by=by) == "required"
    assert services.set_freeze(budget=budget, amount=D("0.00"), reason="Aufgehoben", by=by).available == D("200.00")


def test_paying_and_releasing_move_committed_money() -> None:
    application = make_application(lines=[("100.00", 3)])
    budget, by = BudgetFactory(), ApproverFactory()
    services.approve(application=application, by=by, decisions=decide(application, budget))
    line = application.lines.get()

    services.record_payment(budget=budget, amount=D("120.50"), by=by, line=line, note="Rechnung 4711")
    services.release(budget=budget, amount=D("79.50"), by=by, line=line)

    stored = Budget.objects.get(pk=budget.pk)
    assert (stored.committed, stored.spent, stored.available) == (D("100.00"), D("120.50"), D("9779.50"))
    assert (budget.committed, budget.spent) == (D("100.00"), D("120.50"))
    assert list(LedgerEntry.objects.values_list("kind", "amount", "note")) == [
        ("commit", D("300.00"), ""),
        ("pay", D("120.50"), "Rechnung 4711"),
        ("release", D("79.50"), ""),
    ]
    assert stored.history.first().history_user == by
    assert ledger_differences() == []


def test_no_more_is_paid_or_released_than_is_committed_for_the_line() -> None:
    first, second = make_application(lines=[("100.00", 1)]), make_application(lines=[("100.00", 1)])
    budget, by = BudgetFactory(), ApproverFactory()
    for application in (first, second):
        services.approve(application=application, by=by, decisions=decide(application, budget))
    line = first.lines.get()

    pay = {"budget": budget, "by": by, "amount": D("100.01")}
    assert code_of(services.record_payment, **pay, line=line) == "not_committed"
    assert code_of(services.release, **pay, line=line) == "not_committed"
    assert code_of(services.record_payment, **pay | {"amount": D("200.01")}) == "not_committed"

    services.record_payment(budget=budget, amount=D("100.00"), by=by, line=line)
    assert code_of(services.release, budget=budget, amount=D("0.01"), by=by, line=line) == "not_committed"


def test_a_mistake_is_mended_by_a_counter_entry() -> None:
    budget, by = BudgetFactory(), ApproverFactory()
    services.post_entry(budget=budget, kind=LedgerKind.COMMIT, amount=D("100.00"), by=by)
    services.record_payment(budget=budget, amount=D("60.00"), by=by)

    services.post_entry(budget=budget, kind=LedgerKind.PAY, amount=D("-10.00"), by=by, note="Gutschrift")

    stored = Budget.objects.get(pk=budget.pk)
    assert (stored.committed, stored.spent) == (D("50.00"), D("50.00"))
    with pytest.raises(DomainError):
        services.post_entry(budget=budget, kind=LedgerKind.PAY, amount=D("-50.01"), by=by)
    assert ledger_differences() == []


def test_orders_and_invoices_are_kept_and_move_nothing() -> None:
    budget, by = BudgetFactory(), ApproverFactory()

    for kind in (LedgerKind.ORDER, LedgerKind.INVOICE):
        services.post_entry(budget=budget, kind=kind, amount=D("10.00"), by=by)

    stored = Budget.objects.get(pk=budget.pk)
    assert (stored.committed, stored.spent) == (D("0.00"), D("0.00"))
    assert LedgerEntry.objects.count() == 2


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_payments_and_releases_are_above_zero(amount: str) -> None:
    budget, by = BudgetFactory(), ApproverFactory()

    for service in (services.record_payment, services.release):
        with pytest.raises(DomainError):
            service(budget=budget, amount=D(amount), by=by)
    with pytest.raises(DomainError):
        services.post_entry(budget=budget, kind=LedgerKind.COMMIT, amount=D("0.00"), by=by)
    with pytest.raises(DomainError):
        services.post_entry(budget=budget, kind=LedgerKind.COMMIT, amount=D("0.001"), by=by)


def test_an_overrun_is_allowed_on_purpose_with_a_reason() -> None:
    budget, by = BudgetFactory(appropriation=D("100.00")), ApproverFactory()

    allowed = services.allow_overrun(budget=budget, amount=D("50.00"), reason=" Ratsbeschluss ", by=by)

    assert (allowed.overrun_allowed, allowed.available) == (D("50.00"), D("150.00"))
    assert allowed.history.first().history_change_reason == "Ratsbeschluss"
    assert code_of(services.allow_overrun, budget=budget, amount=D("1.00"), reason=" ", by=by) == "required"
    with pytest.raises(PermissionDenied):
        services.allow_overrun(budget=budget, amount=D("1.00"), reason="x", by=ClerkFactory())


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
        services.record_payment(budget=municipal, amount=amount, by=by)  # type: ignore[arg-type]
    elif name == "release":
        services.release(budget=municipal, amount=amount, by=by)  # type: ignore[arg-type]
    elif name == "freeze":
        services.set_freeze(budget=municipal, amount=amount, reason="Sperre", by=by)  # type: ignore[arg-type]
    elif name == "lower":
        services.change_budget(budget=municipal, by=by, appropriation=amount)  # type: ignore[arg-type]
    else:
        services.allow_overrun(budget=grant, amount=amount, reason="Beschluss", by=by)  # type: ignore[arg-type]
