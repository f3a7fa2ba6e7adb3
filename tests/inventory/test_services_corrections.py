"""What a device counts as from a day on: whose it is, of what kind, and what the kind counts as."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import Ownership
from tests import factories

pytestmark = pytest.mark.django_db


DAY = datetime.timedelta(days=1)


def version(school) -> int:
    school.refresh_from_db()
    return school.inputs_version


def test_another_ownership_counts_from_its_day_on():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, since=today() - 5 * DAY)

    services.change_ownership(device=device, ownership=Ownership.PARENT_FINANCED, by=clerk, on=today() - DAY)

    rows = device.placements.order_by("since").values_list("ownership", "since", "until")
    assert list(rows) == [("bought", today() - 5 * DAY, today() - DAY), ("parent_financed", today() - DAY, None)]
    with pytest.raises(DomainError):
        services.change_ownership(device=device, ownership=Ownership.PARENT_FINANCED, by=clerk)


def test_another_kind_counts_from_its_day_on():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, since=today() - 5 * DAY)

    services.change_kind(device=device, kind=factories.DeviceKindFactory(projector=True), by=clerk)

    rows = device.placements.order_by("since").values_list("countable", "presentation", "until")
    assert list(rows) == [(True, False, today()), (False, True, None)]
    with pytest.raises(PermissionDenied):
        services.change_kind(
            device=device, kind=factories.DeviceKindFactory(), by=factories.CoordinatorFactory(schools=[school])
        )


def test_a_kind_that_no_longer_counts_keeps_its_past(django_assert_max_num_queries):
    clerk, schools = factories.ClerkFactory(), [factories.SchoolFactory(), factories.SchoolFactory()]
    kind = factories.DeviceKindFactory()
    old = [factories.DeviceFactory(school=schools[0], since=today() - 9 * DAY) for _ in range(3)]
    new = factories.DeviceFactory(school=schools[1], since=today() - 2 * DAY)
    stock, printer = factories.DeviceFactory(), factories.DeviceFactory(
        product=factories.ProductFactory(kind=factories.DeviceKindFactory(printer=True)), school=schools[0]
    )  # fmt: skip
    before = [version(school) for school in schools]

    with django_assert_max_num_queries(20):
        services.change_kind_counting(kind=kind, countable=False, presentation=False, by=clerk, on=today() - 2 * DAY)

    for device in old:
        rows = device.placements.order_by("since").values_list("countable", "since", "until")
        assert list(rows) == [
            (True, today() - 9 * DAY, today() - 2 * DAY),
            (False, today() - 2 * DAY, None),
        ]
        assert device.placements.get(until=None).by == clerk
    assert list(new.placements.values_list("countable", "since", "until")) == [(False, today() - 2 * DAY, None)]
    assert not stock.placements.exists()
    assert printer.placements.count() == 1
    assert [version(school) for school in schools] == [number + 1 for number in before]
    kind.refresh_from_db()
    assert (kind.countable, kind.history.first().history_user) == (False, clerk)


def test_a_kind_cannot_change_before_the_last_change_of_its_devices():
    kind, clerk = factories.DeviceKindFactory(), factories.ClerkFactory()
    factories.DeviceFactory(school=factories.SchoolFactory(), since=datetime.date(2024, 3, 1))

    with pytest.raises(DomainError, match=r"01\.03\.2024"):
        services.change_kind_counting(
            kind=kind, countable=False, presentation=True, by=clerk, on=datetime.date(2024, 2, 1)
        )
    with pytest.raises(DomainError):
        services.change_kind_counting(kind=kind, countable=True, presentation=True, by=clerk)

    kind.refresh_from_db()
    assert (kind.countable, kind.presentation) == (True, False)
