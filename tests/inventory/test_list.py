"""The list of devices: what it shows by default, how it searches, and what it does in a large city."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.inventory import filters, services
from apps.schools import school_field
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/inventory/"
UPLOAD = "/admin/core/importrun/upload/devices/"


def tags(response) -> list[str]:
    return [str(row.record.tag) for row in response.context["table"].paginated_rows]


@pytest.fixture
def devices(clerk):
    school = factories.SchoolFactory(number="120674", short_name="Overbergschule")
    kept = factories.DeviceFactory(tag="A-1", serial="C02XY", school=school, room="Raum 1-12 Öst")
    gone = factories.DeviceFactory(tag="A-2", serial="C02XZ", school=school)
    services.retire_device(device=gone, by=clerk, reason="defekt")
    return kept, gone


def test_present_devices_are_shown_and_all_are_one_click_away(client, devices):
    page = client.get(LIST)

    assert tags(page) == ["A-1"]
    assert tags(client.get(LIST + page.context["filterset"].address_of_all())) == ["A-1", "A-2"]
    assert "stehen nicht in dieser Liste" in page.content.decode()
    assert tags(client.get(LIST, {"status": "retired"})) == ["A-2"]


def test_a_search_that_finds_nothing_present_leads_to_all_devices(client, devices):
    page = client.get(LIST, {"q": "c02x overberg gibtesnicht"})
    address, _label = page.context["table"].empty_action

    assert tags(page) == []
    assert address == "?q=c02x+overberg+gibtesnicht&status=all"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("raum öst", ["A-1"]),
        ("ost 1-12", ["A-1"]),
        ("c02 120674", ["A-1"]),
        ("overberg muster", ["A-1"]),
        ("1-13", []),
    ],
)
def test_words_are_found_in_number_serial_product_room_and_school(client, devices, typed, found):
    assert tags(client.get(LIST, {"q": typed})) == found


@pytest.mark.parametrize("most", [0, 1, 2_000])
def test_few_and_many_hits_are_the_same_rows_in_the_same_order(client, devices, monkeypatch, most):
    monkeypatch.setattr(filters, "FEW_HITS", most)
    factories.DeviceFactory(tag="A-0", serial="C02AA")

    assert tags(client.get(LIST, {"q": "c02", "sort": "-tag"})) == ["A-1", "A-0"]
    assert tags(client.get(LIST, {"q": "c02", "status": "all"})) == ["A-0", "A-1", "A-2"]


@pytest.mark.parametrize("typed", ["A-2", "a-2", "a 2", "C02XZ", "c02xz", "SC02XZ", " C02 XZ "])
def test_a_whole_number_leads_straight_to_the_device_even_a_retired_one(client, devices, typed):
    assert client.get(LIST, {"q": typed}).headers.get("Location") == "/inventory/A-2/"


def test_running_numbers_are_found_without_their_zeros_but_only_a_whole_number_leads_to_the_device(
    client, clerk, settings
):
    settings.TAG_PREFIX = "HAM"
    factories.DeviceFactory(tag="HAM-000012")

    for typed in ("ham12", "HAM-12", "HAM-0012"):
        assert tags(client.get(LIST, {"q": typed})) == ["HAM-000012"]
    for typed in ("ham 000012", "ham-000012"):
        assert client.get(LIST, {"q": typed}).headers.get("Location") == "/inventory/HAM-000012/"
    assert tags(client.get(LIST, {"q": "HAM-13"})) == []


def test_a_span_of_days_that_ends_before_it_begins_is_refused_at_its_field(client, devices):
    page = client.get(LIST, {"bought_from": "2026-03-02", "bought_until": "2026-03-01"})

    sentence = "Dieser Tag liegt vor „Gekauft ab“ (02.03.2026). Bitte geben Sie diesen oder einen späteren Tag ein."
    assert page.context["filterset"].form.errors == {"bought_until": [sentence]}
    text = page.content.decode()
    assert text.count(sentence) == 2, "at the field and where the rows would be"
    assert '<details class="portal-filters__more" open>' in text
    assert tags(client.get(LIST, {"bought_from": "2026-03-01", "bought_until": "2026-03-01"})) == []


def test_two_devices_called_so_are_listed(client, clerk):
    factories.DeviceFactory(tag="B-1", serial="X1")
    factories.DeviceFactory(tag="X1")

    assert tags(client.get(LIST, {"q": "x1"})) == ["B-1", "X1"]


def test_with_another_filter_or_as_a_file_a_search_stays_a_search(client, devices):
    assert tags(client.get(LIST, {"q": "A-1", "kind": "tablet"})) == ["A-1"]
    assert client.get(LIST, {"q": "A-1", "export": "csv"}).status_code == 200


def test_a_whole_number_of_a_foreign_device_is_no_hit(client):
    factories.DeviceFactory(tag="F-1", school=factories.SchoolFactory())
    client.force_login(factories.CoordinatorFactory(schools=[factories.SchoolFactory()]))

    page = client.get(LIST, {"q": "F-1"})

    assert (page.status_code, tags(page)) == (200, [])


def test_thousands_of_schools_do_not_sort_the_list(client, devices, monkeypatch):
    def sorts(page):
        return [header.label for header in page.context["table"].headers() if header.href]

    assert "Schule" in sorts(client.get(LIST))
    monkeypatch.setattr(school_field, "MOST_IN_A_LIST", 0)
    page = client.get(LIST, {"sort": "school", "status": "all"})
    assert sorts(page) == ["Inventarnummer", "Status", "Gekauft am"]
    assert tags(page) == ["A-1", "A-2"]


def test_among_thousands_of_schools_fewer_hits_are_counted(client, devices, monkeypatch):
    monkeypatch.setattr(filters, "FEW_HITS", 1)
    assert "2 Ergebnisse" in client.get(LIST, {"status": "all"}).content.decode()

    monkeypatch.setattr(school_field, "MOST_IN_A_LIST", 0)
    page = client.get(LIST, {"status": "all"})
    assert "mehr als 1 Ergebnisse" in page.content.decode()
    assert page.context["table"].count == 2


@pytest.mark.parametrize(
    ("typed", "schools_in_a_list", "said", "counted"),
    [
        ({"q": "c02xy"}, 150, "1 Ergebnis", 0),
        ({"q": "c02", "status": "all"}, 0, "mehr als 1 Ergebnisse", 0),
        ({"q": "c02", "status": "all"}, 150, "2 Ergebnisse", 1),
        ({"q": "", "status": "all"}, 0, "mehr als 1 Ergebnisse", 1),
    ],
)
def test_what_a_search_has_counted_is_not_counted_again(
    client, devices, monkeypatch, typed, schools_in_a_list, said, counted
):
    monkeypatch.setattr(filters, "FEW_HITS", 1)
    monkeypatch.setattr(school_field, "MOST_IN_A_LIST", schools_in_a_list)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(LIST, {**typed, "kind": "tablet"}).content.decode()

    assert said in page
    assert sum("COUNT(*) FROM (" in query["sql"] and "inventory_device" in query["sql"] for query in asked) == counted


def test_the_admin_counts_up_to_a_bound_and_says_so(client, devices, monkeypatch):
    monkeypatch.setattr("apps.core.tables.COUNT_LIMIT", 1)
    monkeypatch.setattr("apps.core.admin_pages.CappedPaginator.limit", 1)
    monkeypatch.setattr(school_field, "MOST_IN_A_LIST", 0)

    page = client.get("/admin/inventory/device/").content.decode()

    assert "mehr als 1 Geräte" in page
    assert "mehr als 1 Ergebnisse" in page
    assert "school__id__exact" not in page


def test_nothing_is_read_twice_for_a_page(client, devices):
    client.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        client.get(LIST)

    times = Counter(query["sql"] for query in asked)
    assert [sql for sql, number in times.items() if number > 1] == []


@pytest.mark.parametrize(
    ("person", "imports", "says"),
    [
        (factories.ClerkFactory, True, "„Geräte importieren“ oben liest eine ganze Liste ein"),
        (factories.CoordinatorFactory, False, "liest das Amt für schulische Bildung sie für Sie ein"),
        (factories.AuditorFactory, False, "Erfasst werden sie an den Schulen"),
    ],
)  # fmt: skip
def test_an_empty_list_leads_to_the_import_or_says_who_takes_lists_in(client, person, imports, says):
    client.force_login(person())
    page = client.get(LIST).content.decode()

    assert (UPLOAD in page, says in page) == (imports, True)
    assert not imports or client.get(UPLOAD).status_code == 200


def test_the_export_is_named_above_the_list(client, devices):
    page = client.get(LIST).content.decode()
    assert page.index('href="#export"') < page.index("<table") < page.index('id="export"')
