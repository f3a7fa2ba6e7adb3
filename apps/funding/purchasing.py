"""What orders, deliveries and invoices come to. Pure: euros and pieces in, euros and pieces out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.money import ZERO, rounded
from apps.funding.calculations import Split, limit_of, split_cost
from apps.funding.choices import ApplicationState, OrderState

LIVE_ORDERS = frozenset({OrderState.PLACED, OrderState.PARTLY_DELIVERED, OrderState.DELIVERED})
"""States of an order that stands at the supplier."""

UNPLACED_ORDERS = frozenset({OrderState.DRAFT, OrderState.PROPOSED})
"""States of an order that nobody has sent to the supplier yet."""

PLACED_ORDERS = LIVE_ORDERS | {OrderState.CLOSED}
"""States of an order that was placed and not cancelled."""


def called_pieces(
    quantity: int, delivered: int, returned: int, invoiced: int, credited: int, *, is_closed: bool
) -> int:
    """Pieces of an order line that a framework contract has given; `delivered` without those that went back.

    What went back and was not replaced counts until it is credited. What never came counts until the order is closed,
    and as far as it was invoiced (`invoiced`: credit notes not subtracted), until it is credited, too.
    """
    not_here = quantity - delivered
    back = min(returned, not_here)
    credited_back = min(credited, back)
    if not is_closed:
        return quantity - credited_back
    invoiced_in_vain = min(max(invoiced - delivered - back, 0), not_here - back)
    return delivered + back - credited_back + max(invoiced_in_vain - (credited - credited_back), 0)


def spread(pieces: int, missing: Iterable[int]) -> list[int]:
    """Pieces that came over lines of which so many are missing: one after the other, none more than it misses."""
    shares = []
    for most in missing:
        shares.append(min(pieces, most))
        pieces -= shares[-1]
    return shares


@dataclass(frozen=True)
class OrderLineInput:
    """A line of an order as typed. Of an application's line only quantity and price are taken; the rest is known.

    `line_id`: a line that stood there before. `unit_price` in euros gross; None: as approved.
    """

    quantity: int
    unit_price: Decimal | None = None
    application_line_id: int | None = None
    school_id: int | None = None
    product_id: int | None = None
    description: str = ""
    budget_id: int | None = None
    own_share_budget_id: int | None = None
    line_id: int | None = None


@dataclass(frozen=True)
class InvoiceLineInput:
    """A line of an invoice as typed; amounts in euros gross and never negative, on a credit note, too.

    `eligible_amount` None: all of it where a grant pays, else nothing. `own_share_budget_id` is taken where the order
    names none, because a grant was to pay all.
    """

    order_line_id: int
    quantity: int
    amount: Decimal
    eligible_amount: Decimal | None = None
    own_share_budget_id: int | None = None


@dataclass(frozen=True)
class Paid:
    """What was paid for an order line so far: euros and pieces, credit notes subtracted."""

    eligible: Decimal = ZERO
    grant: Decimal = ZERO
    own: Decimal = ZERO
    quantity: int = 0

    @property
    def amount(self) -> Decimal:
        return self.grant + self.own


def paid_in_vain(paid: Decimal, pieces: int, delivered: int) -> Decimal:
    """Euros of what was paid for `pieces` that belong to those which are not there; credit notes subtracted."""
    return rounded(paid * (pieces - delivered) / pieces) if pieces > max(delivered, 0) else ZERO


def split_eligible(
    amount: Decimal, eligible: Decimal, *, rate: Decimal | None, limit: Decimal | None, quantity: int
) -> Split:
    """Who pays an amount: the grant at most its rate of the eligible part, rounded down, and at most its limit a piece.

    The own share takes the rest. `rate` None: municipal money pays all.
    """
    grant = ZERO if rate is None else split_cost(eligible, rate, limit_of(limit, quantity)).grant_share
    return Split(grant_share=grant, own_share=amount - grant)


def split_next(
    amount: Decimal, eligible: Decimal, *, rate: Decimal | None, limit: Decimal | None, quantity: int, paid: Paid
) -> Split:
    """Who pays a further amount of a line of which `paid` is paid: all of it together stays within rate and limit.

    `quantity`: so many pieces are paid with this amount, at most as many as were ordered.
    """
    if rate is None:
        return Split(grant_share=ZERO, own_share=amount)
    whole = split_eligible(
        paid.amount + amount, paid.eligible + eligible, rate=rate, limit=limit, quantity=quantity
    ).grant_share
    alone = split_cost(eligible, rate, None).grant_share
    grant = max(min(whole - paid.grant, alone), ZERO)
    return Split(grant_share=grant, own_share=amount - grant)


def split_credit(
    amount: Decimal, eligible: Decimal, *, rate: Decimal | None, limit: Decimal | None, quantity: int, paid: Paid
) -> Split:
    """Who gets a credit of `amount` back (all positive): so much that the rest paid keeps the grant within its rate.

    What is left of the line after the credit is split anew; the difference to what was paid goes back. The grant gets
    at most the whole credit.
    """
    if rate is None:
        return Split(grant_share=ZERO, own_share=amount)
    left = split_eligible(
        paid.amount - amount,
        paid.eligible - eligible,
        rate=rate,
        limit=limit,
        quantity=max(paid.quantity - quantity, 0),
    )
    back = min(max(paid.grant - left.grant_share, amount - paid.own, ZERO), amount)
    return Split(grant_share=back, own_share=amount - back)


def uncovered(need: Decimal, *, open_amount: Decimal, held: Decimal) -> Decimal:
    """What of a need is not committed yet, when so much of what is committed is held for others."""
    return max(ZERO, need - max(ZERO, open_amount - held))


def surplus(open_amount: Decimal, held: Decimal) -> Decimal:
    """What is committed and held for nothing: to be released."""
    return max(ZERO, open_amount - held)


def net_of(gross: Decimal, vat_percent: Decimal) -> Decimal:
    """Euros net, rounded half-up."""
    return rounded(gross * 100 / (100 + vat_percent))


@dataclass(frozen=True)
class Ordered:
    """What an order asks for of an application's line, and how much of it came."""

    state: str
    quantity: int
    delivered: int

    @property
    def bound(self) -> int:
        """Pieces that nobody else can order: all, but of a closed order those that came."""
        if self.state == OrderState.CANCELLED:
            return 0
        return self.delivered if self.state == OrderState.CLOSED else self.quantity


@dataclass(frozen=True)
class Pieces:
    """An approved line of an application: pieces approved and given up, and its orders."""

    approved: int
    given_up: int
    orders: tuple[Ordered, ...] = ()

    @property
    def to_order(self) -> int:
        """Pieces that stand in no order, drafts included."""
        return self.approved - self.given_up - sum(order.bound for order in self.orders)

    @property
    def unplaced(self) -> int:
        """Pieces that stand in no order that was placed."""
        return self.approved - self.given_up - sum(row.bound for row in self.orders if row.state in PLACED_ORDERS)

    @property
    def missing(self) -> int:
        """Pieces that were ordered and have not come."""
        return sum(order.quantity - order.delivered for order in self.orders if order.state in LIVE_ORDERS)

    @property
    def settled(self) -> int:
        """Pieces with which nothing more happens."""
        return self.given_up + sum(order.delivered for order in self.orders if order.state == OrderState.CLOSED)

    @property
    def delivered(self) -> int:
        return sum(order.delivered for order in self.orders if order.state in PLACED_ORDERS)


def following_state(lines: Sequence[Pieces], *, approved_state: ApplicationState) -> ApplicationState:
    """What becomes of an application by the orders of its lines.

    `ordered` when every approved piece stands in an order that was placed, `delivered` when all of these came,
    `closed` when all orders are closed or given up; until then it stays approved.
    """
    if all(line.settled == line.approved for line in lines):
        return ApplicationState.CLOSED
    if any(line.unplaced for line in lines):
        return approved_state
    return ApplicationState.ORDERED if any(line.missing for line in lines) else ApplicationState.DELIVERED


def state_by_deliveries(lines: Iterable[tuple[int, int]]) -> OrderState:
    """State of a placed order by (ordered, delivered) of its lines."""
    rows = list(lines)
    if all(quantity == delivered for quantity, delivered in rows):
        return OrderState.DELIVERED
    return OrderState.PARTLY_DELIVERED if any(delivered for _quantity, delivered in rows) else OrderState.PLACED
