"""Splits and previews: pure, to the cent."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.funding import calculations
from apps.funding.calculations import Balance, BudgetEffect, Need, Part, Split
from apps.funding.models import Budget

D = Decimal
cents = st.integers(min_value=0, max_value=10**10).map(lambda number: D(number).scaleb(-2))
rates = st.integers(min_value=1, max_value=10_000).map(lambda number: D(number).scaleb(-4))


@pytest.mark.parametrize(
    ("cost", "rate", "grant_share", "own_share"),
    [
        ("100.00", "0.9", "90.00", "10.00"),
        ("99.99", "0.9", "89.99", "10.00"),  # 89.991
        ("0.01", "0.9", "0.00", "0.01"),
        ("0.10", "0.9", "0.09", "0.01"),
        ("33.33", "0.3333", "11.10", "22.23"),  # 11.108889
        ("1234.56", "1", "1234.56", "0.00"),
        ("0.00", "0.9", "0.00", "0.00"),
    ],
)
def test_grant_share_is_rounded_down_and_the_own_share_takes_the_rest(
    cost: str, rate: str, grant_share: str, own_share: str
) -> None:
    assert calculations.split_cost(D(cost), D(rate)) == Split(D(grant_share), D(own_share))


@dataclass(frozen=True)
class Source:
    """How a budget pays, without a database."""

    rate: Decimal | None
    limit_per_device: Decimal | None = None


MUNICIPAL = Source(None)


@given(cost=cents, rate=rates, limit=st.none() | cents)
def test_split_adds_up_and_never_exceeds_rate_or_limit(cost: Decimal, rate: Decimal, limit: Decimal | None) -> None:
    split = calculations.split_cost(cost, rate, limit)
    most = cost * rate if limit is None else min(cost * rate, limit)

    assert split.grant_share + split.own_share == cost
    assert D(0) <= split.grant_share <= most
    assert most - split.grant_share < D("0.01")
    assert split.grant_share == split.grant_share.quantize(D("0.01"))


@given(lines=st.lists(st.tuples(cents, st.integers(0, 500)), max_size=8), rate=rates, per_device=st.none() | cents)
def test_parts_of_lines_add_up_and_no_grant_exceeds_its_rate_or_limit(
    lines: list[tuple[Decimal, int]], rate: Decimal, per_device: Decimal | None
) -> None:
    costs = [calculations.line_cost(price, quantity) for price, quantity in lines]
    parts = [
        part
        for number, (cost, (_price, quantity)) in enumerate(zip(costs, lines, strict=True))
        for part in calculations.parts_of(
            number,
            cost,
            quantity=quantity,
            budget_id=1,
            source=Source(rate, per_device),
            own_share_budget_id=2,
        )
    ]
    needed = calculations.needed_per_budget(parts)

    assert sum(needed.values()) == sum(costs)
    assert needed.get(1, D(0)) <= sum(costs) * rate
    if per_device is not None:
        assert needed.get(1, D(0)) <= per_device * sum(quantity for _price, quantity in lines)
    assert all(part.amount > 0 for part in parts)


def test_a_limit_per_device_bounds_the_share_of_a_line() -> None:
    """Teachers' devices: at most 500 euros gross each, however dear they are."""
    parts = calculations.parts_of(
        7, D("2400.00"), quantity=3, budget_id=1, source=Source(D(1), D("500.00")), own_share_budget_id=2
    )

    assert parts == (Part(7, 1, D("1500.00")), Part(7, 2, D("900.00")))


def test_municipal_money_pays_all_of_a_line() -> None:
    parts = calculations.parts_of(7, D("12.34"), quantity=1, budget_id=1, source=MUNICIPAL, own_share_budget_id=None)

    assert parts == (Part(7, 1, D("12.34")),)


def test_a_grant_that_pays_all_needs_no_own_share() -> None:
    for source in (Source(D(1)), Source(D(1), D("12.34"))):
        parts = calculations.parts_of(7, D("12.34"), quantity=1, budget_id=1, source=source, own_share_budget_id=None)
        assert parts == (Part(7, 1, D("12.34")),)


@pytest.mark.parametrize("source", [Source(D("0.9")), Source(D(1), D("12.33"))])
def test_a_missing_budget_for_the_own_share_is_an_error(source: Source) -> None:
    with pytest.raises(ValueError, match="own share"):
        calculations.parts_of(7, D("12.34"), quantity=1, budget_id=1, source=source, own_share_budget_id=None)


def test_parts_of_nothing_are_left_out() -> None:
    source = Source(D("0.9"))
    one_cent = calculations.parts_of(7, D("0.01"), quantity=1, budget_id=1, source=source, own_share_budget_id=2)
    nothing = calculations.parts_of(7, D("0.00"), quantity=0, budget_id=1, source=source, own_share_budget_id=None)

    assert one_cent == (Part(7, 2, D("0.01")),)
    assert nothing == ()


@pytest.mark.parametrize(
    ("rate", "limit", "needs", "may_need"),
    [
        (None, None, False, False),
        ("0.9", None, True, True),
        ("0.9999", None, True, True),
        ("1", None, False, False),
        ("1", "500.00", False, True),
        ("1", "499.99", True, True),
    ],
)
def test_a_grant_below_its_full_rate_or_above_its_limit_needs_an_own_share(
    rate: str | None, limit: str | None, needs: bool, may_need: bool
) -> None:
    source = Source(None if rate is None else D(rate), None if limit is None else D(limit))

    assert calculations.needs_own_share(D("1000.00"), source, 2) is needs
    assert calculations.may_need_own_share(source) is may_need


def test_available_subtracts_freeze_commitments_and_payments() -> None:
    budget = Budget(
        appropriation=D("1000.00"),
        carried_over=D("200.00"),
        supplement=D("-50.00"),
        overrun_allowed=D("10.00"),
        freeze=D("100.00"),
        committed=D("300.00"),
        spent=D("400.50"),
    )

    assert calculations.limit(budget) == D("1160.00")
    assert calculations.available(budget) == D("359.50")
    assert budget.available == D("359.50")


def test_sum_of_lines() -> None:
    assert calculations.sum_of_lines([(D("499.99"), 3), (D("0.01"), 1)]) == D("1499.98")
    assert calculations.sum_of_lines([]) == D("0.00")


def test_preview_adds_parts_up_per_budget() -> None:
    balances = {1: Balance(1, "Eins", D("100.00")), 2: Balance(2, "Zwei", D("5.00"))}
    parts = [Part(7, 2, D("3.00")), Part(7, 1, D("60.00")), Part(8, 1, D("50.00"))]

    first, second = calculations.preview(parts, balances)

    assert first == BudgetEffect(1, "Eins", D("100.00"), D("110.00"))
    assert (first.available_after, first.short_by, first.sufficient) == (D("-10.00"), D("10.00"), False)
    assert (second.available_after, second.short_by, second.sufficient) == (D("2.00"), D("0.00"), True)


def test_preview_of_several_passes_over_what_the_money_is_not_enough_for() -> None:
    needs = [
        Need(11, (Part(1, 1, D("60.00")),)),
        Need(12, (Part(2, 1, D("50.00")),)),
        Need(13, (Part(3, 1, D("40.00")),)),
    ]

    several = calculations.preview_several(needs, {1: Balance(1, "Eins", D("100.00"))})

    assert [(step.application_id, step.affordable) for step in several.steps] == [(11, True), (12, False), (13, True)]
    assert [step.effects[0].available_before for step in several.steps] == [D("100.00"), D("40.00"), D("40.00")]
    assert several.budgets == (BudgetEffect(1, "Eins", D("100.00"), D("100.00")),)
    assert several.affordable == 2


@given(amounts=st.lists(cents, max_size=10), money=cents)
def test_preview_of_several_never_spends_more_than_there_is(amounts: list[Decimal], money: Decimal) -> None:
    needs = [Need(number, (Part(number, 1, amount),)) for number, amount in enumerate(amounts)]

    several = calculations.preview_several(needs, {1: Balance(1, "Eins", money)})

    assert several.budgets[0].available_after >= 0
    assert several.budgets[0].needed == sum(step.cost for step in several.steps if step.affordable)
