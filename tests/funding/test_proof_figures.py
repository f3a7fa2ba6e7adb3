"""The figures of a proof of use: pure sums, and what the database makes of them."""

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.money import ZERO, share_rounded_down, total
from apps.funding.choices import DrawdownState, LedgerKind
from apps.funding.models import ProofOfUse, PurchasedDevice
from apps.funding.proof_figures import (
    Agreement,
    Facts,
    Gap,
    GrantMoney,
    Plan,
    ProofDevice,
    ProofFigures,
    Voucher,
    financing_plan,
    planned_eligible,
    positions_of,
)
from apps.funding.proof_keeping import as_json, compare, from_json
from apps.funding.proof_selectors import figures_of
from tests.factories import SchoolFactory
from tests.funding.papers import DAY, make_drawdown, make_grant, make_proof, money_of, pay, post

D = Decimal


def voucher(number: int = 1, amount: str = "100.00", eligible: str = "80.00", **values: Any) -> Voucher:
    granted = share_rounded_down(D(eligible), D("0.9"))
    facts: dict[str, Any] = {
        "line": number, "budget": 1, "voucher_number": f"2026-{number}", "invoice_number": "R", "dated_on": DAY,
        "payee": "Muster", "subject": "Tablet", "school": "", "quantity": 1, "amount": D(amount),
        "eligible": D(eligible), "granted": granted, "own": D(amount) - granted, "paid_on": DAY,
        "booking_reference": "B",
    }  # fmt: skip
    return Voucher(**(facts | values))


def proof(*vouchers: Voucher, **values: Any) -> ProofFigures:
    facts = Facts("DigitalPakt", "", "48-1", "LU", DAY, D("900.00"), D("0.9"), DAY, None, None, "Amt", "")
    plans = [Plan(1, "Endgeräte", 2026, D("900.00"))]
    device = ProofDevice("T-1", "S1", "Tablet", "Schule", D("80.00"), "2026-1", datetime.date(2031, 12, 31))
    own: dict[str, Any] = {
        "day": DAY, "facts": facts, "positions": positions_of(plans, vouchers, facts), "vouchers": list(vouchers),
        "devices": [device], "agreements": [Agreement("Endgeräte 2026", False, D("72.00"), D("72.00"))],
        "gaps": [Gap("no_text", "course", "text:course")], "texts": {"course": "Getan"},
        "plan": financing_plan(facts, plans),
    }  # fmt: skip
    return ProofFigures(**(own | values))


def test_planned_and_actual_in_euros_and_percent() -> None:
    figures = proof(voucher(1), voucher(2, "500.00", "500.00"))

    (position,) = figures.positions
    assert (position.planned, position.planned_granted, position.planned_own) == (D("1000.00"), D("900.00"), D("100"))
    assert (position.actual, position.granted, position.own) == (D("580.00"), D("522.00"), D("58.00"))
    assert (position.difference, position.percent) == (D("-420.00"), D("58.0"))
    assert (figures.spent, figures.eligible, figures.not_eligible) == (D("600.00"), D("580.00"), D("20.00"))
    assert [
        (row.kind, row.planned, row.planned_percent, row.actual, row.actual_percent) for row in figures.sources
    ] == [
        ("grant", D("900.00"), 90, D("522.00"), 90),
        ("own_share", D("100.00"), 10, D("58.00"), 10),
        ("third_party", D("0.00"), 0, D("0.00"), 0),
    ]


class TestTheTwoPlans:
    """The financing plan is the notice, the spending plan its budgets; both add up to the same."""

    facts = Facts("DigitalPakt", "", "48-1", "LU", DAY, D("1200.00"), D("0.9"), DAY, None, None, "Amt", "")

    def test_what_no_budget_has_is_a_position(self) -> None:
        plans = [Plan(1, "Endgeräte", 2026, D("810.00"))]
        positions = positions_of(plans, [voucher()], self.facts)
        figures = proof(voucher(), facts=self.facts, positions=positions, plan=financing_plan(self.facts, plans))

        assert [(row.kind, row.planned, row.planned_granted) for row in positions] == [
            ("budget", D("900.00"), D("810.00")),
            ("unassigned", D("433.33"), D("390.00")),
        ]
        assert total(row.planned for row in positions) == figures.planned == D("1333.33")
        assert [(row.kind, row.planned) for row in figures.sources[:2]] == [
            ("grant", D("1200.00")),
            ("own_share", D("133.33")),
        ]

    def test_rounding_makes_no_position(self) -> None:
        plans = [Plan(number, "Endgeräte", 2026, D("400.00")) for number in range(3)]

        positions = positions_of(plans, [], self.facts)

        assert [row.planned for row in positions] == [D("444.44"), D("444.45"), D("444.44")]
        assert total(row.planned for row in positions) == financing_plan(self.facts, plans).eligible

    def test_for_a_school_it_is_what_was_committed(self) -> None:
        plans = [Plan(1, "Endgeräte", 2026, D("810.00"))]
        facts = replace(self.facts, school="Schule (1)")

        plan = financing_plan(facts, plans)

        assert (plan.basis, plan.granted, plan.own) == ("committed", D("810.00"), D("90.00"))
        assert [row.kind for row in positions_of(plans, [], facts)] == ["budget"]

    def test_what_was_handed_in_before_keeps_what_it_showed(self) -> None:
        stored = as_json(proof(voucher()))
        del stored["plan"]

        figures = from_json(stored)

        assert (figures.financing_plan.basis, figures.planned) == ("budgets", D("1000.00"))


def test_of_nothing_there_is_no_percent() -> None:
    figures = proof(positions=[], plan=None)

    assert [row.actual_percent for row in figures.sources] == [None, None, None]
    assert [row.planned_percent for row in figures.sources] == [None, None, None]


@pytest.mark.parametrize(("granted", "rate", "eligible"), [("100.00", "0.9", "111.11"), ("0.01", "0.3333", "0.03")])
def test_what_a_grant_stands_for_is_rounded_to_the_cent(granted: str, rate: str, eligible: str) -> None:
    assert planned_eligible(D(granted), D(rate)) == D(eligible)


def test_a_difference_of_a_cent_in_one_budget_is_none_in_the_sum_and_found_all_the_same() -> None:
    agreements = [Agreement("A", False, D("1.01"), D("1.00")), Agreement("B", True, D("1.00"), D("1.01"))]

    figures = proof(voucher(), agreements=agreements)

    assert (figures.difference, figures.agrees) == (D("0.00"), False)


def test_what_is_stored_comes_back_as_it_was() -> None:
    figures = proof(voucher(1, "-100.00", "-80.00"), voucher(2), despite="Weil")

    assert from_json(as_json(figures)) == figures


def test_comparing_names_what_moved() -> None:
    before = proof(voucher(1), voucher(2))
    device = replace(before.devices[0], serial="S2")
    after = proof(voucher(1, "101.00"), voucher(3), devices=[device], texts={"course": "Anders"})

    found = compare(before, after)

    assert [(row.what, row.before, row.after) for row in found.sums] == [("spent", D("200.00"), D("201.00"))]
    assert (found.vouchers, found.devices) == (["2026-1", "2026-2", "2026-3"], ["T-1"])
    assert found.texts == ["course"]
    assert not compare(before, before)


amounts = st.lists(
    st.tuples(st.integers(1, 99_999_99), st.integers(0, 100), st.integers(0, 3), st.booleans()), min_size=1, max_size=6
)


@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=amounts)
def test_the_schools_together_are_all(rows: list[tuple[int, int, int, bool]]) -> None:
    """Sums over the schools, and what was bought for none, are those of the proof for all, to the cent."""
    grant = make_grant(rate=D("0.6667"), amount=D("9000000.00"))
    budgets = money_of(grant)
    schools = [None, *(SchoolFactory() for _ in range(3))]
    lines = [
        pay(
            grant, budgets, str(D(cents) / 100), school=schools[place],
            eligible=str((D(cents) / 100 * percent / 100).quantize(D("0.01"))), devices=int(bought),
        )
        for cents, percent, place, bought in rows
    ]  # fmt: skip
    whole = figures_of(ProofOfUse(grant=grant))
    parts = [figures_of(ProofOfUse(grant=grant, school=school)) for school in schools[1:]]
    rest = [line for line in lines if line.order_line.school is None]

    for name, part in (("spent", "amount"), ("eligible", "eligible_amount"), ("granted", "grant_amount")):
        ours = total(getattr(line, part) for line in rest)
        assert getattr(whole, name) == total([ours, *(getattr(figures, name) for figures in parts)])
    assert whole.agrees
    assert all(figures.agrees for figures in parts)
    central = PurchasedDevice.objects.filter(order_line__budget__grant=grant, order_line__school=None).count()
    assert len(whole.devices) == central + sum(len(figures.devices) for figures in parts)
    assert whole.granted <= share_rounded_down(whole.eligible, grant.rate)


@pytest.mark.django_db
class TestTheLedger:
    def test_agrees_with_vouchers_and_credit_notes(self) -> None:
        grant = make_grant()
        budgets = money_of(grant)
        pay(grant, budgets, "1000.00", eligible="900.00")
        pay(grant, budgets, "-100.00", eligible="-100.00")

        figures = figures_of(ProofOfUse(grant=grant))

        assert [(row.own, row.proof, row.ledger) for row in figures.agreements] == [
            (False, D("720.00"), D("720.00")),
            (True, D("180.00"), D("180.00")),
        ]
        assert figures.agrees

    @pytest.mark.parametrize("own", [False, True])
    def test_a_payment_without_voucher_shows_as_difference(self, own: bool) -> None:
        grant = make_grant()
        budgets = money_of(grant)
        line = pay(grant, budgets)
        post(budgets[own], LedgerKind.PAY, D("0.01"), order_line=line.order_line if own else None)

        figures = figures_of(ProofOfUse(grant=grant))

        assert [row.difference for row in figures.agreements] == ([ZERO, D("-0.01")] if own else [D("-0.01"), ZERO])
        assert not figures.agrees

    def test_of_an_own_share_only_what_belongs_to_the_grant_counts(self) -> None:
        first, second = make_grant(), make_grant()
        own = money_of(first)[1]
        for grant in (first, second):
            pay(grant, (money_of(grant)[0], own))

        assert figures_of(ProofOfUse(grant=first)).agrees

    def test_planned_for_a_school_is_what_was_committed_for_it(self) -> None:
        grant, school = make_grant(amount=D("18000.00")), SchoolFactory()
        budgets = money_of(grant)
        pay(grant, budgets, school=school)
        pay(grant, budgets, "500.00", school=SchoolFactory())

        assert figures_of(ProofOfUse(grant=grant)).planned == D("20000.00")
        assert figures_of(ProofOfUse(grant=grant, school=school)).planned == D("1000.00")


@pytest.mark.django_db
class TestTheMoneyOfTheGrant:
    def test_granted_drawn_received_spent_and_what_remains(self) -> None:
        grant = make_grant(amount=D("9000.00"))
        make_drawdown(DrawdownState.RECEIVED, grant=grant)
        make_drawdown(DrawdownState.REQUESTED, grant=grant)
        make_drawdown(DrawdownState.DRAFT, grant=grant)

        money = figures_of(ProofOfUse(grant=grant)).money

        assert money == GrantMoney(D("9000.00"), drawn=D("1800.00"), received=D("900.00"), spent=D("2700.00"))
        assert (money.to_draw, money.to_pay_back, money.unused) == (D("900.00"), ZERO, D("6300.00"))

    def test_what_was_drawn_and_credited_later_goes_back(self) -> None:
        grant = make_grant(amount=D("9000.00"))
        make_drawdown(DrawdownState.RECEIVED, grant=grant)
        pay(grant, money_of(grant), "-100.00", eligible="-100.00")

        money = figures_of(ProofOfUse(grant=grant)).money

        assert money is not None
        assert (money.to_draw, money.to_pay_back) == (ZERO, D("90.00"))

    def test_of_a_school_its_vouchers_count(self) -> None:
        grant, school = make_grant(), SchoolFactory()
        make_drawdown(DrawdownState.RECEIVED, grant=grant)
        pay(grant, money_of(grant), "500.00", school=school)

        money = figures_of(ProofOfUse(grant=grant, school=school)).money

        assert money == GrantMoney(D("450.00"), drawn=ZERO, received=ZERO, spent=D("450.00"))


@pytest.mark.django_db
def test_as_many_queries_for_many_vouchers_as_for_one() -> None:
    row = make_proof()
    counts = []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as queries:
            figures_of(ProofOfUse.objects.select_related("grant__programme", "school").get(pk=row.pk))
        counts.append(len(queries))
        for _number in range(5):
            pay(row.grant, money_of(row.grant), school=SchoolFactory(), devices=1)
    assert counts[0] == counts[1]
