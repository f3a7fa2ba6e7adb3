"""Pages of loans: scanning for a class without script, lists without names, what the school and the device show."""

import csv
import datetime
import io

import pytest
from django.urls import reverse

from apps.core.clock import end_of_school_year, today
from apps.inventory import services
from apps.inventory.models import Device, Loan, LoanRules
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
TERMS = {"borrower": "pupil", "group": "7b", "due_on": None, "condition": "good"}


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Talschule")


@pytest.fixture
def coordinator(client, school):
    person = factories.CoordinatorFactory(schools=[school])
    client.force_login(person)
    return person


@pytest.fixture
def devices(school):
    product = factories.ProductFactory()
    return services.add_devices(
        product=product, quantity=3, school=school, by=factories.ClerkFactory(), serials=["SN-1", "SN-2", "SN-3"]
    )


def hand_out_address(**changes):
    chosen = {"school": "120674", "borrower": "pupil", "group": "7b", "due": "school_year", "condition": "good"}
    return reverse("inventory:hand_out", query=chosen | {"accessories": "Ladekabel"} | changes)


def told(response):
    outcome = response.context["outcome"]
    return (outcome.tone, outcome.title, outcome.text)


def test_a_class_set_goes_out_one_scan_after_the_other(client, devices, coordinator, school):
    address = hand_out_address()
    for code in (devices[0].tag, "sn-2", f"http://testserver/d/{devices[2].tag}"):
        response = client.post(address, {"code": code}, follow=True)

    last = Loan.objects.get(device=devices[2])
    assert told(response) == (
        "success", f"{devices[2].tag} ist ausgegeben", f"{devices[2].product}, Leihnummer {last.number}"
    )  # fmt: skip
    assert [loan.device_id for loan in response.context["rows"]] == [row.pk for row in reversed(devices)]
    for loan in Loan.objects.all():
        assert (loan.group, loan.borrower, loan.accessories, loan.school) == ("7b", "pupil", "Ladekabel", school)
        assert (loan.due_on, loan.until_school_year_ends) == (end_of_school_year(today()), True)
    assert set(Device.objects.values_list("status", flat=True)) == {"on_loan"}


@pytest.mark.parametrize("number", ["120686", "999999"])
def test_a_school_that_is_none_of_ones_own_matches_nothing(client, devices, coordinator, number):
    services.hand_out(device=devices[0], by=coordinator, **TERMS)
    factories.SchoolFactory(number="120686")
    page = client.get(reverse("inventory:loans", query={"school": number})).content.decode()
    assert "Zu diesen Filtern gibt es keine Einträge." in page
    assert "Alle anzeigen" in page
    assert "Noch wurde kein Gerät verliehen." not in page


def test_a_bar_code_of_apple_finds_the_device_as_in_a_stocktake(client, school, coordinator):
    device = factories.DeviceFactory(school=school, serial="DMPX12345678")
    client.post(hand_out_address(), {"code": "SDMPX12345678"})
    assert Loan.objects.get().device == device


def test_what_cannot_go_out_is_called_out_at_once(client, devices, coordinator):
    elsewhere = factories.DeviceFactory(school=factories.SchoolFactory(short_name="Bergschule"))
    services.send_to_repair(device=devices[1], by=coordinator)
    address = hand_out_address()
    client.post(address, {"code": devices[0].tag})
    known = {
        devices[0].tag: "ist schon verliehen",
        devices[1].tag: "ist in Reparatur",
        elsewhere.tag: "ist hier nicht bekannt",
        "GIBT-ES-NICHT": "ist hier nicht bekannt",
        "": "Bitte scannen Sie eine Nummer",
    }
    for code, words in known.items():
        tone, title, text = told(client.post(address, {"code": code}))
        assert (tone, title, words in text) == ("danger", "Nicht ausgeführt", True), text
    assert Loan.objects.count() == 1

    client.force_login(factories.ClerkFactory())
    assert "steht an einer anderen Schule (Bergschule)" in told(client.post(address, {"code": elsewhere.tag}))[2]


def test_the_last_one_is_undone(client, devices, coordinator):
    address = hand_out_address()
    client.post(address, {"code": devices[0].tag})
    loan = Loan.objects.get()

    response = client.post(address, {"undo": loan.number}, follow=True)

    assert told(response)[:2] == ("info", f"Die Ausgabe von {devices[0].tag} ist rückgängig gemacht.")
    loan.refresh_from_db()
    devices[0].refresh_from_db()
    assert (loan.state, devices[0].status, list(response.context["rows"])) == ("cancelled", "in_use", [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"group": ""}, "group"), ({"due": "day"}, "due_on"), ({"school": "999999"}, "school"), ({"due": "x"}, "due")],
)
def test_wrong_terms_lead_back_to_the_form(client, devices, coordinator, changes, field):
    address = hand_out_address(**changes)
    response = client.post(address, {"code": devices[0].tag})

    assert list(response.context["terms"].errors) == [field]
    assert not Loan.objects.exists()


def test_the_class_is_not_called_optional_where_pupils_need_it(client, coordinator, devices):
    for address in (reverse("inventory:hand_out"), reverse("inventory:lend", args=[devices[0].tag])):
        page = client.get(address).content.decode()
        label = page.partition('for="id_group"')[2].partition("</label>")[0]
        assert "Klasse oder Gruppe" in label
        assert "freiwillig" not in label
        assert "Lehrkräfte brauchen keine" in page


def test_after_midnight_the_undo_says_what_to_do_instead(client, devices, coordinator):
    loan = services.take_back(loan=services.hand_out(device=devices[0], by=coordinator, **TERMS), by=coordinator)
    Loan.objects.filter(pk=loan.pk).update(since=today() - DAY, ended_on=today() - DAY)

    for method in (client.get, client.post):
        response = method(reverse("inventory:loan_undo-return", args=[loan.number]), follow=True)
        (said,) = [str(message) for message in response.context["messages"]]
        assert said.startswith("Eine Rückgabe lässt sich nur am selben Tag rückgängig machen. Bitte geben Sie")
    response = client.post(reverse("inventory:take_back"), {"undo": loan.number})
    assert told(response)[2].startswith("Eine Rückgabe lässt sich nur am selben Tag rückgängig machen.")


def test_the_loan_number_of_the_receipt_takes_back_too(client, devices, coordinator):
    loans = [services.hand_out(device=row, by=coordinator, **TERMS) for row in devices[:2]]
    address = reverse("inventory:take_back")
    assert "Die Leihnummer vom Leihschein geht auch." in client.get(address).content.decode()

    response = client.post(address, {"code": loans[0].number.lower()}, follow=True)
    assert told(response)[:2] == ("success", f"{devices[0].tag} ist zurück")
    client.post(address, {"code": loans[1].number.replace("-", "")})
    assert list(Loan.objects.order_by("pk").values_list("state", flat=True)) == ["returned", "returned"]

    said = told(client.post(address, {"code": loans[0].number}))
    assert said[2] == f"Die Leihe {loans[0].number} von {devices[0].tag} ist beendet: „zurück“."


def test_a_loan_number_of_another_school_is_unknown(client, coordinator):
    elsewhere = factories.DeviceFactory(school=factories.SchoolFactory())
    loan = services.hand_out(device=elsewhere, by=factories.ClerkFactory(), **TERMS)
    said = told(client.post(reverse("inventory:take_back"), {"code": loan.number}))
    assert f"„{loan.number}“ ist hier nicht bekannt" in said[2]
    assert Loan.objects.get().is_open


def test_the_class_comes_back_by_scanning(client, devices, coordinator):
    loans = [services.hand_out(device=row, by=coordinator, **TERMS) for row in devices]
    address = reverse("inventory:take_back", query={"school": "120674", "group": "7B"})
    assert len(client.get(address).context["missing"]) == 3

    client.post(address, {"code": devices[0].tag})
    response = client.post(address, {"code": "SN-2", "condition": "damaged", "damage": "Riss"}, follow=True)

    assert told(response) == (
        "success", f"{devices[1].tag} ist zurück", f"Leihnummer {loans[1].number}, 7b, Zustand: beschädigt"
    )  # fmt: skip
    states = dict(Loan.objects.values_list("device_id", "condition_back"))
    assert states == {devices[0].pk: "good", devices[1].pk: "damaged", devices[2].pk: ""}
    assert [loan.pk for loan in response.context["rows"]] == [loans[1].pk, loans[0].pk]
    assert response.context["missing"] == [loans[2]]
    assert "ist nicht verliehen" in told(client.post(address, {"code": "SN-1"}))[2]

    response = client.post(address, {"undo": loans[1].number}, follow=True)
    assert "bleibt verliehen" in told(response)[1]
    assert set(response.context["missing"]) == {loans[1], loans[2]}


def test_a_single_device_is_lent_and_taken_back_on_its_page(client, devices, coordinator):
    device = devices[0]
    data = {"borrower": "teacher", "due": "day", "due_on": f"{today() + 9 * DAY:%d.%m.%Y}", "condition": "new"}
    assert "borrower_name" not in client.get(f"/inventory/{device.tag}/lend/").context["form"].fields

    client.post(f"/inventory/{device.tag}/lend/", data | {"damage": "Delle", "remark": "Dienstgerät"})

    loan = Loan.objects.get()
    assert (loan.borrower, loan.due_on, loan.condition_out) == ("teacher", today() + 9 * DAY, "new")
    assert (loan.damage_out, loan.remark, loan.until_school_year_ends) == ("Delle", "Dienstgerät", False)
    page = client.get(f"/inventory/{device.tag}/").content.decode()
    assert loan.number in page
    client.post(f"/inventory/{device.tag}/returned/", {"condition": "", "damage": ""})
    loan.refresh_from_db()
    assert (loan.state, loan.condition_back) == ("returned", "new")


def test_the_list_filters_by_state_and_class_and_finds_numbers(client, devices, coordinator):
    due = (today() - DAY, today() + 5 * DAY, today() + 90 * DAY)
    loans = [
        services.hand_out(device=row, by=coordinator, **TERMS | {"group": f"{number}a"})
        for number, row in enumerate(devices, start=5)
    ]
    for loan, day in zip(loans, due, strict=True):
        Loan.objects.filter(pk=loan.pk).update(due_on=day, since=today() - 30 * DAY)

    def found(**query):
        return {loan.pk for loan in client.get("/loans/", query).context["table"].data.data}

    first, second, third = (loan.pk for loan in loans)
    assert found() == {first, second, third}
    assert found(state="overdue") == {first}
    assert found(state="due_soon") == {second}
    assert found(group="7A") == {third}
    assert found(q=loans[1].number.lower()) == {second}
    assert found(q=f"http://testserver/d/{devices[2].tag}") == {third}
    assert found(device=devices[0].tag) == {first}
    assert found(state="returned") == set()
    assert "Überfällig" in client.get("/loans/", {"state": "overdue"}).content.decode()


@pytest.mark.parametrize("names", [True, False])
def test_names_are_shown_to_the_school_only_while_the_city_stores_them(client, devices, coordinator, names):
    rules = LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    loan = services.hand_out(device=devices[0], by=coordinator, **TERMS, borrower_name="Kim Muster")
    LoanRules.objects.filter(pk=rules.pk).update(names_allowed=names)
    pages = ("/loans/", loan.get_absolute_url(), "/loans/?export=csv")

    def texts():
        answers = [client.get(page) for page in pages]
        return [b"".join(row) if row.streaming else row.content for row in answers]

    assert [b"Kim Muster" in text for text in texts()] == [names] * 3
    header = next(csv.reader(io.StringIO(texts()[2].decode("utf-8-sig")), delimiter=";"))
    assert ("Name" in header) == names
    client.force_login(factories.AuditorFactory())
    assert [b"Kim Muster" in text for text in texts()] == [False] * 3


def test_the_school_sees_how_many_are_out(client, devices, coordinator, school):
    for row in devices[:2]:
        services.hand_out(device=row, by=coordinator, **TERMS)
    Loan.objects.filter(device=devices[0]).update(due_on=today() - DAY, since=today() - 2 * DAY)

    page = client.get(f"/schools/{school.number}/").content.decode()
    assert "2 Geräte sind verliehen" in page
    assert "1 davon ist überfällig" in page
    client.force_login(factories.HeadFactory())
    assert "verliehen" not in client.get(f"/schools/{school.number}/").content.decode()


@pytest.mark.parametrize("step", ["undo", "undo-return"])
def test_a_step_that_asks_nothing_has_its_button(client, devices, coordinator, step):
    loan = services.hand_out(device=devices[0], by=coordinator, **TERMS)
    if step == "undo-return":
        services.take_back(loan=loan, by=coordinator)
    page = client.get(reverse(f"inventory:loan_{step}", args=[loan.number])).content.decode()
    form = page[page.index('class="portal-form"') :]
    assert "<button" in form
    assert "Rückgängig machen" in form
    assert "Abbrechen" in form


def test_what_is_no_longer_possible_leads_back_and_says_so(client, devices, coordinator):
    loan = services.hand_out(device=devices[0], by=coordinator, **TERMS)
    services.take_back(loan=loan, by=coordinator)

    response = client.post(f"/loans/{loan.number}/return/", {}, follow=True)
    assert "Das ist jetzt nicht möglich: Die Leihe ist „zurück“." in response.content.decode()


def test_what_was_lent_elsewhere_before_is_not_said_to_have_never_been_lent(client, devices, coordinator, school):
    device, following = devices[0], factories.SchoolFactory()

    def page_for(person):
        client.force_login(person)
        return client.get(device.get_absolute_url()).content.decode()

    everywhere = "Dieses Gerät war noch nie verliehen."
    assert everywhere in page_for(factories.ClerkFactory())
    services.take_back(loan=services.hand_out(device=device, by=coordinator, **TERMS), by=coordinator)
    services.move_device(device=device, school=following, by=factories.SupportFactory())

    one = page_for(factories.CoordinatorFactory(schools=[following]))
    several = page_for(factories.CoordinatorFactory(schools=[following, factories.SchoolFactory()]))
    assert "An Ihrer Schule war dieses Gerät noch nie verliehen." in one
    assert "An Ihren Schulen war dieses Gerät noch nie verliehen." in several
    assert everywhere not in one + several
    assert "noch nie verliehen" not in page_for(factories.ClerkFactory())


def test_loan_numbers_stay_on_one_line(client, devices, coordinator):
    loan = services.hand_out(device=devices[0], by=coordinator, **TERMS)
    link = f'href="{loan.get_absolute_url()}">{loan.number}</a>'
    listed = client.get(reverse("inventory:loans")).content.decode()
    scanned = client.get(hand_out_address()).content.decode()
    of_device = client.get(devices[0].get_absolute_url()).content.decode()
    assert 'class="kern-table__header portal-card-title portal-nowrap"' in listed
    assert [f'class="kern-link portal-nowrap" {link}' in page for page in (scanned, of_device)] == [True, True]
