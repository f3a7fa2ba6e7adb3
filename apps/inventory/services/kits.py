"""Kits taken in as one: their devices stay linked, what nobody counts is written down in words."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.inventory.choices import Ownership
from apps.inventory.models import Device, Kit, KitPart, KitSet, Product
from apps.inventory.selectors import accessories_of
from apps.inventory.services.adding import add_devices, once
from apps.inventory.services.common import ensure_may, lock_kinds
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User


KIT_HAS_NO_PRICE = _(
    "The devices of a kit differ in price. Please leave this field empty and correct the price on their pages."
)


@transaction.atomic
def add_kits(
    *,
    kit: Kit,
    quantity: int,
    by: User,
    serials: Sequence[str] = (),
    prices: Mapping[int, Decimal] | None = None,
    ownership: str = Ownership.BOUGHT,
    bought_on: datetime.date | None = None,
    school: School | None = None,
    site: Site | None = None,
    room: str = "",
    since: datetime.date | None = None,
    note: str = "",
) -> list[Device]:
    """Records `quantity` kits: a device for each part that is one, linked by a `KitSet`, alike as in `add_devices`.

    `serials` belong to the first kind of part, in the order of the kits; `prices` in euros by product id. Returns the
    devices, those of the first part first. An order or a delivery calls this with its own quantity and prices.
    """
    parts = parts_of(kit)
    facts = {"ownership": ownership, "bought_on": bought_on, "school": school, "site": site, "room": room,
             "since": since, "note": note}  # fmt: skip
    return add_parts(
        kit=kit,
        parts=[(part.product, part.quantity) for part in parts],
        accessories=accessories_of(kit),
        quantity=quantity,
        by=by,
        serials={parts[0].product_id: serials},
        prices={
            part.product_id: [prices[part.product_id]] * (quantity * part.quantity)
            for part in parts
            if prices and part.product_id in prices
        },
        **facts,
    )


@transaction.atomic
def add_parts(
    *,
    kit: Kit,
    parts: Sequence[tuple[Product, int]],
    accessories: str,
    quantity: int,
    by: User,
    serials: Mapping[int, Sequence[str]],
    prices: Mapping[int, Sequence[Decimal]],
    **facts: Any,
) -> list[Device]:
    """`add_kits` with the `parts` that one kit has, each with its quantity; `serials` and `prices` by product id.

    `accessories`: what else one kit has, in words.
    The devices come part by part, and within each in the order of the kits, as its serials and prices do.
    """
    ensure_may(by, "inventory.add_device")
    if quantity < 1:
        raise DomainError(_("Please enter at least 1."), field="quantity")
    lock_kinds(*{product.kind_id for product, _pieces in parts})
    sets = KitSet.objects.bulk_create([KitSet(kit=kit, accessories=accessories) for _number in range(quantity)], 500)
    devices: list[Device] = []
    for product, pieces in parts:
        devices += add_devices(
            product=product,
            quantity=quantity * pieces,
            by=by,
            serials=serials.get(product.pk, ()),
            kit_sets=[kit_set for kit_set in sets for _piece in range(pieces)],
            prices=prices.get(product.pk, ()),
            **facts,
        )
    return devices


@transaction.atomic
def add_kits_once(*, token: uuid.UUID, kit: Kit, quantity: int, by: User, **facts: object) -> list[Device]:
    """`add_kits`, but the second sending of the same form adds nothing and returns the devices of the first."""
    return once(token, by, partial(add_kits, kit=kit, quantity=quantity, by=by, **facts))  # type: ignore[arg-type]  # its own words


def parts_of(kit: Kit) -> list[KitPart]:
    """The parts that are devices, the first device first; refuses a kit without any."""
    parts = list(kit.parts.select_related("product__kind").order_by("pk"))
    tracked = [part for part in parts if part.product.kind.tracked_singly]
    if not tracked:
        raise DomainError(_("This kit has no part that is a device. Please choose another kit."), field="kit")
    return tracked
