"""Where retired devices went, as a list says it: by the rules of the device's own page."""

import datetime
from decimal import Decimal

import pytest

from apps.core import clock
from apps.inventory import services
from apps.inventory.models import Device, Placement
from tests import factories
from tests.inventory.lists import table
from tests.schools.importing import check, take_in, told

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
HEADER = ["Inventarnummer", "Status", "Eigentum", "Verbleib", "Abgegangen am", "Erlös"]
DAY = datetime.timedelta(days=1)


def rows(*listed: str) -> bytes:
    """Each row as "T-1;ausgesondert;;verkauft;01.02.2026;12,50"."""
    return table(HEADER, [dict(zip(HEADER, row.split(";"), strict=True)) for row in listed])


def day(days_ago: int) -> str:
    return f"{clock.today() - days_ago * DAY:%d.%m.%Y}"


@pytest.fixture
def device():
    return factories.DeviceFactory(tag="T-1", school=factories.SchoolFactory(), since=clock.today() - 9 * DAY)


@pytest.fixture
def retired(device):
    services.retire_device(device=device, by=factories.ClerkFactory(), reason="alt", on=clock.today() - 5 * DAY)
    return device


def facts():
    return Device.objects.values_list("status", "disposal", "disposed_on", "proceeds").get(tag="T-1")


def test_a_list_retires_a_device_on_the_day_on_which_it_left(device):
    run = take_in("devices", rows(f"T-1;ausgesondert;;verkauft;{day(3)};12,50"))

    assert told(run) == []
    left = clock.today() - 3 * DAY
    assert facts() == ("retired", "sold", left, Decimal("12.50"))
    assert Placement.objects.get().until == left


def test_a_day_before_the_device_came_back_from_a_loan_is_told_at_the_column_that_names_it(device):
    lent = {"borrower": "teacher", "due_on": None, "since": clock.today() - 6 * DAY}
    clerk = factories.ClerkFactory()
    services.take_back(loan=services.hand_out(device=device, by=clerk, **lent), by=clerk)
    sentence = (
        f"Es war vom {day(6)} bis {day(0)} verliehen und kam zurück. "
        f"Bitte geben Sie den {day(0)} oder einen späteren Tag ein."
    )
    assert told(check("devices", rows(f"T-1;ausgesondert;;verkauft;{day(3)};"))) == [(2, "Abgegangen am", sentence)]


def test_what_is_said_later_is_added_and_the_same_list_again_changes_nothing(retired):
    listed = rows(f"T-1;ausgesondert;;verschrottet;{day(4)};")
    assert take_in("devices", listed).counts["changed"] == 1
    assert facts() == ("retired", "scrapped", clock.today() - 4 * DAY, None)
    assert check("devices", listed).counts["unchanged"] == 1
    assert check("devices", rows("T-1;;;;;")).counts["unchanged"] == 1


def test_without_a_day_it_left_today_and_another_way_brings_no_proceeds(retired):
    take_in("devices", rows("T-1;;;verkauft;;5"))
    assert facts() == ("retired", "sold", clock.today(), Decimal("5.00"))
    run = take_in("devices", rows("T-1;;;abgegeben;;"))
    assert told(run) == []
    assert facts() == ("retired", "given_away", clock.today(), None)


def test_a_device_that_is_used_again_has_not_left(retired):
    services.record_disposal(device=retired, by=factories.ClerkFactory(), disposal="sold", proceeds=Decimal(1))
    take_in("devices", rows("T-1;auf Lager;;;;"))
    assert facts() == ("in_stock", "", None, None)


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("T-1;in Gebrauch;;verkauft;;", "Verbleib", "Nur ein ausgesondertes Gerät ist abgegangen."),
        ("T-1;;;;{day};", "Abgegangen am", "Nur ein ausgesondertes Gerät ist abgegangen."),
        ("T-1;ausgesondert;;;{day};", "Verbleib", "Bitte sagen Sie, wo das Gerät geblieben ist."),
        ("T-1;ausgesondert;;verschrottet;;3", "Erlös", "Nur ein Verkauf bringt einen Erlös."),
        ("T-1;ausgesondert;;an den Eigentümer zurückgegeben;;", "Verbleib", "Das Gerät gehört der Stadt"),
        ("T-1;ausgesondert;geleast;verkauft;;", "Verbleib", "Das Gerät gehört anderen"),
        ("T-1;ausgesondert;;verkauft;01.02.2095;", "Abgegangen am", "Dieser Tag liegt in der Zukunft."),
        ("T-1;ausgesondert;;verkauft;01.02.1889;", "Abgegangen am", "Dieser Tag liegt zu weit zurück."),
        ("T-1;ausgesondert;;verkauft;{early};", "Abgegangen am", "hat sich schon etwas geändert"),
        ("T-1;ausgesondert;;weg;;", "Verbleib", "„weg“ ist hier unbekannt"),
        ("T-1;ausgesondert;;verkauft;;-3", "Erlös", "„-3“ ist kein Betrag"),
    ],
)
def test_what_cannot_be_is_named(device, row, column, sentence):
    run = check("devices", rows(row.format(day=day(1), early=day(20))))
    ((line, where, text), *more) = told(run)
    assert (line, where, sentence in text, more) == (2, column, True, []), text


def test_a_bound_device_does_not_leave_by_a_list(device):
    clerk, until = factories.ClerkFactory(), clock.today() + 9 * DAY
    services.retire_device(device=device, by=clerk, reason="alt", on=clock.today() - 5 * DAY)
    services.bind_device(device=device, until=until, file_reference="48.03", by=clerk)
    run = check("devices", rows("T-1;;;verkauft;;"))
    assert [(column, "48.03" in text) for _line, column, text in told(run)] == [("Verbleib", True)]
