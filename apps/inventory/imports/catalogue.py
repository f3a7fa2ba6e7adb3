"""What is on file, as an import asks for it: products, kinds, schools and sites once, devices for each chunk."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Min, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform

import apps.core.lookups  # noqa: F401 - `any_of`
from apps.core.imports.columns import folded
from apps.core.models import ImportRow
from apps.inventory.loan_selectors import last_loans, lent_since
from apps.inventory.models import Device, DeviceKind, Placement, Product
from apps.inventory.placing import LoanDays
from apps.schools.models import School, Site

KIND_WORDS = {
    "ipad": "tablet",
    "laptop": "notebook",
    "macbook": "notebook",
    "pc": "desktop",
    "computer": "desktop",
    "projektor": "projector",
    "fernseher": "display",
    "drucker": "printer",
    "dokumentenkamera": "document_camera",
}
"""Usual words for kinds -> their code."""


@dataclass
class Catalogue:
    """Names are compared without case, blanks and signs; of several that agree so, the one written alike wins."""

    products: defaultdict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    models: defaultdict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    by_kind: defaultdict[int, list[Product]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.kinds: dict[str, DeviceKind] = {}
        for kind in DeviceKind.objects.order_by("pk"):
            self.kinds |= {folded(kind.name): kind}
            self.kinds |= {folded(kind.code): kind}
        for word, code in KIND_WORDS.items():
            if folded(code) in self.kinds:
                self.kinds.setdefault(word, self.kinds[folded(code)])
        for product in Product.objects.select_related("kind").order_by("pk"):
            self.add(product)

    def add(self, product: Product) -> None:
        self.products[folded(str(product))].append(product)
        self.models[folded(product.model)].append(product)
        self.by_kind[product.kind_id].append(product)

    def kind(self, word: str) -> DeviceKind | None:
        return self.kinds.get(folded(word))

    def product(self, name: str, model: str) -> Product | None:
        """The product of that full name, or the only one whose model is called so."""
        full = _one(self.products.get(folded(name), ()), name)
        return full or _one(self.models.get(folded(model), ()), model)

    def only_product(self, kind: DeviceKind) -> Product | None:
        """The product of a kind that has no other."""
        return _one(self.by_kind.get(kind.pk, ()), "")


def _one(found: Sequence[Product], name: str) -> Product | None:
    if len(found) == 1:
        return found[0]
    alike = [product for product in found if name in {str(product), product.model}]
    return alike[0] if len(alike) == 1 else None


class Schools:
    """The schools of the own authority with their sites: devices of others are none of the city's."""

    def __init__(self) -> None:
        rows = School.objects.filter(school_type__is_school=True, authority__is_own=True).order_by("number")
        self.by_number = {school.number: school for school in rows}
        self._by_name: defaultdict[str, list[School]] = defaultdict(list)
        for school in self.by_number.values():
            for name in {folded(school.short_name), folded(school.official_name)}:
                self._by_name[name].append(school)
        self._sites: dict[tuple[int, str], Site] = {}
        self._sites_of: defaultdict[int, list[Site]] = defaultdict(list)
        for site in Site.objects.filter(school__in=[school.pk for school in self.by_number.values()]):
            self._sites[site.school_id, folded(site.name)] = site
            self._sites_of[site.school_id].append(site)

    def named(self, word: str) -> School | None:
        """The school of that number or name; None for a name that several bear."""
        if word in self.by_number:
            return self.by_number[word]
        found = self._by_name.get(folded(word), [])
        return found[0] if len(found) == 1 else None

    def only_site(self, school: School) -> Site | None:
        """As `apps.schools.selectors.only_site`, from what is read already."""
        sites = self._sites_of[school.pk]
        return sites[0] if len(sites) == 1 else None

    def site(self, school: School, name: str) -> Site | None:
        return self._sites.get((school.pk, folded(name)))


@dataclass(frozen=True)
class Days:
    """When a device first stood somewhere, its last change of place, since when it is on loan, and its last loan."""

    first: datetime.date | None = None
    last: datetime.date | None = None
    lent: datetime.date | None = None
    last_loan: LoanDays | None = None


Numbers = Iterable[tuple[int, str, str]]
"""Key, serial number and inventory number of devices."""


def on_file(serials: Iterable[str], tags: Iterable[str]) -> Numbers:
    """The devices that bear one of these numbers."""
    known = Device.objects.filter(Q(serial__any_of=[*filter(None, serials)]) | Q(tag__any_of=[*filter(None, tags)]))
    return known.order_by().values_list("pk", "serial", "tag")


def shown_on_file(staged: QuerySet[ImportRow]) -> Numbers:
    """The devices that bear the number of a row that was shown as a new one."""
    numbers = {
        name: staged.values_list(KeyTextTransform(1, KeyTransform(name, "changes"))).filter(changes__has_key=name)
        for name in ("serial", "tag")
    }
    known = Device.objects.order_by().values_list("pk", "serial", "tag")
    return known.filter(serial__in=numbers["serial"]).union(known.filter(tag__in=numbers["tag"]))


class Devices:
    """The devices on file that some rows speak of, in four queries, or five where some are on loan."""

    def __init__(self, serials: Iterable[str], tags: Iterable[str]) -> None:
        rows = Device.objects.select_related("product", "kind", "school", "site", "last_school", "school__authority",
                                             "last_school__authority")  # fmt: skip
        by_serial = rows.filter(serial__any_of=[*filter(None, serials)])
        self.by_serial: dict[str, Device] = {device.serial: device for device in by_serial}
        by_tag = rows.filter(tag__any_of=[*filter(None, tags)])
        self.by_tag: dict[str, Device] = {device.tag: device for device in by_tag}
        devices = {device.pk: device for device in (*self.by_serial.values(), *self.by_tag.values())}
        lent, back = lent_since([*devices.values()]), last_loans([*devices.values()])
        found = Placement.objects.filter(device__in=devices).order_by().values("device")
        days: Any = found.annotate(first=Min("since"), begun=Max("since"), ended=Max("until"))
        self._days = {
            row["device"]: Days(
                row["first"],
                max(filter(None, (row["begun"], row["ended"]))),
                lent=lent.get(row["device"]),
                last_loan=back.get(row["device"]),
            )
            for row in days
        }

    def days(self, device: Device) -> Days:
        return self._days.get(device.pk, Days())
