"""A delivery scanned in: each serial number is kept at once, and all become devices in one transaction.

The row of the delivery is locked first in each, before the kinds and the inventory numbers of `adding`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.errors import DomainError, StaleError
from apps.inventory.choices import ScanState
from apps.inventory.models import Device, Scan, ScanSession
from apps.inventory.numbering import tidy
from apps.inventory.scan_checks import MOST_SCANS, Checks, ScanAnswer, ScanOutcome
from apps.inventory.services.adding import add_devices, checked_spot
from apps.inventory.services.common import ensure_may
from apps.inventory.taking_in import followers

if TYPE_CHECKING:
    from apps.accounts.models import User

_PLACE = ("school", "site", "room", "since", "bought_on")


def start_scanning(*, token: uuid.UUID, by: User, **facts: Any) -> ScanSession:
    """Begins a delivery with the facts that its devices share: `product`, `expected`, and those of `add_devices`.

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
    """Corrects the shared facts of an open delivery; what was scanned stays."""
    row = _locked_open(session, by)
    _checked(facts, by=by)
    for name, value in facts.items():
        setattr(row, name, value)
    row.revision += 1
    row.save(update_fields=[*facts, "revision"])
    return row


@transaction.atomic
def record_scans(*, session: ScanSession, scanned: Sequence[tuple[uuid.UUID, str]], by: User) -> list[ScanAnswer]:
    """Keeps serial numbers in their order and says of each what came of it. Pairs of the client's key and the text.

    A key that came before changes nothing and gets the answer of the first time.
    """
    row = _locked_open(session, by)
    texts = [(key, tidy(text).upper()) for key, text in scanned]
    checks = Checks.of(row, [serial for _key, serial in texts], by=by)
    earlier = {scan.key: scan for scan in row.scans.filter(key__in=[key for key, _serial in texts])}
    room_left = MOST_SCANS - row.scans.kept().count()
    answers: list[ScanAnswer] = []
    kept: list[Scan] = []
    for key, serial in texts:
        if key in earlier:
            answers.append(_again(earlier[key]))
            continue
        answer = checks.answer(key, serial, is_full=len(kept) >= room_left)
        if answer.outcome == ScanOutcome.KEPT:
            scan = Scan(session=row, key=key, serial=serial, by=by)
            kept.append(scan)
            earlier[key] = answer.scan = scan
        answers.append(answer)
    if kept:
        Scan.objects.bulk_create(kept)
        _raise_revision(row, len(kept))
    return answers


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
def take_in(*, session: ScanSession, revision: int, by: User, leave_out_known: bool = False) -> list[Device]:
    """Makes a device of each scan, in the order of scanning. A delivery that was taken in gives its devices again.

    Numbers that belong to a device by now are refused (code "taken"), or left out with `leave_out_known`; they stay
    with the delivery without a device. `revision` is that of the page which the person saw.
    """
    row = _locked(session, by)
    if row.state == ScanState.TAKEN_IN:
        return list(Device.objects.filter(scan__session=row).order_by("scan__pk"))
    _ensure_open(row)
    if row.revision != revision:
        raise StaleError(_("Something was scanned or removed meanwhile. Please check the figures and confirm again."))
    scans = list(row.scans.kept().order_by("pk"))
    known = set(Device.objects.filter(serial__in=[scan.serial for scan in scans]).values_list("serial", flat=True))
    if known and not leave_out_known:
        raise DomainError(_("Some of these serial numbers belong to a device by now."), code="taken")
    new = [scan for scan in scans if scan.serial not in known]
    if not new:
        raise DomainError(_("There is no serial number to take in. Please scan the devices first."), code="empty")
    for follower in followers:
        follower.prepare(row, len(new), by)
    devices = _add(row, new, by=by)
    for scan, device in zip(new, devices, strict=True):
        scan.device = device
    Scan.objects.bulk_update(new, ["device"], batch_size=MOST_SCANS)
    _end(row, ScanState.TAKEN_IN)
    for follower in followers:
        follower.taken_in(row, devices, by)
    return devices


def _add(row: ScanSession, scans: Sequence[Scan], *, by: User) -> list[Device]:
    return add_devices(
        product=row.product,
        quantity=len(scans),
        by=by,
        serials=[scan.serial for scan in scans],
        ownership=row.ownership,
        price=row.price,
        bought_on=row.bought_on,
        school=row.school,
        site=row.site,
        room=row.room,
        since=row.since,
        note=row.note,
    )


def _checked(facts: dict[str, Any], *, by: User) -> None:
    """Refuses a place or a day that `add_devices` would refuse, before anybody scans."""
    place = {"school": None, "site": None, "room": "", "since": None, "bought_on": None}
    checked_spot(**place | {name: facts[name] for name in _PLACE if name in facts}, by=by)
    if "room" in facts:
        facts["room"] = tidy(facts["room"])


def _locked(session: ScanSession, by: User) -> ScanSession:
    """The present row of a delivery, locked."""
    ensure_may(by, "inventory.add_device")
    rows = ScanSession.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: ScanSession | None = rows.select_related("product").filter(pk=session.pk).first()
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
