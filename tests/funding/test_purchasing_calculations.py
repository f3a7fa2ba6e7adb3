"""Splits and steps of purchases: pure figures, any amounts and rates."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import ZERO
from apps.funding.choices import ApplicationState, OrderState
from apps.funding.purchasing import (
    Ordered,
    Paid,
    Pieces,
    following_state,
    net_of,
    split_credit,
    split_eligible,
    state_by_deliveries,
    surplus,
    uncovered,
)

D = Decimal
S, O = ApplicationState, OrderState  # noqa: E741 - read as states below
CENTS = st.integers(1, 99_999_999).map(lambda cents: D(cents).scaleb(-2))
RATES = st.integers(1, 10_000).map(lambda share: D(share).scaleb(-4))
LIMITS = st.none() | CENTS


@given(amount=CENTS, part=st.integers(0, 100), rate=RATES, limit=LIMITS, quantity=st.integers(0, 500))
def test_a_split_adds_up_and_no_grant_exceeds_its_rate(
    amount: Decimal, part: int, rate: Decimal, limit: Decimal | None, quantity: int
) -> None:
    eligible = (amount * part / 100).quantize(D("0.01"))
    split = split_eligible(amount, eligible, rate=rate, limit=limit, quantity=quantity)

    assert split.grant_share + split.own_share == amount
    assert ZERO <= split.grant_share <= eligible * rate
    assert limit is None or split.grant_share <= limit * quantity
    assert limit is not None or eligible * rate - split.grant_share < D("0.01")


@pytest.mark.parametrize(
    ("amount", "eligible", "rate", "limit", "quantity", "grant"),
    [
        ("1000.00", "1000.00", "0.9", None, 2, "900.00"),
        ("333.33", "333.33", "0.9", None, 1, "299.99"),  # 299.997 rounded down
        ("333.33", "300.00", "0.9", None, 1, "270.00"),  # a part is not eligible
        ("1300.00", "1300.00", "1", "500.00", 2, "1000.00"),  # 500 euros a device
        ("900.00", "900.00", "1", "500.00", 2, "900.00"),
        ("100.00", "0.00", "0.9", None, 1, "0.00"),
    ],
)
def test_who_pays(amount: str, eligible: str, rate: str, limit: str | None, quantity: int, grant: str) -> None:
    split = split_eligible(
        D(amount), D(eligible), rate=D(rate), limit=None if limit is None else D(limit), quantity=quantity
    )
    assert (split.grant_share, split.own_share) == (D(grant), D(amount) - D(grant))


def test_municipal_money_pays_all() -> None:
    split = split_eligible(D("100.00"), ZERO, rate=None, limit=None, quantity=1)
    assert (split.grant_share, split.own_share) == (ZERO, D("100.00"))


@given(
    bought=st.lists(st.tuples(CENTS, st.integers(0, 100)), min_size=1, max_size=4),
    back=st.integers(1, 100),
    rate=RATES,
)
def test_after_a_credit_the_grant_is_still_within_its_rate(
    bought: list[tuple[Decimal, int]], back: int, rate: Decimal
) -> None:
    paid = Paid()
    for amount, part in bought:
        eligible = (amount * part / 100).quantize(D("0.01"))
        split = split_eligible(amount, eligible, rate=rate, limit=None, quantity=1)
        paid = Paid(
            paid.eligible + eligible, paid.grant + split.grant_share, paid.own + split.own_share, paid.quantity + 1
        )
    amount = (paid.amount * back / 100).quantize(D("0.01"))
    eligible = min(amount, paid.eligible)

    credit = split_credit(amount, eligible, rate=rate, limit=None, quantity=1, paid=paid)

    assert credit.grant_share + credit.own_share == amount
    assert ZERO <= credit.grant_share <= paid.grant
    assert ZERO <= credit.own_share <= paid.own
    assert paid.grant - credit.grant_share <= (paid.eligible - eligible) * rate


def test_a_credit_of_all_gives_each_back_what_it_paid() -> None:
    paid = Paid(D("333.33"), D("299.99"), D("33.34"), 1)
    credit = split_credit(D("333.33"), D("333.33"), rate=D("0.9"), limit=None, quantity=1, paid=paid)
    assert (credit.grant_share, credit.own_share) == (D("299.99"), D("33.34"))


@pytest.mark.parametrize(
    ("need", "open_amount", "held", "missing"),
    [("100", "100", "0", "0"), ("110", "100", "0", "10"), ("100", "150", "60", "10"), ("100", "50", "80", "100")],
)
def test_what_is_not_covered(need: str, open_amount: str, held: str, missing: str) -> None:
    assert uncovered(D(need), open_amount=D(open_amount), held=D(held)) == D(missing)


def test_what_is_left_over() -> None:
    assert (surplus(D(100), D(30)), surplus(D(30), D(100))) == (D(70), ZERO)


def test_net() -> None:
    assert (net_of(D("119.00"), D(19)), net_of(D("100.00"), D(19))) == (D("100.00"), D("84.03"))


@pytest.mark.parametrize(
    ("pieces", "state"),
    [
        (Pieces(2, 0), S.APPROVED),
        (Pieces(2, 0, (Ordered(O.DRAFT, 2, 0),)), S.APPROVED),
        (Pieces(2, 0, (Ordered(O.PLACED, 1, 0),)), S.APPROVED),
        (Pieces(2, 0, (Ordered(O.PLACED, 2, 0),)), S.ORDERED),
        (Pieces(2, 0, (Ordered(O.CANCELLED, 2, 0),)), S.APPROVED),
        (Pieces(2, 1, (Ordered(O.PLACED, 1, 0),)), S.ORDERED),
        (Pieces(2, 0, (Ordered(O.PARTLY_DELIVERED, 2, 1),)), S.ORDERED),
        (Pieces(2, 0, (Ordered(O.DELIVERED, 2, 2),)), S.DELIVERED),
        (Pieces(2, 0, (Ordered(O.CLOSED, 1, 1), Ordered(O.DELIVERED, 1, 1))), S.DELIVERED),
        (Pieces(2, 0, (Ordered(O.CLOSED, 2, 2),)), S.CLOSED),
        (Pieces(2, 1, (Ordered(O.CLOSED, 2, 1),)), S.CLOSED),
        (Pieces(2, 0, (Ordered(O.CLOSED, 2, 1),)), S.APPROVED),
        (Pieces(2, 2), S.CLOSED),
    ],
)
def test_what_an_application_follows_to(pieces: Pieces, state: ApplicationState) -> None:
    assert following_state([pieces, Pieces(0, 0)], approved_state=S.APPROVED) == state


def test_the_state_of_an_order_by_its_deliveries() -> None:
    assert state_by_deliveries([(2, 0), (1, 0)]) == O.PLACED
    assert state_by_deliveries([(2, 1), (1, 0)]) == O.PARTLY_DELIVERED
    assert state_by_deliveries([(2, 2), (1, 1)]) == O.DELIVERED
