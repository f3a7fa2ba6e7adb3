"""How much of a framework contract is called off. The one reader of it: page, choices and the placing of orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from apps.core.money import ZERO
from apps.funding.amounts import line_cost
from apps.funding.choices import DeliveryKind, InvoiceKind, InvoiceState, OrderState
from apps.funding.models import DeliveredItem, FrameworkContract, InvoiceLine, OrderLine
from apps.funding.purchasing import PLACED_ORDERS, called_pieces


def called_from(contracts: Iterable[int]) -> dict[int, Decimal]:
    """Contract id -> euros gross of what is called off, at the prices of the orders; three queries for any number.

    What never came once an order is closed does not count, nor what went back and was credited.
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
    credited: dict[int, int] = dict(
        InvoiceLine.objects.filter(order_line__in=ids, invoice__kind=InvoiceKind.CREDIT)
        .exclude(invoice__state=InvoiceState.CANCELLED)
        .order_by()
        .values_list("order_line")
        .annotate(sum=Sum("quantity"))
    )
    called: defaultdict[int, Decimal] = defaultdict(lambda: ZERO, dict.fromkeys(wanted, ZERO))
    for pk, contract, state, price, quantity, delivered in lines.values_list(
        "pk", "order__contract", "order__state", "unit_price", "quantity", "delivered"
    ):
        pieces = called_pieces(
            quantity, delivered, returned.get(pk, 0), -credited.get(pk, 0), is_closed=state == OrderState.CLOSED
        )
        called[contract] += line_cost(price, pieces)
    return dict(called)


def left_of(contracts: Iterable[FrameworkContract]) -> dict[int, Decimal]:
    """Contract id -> euros that may still be called off; contracts without a volume are left out."""
    volumes = {row.pk: row.volume for row in contracts if row.volume is not None}
    return {pk: volumes[pk] - amount for pk, amount in called_from(volumes).items()}
