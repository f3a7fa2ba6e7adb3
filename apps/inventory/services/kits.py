"""Kits taken in as one: their devices stay linked, what nobody counts is written down in words."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.inventory.choices import Ownership
from apps.inventory.models import Device, Kit, KitPart, KitSet
from apps.inventory.services.adding import add_devices, once
from apps.inventory.services.common import ensure_may, lock_kinds
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User


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
    ensure_may(by, "inventory.add_device")
    parts = list(kit.parts.select_related("product__kind").order_by("pk"))
    tracked = [part for part in parts if part.product.kind.tracked_singly]
    if not tracked:
        raise DomainError(_("This kit has no part that is a device. Please choose another kit."), field="kit")
    if quantity < 1:
        raise DomainError(_("Please enter at least 1."), field="quantity")
    lock_kinds(*{part.product.kind_id for part in tracked})
    words = accessories_of(parts)
    sets = KitSet.objects.bulk_create([KitSet(kit=kit, accessories=words) for _number in range(quantity)], 500)
    devices: list[Device] = []
    for part in tracked:
        devices += add_devices(
            product=part.product,
            quantity=quantity * part.quantity,
            by=by,
            serials=() if devices else serials,
            kit_sets=[kit_set for kit_set in sets for _piece in range(part.quantity)],
            ownership=ownership,
            price=(prices or {}).get(part.product_id),
            bought_on=bought_on,
            school=school,
            site=site,
            room=room,
            since=since,
            note=note,
        )
    return devices


@transaction.atomic
def add_kits_once(*, token: uuid.UUID, kit: Kit, quantity: int, by: User, **facts: object) -> list[Device]:
    """`add_kits`, but the second sending of the same form adds nothing and returns the devices of the first."""
    return once(token, by, partial(add_kits, kit=kit, quantity=quantity, by=by, **facts))  # type: ignore[arg-type]  # its own words


def accessories_of(parts: Sequence[KitPart]) -> str:
    """The parts that are no devices, in words: "1 × Muster Stift, 2 × Muster Hülle"."""
    return ", ".join(str(part) for part in parts if not part.product.kind.tracked_singly)
