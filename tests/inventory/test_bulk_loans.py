"""No loan ends before it began, whether one device is reported as lost or stolen, or many are."""

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
    for device, days in zip(devices, (1, 2), strict=False):
        facts = {"borrower": "teacher", "due_on": None, "since": today() - 6 * DAY}
        loan = services.take_back(loan=services.hand_out(device=device, by=clerk, **facts), by=clerk)
        Loan.objects.filter(pk=loan.pk).update(ended_on=today() - days * DAY)
    day = today() - 2 * DAY

    change = shown(devices, clerk, action, on=day.isoformat(), reason="Wasser")
    with pytest.raises(DomainError) as single:
        getattr(services, step)(device=devices[0], by=clerk, on=day, reason="Wasser")

    back = f"{today() - DAY:%d.%m.%Y}"
    sentence = (
        f"Es war vom {today() - 6 * DAY:%d.%m.%Y} bis {back} verliehen und kam zurück. "
        f"Bitte geben Sie den {back} oder einen späteren Tag ein."
    )
    assert services.plan_of(change, clerk).refusals == [(sentence, 1, ["A-1"])]
    assert (str(single.value), single.value.field) == (sentence, "on")
    ended = getattr(services, step)(device=devices[1], by=clerk, on=day, reason="Wasser")
    assert (ended.school, ended.placements.get().until) == (None, day)
    with pytest.raises(DomainError) as to_supplier:
        services.return_to_supplier(device=devices[0], by=clerk, on=day, reason="Wasser")
    assert str(to_supplier.value) == sentence
