"""What is due or waits, for whom, in which words; and rules with a date."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core import clock
from apps.funding import services
from apps.funding.choices import DrawdownState, ExpenditureType, ProofState, RuleKind
from apps.funding.deadlines import DeadlineKind, deadlines
from apps.funding.models import ApplicationRound, AwardThreshold, DatedRule, Drawdown, ProofOfUse
from apps.funding.rules import expenditure_type_hint, highest_operating_price, rule_on, threshold_for
from tests.factories import ApproverFactory, ClerkFactory, UserFactory
from tests.funding.factories import BudgetFactory, GrantFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import draft_order, own_line

pytestmark = pytest.mark.django_db
D = Decimal
DAY = datetime.timedelta(days=1)


def on(days: int) -> datetime.date:
    return clock.today() + days * DAY


def shown(user: Any) -> list[tuple[DeadlineKind, datetime.date]]:
    return [(row.kind, row.day) for row in deadlines(user)]


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "überfällig seit dem {day}"), (0, "heute"), (1, "in 1 Tag ({day})"), (12, "in 12 Tagen ({day})")],
)
def test_a_deadline_is_said_in_words(days: int, words: str) -> None:
    GrantFactory(proof_due_on=on(days))
    (deadline,) = deadlines(ClerkFactory())
    assert deadline.when == words.format(day=f"{on(days):%d.%m.%Y}")
    assert deadline.is_overdue is (days < 0)


def test_the_end_of_an_implementation_is_shown_until_it_has_passed() -> None:
    for days in (-1, 0, 90, 91):
        GrantFactory(implementation_until=on(days))
    assert shown(ClerkFactory()) == [(DeadlineKind.IMPLEMENTATION_ENDS, on(days)) for days in (0, 90)]


def test_a_proof_is_due_until_it_is_handed_in() -> None:
    grant, clerk = GrantFactory(proof_due_on=on(-400)), ClerkFactory()
    GrantFactory(proof_due_on=on(91))
    expected = [(DeadlineKind.PROOF_DUE, on(-400))]
    assert shown(clerk) == expected
    proof = ProofOfUse.objects.create(grant=grant)
    assert shown(clerk) == expected
    proof.state, proof.handed_in_on, proof.figures = ProofState.HANDED_IN, on(0), {}
    proof.save()
    assert shown(clerk) == []


def test_rounds_and_drawdowns_that_wait() -> None:
    clerk, grant = ClerkFactory(), GrantFactory()
    for days in (-1, 30, 31):
        ApplicationRound.objects.create(name=f"Runde {days}", opens_on=on(-60), closes_on=on(days))
    for number, state in enumerate(DrawdownState):
        Drawdown.objects.create(
            grant=grant, number=number, state=state, file_reference="48-1", requested_on=on(-7), received_on=on(-1),
            by=clerk,
        )  # fmt: skip
    assert shown(clerk) == [(DeadlineKind.DRAWDOWN_OPEN, on(-7)), (DeadlineKind.ROUND_CLOSES, on(30))]
    assert deadlines(clerk)[0].when == f"wartet seit dem {on(-7):%d.%m.%Y}"


def test_changes_wait_for_those_who_did_not_propose_them() -> None:
    approver, other = ApproverFactory(), ApproverFactory()
    services.propose_edit(budget=BudgetFactory(), by=approver, reason="x", freeze=D(1))
    assert shown(approver) == []
    assert shown(ClerkFactory()) == []
    assert shown(other) == [(DeadlineKind.CHANGE_WAITS, on(0))]


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.OFFICE_CLERK, Role.OFFICE_APPROVER}])
def test_deadlines_are_for_those_who_can_do_something(role: Role) -> None:
    GrantFactory(proof_due_on=on(1), implementation_until=on(1))
    services.propose_edit(budget=BudgetFactory(), by=ClerkFactory(), reason="x", freeze=D(1))
    assert deadlines(UserFactory(role=role)) == []


def test_few_queries_whatever_the_number_of_rows() -> None:
    approver, clerk = ApproverFactory(), ClerkFactory()
    counts = []
    for _turn in range(2):
        for _number in range(3):
            GrantFactory(proof_due_on=on(1), implementation_until=on(1))
            services.propose_edit(budget=BudgetFactory(), by=clerk, reason="x", freeze=D(1))
            services.place_order(order=draft_order(own_line(BudgetFactory())), by=clerk)
        with CaptureQueriesContext(connection) as queries:
            deadlines(approver)
        counts.append(len(queries))
    assert counts == [9, 9]


def test_the_start_page_names_them_with_a_verb() -> None:
    grant = GrantFactory(proof_due_on=on(12), programme__name="Programm", file_reference="48-1")
    change = services.propose_edit(budget=BudgetFactory(name="Schul-IT"), by=ClerkFactory(), reason="x", freeze=D(1))
    page = client_of(ApproverFactory()).get(reverse("summaries:start"))
    text = texts(page)
    assert f"Verwendungsnachweis fällig: Programm 48-1 in 12 Tagen ({on(12):%d.%m.%Y}) Zuwendung öffnen" in text
    assert f"Sperre: Schul-IT 2026 wartet seit dem {on(0):%d.%m.%Y} Änderung entscheiden" in text
    for row, name in ((grant, "grant"), (change, "budgetchange")):
        assert reverse(f"admin:funding_{name}_change", args=[row.pk]) in page.content.decode()


def test_of_many_the_first_five_are_named_and_the_list_holds_the_rest() -> None:
    clerk = ClerkFactory()
    for number in range(6):
        services.propose_edit(budget=BudgetFactory(name=f"Nr {number}"), by=clerk, reason="x", freeze=D(1))
    text = texts(client_of(ApproverFactory()).get(reverse("summaries:start")))
    assert ("Nr 4" in text, "Nr 5" in text) == (True, False)
    assert "Weitere: Änderungen von Budgets Liste öffnen" in text


# Rules with a date


def test_a_rule_holds_from_its_day_until_the_next() -> None:
    vat = RuleKind.VAT_RATE
    days = ("2006-12-31", "2007-01-01", "2020-06-30", "2020-07-01", "2020-12-31", "2021-01-01")
    assert [rule_on(vat, datetime.date.fromisoformat(day)) for day in days] == [None, 19, 19, 16, 16, 19]
    DatedRule.objects.create(kind=vat, valid_from=datetime.date(2030, 1, 1), value=None, source="Abgeschafft")
    assert rule_on(vat, datetime.date(2030, 1, 1)) is None


@pytest.mark.parametrize(
    ("gross", "day", "expected"),
    [
        ("952.00", "2026-01-01", ExpenditureType.OPERATING),
        ("952.01", "2026-01-01", ExpenditureType.CAPITAL),
        ("928.00", "2020-09-01", ExpenditureType.OPERATING),
        ("928.01", "2020-09-01", ExpenditureType.CAPITAL),
        ("1.00", "2018-12-31", None),
    ],
)
def test_800_euros_net_part_operating_from_capital(gross: str, day: str, expected: ExpenditureType | None) -> None:
    assert expenditure_type_hint(D(gross), datetime.date.fromisoformat(day)) == expected


def test_the_highest_price_that_may_be_operating() -> None:
    assert highest_operating_price(datetime.date(2026, 1, 1)) == D("952.00")
    assert highest_operating_price(datetime.date(2018, 1, 1)) is None


def test_award_thresholds_are_those_of_the_newest_day() -> None:
    assert threshold_for(D(1), datetime.date(2026, 1, 1)) is None
    for day, up_to, procedure in (
        ("2020-01-01", None, "Alt"),
        ("2026-01-01", D("1000.00"), "Direktauftrag"),
        ("2026-01-01", D("50000.00"), "Drei Angebote"),
        ("2026-01-01", None, "Ausschreibung"),
    ):
        AwardThreshold.objects.create(
            valid_from=datetime.date.fromisoformat(day), up_to=up_to, procedure=procedure, source="Satzung"
        )
    day = datetime.date(2026, 6, 1)
    steps = [str(threshold_for(D(net), day)) for net in ("1000.00", "1000.01", "50000.00", "50000.01")]
    assert steps == ["Direktauftrag", "Drei Angebote", "Drei Angebote", "Ausschreibung"]
    assert str(threshold_for(D(1), datetime.date(2025, 12, 31))) == "Alt"
