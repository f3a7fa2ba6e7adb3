"""Writes to devices. Each function is one step of `workflow.TRANSITIONS` or one correction, in one transaction.

Order in each: lock (kind, then device), check, write, then raise the versions of the schools whose figures moved.
All raise `DomainError` for what the person can mend and `PermissionDenied` for what their role may not do.
Days (`on`, `since`) default to today, are never in the future and never before the device's last change.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import now, today
from apps.core.errors import DomainError
from apps.core.history import bulk_create_by, save_by
from apps.core.querysets import ensure_still_visible
from apps.inventory.choices import ENDED_STATUSES, DeviceStatus, Ownership
from apps.inventory.models import AddRequest, Device, DeviceKind, Placement, Product
from apps.inventory.numbering import ensure_new_serials, ensure_new_tags, next_tags, tidy
from apps.inventory.placing import (
    Spot,
    ensure_bought,
    ensure_day,
    ensure_open,
    place,
    placement_for,
    recount,
    search_text_of,
)
from apps.inventory.workflow import TRANSITIONS
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
    bought_on: datetime.date | None = None,
    school: School | None = None,
    site: Site | None = None,
    room: str = "",
    since: datetime.date | None = None,
    note: str = "",
) -> list[Device]:
    """Records `quantity` devices alike: at a school they are in use from `since` on, without one they are in stock.

    `tags` and `serials` may be given for the first devices only; missing tags are running numbers, missing serials
    stay empty. `price` is per device. In a few statements whatever the quantity.
    """
    _ensure_may(by, "inventory.add_device")
    spot = _spot(school, site, room, by=by)
    if spot is None:
        _ensure_may(by, "inventory.use_depot")
    tags, serials = [tidy(tag).upper() for tag in tags], [tidy(serial).upper() for serial in serials]
    _ensure_quantity(quantity, tags, serials)
    ensure_day(bought_on or today(), None, field="bought_on")
    day = since or today()
    if spot is not None:
        ensure_day(day, None, field="since")
        ensure_bought(bought_on, day, field="since")
        ensure_open(spot.school, day)
    pattern = Device(
        product=product,
        kind_id=product.kind_id,
        ownership=Ownership(ownership),
        price=price,
        bought_on=bought_on,
        status=DeviceStatus.IN_USE if spot else DeviceStatus.IN_STOCK,
        school=spot.school if spot else None,
        site=spot.site if spot else None,
        room=spot.room if spot else "",
        note=note.strip(),
    )
    _lock_kinds(product.kind_id)
    devices = _create(pattern, quantity, tags=tags, serials=serials, by=by)
    if spot is not None:
        kind = DeviceKind.objects.get(pk=product.kind_id)
        for device in devices:
            device.kind = kind
        Placement.objects.bulk_create([placement_for(device, spot, day=day, by=by) for device in devices], 500)
        raise_inputs_version([spot.school.pk])
    return devices


@transaction.atomic
def add_devices_once(*, token: uuid.UUID, product: Product, quantity: int, by: User, **facts: object) -> list[Device]:
    """`add_devices`, but the second sending of the same form adds nothing and returns the devices of the first."""
    try:
        with transaction.atomic():
            request = AddRequest.objects.create(token=token, by=by)
    except IntegrityError:
        earlier = AddRequest.objects.visible_to(by).filter(token=token).first()
        if earlier is None:
            raise DomainError(_("This form is not yours. Please open it again.")) from None
        return list(Device.objects.filter(tag__in=earlier.tags))
    AddRequest.objects.filter(by=by, at__lt=now() - REQUESTS_KEPT).delete()
    devices = add_devices(product=product, quantity=quantity, by=by, **facts)  # type: ignore[arg-type]  # its own words
    request.tags = [device.tag for device in devices]
    request.save(update_fields=["tags"])
    return devices


@transaction.atomic
def move_device(
    *,
    device: Device,
    school: School,
    by: User,
    site: Site | None = None,
    room: str = "",
    on: datetime.date | None = None,
) -> Device:
    """Puts a device to another school, site or room; it is in use there from `on` on."""
    row = _step("move_device", device, DeviceStatus.IN_USE, by=by)
    spot = _spot(school, site, room, by=by)
    if spot == Spot.of(row):
        raise DomainError(
            _("The device stands there already. Please choose another school, site or room."), field="school"
        )
    return _write(row, spot, status=DeviceStatus.IN_USE, on=on, by=by)


@transaction.atomic
def take_to_stock(*, device: Device, by: User, on: datetime.date | None = None) -> Device:
    """Takes a device into the depot, where it counts for no school; also undoes a mistaken loss or retirement."""
    row = _step("take_to_stock", device, DeviceStatus.IN_STOCK, by=by)
    return _write(row, None, status=DeviceStatus.IN_STOCK, on=on, by=by)


@transaction.atomic
def retire_device(*, device: Device, by: User, reason: str, on: datetime.date | None = None) -> Device:
    """Takes a device out of service. It no longer counts from `on` on; its past stays."""
    if not reason.strip():
        raise DomainError(_("Please say why the device is retired."), field="reason")
    return _end(device, "retire_device", DeviceStatus.RETIRED, by=by, on=on, reason=reason)


@transaction.atomic
def report_lost(*, device: Device, by: User, on: datetime.date | None = None, reason: str = "") -> Device:
    """Notes that a device cannot be found. It no longer counts from `on` on."""
    return _end(device, "report_lost", DeviceStatus.LOST, by=by, on=on, reason=reason)


@transaction.atomic
def report_stolen(*, device: Device, by: User, on: datetime.date | None = None, reason: str = "") -> Device:
    """Notes a theft. It no longer counts from `on` on."""
    return _end(device, "report_stolen", DeviceStatus.STOLEN, by=by, on=on, reason=reason)


@transaction.atomic
def send_to_repair(*, device: Device, by: User, reason: str = "") -> Device:
    """Sends a device to repair. It stays placed and counts, so there is no day to name."""
    return _stay(device, "send_to_repair", DeviceStatus.IN_REPAIR, by=by, reason=reason)


@transaction.atomic
def return_from_repair(*, device: Device, by: User, reason: str = "") -> Device:
    """Takes a device back from repair to where it stands."""
    return _stay(device, "return_from_repair", DeviceStatus.IN_USE, by=by, reason=reason)


@transaction.atomic
def lend_device(*, device: Device, by: User, reason: str = "") -> Device:
    """Notes that a device is lent out by its school. It stays placed and counts."""
    return _stay(device, "lend_device", DeviceStatus.ON_LOAN, by=by, reason=reason)


@transaction.atomic
def return_loan(*, device: Device, by: User, reason: str = "") -> Device:
    """Takes a lent device back."""
    return _stay(device, "return_loan", DeviceStatus.IN_USE, by=by, reason=reason)


@transaction.atomic
def change_kind(*, device: Device, kind: DeviceKind, by: User, on: datetime.date | None = None) -> Device:
    """Gives a device another kind: it counts as that kind from `on` on, and as the former before."""
    _ensure_may(by, "inventory.classify_device")
    _lock_kinds(device.kind_id, kind.pk)
    row = _locked(device, by)
    if row.kind_id == kind.pk:
        raise DomainError(_("The device is of this kind already. Please choose another kind."), field="kind")
    row.kind = DeviceKind.objects.get(pk=kind.pk)
    return _write(row, Spot.of(row), on=on, by=by)


@transaction.atomic
def change_ownership(*, device: Device, ownership: str, by: User, on: datetime.date | None = None) -> Device:
    """Says whose the device is from `on` on; parent-financed devices stand on a line of their own."""
    _ensure_may(by, "inventory.change_device")
    row = _locked(device, by)
    if row.ownership == ownership:
        raise DomainError(_("This is the ownership already. Please choose another one."), field="ownership")
    row.ownership = Ownership(ownership)
    return _write(row, Spot.of(row), on=on, by=by)


@transaction.atomic
def change_details(
    *, device: Device, by: User, serial: str, price: Decimal | None, bought_on: datetime.date | None, note: str
) -> Device:
    """Corrects facts that move no figure."""
    _ensure_may(by, "inventory.change_device")
    row = _locked(device, by)
    serial = tidy(serial).upper()
    ensure_new_serials([serial], but=row)
    ensure_day(bought_on or today(), None, field="bought_on")
    if bought_on is not None and bought_on != row.bought_on:
        _ensure_bought_before_placed(row, bought_on)
    row.serial, row.price, row.bought_on, row.note = serial, price, bought_on, note.strip()
    row.search_text = search_text_of(row)
    return save_by(row, by=by)


@transaction.atomic
def change_kind_counting(
    *, kind: DeviceKind, countable: bool, presentation: bool, by: User, on: datetime.date | None = None
) -> DeviceKind:
    """Says what a kind counts as from `on` on, for all its devices at once; what lies before stays as it was."""
    _ensure_may(by, "inventory.change_devicekind")
    if countable and presentation:
        raise DomainError(_("A kind is either a pupils' device or a presentation device."), field="countable")
    _lock_kinds(kind.pk)
    row = DeviceKind.objects.get(pk=kind.pk)
    if (row.countable, row.presentation) == (countable, presentation):
        return row
    row.countable, row.presentation = countable, presentation
    save_by(row, by=by, update_fields=["countable", "presentation"])
    raise_inputs_version(recount(row, day=on or today(), by=by))
    return row


@transaction.atomic
def refresh_search_text(*, product: Product | None = None, school: School | None = None) -> None:
    """Rewrites what devices are found by after their product or their school was renamed."""
    devices = Device.objects.select_related("product", "school").order_by("pk")
    if product is not None:
        devices = devices.filter(product=product)
    if school is not None:
        devices = devices.filter(school=school)
    rows = list(devices)
    for row in rows:
        row.search_text = search_text_of(row)
    Device.objects.bulk_update(rows, ["search_text"], batch_size=500)


def refresh_devices_of(school_ids: Sequence[int]) -> None:
    """Rewrites what the devices of renamed schools are found by."""
    for school in School.objects.filter(pk__in=school_ids).order_by("pk"):
        refresh_search_text(school=school)


def _ensure_may(by: User, permission: str) -> None:
    if not by.has_perm(permission):
        raise PermissionDenied(permission)


def _ensure_bought_before_placed(row: Device, bought_on: datetime.date) -> None:
    first = row.placements.order_by("since").first()
    if first is not None and first.since < bought_on:
        raise DomainError(
            _("The device stands at a school since %(day)s. Please enter that day or an earlier one.")
            % {"day": formats.day(first.since)},
            field="bought_on",
        )


def _lock_kinds(*ids: int) -> None:
    """Nobody changes what these kinds count as until the transaction ends. Before the lock of any device."""
    rows = DeviceKind.objects.select_for_update(no_key=True).filter(pk__in=ids)
    list(rows.order_by("pk").values_list("pk", flat=True))


def _locked(device: Device, by: User) -> Device:
    """The device's present row, locked. Its kind is read afterwards, so that it is the kind of this moment."""
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: Device | None = rows.select_related("product", "site").filter(pk=device.pk).first()
    if row is None:
        raise PermissionDenied("outside the scope")
    return row


def _step(name: str, device: Device, target: DeviceStatus, *, by: User) -> Device:
    """Locks the device and checks role and transition."""
    _ensure_may(by, TRANSITIONS.transitions[name].permission)
    row = _locked(device, by)
    TRANSITIONS.ensure(name, source=row.status, target=target)
    return row


def _end(device: Device, name: str, target: DeviceStatus, *, by: User, on: datetime.date | None, reason: str) -> Device:
    return _write(_step(name, device, target, by=by), None, status=target, on=on, by=by, reason=reason)


def _stay(device: Device, name: str, target: DeviceStatus, *, by: User, reason: str) -> Device:
    row = _step(name, device, target, by=by)
    row.status = target
    return save_by(row, by=by, update_fields=["status"], reason=reason.strip())


def _write(
    row: Device,
    spot: Spot | None,
    *,
    by: User,
    on: datetime.date | None,
    status: DeviceStatus | None = None,
    reason: str = "",
) -> Device:
    """Writes the next placement and the device, checks the scope, and raises the versions last."""
    former = row.school or row.last_school
    touched = place(row, spot, day=on or today(), by=by)
    row.status = status or row.status
    row.last_school = former if row.status in ENDED_STATUSES else None
    save_by(row, by=by, reason=reason.strip())
    ensure_still_visible(row, by)
    raise_inputs_version(touched)
    return row


def _spot(school: School | None, site: Site | None, room: str, *, by: User) -> Spot | None:
    """Where a device is to stand; refuses schools outside the person's scope and sites of other schools."""
    if school is None:
        if site is not None or room:
            raise DomainError(_("Please choose the school of this site and room."), field="school")
        return None
    if not School.objects.visible_to(by).filter(pk=school.pk).exists():
        raise DomainError(_("This is none of your schools. Please choose one of yours."), field="school")
    if site is not None and site.school_id != school.pk:
        raise DomainError(_("This site belongs to another school. Please choose a site of %(school)s.")
                          % {"school": school}, field="site")  # fmt: skip
    return Spot(school, site, tidy(room))


def _ensure_quantity(quantity: int, tags: Sequence[str], serials: Sequence[str]) -> None:
    if quantity < 1:
        raise DomainError(_("Please enter at least 1."), field="quantity")
    if len(tags) > quantity or len(serials) > quantity:
        raise DomainError(
            _("There are more numbers than devices. Please correct the quantity or the list."), field="serials"
        )


def _create(pattern: Device, quantity: int, *, tags: Sequence[str], serials: Sequence[str], by: User) -> list[Device]:
    """Writes the devices with history. A number that somebody takes in the same moment is tried again."""
    for attempt in range(1, TAG_ATTEMPTS + 1):
        ensure_new_tags(tags)
        ensure_new_serials(serials)
        numbers = [*tags, *next_tags(quantity - len(tags))]
        devices = [_alike(pattern, number, serial) for number, serial in _paired(numbers, serials)]
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
