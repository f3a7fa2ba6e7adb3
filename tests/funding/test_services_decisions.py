"""Returning, rejecting, pencilling in and approving: what is written, and what is refused."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from post_office.models import Email

from apps.accounts.choices import Role
from apps.core.errors import DomainError, StaleError
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState, LedgerKind
from apps.funding.models import (
    Budget,
    EquipmentApplication,
    LedgerEntry,
    LineAllocation,
    Reservation,
)
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory
from tests.funding.factories import BudgetFactory, GrantFactory, decide, make_application

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


def refused(application: EquipmentApplication, decisions: list[LineDecision], **more: object) -> DomainError:
    """Approves, expects a refusal, and that nothing at all was written."""
    before = (application.state, Budget.history.count(), Email.objects.count(), application.status_changes.count())
    with pytest.raises(DomainError) as caught:
        services.approve(application=application, by=ApproverFactory(), decisions=decisions, **more)  # type: ignore[arg-type]
    application.refresh_from_db()
    after = (application.state, Budget.history.count(), Email.objects.count(), application.status_changes.count())
    assert after == before
    assert not LedgerEntry.objects.exists()
    assert not LineAllocation.objects.exists()
    assert not application.lines.filter(approved_quantity__isnull=False).exists()
    assert not Budget.objects.exclude(committed=D(0)).exists()
    return caught.value


def test_approving_in_full_commits_the_money() -> None:
    application = make_application(lines=[("499.99", 10), ("0.01", 3)])
    budget, by = BudgetFactory(appropriation=D("5000.00")), ApproverFactory()
    services.reserve(application=application, budget=budget, by=ClerkFactory())
    version = application.school.inputs_version

    approved = services.approve(
        application=application, by=by, decisions=decide(application, budget), reason=" Viel Erfolg. "
    )

    approved.refresh_from_db()
    budget.refresh_from_db()
    first, second = approved.lines.order_by("pk")
    assert approved.state == S.APPROVED
    assert approved.decided_at is not None
    assert (first.approved_quantity, second.approved_quantity) == (10, 3)
    assert list(LineAllocation.objects.values_list("line", "budget", "amount")) == [
        (first.pk, budget.pk, D("4999.90")),
        (second.pk, budget.pk, D("0.03")),
    ]
    assert list(LedgerEntry.objects.values_list("budget", "kind", "amount", "line", "by")) == [
        (budget.pk, LedgerKind.COMMIT, D("4999.90"), first.pk, by.pk),
        (budget.pk, LedgerKind.COMMIT, D("0.03"), second.pk, by.pk),
    ]
    assert (budget.committed, budget.spent, budget.available) == (D("4999.93"), D("0.00"), D("0.07"))
    assert not Reservation.objects.exists()
    change = approved.status_changes.last()
    assert (change.from_state, change.to_state, change.by, change.reason) == (
        S.SUBMITTED,
        S.APPROVED,
        by,
        "Viel Erfolg.",
    )
    newest = approved.history.first()
    assert (newest.state, newest.history_user) == (S.APPROVED, by)
    assert first.history.first().history_user == by
    assert (budget.history.first().committed, budget.history.first().history_user) == (D("4999.93"), by)
    approved.school.refresh_from_db()
    assert approved.school.inputs_version == version + 1
    assert ledger_differences() == []


def test_approving_in_part_line_by_line() -> None:
    application = make_application(lines=[("100.00", 10), ("50.00", 4), ("10.00", 1)])
    first, second, third = application.lines.order_by("pk")
    budget = BudgetFactory()
    decisions = [
        LineDecision(first.pk, 6, budget.pk, note=" Sechs reichen. "),
        LineDecision(second.pk, 0, note="Im Bestand."),
        LineDecision(third.pk, 1, budget.pk),
    ]

    approved = services.approve(application=application, by=ApproverFactory(), decisions=decisions)

    assert approved.state == S.PARTIALLY_APPROVED
    assert list(approved.lines.order_by("pk").values_list("approved_quantity", "decision_note")) == [
        (6, "Sechs reichen."),
        (0, "Im Bestand."),
        (1, ""),
    ]
    budget.refresh_from_db()
    assert budget.committed == D("610.00")
    assert LineAllocation.objects.count() == 2
    assert ledger_differences() == []


def test_a_line_is_split_between_a_grant_and_the_own_share() -> None:
    application = make_application(lines=[("33.33", 1), ("99.99", 3)])
    grant, own = BudgetFactory(from_grant=True), BudgetFactory()

    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, grant, own))

    grant.refresh_from_db()
    own.refresh_from_db()
    assert list(LineAllocation.objects.order_by("line", "pk").values_list("budget", "amount")) == [
        (grant.pk, D("29.99")),  # 29.997
        (own.pk, D("3.34")),
        (grant.pk, D("269.97")),  # 269.973
        (own.pk, D("30.00")),
    ]
    assert (grant.committed, own.committed) == (D("299.96"), D("33.34"))
    assert ledger_differences() == []


def test_a_limit_per_device_leaves_the_rest_to_the_own_share() -> None:
    """Three devices of 800.00 each out of a grant that pays all, at most 500.00 for a device."""
    application = make_application(lines=[("800.00", 3)])
    notice = GrantFactory(rate=D("1.0000"), limit_per_device=D("500.00"))
    grant, municipal = BudgetFactory(grant=notice), BudgetFactory()

    with pytest.raises(DomainError) as refusal:
        services.approve(application=application, by=ApproverFactory(), decisions=decide(application, grant))
    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, grant, municipal))

    assert refusal.value.code == "missing_own_share"
    amounts = LineAllocation.objects.order_by("pk").values_list("budget", "amount")
    assert list(amounts) == [(grant.pk, D("1500.00")), (municipal.pk, D("900.00"))]


def test_lines_may_be_paid_by_different_budgets() -> None:
    application = make_application(lines=[("10.00", 1), ("20.00", 1)])
    first, second = application.lines.order_by("pk")
    one, two = BudgetFactory(), BudgetFactory()

    services.approve(
        application=application,
        by=ApproverFactory(),
        decisions=[LineDecision(first.pk, 1, two.pk), LineDecision(second.pk, 1, one.pk)],
    )

    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.committed, two.committed) == (D("20.00"), D("10.00"))


def test_a_grant_that_pays_all_takes_no_own_share() -> None:
    application = make_application(lines=[("10.00", 1)])
    budget = BudgetFactory(grant=GrantFactory(rate=D("1")))

    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, budget))

    budget.refresh_from_db()
    assert budget.committed == D("10.00")


def test_a_product_for_nothing_needs_no_money() -> None:
    application = make_application(lines=[("0.00", 5)])
    budget = BudgetFactory(appropriation=D("0.00"))

    approved = services.approve(application=application, by=ApproverFactory(), decisions=decide(application, budget))

    assert approved.state == S.APPROVED
    assert not LedgerEntry.objects.exists()
    assert ledger_differences() == []


def test_more_than_is_available_names_budget_available_and_needed() -> None:
    application = make_application(lines=[("500.00", 3)])
    budget = BudgetFactory(name="Tablets", appropriation=D("1499.99"))

    error = refused(application, decide(application, budget))

    assert error.code == "unaffordable"
    assert "Tablets 2026" in str(error)
    assert "1.499,99" in str(error)
    assert "1.500,00" in str(error)


def test_to_the_cent_is_enough() -> None:
    application = make_application(lines=[("500.00", 3)])
    budget = BudgetFactory(appropriation=D("1500.00"))

    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, budget))

    budget.refresh_from_db()
    assert budget.available == D("0.00")


def test_a_freeze_refuses_new_commitments() -> None:
    application = make_application(lines=[("500.00", 3)])
    budget = BudgetFactory(appropriation=D("2000.00"), freeze=D("500.01"))

    assert refused(application, decide(application, budget)).code == "unaffordable"


def test_the_own_share_must_be_available_too() -> None:
    application = make_application(lines=[("1000.00", 1)])
    grant, own = BudgetFactory(from_grant=True), BudgetFactory(name="Eigenanteil", appropriation=D("99.99"))

    error = refused(application, decide(application, grant, own))

    assert error.code == "unaffordable"
    assert "Eigenanteil" in str(error)


@pytest.mark.parametrize("who", ["submitter", "drafter"])
def test_whoever_asks_does_not_decide(who: str) -> None:
    draft = make_application(S.DRAFT)
    colleague = CoordinatorFactory(schools=[draft.school])
    application = services.submit(application=draft, by=colleague)
    person = application.submitted_by if who == "submitter" else application.created_by
    assert person is not None
    person.role = Role.OFFICE_APPROVER
    person.save()

    with pytest.raises(DomainError) as caught:
        services.approve(application=application, by=person, decisions=decide(application, BudgetFactory()))

    assert caught.value.code == "same_person"


def test_a_missing_budget_is_an_error_and_never_a_skip() -> None:
    application = make_application(lines=[("10.00", 1), ("20.00", 1)])
    first, second = application.lines.order_by("pk")

    error = refused(application, [LineDecision(first.pk, 1, BudgetFactory().pk), LineDecision(second.pk, 1)])

    assert (error.code, error.field) == ("missing_budget", "budget")
    assert str(second.product) in str(error)


def test_a_budget_that_does_not_exist_is_an_error() -> None:
    application = make_application()

    assert refused(application, [LineDecision(application.lines.get().pk, 1, 4711)]).field == "budget"


def test_a_grant_below_its_full_rate_needs_a_municipal_own_share() -> None:
    application = make_application()
    grant = BudgetFactory(from_grant=True)

    assert refused(application, decide(application, grant)).code == "missing_own_share"
    assert refused(application, decide(application, grant, grant)).code == "own_share_from_grant"
    assert refused(application, decide(application, grant, BudgetFactory(from_grant=True))).code == (
        "own_share_from_grant"
    )


def test_an_own_share_where_none_is_due_is_refused() -> None:
    application = make_application()
    full = BudgetFactory(grant=GrantFactory(rate=D("1")))

    assert refused(application, decide(application, BudgetFactory(), BudgetFactory())).code == "needless_own_share"
    assert refused(application, decide(application, full, BudgetFactory())).code == "needless_own_share"


@pytest.mark.parametrize("quantity", [-1, 3])
def test_quantities_lie_between_nothing_and_what_was_asked_for(quantity: int) -> None:
    application = make_application(lines=[("10.00", 2)])

    error = refused(application, decide(application, BudgetFactory(), quantities=[quantity]))

    assert (error.code, error.field) == ("quantity", "approved_quantity")


def test_nothing_at_all_is_a_rejection() -> None:
    application = make_application(lines=[("10.00", 2), ("10.00", 2)])

    assert refused(application, decide(application, BudgetFactory(), quantities=[0, 0])).code == "nothing_approved"


def test_every_line_is_decided_once_and_no_other() -> None:
    application, other = make_application(lines=[("10.00", 2), ("10.00", 2)]), make_application()
    decisions, budget = decide(application, BudgetFactory()), BudgetFactory()

    assert refused(application, decisions[:1]).code == "lines_differ"
    assert refused(application, [*decisions, *decide(other, budget)]).code == "lines_differ"
    assert refused(application, [*decisions, decisions[0]]).code == "duplicate_decision"
    assert refused(application, []).code == "lines_differ"


def test_a_note_that_is_too_long_is_refused() -> None:
    application = make_application()
    line = application.lines.get()

    assert refused(application, [LineDecision(line.pk, 1, BudgetFactory().pk, note="x" * 301)]).field == "note"


def test_what_was_changed_meanwhile_is_not_approved_unseen() -> None:
    application = make_application()
    seen, line = application.revision, application.lines.get()
    services.return_with_question(application=application, by=ApproverFactory(), question="Wofür?")
    services.save_draft(
        application=application,
        revision=seen,
        by=application.created_by,
        title="Mehr",
        reason="",
        lines=[LineInput(line.product_id, 99, line_id=line.pk)],
    )
    services.submit(application=application, by=application.created_by)
    application.refresh_from_db()

    error = refused(application, decide(application, BudgetFactory()), revision=seen)

    assert isinstance(error, StaleError)


def test_going_over_on_purpose_raises_the_allowed_overrun_by_what_is_missing() -> None:
    application = make_application(lines=[("500.00", 3)])
    budget, by = BudgetFactory(appropriation=D("1000.00"), freeze=D("100.00")), ApproverFactory()
    decided = {"decisions": decide(application, budget), "overrun_reason": "Ratsbeschluss 12/2026"}

    assert refused(application, **decided).code == "second_approver"
    services.propose_approval(application=application, by=by, **decided)
    with pytest.raises(DomainError):
        services.approve(application=application, by=by, **decided)
    first, by = by, ApproverFactory()
    services.approve(application=application, by=by, **decided)

    budget.refresh_from_db()
    assert (budget.overrun_allowed, budget.committed, budget.available) == (D("600.00"), D("1500.00"), D("0.00"))
    assert LedgerEntry.objects.get().note == "Ratsbeschluss 12/2026"
    raised = budget.history.filter(overrun_allowed=D("600.00")).last()
    reason = f"Ratsbeschluss 12/2026 (vorgeschlagen von {first})"
    assert (raised.history_change_reason, raised.history_user) == (reason, by)


def test_no_overrun_takes_more_out_of_a_grant_than_its_notice_gives() -> None:
    application = make_application(lines=[("500.00", 3)])
    grant = GrantFactory(amount=D("1200.00"), rate=D("1.0000"))
    budget = BudgetFactory(grant=grant, appropriation=D("1000.00"))
    decided = {"decisions": decide(application, budget), "overrun_reason": "Zusage des Landes"}

    services.propose_approval(application=application, by=ApproverFactory(), **decided)
    assert refused(application, **decided).code == "above_grant"
    budget.refresh_from_db()
    assert (budget.committed, budget.overrun_allowed) == (D("0.00"), D("0.00"))


def test_an_overrun_reason_alone_changes_nothing_where_money_is_enough() -> None:
    application = make_application()
    budget = BudgetFactory()

    services.approve(
        application=application, by=ApproverFactory(), decisions=decide(application, budget), overrun_reason="Zur Not"
    )

    budget.refresh_from_db()
    assert budget.overrun_allowed == D("0.00")


def test_blanks_are_no_reason_to_overrun() -> None:
    application = make_application()
    budget = BudgetFactory(appropriation=D("1.00"))

    assert refused(application, decide(application, budget), overrun_reason="  ").code == "unaffordable"


def test_a_clerk_does_not_approve() -> None:
    application = make_application()

    with pytest.raises(PermissionDenied):
        services.approve(application=application, by=ClerkFactory(), decisions=decide(application, BudgetFactory()))
    with pytest.raises(PermissionDenied):
        services.decide_several(applications=[application], by=ClerkFactory(), budget=BudgetFactory())


def test_as_many_queries_for_20_lines_as_for_2() -> None:
    def approve(lines: int) -> int:
        application = make_application(lines=[("10.00", 1)] * lines)
        decisions, by = decide(application, BudgetFactory(from_grant=True), BudgetFactory()), ApproverFactory()
        with CaptureQueriesContext(connection) as captured:
            services.approve(application=application, by=by, decisions=decisions)
        return len(captured)

    assert approve(20) == approve(2)
