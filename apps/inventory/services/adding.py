"""New devices: one or many alike, each with its number, at a school or in the depot."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now, today
from apps.core.errors import DomainError
from apps.core.history import bulk_create_by
from apps.inventory.choices import DeviceStatus, Ownership
from apps.inventory.models import AddRequest, Device, DeviceKind, KitSet, Placement, Product
from apps.inventory.numbering import ensure_new_serials, ensure_new_tags, next_tags, tidy
from apps.inventory.placing import Spot, ensure_bought, ensure_day, ensure_open, placement_for, search_text_of
from apps.inventory.services.common import ensure_may, lock_kinds, spot_at
from apps.schools.models import School, Site
from apps.schools.services import raise_inputs_version

if TYPE_CHECKING:
    from apps.accounts.models import User

TAG_ATTEMPTS = 3
REQUESTS_KEPT = datetime.timedelta(days=30)


def add_device(
    *,
    product: Product,
    by: User,
    tag: str = "",
    serial: str = "",
    ownership: str = Ownership.BOUGHT,
    price: Decimal | None = None,
    bought_on: datetime.date | None = None,
    school: School | None = None,
    site: Site | None = None,
    room: str = "",
    since: datetime.date | None = None,
    note: str = "",
) -> Device:
    """Records one device; without `tag` under the next running number. Effects as `add_devices`."""
    return add_devices(
        product=product,
        quantity=1,
        by=by,
        tags=[tag] if tag else (),
        serials=[serial] if serial else (),
        ownership=ownership,
        price=price,
        bought_on=bought_on,
        school=school,
        site=site,
        room=room,
        since=since,
        note=note,
    )[0]


@transaction.atomic
def add_devices(
    *,
    product: Product,
    quantity: int,
    by: User,
    tags: Sequence[str] = (),
    serials: Sequence[str] = (),
    ownership: str = Ownership.BOUGHT,
    price: Decimal | None = None,
    prices: Sequence[Decimal] = (),
    bought_on: datetime.date | None = None,
    school: School | None = None,
    site: Site | None = None,
    room: str = "",
    since: datetime.date | None = None,
    note: str = "",
    kit_sets: Sequence[KitSet] = (),
) -> list[Device]:
    """Records `quantity` devices alike: at a school they are in use from `since` on, without one they are in stock.

    `tags` and `serials` may be given for the first devices only; missing tags are running numbers, missing serials
    stay empty. `price` is per device; `prices` says it for each of the first devices. `kit_sets` names for each device
    the kit that it came with. In a few statements whatever the quantity.
    """
    spot, day = checked_spot(school=school, site=site, room=room, since=since, bought_on=bought_on, by=by)
    ensure_tracked(product.kind)
    tags, serials = [tidy(tag).upper() for tag in tags], [tidy(serial).upper() for serial in serials]
    _ensure_quantity(quantity, tags, serials)
    pattern = _in_use(spot) if spot else Device(status=DeviceStatus.IN_STOCK)
    pattern.product, pattern.kind_id, pattern.ownership = product, product.kind_id, Ownership(ownership)
    pattern.price, pattern.bought_on, pattern.note = price, bought_on, note.strip()
    lock_kinds(product.kind_id)
    devices = _create(pattern, quantity, tags=tags, serials=serials, prices=prices, kit_sets=kit_sets, by=by)
    if spot is not None:
        _place_all(devices, spot, day, by=by)
    return devices


@transaction.atomic
def add_devices_once(*, token: uuid.UUID, product: Product, quantity: int, by: User, **facts: object) -> list[Device]:
    """`add_devices`, but the second sending of the same form adds nothing and returns the devices of the first."""
    return once(token, by, partial(add_devices, product=product, quantity=quantity, by=by, **facts))  # type: ignore[arg-type]  # its own words


def once(token: uuid.UUID, by: User, add: Callable[[], list[Device]]) -> list[Device]:
    """The devices that `add` makes, or those that it made when the form with this token was sent before.

    Within a transaction.
    """
    try:
        with transaction.atomic():
            request = AddRequest.objects.create(token=token, by=by)
    except IntegrityError:
        earlier = AddRequest.objects.visible_to(by).filter(token=token).first()
        if earlier is None:
            raise DomainError(_("This form is not yours. Please open it again.")) from None
        return list(Device.objects.filter(tag__in=earlier.tags))
    AddRequest.objects.filter(by=by, at__lt=now() - REQUESTS_KEPT).delete()
    devices = add()
    request.tags = [device.tag for device in devices]
    request.save(update_fields=["tags"])
    return devices


def checked_spot(
    *,
    school: School | None,
    site: Site | None,
    room: str,
    since: datetime.date | None,
    bought_on: datetime.date | None,
    by: User,
) -> tuple[Spot | None, datetime.date]:
    """Where and since when (today) new devices would stand; refuses what `add_devices` would refuse about it."""
    ensure_may(by, "inventory.add_device")
    spot, day = spot_at(school, site, room, by=by), since or today()
    ensure_day(bought_on or today(), None, field="bought_on")
    _ensure_may_stand(spot, day, bought_on, by=by)
    return spot, day


def ensure_tracked(kind: DeviceKind) -> None:
    """Refuses products of kinds that are not recorded piece by piece."""
    if not kind.tracked_singly:
        raise DomainError(
            _("“%(kind)s” is not recorded piece by piece. Please choose a product of another kind.") % {"kind": kind},
            field="product",
        )


def _ensure_may_stand(spot: Spot | None, day: datetime.date, bought_on: datetime.date | None, *, by: User) -> None:
    """Without a spot the devices go into the depot, which is a right of its own."""
    if spot is None:
        ensure_may(by, "inventory.use_depot")
        return
    ensure_day(day, None, field="since")
    ensure_bought(bought_on, day, field="since")
    ensure_open(spot.school, day)


def _ensure_quantity(quantity: int, tags: Sequence[str], serials: Sequence[str]) -> None:
    if quantity < 1:
        raise DomainError(_("Please enter at least 1."), field="quantity")
    if len(tags) > quantity or len(serials) > quantity:
        raise DomainError(
            _("There are more numbers than devices. Please correct the quantity or the list."), field="serials"
        )


def _in_use(spot: Spot) -> Device:
    return Device(status=DeviceStatus.IN_USE, school=spot.school, site=spot.site, room=spot.room)


def _create(
    pattern: Device,
    quantity: int,
    *,
    tags: Sequence[str],
    serials: Sequence[str],
    prices: Sequence[Decimal],
    kit_sets: Sequence[KitSet],
    by: User,
) -> list[Device]:
    """Writes the devices with history. A number that somebody takes in the same moment is tried again."""
    for attempt in range(1, TAG_ATTEMPTS + 1):
        ensure_new_tags(tags)
        ensure_new_serials(serials)
        numbers = [*tags, *next_tags(quantity - len(tags))]
        devices = [_alike(pattern, number, serial) for number, serial in _paired(numbers, serials)]
        for device, kit_set in zip(devices, kit_sets, strict=False):
            device.kit_set = kit_set
        for device, price in zip(devices, prices, strict=False):
            device.price = price
        try:
            with transaction.atomic():
                return bulk_create_by(devices, by=by)
        except IntegrityError:
            if attempt == TAG_ATTEMPTS:
                raise
    raise AssertionError("not reached")


def _paired(tags: Sequence[str], serials: Sequence[str]) -> list[tuple[str, str]]:
    return [(tag, serials[index] if index < len(serials) else "") for index, tag in enumerate(tags)]


def _alike(pattern: Device, tag: str, serial: str) -> Device:
    facts = {field.attname: getattr(pattern, field.attname) for field in Device._meta.concrete_fields}
    device = Device(**facts | {"id": None, "tag": tag, "serial": serial})
    device.product, device.school, device.site = pattern.product, pattern.school, pattern.site
    device.search_text = search_text_of(device)
    return device


def _place_all(devices: Sequence[Device], spot: Spot, day: datetime.date, *, by: User) -> None:
    """Opens the placements of new devices of one kind, which is read under its lock; raises the versions last."""
    kind = DeviceKind.objects.get(pk=devices[0].kind_id)
    for device in devices:
        device.kind = kind
    Placement.objects.bulk_create([placement_for(device, spot, day=day, by=by) for device in devices], 500)
    raise_inputs_version([spot.school.pk])
