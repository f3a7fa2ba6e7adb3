"""Prices of the catalogue."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core.clock import today
from apps.core.history import save_by
from apps.inventory.models import Product, ProductPrice
from apps.inventory.services.common import ensure_may

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def set_price(
    *, product: Product, gross_price: Decimal, by: User, valid_from: datetime.date | None = None
) -> ProductPrice:
    """Writes what a product costs in euros from a day on (today); a price of that very day is replaced.

    What was applied for, decided or bought keeps the price that it was given.
    """
    ensure_may(by, "inventory.change_product")
    day = valid_from or today()
    Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    row = product.prices.filter(valid_from=day).first() or ProductPrice(product=product, valid_from=day)
    row.gross_price = gross_price
    return save_by(row, by=by)
