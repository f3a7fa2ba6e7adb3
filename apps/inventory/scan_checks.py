"""What speaks against a serial number that was scanned: its shape, this delivery, the inventory, another delivery."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.inventory import serials
from apps.inventory.choices import DeviceStatus, ScanState
from apps.inventory.codes import tag_on_label
from apps.inventory.models import Device, Product, Scan, ScanSession, SerialPattern
from apps.inventory.scan_places import Places, free_places

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_SCANS = 500
"""As many as one form adds and one print of labels takes."""
Fault = tuple["ScanOutcome", "str | Promise", dict[str, str]]
"""Outcome, words and their facts."""


class ScanOutcome(StrEnum):
    """What came of one scan. All but the first two keep nothing."""

    KEPT = "kept"
    REMOVED = "removed"
    EMPTY = "empty"
    LABEL = "label"
    ARTICLE_NUMBER = "article_number"
    MALFORMED = "malformed"
    SCANNED_BEFORE = "scanned_before"
    HAS_DEVICE = "has_device"
    ELSEWHERE = "elsewhere"
    FULL = "full"
    PLACE_TAKEN = "place_taken"
    NEEDS_NUMBER = "needs_number"


class SentSerial(NamedTuple):
    """One scan as a client sends it. `place`: for which device of which kit (`scan_places`), None: the next one.

    `without`: that device bears no number.
    """

    key: uuid.UUID
    text: str
    place: int | None = None
    without: bool = False


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
        return str(self.words) % {"serial": self.serial or _("The device without a number"), **self.facts}


@dataclass
class Checks:
    """What is known of a delivery's numbers, read in a fixed number of statements for all of them."""

    patterns: dict[int, SerialPattern]
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
            patterns=patterns_for(session),
            here={scan.serial: scan for scan in session.scans.kept().filter(serial__in=given)},
            devices=found,
            elsewhere=elsewhere,
            seen_devices=seen_of(found.values(), by),
            seen_sessions=frozenset(seen),
        )

    def answer(self, key: uuid.UUID, serial: str, *, product: int, no_place: Fault | None) -> ScanAnswer:
        """What is to become of one number of this product; one that is kept counts as scanned from now on.

        no_place: why the delivery has no place for it, if it is right otherwise.
        """
        outcome, words, facts = self._judged(serial, product, no_place)
        if outcome == ScanOutcome.KEPT:
            self.here[serial] = None
        return ScanAnswer(key, serial, outcome, words, facts)

    def _judged(self, serial: str, product: int, no_place: Fault | None) -> Fault:
        if not serial:
            return ScanOutcome.EMPTY, _("Nothing was read. Please scan the serial number again."), {}
        if tag := tag_on_label(serial):
            return (
                ScanOutcome.LABEL,
                _("This is a label of the portal with the inventory number %(tag)s, no serial number. Please scan the"
                  " serial number on the device or its box."),
                {"tag": tag},
            )  # fmt: skip
        if serial in self.here:
            return ScanOutcome.SCANNED_BEFORE, _("%(serial)s was scanned for this delivery already."), {}
        if serial in self.devices:
            where = {"where": where_words(self.devices[serial], self.seen_devices)}
            return ScanOutcome.HAS_DEVICE, _("%(serial)s belongs to a device already: %(where)s."), where
        if serial in self.elsewhere:
            return self._in_another(self.elsewhere[serial].session)
        fault = self._fault_of_shape(serial, self.patterns.get(product))
        if fault is not None:
            return fault
        if no_place is not None:
            return no_place
        return ScanOutcome.KEPT, _("%(serial)s is kept."), {}

    def _in_another(self, session: ScanSession) -> Fault:
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

    def _fault_of_shape(self, serial: str, pattern: SerialPattern | None) -> Fault | None:
        """A pattern of the office knows better than the rule for article numbers."""
        if pattern is not None:
            if serials.looks_right(serial, pattern.pattern):
                return None
            if not serials.is_article_number(serial):
                return (
                    ScanOutcome.MALFORMED,
                    _("%(serial)s is no serial number of this product. It should look like %(example)s."),
                    {"example": pattern.example},
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


@dataclass
class Filling:
    """What a delivery holds, and where the next number goes. `taken`: the places of its kits; `number`: its scans."""

    places: Places | None
    taken: set[int]
    number: int

    @classmethod
    def of(cls, session: ScanSession) -> Filling:
        places = list(session.scans.kept().values_list("place", flat=True))
        taken = {place for place in places if place is not None}
        return cls(Places.of(session.kit_parts), taken, len(places))

    def place_for(self, asked: int | None) -> int | None:
        """The place that was asked for, else the next one; None where the delivery is no kit."""
        if self.places is None or asked is not None:
            return asked if self.places else None
        gaps, end = free_places(self.taken)
        return gaps[0] if gaps else end

    def keep(self, place: int | None) -> None:
        self.number += 1
        if place is not None:
            self.taken.add(place)

    def refusal(self, place: int | None) -> Fault | None:
        """Why nothing can be kept at this place."""
        if place is None or self.places is None:
            is_full = self.number >= MOST_SCANS
        else:
            is_full = self.places.kit_of(place) >= self.places.most_kits(MOST_SCANS)
        if is_full:
            return (
                ScanOutcome.FULL,
                _("%(serial)s is not kept: one delivery holds %(limit)s devices at most. Please take these in first."),
                {"limit": str(MOST_SCANS)},
            )
        if place in self.taken:
            return (
                ScanOutcome.PLACE_TAKEN,
                _("%(serial)s is not kept: another number was scanned for this device meanwhile. Please scan again."),
                {},
            )
        return None

    def answer_without(self, key: uuid.UUID, place: int | None) -> ScanAnswer:
        """What becomes of a device without a number: only further devices of a kit may go without."""
        if place is None or self.places is None or self.places.is_first(place):
            words = _("This device needs its serial number. Please scan it.")
            return ScanAnswer(key, "", ScanOutcome.NEEDS_NUMBER, words)
        outcome, words, facts = self.refusal(place) or (ScanOutcome.KEPT, _("%(serial)s is kept."), {})
        return ScanAnswer(key, "", outcome, words, facts)


def patterns_for(session: ScanSession) -> dict[int, SerialPattern]:
    """The pattern of each product that is scanned, else of its manufacturer, in two statements."""
    ids = {session.product_id, *(product for product, _quantity, _scanned in session.kit_parts)}
    products = list(Product.objects.filter(pk__in=ids))
    rows = list(SerialPattern.objects.filter(Q(product__in=ids) | Q(product__isnull=True)))
    theirs = {row.manufacturer.casefold(): row for row in rows if row.product_id is None}
    found = {product.pk: theirs.get(product.manufacturer.casefold()) for product in products}
    found |= {row.product_id: row for row in rows if row.product_id is not None}
    return {pk: row for pk, row in found.items() if row is not None}


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


def to_take_in(session: ScanSession, scans: Sequence[Scan], known: Collection[str]) -> list[Scan]:
    """The scans of which devices are made where these numbers have one already: a kit is left out as a whole."""
    places = Places.of(session.kit_parts)
    if places is None:
        return [scan for scan in scans if scan.serial not in known]
    out = {places.kit_of(scan.place) for scan in scans if scan.place is not None and scan.serial in known}
    return [scan for scan in scans if scan.place is not None and places.kit_of(scan.place) not in out]


@dataclass(frozen=True)
class KnownNow:
    """A scan whose number belongs to a device by now, and to which."""

    scan: Scan
    where: str


def known_now(session: ScanSession, by: User) -> list[KnownNow]:
    """What became a duplicate since it was scanned, in the order of scanning."""
    scans = list(session.scans.kept().filter(device__isnull=True).exclude(serial="").order_by("pk"))
    devices = Device.objects.filter(serial__in=[scan.serial for scan in scans])
    found = {device.serial: device for device in devices.select_related("school", "last_school")}
    seen = seen_of(found.values(), by)
    return [KnownNow(scan, where_words(found[scan.serial], seen)) for scan in scans if scan.serial in found]
