"""Random sequences of steps against a day-by-day book kept in plain Python."""

import datetime
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Device
from tests import factories

WINDOW = 12
STEPS = st.tuples(
    st.sampled_from(
        ["move", "move", "move", "stock", "lost", "retire", "repair", "back", "ownership", "kind", "counting"]
    ),
    st.integers(0, WINDOW + 1),
    st.integers(0, 2),
)


class Book:
    """What should hold on each day of the window."""

    def __init__(self) -> None:
        self.first = today() - datetime.timedelta(days=WINDOW)
        self.days = dict.fromkeys(range(WINDOW + 1))

    def date_of(self, day: int) -> datetime.date:
        return self.first + datetime.timedelta(days=day)

    def write(self, day: int, entry: tuple | None) -> None:
        for later in range(day, WINDOW + 1):
            self.days[later] = entry


def stood(device: Device, day: datetime.date) -> tuple | None:
    """What the placements say about a day; fails on two at once."""
    rows = list(device.placements.on(day))
    assert len(rows) <= 1, "placements overlap"
    return (rows[0].school_id, rows[0].countable, rows[0].ownership) if rows else None


class PlacementSequences(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=st.lists(STEPS, min_size=1, max_size=12))
    def test_placements_say_what_was_done(self, steps):
        clerk = factories.ClerkFactory()
        schools = [factories.SchoolFactory() for _ in range(3)]
        kinds = [factories.DeviceKindFactory(), factories.DeviceKindFactory(printer=True)]
        device = factories.DeviceFactory(product=factories.ProductFactory(kind=kinds[0]), by=clerk)
        book = Book()
        for name, day, number in steps:
            on = book.date_of(day)
            before = list(device.placements.order_by("since").values())
            device.refresh_from_db()
            counted = device.kind.countable
            try:
                self.take(name, device, schools, kinds, number, on=on, by=clerk)
            except DomainError:
                assert list(device.placements.order_by("since").values()) == before
                continue
            device.refresh_from_db()
            if name not in ("repair", "back") and not (name == "counting" and device.kind.countable == counted):
                assert day <= WINDOW
                entry = (device.school_id, device.kind.countable, device.ownership) if device.school_id else None
                book.write(day, entry)
        self.check(device, book)

    def take(self, name, device, schools, kinds, number, *, on, by):
        device.refresh_from_db()
        step = {
            "move": lambda: services.move_device(device=device, school=schools[number], on=on, by=by),
            "stock": lambda: services.take_to_stock(device=device, on=on, by=by),
            "lost": lambda: services.report_lost(device=device, on=on, by=by),
            "retire": lambda: services.retire_device(device=device, on=on, by=by, reason="defekt"),
            "repair": lambda: services.send_to_repair(device=device, by=by),
            "back": lambda: services.return_from_repair(device=device, by=by),
            "ownership": lambda: services.change_ownership(
                device=device, ownership=["bought", "leased", "parent_financed"][number], on=on, by=by
            ),
            "kind": lambda: services.change_kind(device=device, kind=kinds[number % 2], on=on, by=by),
            "counting": lambda: services.change_kind_counting(
                kind=device.kind, countable=number != 1, presentation=False, on=on, by=by
            ),
        }
        step[name]()

    def check(self, device: Device, book: Book) -> None:
        device.refresh_from_db()
        rows = list(device.placements.order_by("since"))
        for earlier, later in pairwise(rows):
            assert earlier.until is not None
            assert earlier.until <= later.since
        assert all(row.until is None or row.until > row.since for row in rows)
        last = rows[-1] if rows and rows[-1].until is None else None
        assert device.school_id == (last.school_id if last else None)
        assert (device.site_id, device.room) == ((last.site_id, last.room) if last else (None, ""))
        assert (device.status in ("in_use", "on_loan", "in_repair")) == (last is not None)
        for day, entry in book.days.items():
            assert stood(device, book.date_of(day)) == entry


@pytest.mark.django_db
def test_a_device_that_comes_back_on_the_same_day_stood_there_all_along():
    clerk, day = factories.ClerkFactory(), today() - datetime.timedelta(days=3)
    first, second = factories.SchoolFactory(), factories.SchoolFactory()
    device = factories.DeviceFactory(school=first, room="1", since=day - datetime.timedelta(days=9), by=clerk)
    services.move_device(device=device, school=second, on=day, by=clerk)
    services.move_device(device=device, school=first, room="1", on=day, by=clerk)
    (row,) = device.placements.all()
    assert (row.school, row.room, row.since, row.until) == (first, "1", day - datetime.timedelta(days=9), None)

    services.move_device(device=device, school=second, on=day, by=clerk)
    services.move_device(device=device, school=first, room="2", on=day, by=clerk)
    assert list(device.placements.order_by("since").values_list("room", "until")) == [("1", day), ("2", None)]


@pytest.mark.django_db
def test_the_device_of_a_refused_step_stays_as_it_was():
    device = factories.DeviceFactory(school=factories.SchoolFactory())

    with suppress(DomainError):
        services.retire_device(device=device, by=factories.ClerkFactory(), reason="")

    assert Device.objects.get().status == "in_use"
