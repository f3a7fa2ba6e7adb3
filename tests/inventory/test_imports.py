"""Devices from the plain table: what is read, compared, written, and what is refused."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.core.models import ImportState
from apps.inventory import services
from apps.inventory.models import Device, Placement, Product
from apps.schools.models import School
from tests import factories
from tests.inventory.lists import ENGLISH, PLAIN, table
from tests.schools.importing import changes, check, take_in, told

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def school() -> School:
    return factories.SchoolFactory(number="120674", short_name="GS Overberg")


@pytest.fixture
def other() -> School:
    return factories.SchoolFactory(number="120675", short_name="RS Marke")


@pytest.fixture
def product() -> Product:
    return factories.ProductFactory(manufacturer="Apple", model="iPad 10")


def tablet(**cells: str) -> dict[str, str]:
    return {"Inventarnummer": "", "Seriennummer": "SN-1", "Hersteller": "Apple", "Modell": "iPad 10",
            "Geräteart": "Tablet", "Schulnummer": "120674", "Raum": "R 12", "Eigentum": "gekauft", "Preis": "1.234,56",
            "Kaufdatum": "01.08.2024", "Status": "in Gebrauch", "Notiz": "aus dem DigitalPakt"} | cells  # fmt: skip


def listed(*rows: dict[str, str], **kwargs: Any) -> bytes:
    return table(PLAIN, rows, **kwargs)


def test_a_new_device_is_recorded_with_all_facts_placement_and_history(school, product):
    clerk = factories.ClerkFactory()
    before = school.inputs_version
    run = take_in("devices", listed(tablet(), tablet(Seriennummer="sn-2 ", Raum="")), by=clerk)

    assert (run.state, run.counts["new"]) == (ImportState.APPLIED, 2)
    device = Device.objects.get(serial="SN-1")
    assert (device.product, device.kind, device.school, device.room) == (product, product.kind, school, "R 12")
    assert (device.price, device.bought_on) == (Decimal("1234.56"), datetime.date(2024, 8, 1))
    assert (device.status, device.ownership, device.note) == ("in_use", "bought", "aus dem DigitalPakt")
    placement = device.placements.get()
    assert (placement.school, placement.room, placement.since, placement.until) == (school, "R 12", clock.today(), None)
    assert (placement.countable, placement.ownership, placement.by) == (True, "bought", clerk)
    history = device.history.get()
    assert (history.history_user, history.history_change_reason) == (clerk, "Aus der Datei „devices.csv“")
    assert {row.tag for row in Device.objects.all()} == {"HAM-000001", "HAM-000002"}
    assert Device.objects.search("ham-000002 overberg").get().serial == "SN-2"
    school.refresh_from_db()
    assert school.inputs_version == before + 1


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850"])
def test_english_headers_delimiters_and_encodings(school, product, delimiter, encoding):
    names = dict(zip(PLAIN, ENGLISH, strict=True))
    row = {names[name]: cell for name, cell in tablet(Status="in use", Eigentum="leased", Notiz="für Öl").items()}
    run = take_in("devices", table(ENGLISH, [row], delimiter=delimiter, encoding=encoding))

    assert run.state == ImportState.APPLIED
    device = Device.objects.get()
    assert (device.ownership, device.note, device.status) == ("leased", "für Öl", "in_use")


def test_the_same_file_again_changes_nothing(school, product):
    content = listed(tablet(), tablet(Seriennummer="", Inventarnummer="A-7", Schulnummer="", Status="", Raum=""))
    take_in("devices", content)
    school.refresh_from_db()
    version, entries = school.inputs_version, Device.history.count()
    run = take_in("devices", content)

    assert (run.counts["unchanged"], run.counts["new"], run.counts["changed"]) == (2, 0, 0)
    school.refresh_from_db()
    assert (school.inputs_version, Device.history.count(), Placement.objects.count()) == (version, entries, 1)
    assert Device.objects.get(tag="A-7").status == "in_stock"


def test_differences_are_shown_by_field_and_a_move_keeps_the_past(school, other, product):
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, room="R 12",
                                     since=clock.today() - 30 * DAY, price=Decimal("10.00"))  # fmt: skip
    row = tablet(Schulnummer="120675", Raum="", Kaufdatum="", Notiz="", Preis="12,5")
    run = check("devices", listed(row))

    assert changes(run) == {
        "SN-1": {
            "price": ["10.00", "12.50"], "school": ["120674 GS Overberg", "120675 RS Marke"], "room": ["R 12", ""],
            "since": [None, "taken_in"],
        }
    }  # fmt: skip
    take_in("devices", listed(row))
    device.refresh_from_db()
    assert (device.school, device.room, device.price) == (other, "", Decimal("12.50"))
    stays = device.placements.order_by("since").values_list("school__number", "since", "until")
    assert list(stays) == [
        ("120674", clock.today() - 30 * DAY, clock.today()), ("120675", clock.today(), None)
    ]  # fmt: skip
    assert list(School.objects.order_by("number").values_list("inputs_version", flat=True)) == [
        school.inputs_version + 2, other.inputs_version + 1
    ]  # fmt: skip


def test_the_only_site_of_a_school_is_taken_by_itself_where_a_device_comes_to_it(school, other, product):
    only = factories.SiteFactory(school=other, name="Hauptgebäude")
    for _number in range(2):
        factories.SiteFactory(school=school)
    factories.DeviceFactory(product=product, serial="SN-1", school=school, room="R 12")
    factories.DeviceFactory(product=product, serial="SN-2", school=None)
    there = factories.DeviceFactory(product=product, serial="SN-3", school=other, room="R 12")
    stays = factories.DeviceFactory(product=product, serial="SN-6", school=other, room="7")
    for device in (there, stays):
        Device.objects.filter(pk=device.pk).update(site=None)
        device.placements.update(site=None)
    rows = [
        tablet(Seriennummer=f"SN-{number}", Schulnummer="120675", Status="", Raum="7") for number in (1, 2, 3, 4, 6)
    ]
    rows.append(tablet(Seriennummer="SN-5"))

    run = take_in("devices", listed(*rows))

    assert changes(run)["SN-1"]["site"] == [None, "Hauptgebäude"]
    placed = {
        row.serial: (row.school.number, row.site, row.room, row.placements.get(until=None).site)
        for row in Device.objects.select_related("school", "site")
    }
    assert placed == {
        "SN-1": ("120675", only, "7", only),
        "SN-2": ("120675", only, "7", only),
        "SN-3": ("120675", only, "7", only),
        "SN-6": ("120675", None, "7", None),
        "SN-4": ("120675", only, "7", only),
        "SN-5": ("120674", None, "R 12", None),
    }
    assert take_in("devices", listed(*rows)).counts["unchanged"] == 6


def test_a_move_between_sites_of_the_same_name_names_the_schools_only(school, other, product):
    here, there = (factories.SiteFactory(school=place, name="Hauptstandort") for place in (school, other))
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, site=here, room="7")
    run = take_in("devices", listed(tablet(Seriennummer="SN-1", Schulnummer="120675", Status="", Raum="7")))
    told = changes(run)["SN-1"]
    assert told["school"] == ["120674 GS Overberg", "120675 RS Marke"]
    assert "site" not in told
    device.refresh_from_db()
    assert device.site == there


def test_a_device_is_found_by_serial_then_by_tag(school, product):
    clerk = factories.ClerkFactory()
    first = factories.DeviceFactory(product=product, serial="SN-1", tag="A-1", by=clerk)
    second = factories.DeviceFactory(product=product, tag="A-2", by=clerk)
    run = take_in(
        "devices",
        listed(tablet(Inventarnummer="a-1", Status=""), tablet(Inventarnummer="A-2", Seriennummer="SN-2", Status="")),
    )
    assert (run.counts["changed"], run.counts["new"]) == (2, 0)
    second.refresh_from_db()
    assert second.serial == "SN-2"
    wrong = check("devices", listed(tablet(Inventarnummer="A-2")))
    assert told(wrong) == [
        (2, "Inventarnummer", "Das Gerät mit dieser Seriennummer hat die Inventarnummer A-1."),
    ]
    assert Device.objects.get(serial="SN-1").pk == first.pk


def test_what_ends_keeps_where_it_stood_and_no_longer_counts(school, product):
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=clock.today() - DAY)
    take_in("devices", listed(tablet(Status="ausgesondert")))
    device.refresh_from_db()

    assert (device.status, device.school, device.last_school, device.room) == ("retired", None, school, "")
    assert device.placements.get().until == clock.today()
    assert take_in("devices", listed(tablet(Status="ausgesondert"))).counts["unchanged"] == 1
    back = check("devices", listed(tablet(Status="in Gebrauch")))
    assert told(back) == [
        (2, "Status", "Ein Gerät mit dem Status „ausgesondert“ kann nicht in einem Schritt „in Gebrauch“ werden.")
    ]


def test_another_kind_counts_from_today_on(school, product):
    factories.DeviceKindFactory(projector=True)
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=clock.today() - DAY)
    take_in("devices", listed(tablet(Geräteart="Beamer", Raum="")))

    counted = device.placements.order_by("since").values_list("countable", "presentation")
    assert list(counted) == [(True, False), (False, True)]


def test_a_device_on_loan_does_not_move_but_its_facts_can_change(school, other, product):
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=clock.today() - DAY)
    services.lend_device(device=device, by=factories.ClerkFactory())
    run = check("devices", listed(tablet(Schulnummer="120675", Status="", Raum="")))

    assert told(run) == [
        (2, "Schulnummer", "Ein verliehenes Gerät oder eines in Reparatur kommt zurück, bevor es umgesetzt wird.")
    ]
    run = take_in("devices", listed(tablet(Status="", Raum="", Notiz="neu")))
    device.refresh_from_db()
    assert (device.status, device.note, device.placements.count()) == ("on_loan", "neu", 1)


def test_no_list_ends_a_loan_before_it_began(school, product):
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=clock.today() - 9 * DAY)
    services.hand_out(
        device=device, by=factories.ClerkFactory(), borrower="teacher", due_on=None, since=clock.today() - 2 * DAY
    )

    def row(status, days):
        cells = {"Status": status, "Raum": "", "Steht dort seit": f"{clock.today() - days * DAY:%d.%m.%Y}"}
        return table((*PLAIN, "Steht dort seit"), [tablet(**cells)])

    sentence = f"Am {clock.today() - 2 * DAY:%d.%m.%Y} wurde es verliehen. Bitte geben Sie frühestens diesen Tag ein."
    for status in ("verloren", "in Gebrauch"):
        assert told(check("devices", row(status, 3))) == [(2, "Steht dort seit", sentence)]
    assert told(check("devices", row("verliehen", 3))) == []
    take_in("devices", row("verloren", 2))
    assert list(device.loans.values_list("state", "since", "ended_on")) == [
        ("lost", clock.today() - 2 * DAY, clock.today() - 2 * DAY)
    ]


def test_no_list_takes_a_device_from_its_place_before_it_came_back_from_a_loan(school, other, product):
    clerk, today = factories.ClerkFactory(), clock.today()
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=today - 9 * DAY)
    loan = services.hand_out(device=device, by=clerk, borrower="teacher", due_on=None, since=today - 6 * DAY)
    services.take_back(loan=loan, by=clerk)
    device.loans.update(ended_on=today - 2 * DAY)

    def faults(status, days, **place):
        cells = {"Status": status, "Raum": "", "Steht dort seit": f"{today - days * DAY:%d.%m.%Y}"} | place
        return [fault for fault in told(check("devices", table((*PLAIN, "Steht dort seit"), [tablet(**cells)])))
                if fault[1] == "Steht dort seit"]  # fmt: skip

    back = f"{today - 2 * DAY:%d.%m.%Y}"
    sentence = (
        f"Es war vom {today - 6 * DAY:%d.%m.%Y} bis {back} verliehen und kam zurück. "
        f"Bitte geben Sie den {back} oder einen späteren Tag ein."
    )
    for status in ("verloren", "gestohlen", "ausgesondert"):
        assert faults(status, 3) == [(2, "Steht dort seit", sentence)]
        assert faults(status, 2) == []
    for place in ({"Schulnummer": "120675"}, {"Raum": "9"}):
        assert faults("", 3, **place) == [(2, "Steht dort seit", sentence)]
        assert faults("", 2, **place) == []
    assert faults("Lager", 3, Schulnummer="") == [(2, "Steht dort seit", sentence)]
    assert faults("in Gebrauch", 3) == []


def test_a_new_product_comes_with_maker_model_and_kind_once(school, product):
    rows = [tablet(Seriennummer=f"N-{n}", Hersteller="Neuwerk", Modell="Tafel 3", Preis="99") for n in range(3)]
    take_in("devices", listed(*rows))

    made = Product.objects.get(manufacturer="Neuwerk")
    assert (made.model, made.kind.code, made.gross_price, made.is_active) == ("Tafel 3", "tablet", Decimal(99), False)
    assert (made.devices.count(), made.history.count()) == (3, 1)
    wrong = check("devices", listed(tablet(Hersteller="Neuwerk", Modell="Tafel 4", Geräteart="")))
    assert told(wrong) == [
        (2, "Modell", ("Das Produkt „Neuwerk Tafel 4“ steht nicht oder nicht nur einmal im Katalog. Bitte legen Sie es"
                      " dort an, nennen Sie Hersteller, Modell und Geräteart oder wählen Sie die Geräteart beim"
                      " Hochladen der Liste.")),
    ]  # fmt: skip


def test_a_kind_alone_names_its_only_product(school, product):
    row = tablet(Hersteller="", Modell="")
    assert take_in("devices", listed(row)).counts["new"] == 1
    assert Device.objects.get().product == product
    factories.ProductFactory(kind=product.kind)
    assert told(check("devices", listed(row | {"Seriennummer": "SN-9"}))) == [
        (2, "Modell", "Bitte nennen Sie das Produkt: Hersteller und Modell oder eine Geräteart mit nur einem Produkt.")
    ]


def test_all_faults_of_a_row_and_of_the_file_are_told_at_once(school, product):
    run = check(
        "devices",
        listed(
            tablet(Inventarnummer="A_1", Preis="viel", Kaufdatum="31.02.2024", Status="weg", Eigentum="?",
                   Geräteart="Toaster", Schulnummer="1"),
            tablet(Seriennummer="SN-2", Inventarnummer="A-1"),
            tablet(Seriennummer="SN-2", Inventarnummer="A-1"),
            tablet(Seriennummer=""),
            tablet(Seriennummer="SN-5", Status="im Lager"),
            tablet(Seriennummer="SN-6", Schulnummer="", Raum=""),
            tablet(Seriennummer="SN-7", Kaufdatum=f"{clock.today() + DAY:%d.%m.%Y}"),
        ),
    )  # fmt: skip

    assert [(line, column) for line, column, _text in told(run)] == [
        (2, "Inventarnummer"), (2, "Eigentum"), (2, "Preis"), (2, "Kaufdatum"), (2, "Status"), (2, "Schulnummer"),
        (2, "Geräteart"), (4, "Seriennummer"), (4, "Inventarnummer"), (5, "Seriennummer"), (6, "Schulnummer"),
        (6, "Raum"), (7, "Schulnummer"), (8, "Kaufdatum"),
    ]  # fmt: skip
    assert Device.objects.count() == 0


def test_schools_by_name_and_only_those_of_the_own_authority(school, product):
    factories.SchoolFactory(foreign=True, number="199999", short_name="Fremde Schule")
    header = ("Seriennummer", "Produkt", "Schule")
    rows = [
        {"Seriennummer": "SN-1", "Produkt": "Apple iPad 10", "Schule": "gs overberg"},
        {"Seriennummer": "SN-2", "Produkt": "iPad 10", "Schule": "Fremde Schule"},
    ]
    assert told(check("devices", table(header, rows))) == [
        (3, "Schule", "Es gibt keine Schule „Fremde Schule“ des eigenen Schulträgers im Bestand.")
    ]
    assert take_in("devices", table(header, rows[:1])).counts["new"] == 1
    assert Device.objects.get().school == school


def test_devices_at_schools_of_other_authorities_are_out_of_reach(school, other, product):
    factories.DeviceFactory(product=product, serial="SN-1", school=other)
    School.objects.filter(pk=other.pk).update(authority=factories.ForeignAuthorityFactory())
    run = check("devices", listed(tablet()))

    assert told(run) == [(2, "", "Dieses Gerät steht an einer Schule eines anderen Schulträgers.")]


def test_the_option_names_the_school_of_rows_without_one(school, other, product):
    rows = [tablet(Schulnummer="", Status=""), tablet(Seriennummer="SN-2", Schulnummer="120675", Status="")]
    take_in("devices", listed(*rows), school="120674")

    found = Device.objects.order_by("serial").values_list("serial", "school__number", "status")
    assert list(found) == [("SN-1", "120674", "in_use"), ("SN-2", "120675", "in_use")]


def test_changed_data_between_check_and_write_writes_nothing(school, product):
    from apps.core.imports import engine

    factories.DeviceFactory(product=product, serial="SN-1", school=school, note="alt")
    run = check("devices", listed(tablet(Raum="", Kaufdatum="")))
    Device.objects.update(note="dazwischen")
    engine.request_apply(run, by=None)
    run = engine.apply(run.pk)

    assert (run.state, Device.objects.get().note) == (ImportState.CHECKED, "dazwischen")


@pytest.mark.parametrize(
    ("cell", "price"),
    [("1.234,56", "1234.56"), ("1234.56", "1234.56"), ("1,234.56", "1234.56"), ("1234,5 €", "1234.50"),
     ("1.234", "1234.00"), ("0,99", "0.99"), ("449", "449.00"), ("€ 12", "12.00"), ('="12,30"', "12.30")],
)  # fmt: skip
def test_money(school, product, cell, price):
    take_in("devices", listed(tablet(Preis=cell)))
    assert Device.objects.get().price == Decimal(price)


@pytest.mark.parametrize("cell", ["-1", "12,345", "1.2.3", "1e9", "99999999999"])
def test_what_is_no_money(school, product, cell):
    assert [column for _line, column, _text in told(check("devices", listed(tablet(Preis=cell))))] == ["Preis"]


@pytest.mark.parametrize(
    "cell", ["31.12.2024", "2024-12-31", "2024-12-31 10:00:00", "2024-12-31T10:00:00", "2024-12-30T23:30:00Z",
             "31.12.2024 10:00"],
)  # fmt: skip
def test_days(school, product, cell):
    take_in("devices", listed(tablet(Kaufdatum=cell)))
    assert Device.objects.get().bought_on == datetime.date(2024, 12, 31)


@pytest.mark.parametrize("cell", ["12/31/2024", "31.13.2024", "2024-02-30", "heute", "2024", "01.01.1980"])
def test_what_is_no_day(school, product, cell):
    assert [column for _line, column, _text in told(check("devices", listed(tablet(Kaufdatum=cell))))] == ["Kaufdatum"]


def test_no_list_retires_a_device_that_a_grant_binds_nor_hands_it_over(school, product):
    device = factories.DeviceFactory(product=product, serial="SN-1", school=school, since=clock.today() - DAY)
    services.bind_device(
        device=device, until=datetime.date(clock.today().year + 4, 12, 31), file_reference="48.03-1",
        by=factories.ClerkFactory(),
    )  # fmt: skip
    wrong = check("devices", listed(tablet(Status="ausgesondert", Eigentum="elternfinanziert")))

    sentence = (
        f"Dieses Gerät ist zweckgebunden bis 31.12.{clock.today().year + 4} (48.03-1)."
        " Bis dahin wird es nicht ausgesondert, verkauft oder abgegeben."
    )
    assert told(wrong) == [(2, "Status", sentence), (2, "Eigentum", sentence)]
    lost = take_in("devices", listed(tablet(Status="verloren")))
    assert lost.state == ImportState.APPLIED
    device.refresh_from_db()
    assert (device.status, device.bound_by) == ("lost", "48.03-1")
