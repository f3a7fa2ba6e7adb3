"""What speaks against a serial number that was scanned: its shape, this delivery, the inventory, another delivery."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.inventory import serials
from apps.inventory.choices import DeviceStatus, ScanState
from apps.inventory.models import Device, Scan, ScanSession, SerialPattern

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_SCANS = 500
"""As many as one form adds and one print of labels takes."""


class ScanOutcome(StrEnum):
    """What came of one scan. All but the first two keep nothing."""

    KEPT = "kept"
    REMOVED = "removed"
    EMPTY = "empty"
    ARTICLE_NUMBER = "article_number"
    MALFORMED = "malformed"
    SCANNED_BEFORE = "scanned_before"
    HAS_DEVICE = "has_device"
    ELSEWHERE = "elsewhere"
    FULL = "full"


@dataclass
class ScanAnswer:
    """`words` may hold `%(serial)s`; `scan` is there where the number is kept, or was before."""

    key: uuid.UUID
    serial: str
    outcome: ScanOutcome
    words: str | Promise
    facts: dict[str, str] = field(default_factory=dict)
    scan: Scan | None = None

    @property
    def is_kept(self) -> bool:
        return self.outcome == ScanOutcome.KEPT

    @property
    def message(self) -> str:
        """A whole sentence."""
        return str(self.words) % {"serial": self.serial, **self.facts}


@dataclass
class Checks:
    """What is known of a delivery's numbers, read in a fixed number of statements for all of them."""

    pattern: SerialPattern | None
    here: dict[str, Scan | None]
    devices: dict[str, Device]
    elsewhere: dict[str, Scan]
    seen_devices: frozenset[int]
    seen_sessions: frozenset[int]

    @classmethod
    def of(cls, session: ScanSession, given: Sequence[str], *, by: User) -> Checks:
        devices = Device.objects.filter(serial__in=given).exclude(serial="")
        found = {device.serial: device for device in devices.select_related("school", "last_school")}
        others = Scan.objects.kept().filter(serial__in=given, session__state=ScanState.OPEN).exclude(session=session)
        elsewhere = {scan.serial: scan for scan in others.select_related("session__by")}
        ids = [scan.session_id for scan in elsewhere.values()]
        seen = ScanSession.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True)
        return cls(
            pattern=pattern_for(session),
            here={scan.serial: scan for scan in session.scans.kept().filter(serial__in=given)},
            devices=found,
            elsewhere=elsewhere,
            seen_devices=seen_of(found.values(), by),
            seen_sessions=frozenset(seen),
        )

    def answer(self, key: uuid.UUID, serial: str, *, is_full: bool) -> ScanAnswer:
        """What is to become of one number; one that is to be kept counts as scanned from now on."""
        outcome, words, facts = self._judged(serial, is_full=is_full)
        if outcome == ScanOutcome.KEPT:
            self.here[serial] = None
        return ScanAnswer(key, serial, outcome, words, facts)

    def _judged(self, serial: str, *, is_full: bool) -> tuple[ScanOutcome, str | Promise, dict[str, str]]:
        if not serial:
            return ScanOutcome.EMPTY, _("Nothing was read. Please scan the serial number again."), {}
        if serial in self.here:
            return ScanOutcome.SCANNED_BEFORE, _("%(serial)s was scanned for this delivery already."), {}
        if serial in self.devices:
            where = {"where": where_words(self.devices[serial], self.seen_devices)}
            return ScanOutcome.HAS_DEVICE, _("%(serial)s belongs to a device already: %(where)s."), where
        if serial in self.elsewhere:
            return self._in_another(self.elsewhere[serial].session)
        fault = self._fault_of_shape(serial)
        if fault is not None:
            return fault
        if is_full:
            return (
                ScanOutcome.FULL,
                _("%(serial)s is not kept: one delivery holds %(limit)s devices at most. Please take these in first."),
                {"limit": str(MOST_SCANS)},
            )
        return ScanOutcome.KEPT, _("%(serial)s is kept."), {}

    def _in_another(self, session: ScanSession) -> tuple[ScanOutcome, str | Promise, dict[str, str]]:
        """The person who scans it is named to those who may see that delivery."""
        facts = {"day": formats.day(session.started_at), "person": str(session.by)}
        if session.pk not in self.seen_sessions:
            return (
                ScanOutcome.ELSEWHERE,
                _("%(serial)s was scanned for another delivery, begun on %(day)s and not taken in yet."),
                facts,
            )
        return (
            ScanOutcome.ELSEWHERE,
            _("%(serial)s was scanned for another delivery, begun on %(day)s by %(person)s and not taken in yet."),
            facts,
        )

    def _fault_of_shape(self, serial: str) -> tuple[ScanOutcome, str | Promise, dict[str, str]] | None:
        """A pattern of the office knows better than the rule for article numbers."""
        if self.pattern is not None:
            if serials.looks_right(serial, self.pattern.pattern) and len(serial) <= serials.LONGEST:
                return None
            if not serials.is_article_number(serial):
                return (
                    ScanOutcome.MALFORMED,
                    _("%(serial)s is no serial number of this product. It should look like %(example)s."),
                    {"example": self.pattern.example},
                )
        if serials.is_article_number(serial):
            return (
                ScanOutcome.ARTICLE_NUMBER,
                _("%(serial)s is the article number (EAN) of the box. Please scan the serial number beside it."),
                {"limit": str(MOST_SCANS)},
            )
        if not serials.looks_right(serial):
            return (
                ScanOutcome.MALFORMED,
                _("%(serial)s is no serial number: it has 4 to 40 letters, digits and hyphens. Please scan again."),
                {},
            )
        return None


def pattern_for(session: ScanSession) -> SerialPattern | None:
    """The pattern of the product, else of its manufacturer."""
    product = session.product
    rows = SerialPattern.objects.filter(Q(product=product) | Q(manufacturer__iexact=product.manufacturer))
    found = sorted(rows, key=lambda row: row.product_id is None)
    return found[0] if found else None


def seen_of(devices: object, by: User) -> frozenset[int]:
    """Which of these devices the person may see."""
    ids = [device.pk for device in devices]  # type: ignore[attr-defined]  # any collection of devices
    return frozenset(Device.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True))


def where_words(device: Device, seen: frozenset[int]) -> str:
    """ "HAM-000017, Talschule, Raum 12"; nothing of a device that the person may not see."""
    if device.pk not in seen:
        return str(_("one that you may not see"))
    if device.school is not None:
        return ", ".join(filter(None, (device.tag, str(device.school), device.room)))
    if device.last_school is not None:
        last = _("last at %(school)s") % {"school": device.last_school}
        return f"{device.tag}, {DeviceStatus(device.status).label}, {last}"
    return f"{device.tag}, {DeviceStatus(device.status).label}"


@dataclass(frozen=True)
class KnownNow:
    """A scan whose number belongs to a device by now, and to which."""

    scan: Scan
    where: str


def known_now(session: ScanSession, by: User) -> list[KnownNow]:
    """What became a duplicate since it was scanned, in the order of scanning."""
    scans = list(session.scans.kept().filter(device__isnull=True).order_by("pk"))
    devices = Device.objects.filter(serial__in=[scan.serial for scan in scans])
    found = {device.serial: device for device in devices.select_related("school", "last_school")}
    seen = seen_of(found.values(), by)
    return [KnownNow(scan, where_words(found[scan.serial], seen)) for scan in scans if scan.serial in found]
