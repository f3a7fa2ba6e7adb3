"""Which money paid for what: each device bought since 2020 out of one pot, and what else the pots were spent on.

Nothing is written here; `payments` makes orders, invoices and entries of the ledger out of these purchases.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from apps.core.money import total
from apps.inventory.choices import DeviceStatus, Ownership
from apps.inventory.models import Device, Placement
from mepportal.demo.days import last_working_day, working_day
from mepportal.demo.past_budgets import NOTICES, WITHOUT_CONTACT, Pot

DAY = datetime.timedelta(days=1)
TERM = 28 * DAY
"""From the delivery to the payment."""
BEFORE_DELIVERY = 14 * DAY
EXTRAS = "Hüllen, Zubehör, Einrichtung und Transport"
QUARTERS = ((3, 26), (6, 25), (9, 24), (12, 10))
YEAR_ENDS = (12, 10)
TOO_LATE = datetime.date(2024, 11, 8)
"""When the last invoice of `WITHOUT_CONTACT` came: after the implementation, which its proof of use names."""


@dataclass(frozen=True)
class Item:
    """So many of one thing for a school (None: for all), in euros gross a piece; `devices`: their keys."""

    school: int | None
    product: int | None
    text: str
    quantity: int
    unit_price: Decimal
    devices: Sequence[int] = ()

    @property
    def amount(self) -> Decimal:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class Bill:
    """An invoice: when the goods came, when it was dated and paid, and what the ledger says of it."""

    delivered_on: datetime.date
    dated_on: datetime.date
    paid_on: datetime.date
    note: str = ""


@dataclass(frozen=True)
class Purchase:
    """An order out of one pot; each bill asks for the same part of all items."""

    pot: Pot
    placed_on: datetime.date
    items: Sequence[Item]
    bills: Sequence[Bill]

    @property
    def amount(self) -> Decimal:
        return total(item.amount for item in self.items)


@dataclass(frozen=True)
class _Bought:
    """One device: what it cost, where it came first, and whether the story retires it."""

    pk: int
    day: datetime.date
    code: str
    product: int
    name: str
    price: Decimal
    school: int | None
    retired: bool


@dataclass
class _Shelf:
    """Devices of one product bought on one day that no pot has paid yet."""

    day: datetime.date
    code: str
    price: Decimal
    devices: list[_Bought] = field(default_factory=list)

    def take(self, number: int, *, binding: bool) -> list[_Bought]:
        """So many, school by school. A grant that binds takes none that is retired later; others take these first."""
        fitting = [device for device in self.devices if not (binding and device.retired)]
        taken = sorted(fitting, key=lambda device: (not device.retired, device.school or 0, device.pk))[:number]
        gone = {device.pk for device in taken}
        self.devices = [device for device in self.devices if device.pk not in gone]
        return taken


def purchases_of(pots: Sequence[Pot]) -> list[Purchase]:
    """Spends all pots to the last euro, in the order of the orders.

    ValueError when a year's devices cost more than its pots for devices hold: the table of budgets is wrong then.
    """
    shelves = _shelves()
    purchases: list[Purchase] = []
    for year in sorted({pot.year for pot in pots}):
        of_year = [shelf for shelf in shelves if shelf.day.year == year]
        for pot in (pot for pot in pots if pot.year == year):
            purchases += _of_devices(pot, of_year) if pot.line.codes else [_in_instalments(pot)]
        unpaid = [shelf for shelf in of_year if shelf.devices]
        if unpaid:
            raise ValueError(f"No money for {len(unpaid[0].devices)} {unpaid[0].code} of {unpaid[0].day}")
    return sorted(purchases, key=lambda purchase: purchase.placed_on)


def _shelves() -> list[_Shelf]:
    """By day and kind, as the devices were bought."""
    first = Placement.objects.filter(device=OuterRef("pk")).order_by("since")
    rows = (
        Device.objects.filter(ownership=Ownership.BOUGHT, bought_on__year__gte=2020)
        .annotate(first_school=Subquery(first.values("school")[:1]))
        .order_by("bought_on", "kind__code", "tag")
        .values_list("pk", "bought_on", "kind__code", "product", "product__manufacturer", "product__model", "price",
                     "first_school", "status")
    )  # fmt: skip
    shelves: dict[tuple[datetime.date, int], _Shelf] = {}
    for pk, day, code, product, manufacturer, model, price, school, status in rows:
        shelf = shelves.setdefault((day, product), _Shelf(day, code, price))
        shelf.devices.append(
            _Bought(pk, day, code, product, f"{manufacturer} {model}", price, school, status == DeviceStatus.RETIRED)
        )
    return list(shelves.values())


def _of_devices(pot: Pot, shelves: Sequence[_Shelf]) -> Iterator[Purchase]:
    """As many devices as the pot can pay, one order for each day, and what they need; the next pot takes the others."""
    left = pot.amount
    binding = pot.line.notice is not None and NOTICES[pot.line.notice].earmarking_years is not None
    until = _implemented_until(pot)
    for day, group in itertools.groupby(shelves, key=lambda shelf: shelf.day):
        taken: list[_Bought] = []
        for shelf in (shelf for shelf in group if shelf.code in pot.line.codes and day + TERM <= until):
            devices = shelf.take(int(left // shelf.price), binding=binding)
            left -= shelf.price * len(devices)
            taken += devices
        if taken:
            paid_on = working_day(day + TERM)
            yield Purchase(pot, day - BEFORE_DELIVERY, _items(taken), [Bill(day, working_day(day + 3 * DAY), paid_on)])
    if left:
        yield _extras(pot, left, until)


def _items(devices: Sequence[_Bought]) -> list[Item]:
    """One for each school and product."""
    groups: dict[tuple[int | None, int], list[_Bought]] = {}
    for device in devices:
        groups.setdefault((device.school, device.product), []).append(device)
    return [
        Item(school, product, group[0].name, len(group), group[0].price, [device.pk for device in group])
        for (school, product), group in groups.items()
    ]


def _extras(pot: Pot, amount: Decimal, until: datetime.date) -> Purchase:
    paid_on = min(working_day(datetime.date(pot.year, *YEAR_ENDS)), last_working_day(until))
    bill = Bill(paid_on - TERM, paid_on - 14 * DAY, paid_on)
    if pot.line.notice == WITHOUT_CONTACT and pot.year == TOO_LATE.year:
        bill = Bill(paid_on - TERM, TOO_LATE, working_day(TOO_LATE + 14 * DAY))
    return Purchase(pot, paid_on - TERM - BEFORE_DELIVERY, [Item(None, None, EXTRAS, 1, amount)], [bill])


def _in_instalments(pot: Pot) -> Purchase:
    """One order for the year and an invoice for each quarter; work begins after the notice and ends in its period."""
    until = _implemented_until(pot)
    placed_on = working_day(datetime.date(pot.year, 1, 11))
    if pot.line.notice is not None:
        placed_on = max(placed_on, working_day(NOTICES[pot.line.notice].notice_on + 7 * DAY))
    bills = []
    for number, (month, day) in enumerate(QUARTERS, start=1):
        paid_on = max(working_day(datetime.date(pot.year, month, day)), working_day(placed_on + TERM))
        paid_on = min(paid_on, last_working_day(until))
        note = f"Rechnung {number}. Quartal" if pot.line.operating else f"{number}. Abschlagsrechnung"
        note = "Schlussrechnung" if number == len(QUARTERS) and not pot.line.operating else note
        bills.append(Bill(paid_on - 18 * DAY, working_day(paid_on - 14 * DAY), paid_on, note))
    item = Item(None, None, pot.line.name, len(QUARTERS), pot.amount / len(QUARTERS))
    return Purchase(pot, placed_on, [item], bills)


def _implemented_until(pot: Pot) -> datetime.date:
    """The last day of payments out of a pot: its year's, or before the end of the implementation."""
    end_of_year = datetime.date(pot.year, 12, 31)
    return min(end_of_year, NOTICES[pot.line.notice].until) if pot.line.notice else end_of_year
