"""What a list may say of a device's condition, end of use and binding: as much as a device's page allows."""

import datetime

import pytest

from apps.core import clock, permissions
from apps.inventory import services
from apps.inventory.binding import LONGEST_YEARS
from apps.inventory.models import Device
from tests import factories
from tests.inventory.lists import table
from tests.schools.importing import changes, check, take_in, told

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
HEADER = ("Seriennummer", "Hersteller", "Modell", "Geräteart", "Kaufdatum", "Status", "Zustand",
          "Geplantes Nutzungsende", "Zweckgebunden bis", "Aktenzeichen der Zuwendung")  # fmt: skip
ENGLISH = ("Serial number", "Maker", "Model", "Device kind", "Purchase Date", "Status", "Condition",
           "Planned end of use", "Bound until", "File reference of the grant")  # fmt: skip
END = datetime.date(2099, 12, 31)


@pytest.fixture
def device() -> Device:
    product = factories.ProductFactory(manufacturer="Apple", model="iPad 10")
    clerk = factories.ClerkFactory()
    row = factories.DeviceFactory(product=product, serial="SN-1", by=clerk, bought_on=datetime.date(2024, 8, 1))
    running = clock.today() + datetime.timedelta(days=400)
    return services.bind_device(device=row, until=running, file_reference="48.03", by=clerk)


def latest() -> datetime.date:
    """The last day to which the portal lets anybody bind a device."""
    return datetime.date(clock.today().year + LONGEST_YEARS, 12, 31)


def german(day: datetime.date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


def listed(**cells: str) -> bytes:
    return table(HEADER, [{"Seriennummer": "SN-1"} | {name.replace("_", " "): cell for name, cell in cells.items()}])


@pytest.mark.parametrize(("header", "condition"), [(HEADER, "beschädigt"), (ENGLISH, "damaged")])
def test_a_new_device_bears_what_the_list_says(device, header, condition):
    row = ["SN-2", "Apple", "iPad 10", "Tablet", "01.08.2024", "Lager", condition, "31.07.2029", german(latest()),
           " 48.03 / 2"]  # fmt: skip
    run = take_in("devices", table(header, [dict(zip(header, row, strict=True))]))

    assert (run.state, told(run)) == ("applied", [])
    new = Device.objects.get(serial="SN-2")
    facts = (new.condition, new.use_until, new.bound_until, new.bound_by)
    assert facts == ("damaged", datetime.date(2029, 7, 31), latest(), "48.03 / 2")
    entry = new.history.get()
    assert (entry.condition, entry.use_until, entry.bound_until, entry.bound_by) == facts


def test_a_binding_is_made_longer_and_shown_before(device):
    old = device.bound_until
    content = listed(Zweckgebunden_bis=german(latest()), Zustand="gut")
    assert changes(check("devices", content)) == {
        "SN-1": {"bound_until": [old.isoformat(), latest().isoformat()], "condition": ["", "good"]}
    }
    clerk = factories.ClerkFactory()
    assert take_in("devices", content, by=clerk).state == "applied"
    device.refresh_from_db()
    assert (device.bound_until, device.bound_by, device.condition) == (latest(), "48.03", "good")
    assert device.history.latest().history_user == clerk
    assert take_in("devices", content, by=clerk).counts["unchanged"] == 1


def test_empty_cells_end_no_binding(device):
    old = device.bound_until
    run = take_in("devices", listed(Zustand="neu"))
    device.refresh_from_db()
    assert (run.counts["changed"], device.bound_until, device.bound_by) == (1, old, "48.03")


@pytest.mark.parametrize(
    ("cells", "column", "text"),
    [
        (lambda: {"Zweckgebunden_bis": german(clock.today())}, "Zweckgebunden bis", "darf das nicht verkürzen"),
        (lambda: {"Zweckgebunden_bis": german(END)}, "Zweckgebunden bis", "Bitte prüfen Sie das Jahr"),
        (lambda: {"Geplantes_Nutzungsende": "31.07.2024"}, "Geplantes Nutzungsende", "nicht vor dem Kauf enden"),
        (lambda: {"Zustand": "in Gebrauch"}, "Zustand", "Bitte verwenden Sie eine dieser Angaben: neu, gut"),
        (lambda: {"Status": "ausgesondert"}, "Status", "Bis dahin wird"),
        (lambda: {"Seriennummer": "SN-9", "Geräteart": "Tablet", "Hersteller": "Apple", "Modell": "iPad 10",
                  "Zweckgebunden_bis": german(latest())}, "Aktenzeichen der Zuwendung", "Aktenzeichen"),
        (lambda: {"Seriennummer": "SN-9", "Geräteart": "Tablet", "Hersteller": "Apple", "Modell": "iPad 10",
                  "Aktenzeichen_der_Zuwendung": "48"}, "Zweckgebunden bis", "letzten Tag"),
    ],
)  # fmt: skip
def test_what_the_page_would_refuse_is_a_fault_of_its_column(device, cells, column, text):
    [(line, named, sentence)] = told(check("devices", listed(**cells())))
    assert (line, named) == (2, column)
    assert text in sentence


def test_even_the_approver_shortens_no_binding_by_a_list(device):
    content = listed(Zweckgebunden_bis=german(clock.today()))
    assert check("devices", content, by=factories.UserFactory(role="office_approver")).counts["wrong"] == 1


def test_a_purchase_after_the_end_of_use_on_file_is_a_fault(device):
    Device.objects.update(use_until=datetime.date(2025, 1, 1))
    [(_line, column, _text)] = told(check("devices", listed(Kaufdatum="01.02.2025")))
    assert column == "Kaufdatum"


def test_whoever_may_not_bind_changes_no_binding_by_a_list(device, monkeypatch):
    """Today each role that takes lists in may bind as well: here is one that may not."""
    importer = factories.UserFactory(role="admin")
    monkeypatch.setattr(permissions, "_granted", {"admin": {"inventory.import_devices"}})
    old = device.bound_until
    run = take_in("devices", listed(Zweckgebunden_bis=german(latest())), by=importer)

    assert (run.state, run.error) == (
        "checked", "Sie dürfen nicht festlegen, welche Zuwendung Geräte bindet. Bitte lassen Sie diese Spalten weg."
    )  # fmt: skip
    device.refresh_from_db()
    assert device.bound_until == old
    assert take_in("devices", listed(Zustand="gut"), by=importer).state == "applied"
