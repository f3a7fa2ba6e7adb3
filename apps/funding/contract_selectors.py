"""How much of a framework contract is called off. The one reader of it: page, choices and the placing of orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q, Sum

from apps.core.money import ZERO
from apps.funding.amounts import line_cost
from apps.funding.choices import DeliveryKind, InvoiceKind, InvoiceState, OrderState
from apps.funding.models import DeliveredItem, FrameworkContract, InvoiceLine, OrderLine
from apps.funding.purchasing import PLACED_ORDERS, called_pieces


def called_from(contracts: Iterable[int]) -> dict[int, Decimal]:
    """Contract id -> euros gross of what is called off, at the prices of the orders; three queries for any number.

    What never came once an order is closed does not count unless it was invoiced and not credited, nor what went back
    and was credited.
    """
    wanted = set(contracts)
    lines = OrderLine.objects.filter(order__contract__in=wanted, order__state__in=PLACED_ORDERS).order_by()
    ids = lines.values("pk")
    returned: dict[int, int] = dict(
        DeliveredItem.objects.filter(order_line__in=ids, delivery__kind=DeliveryKind.RETURN)
        .order_by()
        .values_list("order_line")
        .annotate(sum=Sum("quantity"))
    )
    papers = (
        InvoiceLine.objects.filter(order_line__in=ids)
        .exclude(invoice__state=InvoiceState.CANCELLED)
        .order_by()
        .values_list("order_line")
        .annotate(
            invoiced=Sum("quantity", filter=Q(invoice__kind=InvoiceKind.INVOICE), default=0),
            credited=Sum("quantity", filter=Q(invoice__kind=InvoiceKind.CREDIT), default=0),
        )
    )
    pieces_on_papers = {pk: (invoiced, -credited) for pk, invoiced, credited in papers}
    called: defaultdict[int, Decimal] = defaultdict(lambda: ZERO, dict.fromkeys(wanted, ZERO))
    for pk, contract, state, price, quantity, delivered in lines.values_list(
        "pk", "order__contract", "order__state", "unit_price", "quantity", "delivered"
    ):
        pieces = called_pieces(
            quantity,
            delivered,
            returned.get(pk, 0),
            *pieces_on_papers.get(pk, (0, 0)),
            is_closed=state == OrderState.CLOSED,
        )
        called[contract] += line_cost(price, pieces)
    return dict(called)


def left_of(contracts: Iterable[FrameworkContract]) -> dict[int, Decimal]:
    """Contract id -> euros that may still be called off; contracts without a volume are left out."""
    volumes = {row.pk: row.volume for row in contracts if row.volume is not None}
    return {pk: volumes[pk] - amount for pk, amount in called_from(volumes).items()}
