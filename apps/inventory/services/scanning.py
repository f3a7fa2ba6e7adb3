"""A delivery scanned in: each serial number is kept at once, and all become devices in one transaction.

The row of the delivery is locked first in each, before the kinds and the inventory numbers of `adding`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.errors import DomainError, StaleError
from apps.inventory.choices import ScanState
from apps.inventory.models import Device, Kit, Product, Scan, ScanSession
from apps.inventory.numbering import tidy
from apps.inventory.scan_checks import (
    MOST_SCANS,
    Checks,
    Filling,
    ScanAnswer,
    ScanOutcome,
    SentSerial,
    to_take_in,
)
from apps.inventory.scan_places import Places
from apps.inventory.scan_selectors import progress_of
from apps.inventory.selectors import accessories_of
from apps.inventory.services.adding import add_devices, checked_spot
from apps.inventory.services.common import ensure_may
from apps.inventory.services.kits import KIT_HAS_NO_PRICE, add_parts, parts_of
from apps.inventory.taking_in import followers

if TYPE_CHECKING:
    from apps.accounts.models import User

_PLACE = ("school", "site", "room", "since", "bought_on")
_Prices = Mapping[int, Sequence[Decimal]]


def start_scanning(*, token: uuid.UUID, by: User, **facts: Any) -> ScanSession:
    """Begins a delivery with the facts that its devices share: `product` or `kit`, `expected`, those of `add_devices`.

    The second sending of the same form returns the delivery that the first began.
    """
    _checked(facts, by=by)
    try:
        with transaction.atomic():
            return ScanSession.objects.create(token=token, by=by, **facts)
    except IntegrityError:
        earlier: ScanSession | None = ScanSession.objects.visible_to(by).filter(token=token, by=by).first()
        if earlier is None:
            raise DomainError(_("This form is not yours. Please open it again.")) from None
        return earlier


@transaction.atomic
def change_scanning(*, session: ScanSession, by: User, **facts: Any) -> ScanSession:
    """Corrects the shared facts of an open delivery; what was scanned stays.

    Where numbers were scanned for several devices of a kit, what they are of no longer changes.
    """
    row = _locked_open(session, by)
    _checked(facts, by=by)
    _keep_places(row, facts)
    for name, value in facts.items():
        setattr(row, name, value)
    row.revision += 1
    row.save(update_fields=[*facts, "revision"])
    return row


@transaction.atomic
def record_scans(*, session: ScanSession, scanned: Sequence[SentSerial], by: User) -> list[ScanAnswer]:
    """Keeps serial numbers in their order and says of each what came of it.

    A key that came before changes nothing and gets the answer of the first time.
    """
    row = _locked_open(session, by)
    sent = [each._replace(text="" if each.without else tidy(each.text).upper()) for each in scanned]
    checks = Checks.of(row, [each.text for each in sent], by=by)
    filling = Filling.of(row)
    earlier = {scan.key: scan for scan in row.scans.filter(key__in=[each.key for each in sent])}
    answers: list[ScanAnswer] = []
    kept: list[Scan] = []
    for each in sent:
        if each.key in earlier:
            answers.append(_again(earlier[each.key]))
            continue
        place = filling.place_for(each.place)
        answer = _answer(each, place, row, checks, filling)
        if answer.outcome == ScanOutcome.KEPT:
            scan = Scan(session=row, key=each.key, serial=each.text, place=place, by=by)
            kept.append(scan)
            filling.keep(place)
            earlier[each.key] = answer.scan = scan
        answers.append(answer)
    if kept:
        Scan.objects.bulk_create(kept)
        _raise_revision(row, len(kept))
    return answers


def _answer(each: SentSerial, place: int | None, row: ScanSession, checks: Checks, filling: Filling) -> ScanAnswer:
    if each.without:
        return filling.answer_without(each.key, place)
    known = row.product_id if place is None or filling.places is None else filling.places.product_at(place)
    return checks.answer(each.key, each.text, product=known, no_place=filling.refusal(place))


def _again(scan: Scan) -> ScanAnswer:
    if scan.removed_at is not None:
        return ScanAnswer(scan.key, scan.serial, ScanOutcome.REMOVED, _("%(serial)s was removed again."))
    return ScanAnswer(scan.key, scan.serial, ScanOutcome.KEPT, _("%(serial)s is kept."), scan=scan)


@transaction.atomic
def remove_scan(*, session: ScanSession, scan_id: int, by: User) -> Scan | None:
    """Takes a scan back; None when it was taken back before, or never belonged to this delivery."""
    row = _locked_open(session, by)
    scan: Scan | None = row.scans.kept().filter(pk=scan_id).first()
    if scan is None:
        return None
    scan.removed_at = now()
    scan.save(update_fields=["removed_at"])
    _raise_revision(row, 1)
    return scan


@transaction.atomic
def cancel_scanning(*, session: ScanSession, by: User) -> ScanSession:
    """Ends a delivery without devices. Doing it twice is harmless."""
    row = _locked(session, by)
    if row.state != ScanState.CANCELLED:
        _ensure_open(row)
        _end(row, ScanState.CANCELLED)
    return row


@transaction.atomic
def release_scanning(*, session: ScanSession, by: User) -> ScanSession:
    """Lets an open delivery that has an obstacle go on without what it was begun for; its numbers are kept.

    What was expected was expected of that. Doing it twice is harmless.
    """
    row = _locked_open(session, by)
    number = progress_of(row).begun
    released = [follower.release(row, number, by) for follower in followers]
    if any(released):
        row.expected = None
        row.revision += 1
        row.save(update_fields=["expected", "revision"])
    return row


@transaction.atomic
def take_in(*, session: ScanSession, revision: int, by: User, leave_out_known: bool = False) -> list[Device]:
    """Makes a device of each scan, in the order of scanning. A delivery that was taken in gives its devices again.

    Numbers that belong to a device by now are refused (code "taken"), or left out with `leave_out_known`, a kit as a
    whole; they stay with the delivery without a device. Of kits all devices are made, also those whose numbers are not
    scanned; one whose numbers are not complete is refused. `revision` is that of the page which the person saw.
    """
    row = _locked(session, by)
    if row.state == ScanState.TAKEN_IN:
        return list(Device.objects.filter(scan__session=row).order_by("pk"))
    _ensure_open(row)
    if row.revision != revision:
        raise StaleError(_("Something was scanned or removed meanwhile. Please check the figures and confirm again."))
    scans = list(row.scans.kept().order_by("place", "pk"))
    serials = [scan.serial for scan in scans if scan.serial]
    known = set(Device.objects.filter(serial__in=serials).values_list("serial", flat=True))
    if known and not leave_out_known:
        raise DomainError(_("Some of these serial numbers belong to a device by now."), code="taken")
    new = to_take_in(row, scans, known)
    if not new:
        raise DomainError(_("There is no serial number to take in. Please scan the devices first."), code="empty")
    places = Places.of(row.kit_parts)
    number = len(new) if places is None else len(places.kits([scan.place for scan in new if scan.place is not None]))
    prices: dict[int, Sequence[Decimal]] = {}
    for follower in followers:
        prices |= follower.prepare(row, number, by)
    if row.kit is None or places is None:
        devices = _add(row, new, prices, by=by)
    else:
        devices = _add_kits(row, row.kit, places, new, prices, by=by)
    _end(row, ScanState.TAKEN_IN)
    for follower in followers:
        follower.taken_in(row, number, devices, by)
    return devices


def _add(row: ScanSession, scans: Sequence[Scan], prices: _Prices, *, by: User) -> list[Device]:
    devices = add_devices(
        product=row.product,
        quantity=len(scans),
        by=by,
        serials=[scan.serial for scan in scans],
        price=row.price,
        prices=prices.get(row.product_id, ()) if row.price is None else (),
        **_shared(row),
    )
    for scan, device in zip(scans, devices, strict=True):
        scan.device = device
    Scan.objects.bulk_update(scans, ["device"], batch_size=MOST_SCANS)
    return devices


def _add_kits(
    row: ScanSession, kit: Kit, places: Places, scans: Sequence[Scan], prices: _Prices, *, by: User
) -> list[Device]:
    """The devices of all kits. Those whose number is not scanned become scans, too: so they stay with the delivery."""
    at = {scan.place: scan for scan in scans if scan.place is not None}
    missing = places.missing(at)
    if missing:
        raise DomainError(
            _("The serial numbers of kit %(kit)s are not complete. Please go on scanning first.")
            % {"kit": places.kit_of(missing[0]) + 1},
            code="incomplete",
        )
    kits, products = places.kits(at), Product.objects.in_bulk([part[0] for part in row.kit_parts])
    devices = add_parts(
        kit=kit,
        parts=[(products[product], quantity) for product, quantity, _scanned in row.kit_parts],
        accessories=row.accessories,
        quantity=len(kits),
        by=by,
        serials={part: [at[place].serial for place in places.of_product(part, kits)] for part in places.slots},
        prices=prices,
        **_shared(row),
    )
    theirs: dict[int, list[Device]] = {}
    for device in devices:
        theirs.setdefault(device.product_id, []).append(device)
    for product in set(places.slots):
        for place, device in zip(places.of_product(product, kits), theirs.pop(product), strict=True):
            at[place].device = device
    Scan.objects.bulk_update(scans, ["device"], batch_size=MOST_SCANS)
    further = [device for rows in theirs.values() for device in rows]
    Scan.objects.bulk_create([Scan(session=row, key=uuid.uuid4(), device=device, by=by) for device in further])
    return devices


def _shared(row: ScanSession) -> dict[str, Any]:
    """What all devices of the delivery have in common, but for their price."""
    names = ("ownership", "bought_on", "school", "site", "room", "since", "note")
    return {name: getattr(row, name) for name in names}


def _checked(facts: dict[str, Any], *, by: User) -> None:
    """Refuses a place or a day that `add_devices` would refuse, before anybody scans, and looks into the kit."""
    place = {"school": None, "site": None, "room": "", "since": None, "bought_on": None}
    checked_spot(**place | {name: facts[name] for name in _PLACE if name in facts}, by=by)
    if "room" in facts:
        facts["room"] = tidy(facts["room"])
    kit = facts.get("kit")
    if kit is None:
        if "product" in facts:
            facts |= {"kit": None, "kit_parts": [], "accessories": ""}
        return
    if facts.get("price") is not None:
        raise DomainError(KIT_HAS_NO_PRICE, field="price")
    first, *others = parts_of(kit)
    further = [(part.product_id, part.quantity, part.has_serial) for part in others]
    facts |= {
        "product": first.product,
        "kit_parts": [(first.product_id, first.quantity, True), *further],
        "accessories": accessories_of(kit),
    }


def _keep_places(row: ScanSession, facts: dict[str, Any]) -> None:
    """Gives each number its place anew where what is scanned changes from single devices to kits, or back."""
    if "kit_parts" not in facts:
        return
    if row.kit is not None and row.kit == facts["kit"]:
        del facts["kit_parts"], facts["accessories"], facts["product"]
        return
    before, after = Places.of(row.kit_parts), Places.of(facts["kit_parts"])
    scans = list(row.scans.kept().order_by("place", "pk"))
    if scans and any(places is not None and len(places.slots) > 1 for places in (before, after)):
        raise DomainError(
            _("Numbers of several devices of a kit are scanned one after the other, so this no longer changes."
              " Please begin a new delivery, or remove what is scanned."),
            field="kit",
        )  # fmt: skip
    if (before is None) != (after is None):
        for number, scan in enumerate(scans):
            scan.place = None if after is None else number
        Scan.objects.bulk_update(scans, ["place"], batch_size=MOST_SCANS)


def _locked(session: ScanSession, by: User) -> ScanSession:
    """The present row of a delivery, locked."""
    ensure_may(by, "inventory.add_device")
    rows = ScanSession.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: ScanSession | None = rows.select_related("product", "kit").filter(pk=session.pk).first()
    if row is None:
        raise PermissionDenied("outside the scope")
    return row


def _locked_open(session: ScanSession, by: User) -> ScanSession:
    row = _locked(session, by)
    _ensure_open(row)
    return row


def _ensure_open(row: ScanSession) -> None:
    if row.state != ScanState.OPEN:
        raise DomainError(
            _("This delivery is “%(state)s” already. Please begin a new one for further devices.")
            % {"state": ScanState(row.state).label},
            code="ended",
        )


def _end(row: ScanSession, state: ScanState) -> None:
    row.state, row.ended_at = state, now()
    row.save(update_fields=["state", "ended_at"])


def _raise_revision(row: ScanSession, steps: int) -> None:
    row.revision += steps
    row.save(update_fields=["revision"])
