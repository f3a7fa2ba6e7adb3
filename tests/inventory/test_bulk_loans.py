"""No loan ends before it began, and none is cut short afterwards, whether one device leaves its place or many do."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import BulkAction
from apps.inventory.models import Loan
from tests import factories
from tests.inventory.bulk import confirmed, shown
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


def lent_and_back(devices, by):
    """The first two were lent out six days ago; the first came back yesterday, the second the day before."""
    for device, days in zip(devices, (1, 2), strict=False):
        facts = {"borrower": "teacher", "due_on": None, "since": today() - 6 * DAY}
        loan = services.take_back(loan=services.hand_out(device=device, by=by, **facts), by=by)
        Loan.objects.filter(pk=loan.pk).update(ended_on=today() - days * DAY)


def came_back_on(day):
    return (
        f"Es war vom {today() - 6 * DAY:%d.%m.%Y} bis {day:%d.%m.%Y} verliehen und kam zurück. "
        f"Bitte geben Sie den {day:%d.%m.%Y} oder einen späteren Tag ein."
    )


@pytest.mark.parametrize("action", [BulkAction.LOST, BulkAction.STOLEN])
def test_no_device_is_lost_before_it_was_lent_and_the_page_of_one_says_the_same(clerk, devices, action):
    for device, days in zip(devices, (0, 2, 3), strict=False):
        services.hand_out(device=device, by=clerk, borrower="teacher", due_on=None, since=today() - days * DAY)
    day = today() - 2 * DAY

    change = shown(devices, clerk, action, on=day.isoformat())
    plan = services.plan_of(change, clerk)
    with pytest.raises(DomainError) as single:
        getattr(services, f"report_{action.value}")(device=devices[0], by=clerk, on=day)

    sentence = f"Am {today():%d.%m.%Y} wurde es verliehen. Bitte geben Sie frühestens diesen Tag ein."
    assert plan.refusals == [(sentence, 1, ["A-1"])]
    assert (str(single.value), single.value.field) == (sentence, "on")
    confirmed(change, clerk)
    ended = Loan.objects.order_by("device").values_list("device__tag", "state", "since", "ended_on")
    assert list(ended) == [
        ("A-1", "out", today(), None),
        ("A-2", action.value, day, day),
        ("A-3", action.value, today() - 3 * DAY, day),
    ]


def test_of_a_loan_and_a_change_of_place_the_later_is_named(clerk, devices):
    device = devices[0]
    services.hand_out(device=device, by=clerk, borrower="teacher", due_on=None, since=today() - 5 * DAY)
    services.change_ownership(device=device, ownership="leased", by=clerk, on=today() - 2 * DAY)
    with pytest.raises(DomainError, match=f"^Am {today() - 2 * DAY:%d.%m.%Y} hat sich schon etwas geändert"):
        services.report_lost(device=device, by=clerk, on=today() - 7 * DAY)


def test_as_many_statements_for_twenty_lent_devices_as_for_four(clerk, school):
    used = []
    for quantity in (4, 20):
        made = services.add_devices(product=factories.ProductFactory(), quantity=quantity, by=clerk, school=school)
        for device in made:
            services.lend_device(device=device, by=clerk)
        change = shown(made, clerk, BulkAction.LOST)
        with CaptureQueriesContext(connection) as queries:
            assert services.plan_of(change, clerk).refusals == []
        used.append(len(queries))
    assert used[0] == used[1]


@pytest.mark.parametrize(
    ("action", "step"),
    [(BulkAction.LOST, "report_lost"), (BulkAction.STOLEN, "report_stolen"), (BulkAction.RETIRE, "retire_device")],
)
def test_no_device_is_lost_or_retired_before_it_came_back(clerk, devices, action, step):
    lent_and_back(devices, clerk)
    day = today() - 2 * DAY

    change = shown(devices, clerk, action, on=day.isoformat(), reason="Wasser")
    with pytest.raises(DomainError) as single:
        getattr(services, step)(device=devices[0], by=clerk, on=day, reason="Wasser")

    sentence = came_back_on(today() - DAY)
    assert services.plan_of(change, clerk).refusals == [(sentence, 1, ["A-1"])]
    assert (str(single.value), single.value.field) == (sentence, "on")
    ended = getattr(services, step)(device=devices[1], by=clerk, on=day, reason="Wasser")
    assert (ended.school, ended.placements.get().until) == (None, day)
    with pytest.raises(DomainError) as to_supplier:
        services.return_to_supplier(device=devices[0], by=clerk, on=day, reason="Wasser")
    assert str(to_supplier.value) == sentence


@pytest.mark.parametrize("action", [BulkAction.MOVE, BulkAction.ROOM, BulkAction.STOCK])
def test_no_device_changes_its_place_before_it_came_back(clerk, school, target, devices, action):
    lent_and_back(devices, clerk)
    day = today() - 2 * DAY
    place = {BulkAction.MOVE: {"school": target}, BulkAction.ROOM: {"school": school, "room": "9"}}.get(action, {})
    step = services.take_to_stock if action == BulkAction.STOCK else services.move_device

    values = {name: getattr(value, "pk", value) for name, value in place.items()}
    change = shown(devices, clerk, action, on=day.isoformat(), **values)
    with pytest.raises(DomainError) as single:
        step(device=devices[0], by=clerk, on=day, **place)

    sentence = came_back_on(today() - DAY)
    assert services.plan_of(change, clerk).refusals == [(sentence, 1, ["A-1"])]
    assert (str(single.value), single.value.field) == (sentence, "on")
    confirmed(change, clerk)
    places = [(row.since, row.until) for row in devices[1].placements.order_by("since")]
    assert places[0][1] == day
    undone = confirmed(services.begin_undo(token=change.token, by=clerk), clerk)
    assert undone.result["changed"] == len(devices) - 1
    assert [(row.school, row.until) for row in devices[1].placements.all()] == [(school, None)]


def test_whose_owner_changes_stays_with_its_borrower_so_any_day_is_right(clerk, devices):
    lent_and_back(devices, clerk)
    change = shown(devices, clerk, BulkAction.OWNERSHIP, ownership="leased", on=(today() - 3 * DAY).isoformat())
    assert services.plan_of(change, clerk).refusals == []
