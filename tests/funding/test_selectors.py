"""Reading: exact sums, the person's scope, and equal numbers of queries for 10 and 100 rows."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.choices import Role
from apps.core import clock
from apps.core.errors import DomainError
from apps.funding import selectors, services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import Budget, EquipmentApplication
from apps.schools.models import SocialIndex
from tests.factories import (
    ApproverFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceFactory,
    DeviceKindFactory,
    HeadFactory,
    ProductFactory,
    SchoolFactory,
    SchoolStaffFactory,
    UserFactory,
)
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, GrantFactory, ProgrammeFactory, decide, make_application
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


def test_sums_of_an_application() -> None:
    application = make_application(lines=[("499.99", 10), ("0.01", 3)])
    first, second = application.lines.order_by("pk")
    budget = BudgetFactory()

    assert selectors.application_sum(application) == D("4999.93")
    assert selectors.approved_sum(application) is None
    services.approve(
        application=application,
        by=ApproverFactory(),
        decisions=[LineDecision(first.pk, 2, budget.pk), LineDecision(second.pk, 0)],
    )

    assert selectors.approved_sum(application) == D("999.98")
    row = selectors.application_rows(ClerkFactory()).get()
    assert (row.amount, row.approved_amount) == (D("4999.93"), D("999.98"))


def test_application_rows_keep_to_the_scope() -> None:
    mine, foreign = make_application(S.DRAFT, lines=[]), make_application(S.SUBMITTED)

    own = selectors.application_rows(mine.created_by)
    assert [(row.pk, row.amount, row.approved_amount) for row in own] == [(mine.pk, D("0.00"), None)]
    assert [row.pk for row in selectors.application_rows(ClerkFactory())] == [foreign.pk]
    assert not selectors.application_rows(SchoolStaffFactory(schools=[mine.school])).exists()


def test_the_queue_holds_what_waits_the_longest_first() -> None:
    for state in S:
        make_application(state)
    waiting = make_application(lines=[("33.33", 3)])
    first = EquipmentApplication.objects.get(state=S.SUBMITTED, pk__lt=waiting.pk)
    EquipmentApplication.objects.filter(pk=waiting.pk).update(
        submitted_at=clock.now() - datetime.timedelta(days=12, hours=1)
    )
    SocialIndex.objects.create(school=waiting.school, school_year="2021/22", level=3)
    SocialIndex.objects.create(school=waiting.school, school_year="2024/25", level=7)
    budget = BudgetFactory()
    services.reserve(application=waiting, budget=budget, by=ClerkFactory())

    rows = list(selectors.queue_rows(ClerkFactory()))

    assert [row.pk for row in rows] == [waiting.pk, first.pk]
    assert (rows[0].amount, rows[0].social_index, rows[0].reservation.budget) == (D("99.99"), 7, budget)
    assert rows[0].waiting_days in {12, 13}
    assert (rows[1].social_index, rows[1].waiting_days) == (None, 0)


def test_days_of_waiting_are_days_of_the_calendar() -> None:
    application = make_application()
    now = clock.now()
    midnight = now.astimezone(clock.timezone.get_current_timezone()).replace(hour=0, minute=0, second=0, microsecond=0)

    application.submitted_at = midnight - datetime.timedelta(minutes=1)
    assert application.waiting_days == 1
    application.submitted_at = midnight
    assert application.waiting_days == 0
    application.submitted_at = None
    assert application.waiting_days is None


def test_applications_by_state_hold_every_state() -> None:
    make_application(S.SUBMITTED, lines=[("10.00", 2)])
    make_application(S.SUBMITTED, lines=[("0.01", 1), ("1.00", 1)])
    draft = make_application(S.DRAFT)
    make_application(S.APPROVED, lines=[("7.00", 1)])

    counts = {row.state: (row.count, row.amount) for row in selectors.applications_by_state(HeadFactory())}

    assert list(counts) == list(S)
    assert counts == {state: (0, D("0.00")) for state in S} | {
        S.SUBMITTED: (2, D("21.01")),
        S.APPROVED: (1, D("7.00")),
    }
    own = {row.state: row.count for row in selectors.applications_by_state(draft.created_by)}
    assert own == dict.fromkeys(S, 0) | {S.DRAFT: 1}


def test_budgets_with_their_reservations_municipal_first() -> None:
    from_grant = BudgetFactory(from_grant=True, name="A")
    later = BudgetFactory(name="B", fiscal_year=2027)
    municipal = BudgetFactory(name="C")
    for _ in range(2):
        services.reserve(
            application=make_application(lines=[("10.00", 1), ("0.05", 1)]), budget=municipal, by=ClerkFactory()
        )

    rows = list(selectors.budget_rows(ClerkFactory()))

    assert [row.pk for row in rows] == [later.pk, municipal.pk, from_grant.pk]
    assert [row.reserved for row in rows] == [D("0.00"), D("20.10"), D("0.00")]
    assert rows[1].available == D("10000.00")
    assert [row.pk for row in selectors.budget_rows(ClerkFactory(), 2027)] == [later.pk]


@pytest.mark.parametrize("role", Role)
def test_money_is_seen_by_the_office_the_head_and_the_auditor(role: Role) -> None:
    BudgetFactory()
    sees = role in {Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.HEAD, Role.AUDITOR}

    assert selectors.budget_rows(UserFactory(role=role)).exists() is sees
    assert bool(selectors.money_by_source(UserFactory(role=role))) is sees


def test_money_by_source_adds_up() -> None:
    by = ApproverFactory()
    first = BudgetFactory(appropriation=D("100.00"), carried_over=D("10.00"), supplement=D("-5.00"), freeze=D("1.00"))
    second = BudgetFactory(appropriation=D("50.00"))
    programme = ProgrammeFactory(code="it-admin", name="IT-Administration")
    granted = BudgetFactory(grant=GrantFactory(programme=programme), appropriation=D("30.00"))
    ledger.commit(first, D("60.00"), by=by)
    ledger.pay(first, D("20.01"), by=by)
    ledger.commit(granted, D("3.00"), by=by)
    services.reserve(application=make_application(lines=[("8.00", 1)]), budget=second, by=ClerkFactory())

    municipal, grants = selectors.money_by_source(HeadFactory(), 2026)

    assert (municipal.programme, [row.pk for row in municipal.budgets]) == (None, [first.pk, second.pk])
    assert (municipal.appropriated, municipal.reserved) == (D("155.00"), D("8.00"))
    assert (municipal.committed, municipal.spent, municipal.available) == (D("39.99"), D("20.01"), D("94.00"))
    assert (grants.name, grants.programme, grants.committed) == ("IT-Administration", programme, D("3.00"))


def test_preview_of_several_decides_as_the_service_does() -> None:
    rows = [make_application(lines=[("100.00", n)]) for n in (4, 7, 5)]
    grant, own = BudgetFactory(from_grant=True, appropriation=D("850.00")), BudgetFactory()

    several = selectors.decision_preview(reversed(rows), grant, own)
    outcomes = services.decide_several(applications=rows, by=ApproverFactory(), budget=grant, own_share_budget=own)

    assert [step.application_id for step in several.steps] == [row.pk for row in rows]
    assert [step.affordable for step in several.steps] == [row.approved for row in outcomes] == [True, False, True]
    after = {effect.budget_id: effect.available_after for effect in several.budgets}
    assert after == {row.pk: row.available for row in Budget.objects.all()}
    assert after == {grant.pk: D("40.00"), own.pk: D("9910.00")}


def test_preview_of_a_grant_needs_the_own_share() -> None:
    with pytest.raises(DomainError) as caught:
        selectors.decision_preview([make_application()], BudgetFactory(from_grant=True))

    assert caught.value.code == "missing_own_share"


def test_effect_on_the_schools_quota() -> None:
    """20 tablets at 100 pupils; 30 asked for, 10 of them in place of old ones, and 2 projectors."""
    today = clock.today()
    make_plan(f"{today.year}-01-01", f"{today.year + 4}-12-31")
    school = SchoolFactory()
    count_pupils(school, 100)
    for _ in range(20):
        DeviceFactory(school=school)
    by = CoordinatorFactory(schools=[school])
    projector = ProductFactory(kind=DeviceKindFactory(projector=True))
    lines = [
        LineInput(ProductFactory().pk, 30, replaces="alt", replaces_quantity=10),
        LineInput(projector.pk, 2, replaces_quantity=1),
    ]
    application = services.submit(
        application=services.create_draft(by=by, school=school, title="Tablets", lines=lines), by=by
    )

    one = selectors.application_effect(application)
    many = selectors.application_effects(list(selectors.queue_rows(ClerkFactory())))

    assert one is not None
    assert (one.percent_before, one.percent_after, one.target_percent) == (D(20), D(40), D(20))
    assert many == {application.pk: one}

    tablets, projectors = application.lines.order_by("pk")
    services.approve(
        application=application,
        by=ApproverFactory(),
        decisions=[LineDecision(tablets.pk, 4, BudgetFactory().pk), LineDecision(projectors.pk, 0)],
    )
    approved = selectors.application_effect(application)
    assert approved is not None
    assert approved.percent_after == D(20)


def test_no_effect_without_a_plan() -> None:
    application = make_application()

    assert selectors.application_effect(application) is None
    assert selectors.application_effects([application]) == {}


def queries_of(read: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


READS: dict[str, Callable[[Any], Any]] = {
    "application_rows": lambda by: [(row.amount, row.school.short_name) for row in selectors.application_rows(by)],
    "queue_rows": lambda by: [
        (row.amount, row.social_index, row.school.school_type.name, str(row.submitted_by), row.reservation.budget.name)
        for row in selectors.queue_rows(by)
    ],
    "application_effects": lambda by: selectors.application_effects(list(selectors.queue_rows(by))),
    "applications_by_state": selectors.applications_by_state,
    "budget_rows": lambda by: [(row.reserved, row.available, row.rate) for row in selectors.budget_rows(by)],
    "money_by_source": selectors.money_by_source,
    "decision_preview": lambda by: selectors.decision_preview(
        list(selectors.queue_rows(by)), BudgetFactory.build(pk=1), None
    ),
}


def test_as_many_queries_for_100_rows_as_for_10() -> None:
    today = clock.today()
    make_plan(f"{today.year}-01-01", f"{today.year + 4}-12-31")
    by, office = ClerkFactory(), ApproverFactory()

    def add(number: int) -> None:
        for _ in range(number):
            application = make_application()
            services.reserve(application=application, budget=BudgetFactory(from_grant=True), by=by)
            decided = make_application()
            services.approve(application=decided, by=office, decisions=decide(decided, BudgetFactory()))

    add(10)
    few = {name: queries_of(lambda read=read: read(by)) for name, read in READS.items()}
    add(90)
    many = {name: queries_of(lambda read=read: read(by)) for name, read in READS.items()}

    assert many == few
    del few["application_effects"]  # most of its queries are those of the quotas
    assert few == {
        "application_rows": 1,
        "queue_rows": 1,
        "applications_by_state": 1,
        "budget_rows": 1,
        "money_by_source": 1,
        "decision_preview": 2,
    }


def test_what_is_planned_reads_all_prices_at_once() -> None:
    school = SchoolFactory()
    used = []
    for number in (2, 12):
        products = {product.pk: product for product in (ProductFactory() for _ in range(number))}
        inputs = [LineInput(pk, 1) for pk in products]
        with CaptureQueriesContext(connection) as queries:
            assert selectors.planned(school, inputs, products).amount == number * D("449.00")
        used.append(len(queries))
    assert used[0] == used[1]
