"""Reading orders, deliveries and invoices: the same number of queries for one row and for a hundred."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum

from apps.accounts.models import User
from apps.core import clock
from apps.core.money import ZERO, CentsField, total
from apps.funding.amounts import line_cost
from apps.funding.choices import InvoiceState, OrderState, RuleKind
from apps.funding.models import (
    ApplicationLine,
    AwardThreshold,
    Grant,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    PurchasedDevice,
)
from apps.funding.price_hints import Bought, price_hints
from apps.funding.purchasing import LIVE_ORDERS, Ordered, Pieces, net_of, paid_in_vain
from apps.funding.rules import rule_on, threshold_for
from apps.funding.scan_selectors import open_scans
from apps.funding.workflow import APPROVED_STATES
from apps.inventory.models import Device, Product, ScanSession

MOST_LINES = 500
"""Lines to be ordered that one page shows."""


def pieces_of(lines: Iterable[ApplicationLine]) -> dict[int, Pieces]:
    """Line id -> its pieces and orders, in one query. To decide on them, lock their applications first."""
    rows = list(lines)
    orders: defaultdict[int, list[Ordered]] = defaultdict(list)
    found = OrderLine.objects.filter(application_line__in=[line.pk for line in rows]).order_by("pk")
    for line_id, state, quantity, delivered in found.values_list(
        "application_line", "order__state", "quantity", "delivered"
    ):
        orders[line_id].append(Ordered(state, quantity, delivered))
    return {line.pk: Pieces(line.approved_quantity or 0, line.given_up, tuple(orders[line.pk])) for line in rows}


@dataclass(frozen=True)
class LineToOrder:
    """An approved line with the pieces of it that stand in no order."""

    line: ApplicationLine
    pieces: int

    @property
    def amount(self) -> Decimal:
        """Euros gross at the approved price."""
        return line_cost(self.line.unit_price, self.pieces)


@dataclass(frozen=True)
class ProductToOrder:
    """All that is to be ordered of one product."""

    product: Product
    lines: tuple[LineToOrder, ...]

    @property
    def pieces(self) -> int:
        return sum(row.pieces for row in self.lines)

    @property
    def amount(self) -> Decimal:
        return total(row.amount for row in self.lines)


def products_to_order(user: User) -> list[ProductToOrder]:
    """What is approved and stands in no order, by product; within it by school. At most MOST_LINES lines."""
    rows = ApplicationLine.objects.visible_to(user).filter(
        application__state__in=APPROVED_STATES, approved_quantity__gt=F("given_up")
    )
    lines = list(
        rows.select_related("product__kind", "application__school")
        .prefetch_related("allocations__budget")
        .order_by("product__manufacturer", "product__model", "application__school__sort_key", "pk")[:MOST_LINES]
    )
    pieces = pieces_of(lines)
    groups: dict[int, list[LineToOrder]] = {}
    for line in lines:
        if (left := pieces[line.pk].to_order) > 0:
            groups.setdefault(line.product_id, []).append(LineToOrder(line, left))
    return [ProductToOrder(group[0].line.product, tuple(group)) for group in groups.values()]


def order_rows(user: User) -> QuerySet[Order]:
    """Orders with `amount` (euros gross), `pieces`, `delivered` and `unpaid`, how many invoices wait for payment."""
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    cost = ExpressionWrapper(F("unit_price") * F("quantity"), output_field=CentsField())
    rows: QuerySet[Order] = Order.objects.visible_to(user).select_related("supplier", "contract", "placed_by")
    return rows.annotate(
        amount=Subquery(lines.annotate(sum=Sum(cost)).values("sum"), output_field=CentsField()),
        pieces=Subquery(lines.annotate(sum=Sum("quantity")).values("sum")),
        delivered=Subquery(lines.annotate(sum=Sum("delivered")).values("sum")),
        unpaid=Count("invoices", filter=Q(invoices__state=InvoiceState.RECORDED)),
    )


def invoice_rows(user: User) -> QuerySet[Invoice]:
    """Invoices with `amount` in euros gross (negative for credit notes), the oldest first."""
    sums = InvoiceLine.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    rows: QuerySet[Invoice] = Invoice.objects.visible_to(user).select_related(
        "order__supplier", "recorded_by", "paid_by"
    )
    return rows.annotate(
        amount=Subquery(sums.annotate(sum=Sum("amount")).values("sum"), output_field=CentsField())
    ).order_by("dated_on", "pk")


def invoices_to_pay(user: User) -> QuerySet[Invoice]:
    """What this person may order to be paid: recorded by somebody else."""
    if not user.has_perm("funding.pay_invoice"):
        return Invoice.objects.none()
    return invoice_rows(user).filter(state=InvoiceState.RECORDED).exclude(recorded_by=user)


@dataclass(frozen=True)
class LineStatus:
    """An order line with what was invoiced and paid of it, credit notes subtracted; euros gross."""

    line: OrderLine
    invoiced_pieces: int
    invoiced: Decimal
    paid: Decimal
    paid_pieces: int
    is_scanned: bool
    scans: tuple[ScanSession, ...]
    price_hint: str = ""

    @property
    def missing(self) -> int:
        return self.line.quantity - self.line.delivered

    @property
    def paid_in_vain(self) -> Decimal:
        return paid_in_vain(self.paid, self.paid_pieces, self.line.delivered)


def order_lines(order: Order) -> list[LineStatus]:
    """The lines of an order with their progress, and the deliveries that are being scanned."""
    related = ("application_line__application", "product__kind", "school", "budget__grant", "own_share_budget")
    lines = list(order.lines.select_related(*related).order_by("pk"))
    sums = (
        InvoiceLine.objects.filter(order_line__in=lines)
        .exclude(invoice__state=InvoiceState.CANCELLED)
        .order_by()
        .values_list("order_line")
        .annotate(
            pieces=Sum("quantity"),
            sum=Sum("amount"),
            paid=Sum("amount", filter=Q(invoice__state=InvoiceState.PAID)),
            paid_pieces=Sum("quantity", filter=Q(invoice__state=InvoiceState.PAID)),
        )
    )
    invoiced = {pk: (pieces, amount, paid or ZERO, paid_pieces or 0) for pk, pieces, amount, paid, paid_pieces in sums}
    scans: defaultdict[int, list[ScanSession]] = defaultdict(list)
    for scan in open_scans(order).filter(receipt__kit__isnull=True).annotate(line=F("receipt__lines__order_line")):
        scans[scan.line].append(scan)
    bought = {line.pk: Bought(line.product, line.unit_price, (line.budget, line.own_share_budget)) for line in lines}
    hints = price_hints(bought, order.placed_on or clock.today())
    return [
        LineStatus(
            line,
            *invoiced.get(line.pk, (0, ZERO, ZERO, 0)),
            is_scanned(line),
            tuple(scans[line.pk]),
            hints.get(line.pk, ""),
        )
        for line in lines
    ]


def is_scanned(line: OrderLine) -> bool:
    """Whether each piece of the line becomes a device."""
    return line.product is not None and line.product.kind.tracked_singly


def devices_to_return(order: Order) -> Sequence[PurchasedDevice]:
    """Devices of an order that are still there."""
    rows = PurchasedDevice.objects.filter(order_line__order=order, returned_on__isnull=True)
    return list(rows.select_related("device__product", "device__school", "order_line").order_by("order_line", "pk"))


def purchase_of(device: Device, user: User) -> PurchasedDevice | None:
    """How a device was bought, for those who see the city's money."""
    rows = PurchasedDevice.objects.visible_to(user).filter(device=device)
    found: PurchasedDevice | None = rows.select_related(
        "order_line__order__supplier",
        "order_line__budget__grant__programme",
        "order_line__own_share_budget",
        "order_line__application_line__application",
        "item__delivery",
    ).first()
    return found


def never_bound(grant: Grant) -> Sequence[Device]:
    """What a grant paid for, was not sent back, and no grant ever bound; who was let go early stays free."""
    bought = PurchasedDevice.objects.filter(order_line__budget__grant=grant, returned_on__isnull=True)
    bound = Device.history.filter(bound_until__isnull=False).values("id")
    rows = Device.objects.filter(pk__in=bought.values("device"), bound_until__isnull=True)
    return list(rows.exclude(pk__in=bound).order_by("pk"))


def estimated_net(order: Order) -> Decimal:
    """The order's sum without the value added tax of today: what an award record begins with."""
    rate = rule_on(RuleKind.VAT_RATE, clock.today())
    return net_of(total(line.amount for line in order.lines.all()), rate or ZERO)


def award_step(net: Decimal | None) -> AwardThreshold | None:
    """The step of the city's procurement rules that holds today for a net sum."""
    return None if net is None else threshold_for(net, clock.today())


def next_step(order: Order, lines: Sequence[LineStatus], *, waiting: bool) -> str:
    """The one thing to do next about an order, as a code; "" when nothing is.

    `waiting`: an invoice of it waits for payment.
    """
    if order.state == OrderState.DRAFT:
        return "place" if lines else "fill"
    if order.state == OrderState.PROPOSED:
        return "approve"
    if order.state not in LIVE_ORDERS:
        return ""
    if any(row.missing for row in lines):
        return "receive"
    if any(row.invoiced_pieces < row.line.quantity for row in lines):
        return "invoice"
    return "pay" if waiting else "close"
