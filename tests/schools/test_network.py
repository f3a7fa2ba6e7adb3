"""Network and platforms: figures of a day, the page, the panel, the admin, and the import of the city's table."""

import csv
import datetime
import html
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.clock import today
from apps.core.models import ImportState
from apps.schools.choices import PlatformState
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork, School, Site
from apps.schools.network import network_summary
from apps.schools.site_map import Place, draw
from tests.factories import ClerkFactory, CoordinatorFactory, HeadFactory, SchoolFactory
from tests.schools.importing import actions, changes, check, take_in, told

pytestmark = pytest.mark.django_db
PAGE = "/schools/network/"


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def site(number: str, name: str = "GG Birken", **facts: Any) -> Site:
    school = SchoolFactory(number=number, short_name=name, sort_key=name.lower())
    return Site.objects.create(school=school, name="Hauptstandort", is_main=True, **facts)


@pytest.fixture
def city() -> dict[str, Site]:
    """Two schools of the city with two dated states each, one of another authority, one closed."""
    sites = {
        "100001": site("100001", "GG Birken", easting=410000, northing=5720000),
        "100002": site("100002", "GY Eiche", easting=415000, northing=5722000),
    }
    platform = Platform.objects.create(name="IServ")
    for number, since, mbits in (("100001", "2021-03-01", 500), ("100001", "2023-03-01", 1000),
                                 ("100002", "2024-01-01", 1000)):  # fmt: skip
        FibreLine.objects.create(site=sites[number], since=day(since), mbits=mbits)
    for number, counted, rooms in (("100001", "2020-12-31", (20, 10, 5)), ("100001", "2022-12-31", (20, 20, 15)),
                                   ("100002", "2022-12-31", (30, 15, 30))):  # fmt: skip
        RoomNetwork.objects.create(site=sites[number], counted_on=day(counted), rooms=rooms[0],
                                   rooms_with_lan=rooms[1], rooms_with_wifi=rooms[2])  # fmt: skip
    for number, since, state in (("100001", "2020-05-01", "in_use"), ("100002", "2021-01-01", "planned"),
                                 ("100002", "2022-01-01", "in_use"), ("100001", "2025-01-01", "ended")):  # fmt: skip
        PlatformStatus.objects.create(school=sites[number].school, platform=platform, since=day(since), state=state)
    for year, posts in ((2020, "4.5"), (2022, "6"), (2024, "8.25")):
        ItStaffing.objects.create(year=year, full_time_posts=Decimal(posts))
    other = Site.objects.create(school=SchoolFactory(number="900001", foreign=True), name="X", is_main=True)
    closed = Site.objects.create(school=SchoolFactory(closed_on=day("2019-08-01")), name="X", is_main=True)
    for elsewhere in (other, closed):
        FibreLine.objects.create(site=elsewhere, since=day("2019-01-01"), mbits=9)
    return sites


@pytest.mark.parametrize(
    ("asked", "fibre", "rooms", "lan", "wifi", "in_use", "planned", "posts"),
    [
        ("2020-01-01", 0, 0, 0, 0, 0, 0, "4.5"),
        ("2020-12-31", 0, 20, 10, 5, 1, 0, "4.5"),
        ("2021-03-01", 1, 20, 10, 5, 1, 1, None),
        ("2022-12-31", 1, 50, 35, 45, 2, 0, "6"),
        ("2024-12-31", 2, 50, 35, 45, 2, 0, "8.25"),
        ("2025-01-01", 2, 50, 35, 45, 1, 0, None),
    ],
)
def test_summary_of_a_day(city: Any, asked: str, fibre: int, rooms: int, lan: int, wifi: int, in_use: int,
                          planned: int, posts: str | None) -> None:  # fmt: skip
    summary = network_summary(day(asked))
    (use,) = summary.platforms

    assert (summary.schools, len(summary.sites), summary.sites_on_fibre) == (2, 2, fibre)
    assert (summary.rooms, summary.rooms_with_lan, summary.rooms_with_wifi) == (rooms, lan, wifi)
    assert (use.in_use, use.planned) == (in_use, planned)
    assert summary.posts == (Decimal(posts) if posts else None)
    assert [row.year for row in summary.staffing] == [year for year in (2020, 2022, 2024) if year <= int(asked[:4])]


def test_bandwidth_and_first_day_of_fibre(city: Any) -> None:
    first = next(row for row in network_summary(day("2024-12-31")).sites if row.school.number == "100001")

    assert (first.mbits, first.fibre_since) == (1000, day("2021-03-01"))
    assert (network_summary(day("2020-01-01")).lan_percent, network_summary(day("2022-12-31")).lan_percent) == (
        None, Decimal(70))  # fmt: skip


@pytest.mark.parametrize("schools", [3, 12])
def test_summary_asks_the_same_however_many_schools(schools: int, django_assert_num_queries: Any) -> None:
    for n in range(schools):
        FibreLine.objects.create(site=site(f"{200000 + n}"), since=day("2020-01-01"), mbits=1000)
    with django_assert_num_queries(7):
        network_summary(today())


@pytest.mark.parametrize(("lan", "wifi"), [(11, 5), (5, 11)])
def test_never_more_rooms_with_network_than_rooms(lan: int, wifi: int) -> None:
    place = site("100001")
    with pytest.raises(IntegrityError), transaction.atomic():
        RoomNetwork.objects.create(site=place, counted_on=today(), rooms=10, rooms_with_lan=lan, rooms_with_wifi=wifi)


# -- the map ------------------------------------------------------------------------------------------------------


def test_map_is_true_to_scale_and_north_is_up() -> None:
    south_west = Place("a", "/a/", 400000, 5700000, marked=True)
    north_east = Place("b", "/b/", 410000, 5705000, marked=False)
    same = Place("c", "/c/", 400000, 5700000, marked=True)
    drawn = draw([south_west, north_east, same])

    assert drawn is not None
    assert [(point.x, point.y) for point in drawn.points] == [(24, 300), (576, 24), (38, 300)]
    assert (drawn.height, drawn.scale_metres, drawn.scale_width) == (348, 2000, 110)


def test_a_finger_meets_a_point_from_as_far_as_no_other_point_is_nearer() -> None:
    eastings = (400000, 401000, 401040, 410000)
    drawn = draw([Place("x", "/x/", easting, 5700000, marked=True) for easting in eastings])

    assert drawn is not None
    assert [point.x for point in drawn.points] == [24, 79, 81, 576]
    assert [str(point.reach) for point in drawn.points] == ["27.5", "7.0", "7.0", "36.0"]


def test_map_of_one_place_and_of_none() -> None:
    drawn = draw([Place("a", "/a/", 400000, 5700000, marked=True)])

    assert drawn is not None
    assert [(point.x, point.y) for point in drawn.points] == [(24, 24)]
    assert draw([]) is None


# -- pages --------------------------------------------------------------------------------------------------------


def test_page_says_figures_map_and_list_of_a_day(client: Client, city: Any) -> None:
    client.force_login(HeadFactory())
    answer = client.get(PAGE + "?day=2022-12-31")
    text = answer.content.decode()

    for words in ("1 von 2", "90,0", "45 von 50 Räumen", "35 von 50 Räumen", "Schulen mit IServ", "Stand 31.12.2022"):
        assert words in text, words
    assert 'aria-label="GG Birken: Glasfaser 500\u202fMbit/s"' in text
    assert 'aria-label="GY Eiche: keine Glasfaser"' in text
    assert (text.count('class="map-fibre"'), text.count('class="map-none"')) == (2, 2)
    rows = [row.record for row in answer.context["table"].rows]
    assert [(row.school.number, row.mbits) for row in rows] == [("100001", 500), ("100002", None)]


def test_each_figure_of_the_network_opens_the_sites_that_it_counts(client: Client, city: Any) -> None:
    platform = Platform.objects.get()
    client.force_login(HeadFactory())
    text = client.get(PAGE + "?day=2021-03-01").content.decode()
    shown = {}
    for url in re.findall(r'href="(/schools/network/\?[^"]+#sites)"', text):
        answer = client.get(html.unescape(url).partition("#")[0])
        rows = [row.record.school.number for row in answer.context["table"].rows]
        shown[url.partition("shows=")[2].partition("#")[0]] = (rows, answer.context["shows"])
    assert shown == {
        "fibre": (["100001"], "Standorte mit Glasfaser"),
        "rooms": (["100001"], "Standorte mit gezählten Räumen"),
        f"{platform.pk}": (["100001"], "Standorte der Schulen mit IServ"),
    }
    everything = client.get(PAGE + "?day=2021-03-01&shows=nothing").context
    assert (len(everything["table"].rows), everything["shows"]) == (2, "")


def test_the_list_has_its_columns_in_school_order_and_three_values_on_a_phone(client: Client, city: Any) -> None:
    client.force_login(HeadFactory())
    text = client.get(PAGE + "?day=2022-12-31").content.decode()
    table = text[text.index("portal-table-scroll") :]
    head, body = table[table.index("<thead") : table.index("</thead>")], table[table.index("<tbody") :]

    names = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<th.*?</th>", head, re.DOTALL)]
    assert names == ["Schule", "Schulstandort", "Glasfaser", "Seit", "Räume mit LAN", "Räume mit WLAN", "Plattformen"]
    assert "<a" not in head, "the list stands in the order of the schools and sorts by nothing else"
    first = body[: body.index("</tr>")]
    assert re.findall(r'portal-card-value[^>]*data-label="([^"]+)"', first) == [
        "Glasfaser",
        "Räume mit LAN",
        "Räume mit WLAN",
    ]
    assert re.search(r'portal-card-title.*?href="/schools/100001/\?day=2022-12-31"', first, re.DOTALL)


def test_the_list_names_the_platforms_that_the_figures_count(client: Client, city: Any) -> None:
    citrix = Platform.objects.create(name="Citrix")
    other = School.objects.get(number="100002")
    for state, since in ((PlatformState.PLANNED, "2022-03-01"), (PlatformState.ENDED, "2023-03-01")):
        PlatformStatus.objects.create(school=other, platform=citrix, state=state, since=day(since))
    client.force_login(HeadFactory())

    def platforms(asked: str) -> dict[str, list[str]]:
        answer: Any = client.get(PAGE + f"?day={asked}&export=csv")
        lines = answer.getvalue().decode("utf-8-sig").splitlines()
        return {row["Schule"]: row["Plattformen"] for row in csv.DictReader(lines, delimiter=";")}

    assert platforms("2022-12-31") == {
        "GG Birken": "IServ",
        "GY Eiche": "Citrix (geplant), IServ",
    }
    assert platforms("2023-12-31") == {"GG Birken": "IServ", "GY Eiche": "IServ"}


def test_page_without_anything_and_with_a_wrong_day(client: Client) -> None:
    client.force_login(HeadFactory())
    text = client.get(PAGE + "?day=gestern").content.decode()

    for words in ("Das ist kein Tag.", "Noch hat kein Standort Koordinaten", "keine Angabe",
                  "Das IT-Personal für die Schulen ist noch nicht erfasst.", f"Stand {today():%d.%m.%Y}"):  # fmt: skip
        assert words in text, words


def test_coordinators_read_their_school_and_not_the_city(client: Client, city: Any) -> None:
    client.force_login(CoordinatorFactory(schools=[city["100001"].school]))
    text = client.get("/schools/100001/").content.decode()

    assert "Glasfaser 1.000\u202fMbit/s, seit 01.03.2021" in text
    assert "20 Räume, 20 mit LAN, 15 mit WLAN (gezählt am 31.12.2022)" in text
    assert "Netz der Stadt" not in text
    assert client.get(PAGE).status_code == 403
    assert client.get("/schools/100002/").status_code == 404
    assert list(FibreLine.objects.visible_to(client.get("/").wsgi_request.user).values_list("mbits", flat=True)) == [
        1000, 500]  # fmt: skip


def test_office_keeps_lines_and_they_have_a_history(client: Client, city: Any) -> None:
    clerk = ClerkFactory()
    client.force_login(clerk)
    answer = client.post("/admin/schools/fibreline/add/", {
        "site": city["100001"].pk, "since": "01.02.2026", "mbits": "2.000"})  # fmt: skip
    assert answer.status_code == 302
    line = FibreLine.objects.get(since=day("2026-02-01"))
    assert (line.mbits, line.history.get().history_user) == (2000, clerk)
    found = client.get("/admin/schools/fibreline/?q=birken").content.decode()
    assert ("GG Birken" in found, "GY Eiche" in found) == (True, False)


# -- the import ---------------------------------------------------------------------------------------------------

HEADER = "Schulnummer;Standort;Glasfaser Mbit/s;Glasfaser seit;Räume;Räume mit LAN;Räume mit WLAN"


def table(*rows: str, platforms: str = "") -> bytes:
    return "\n".join([HEADER + platforms, *rows]).encode("cp1252")


def test_the_citys_table_is_taken_in() -> None:
    Platform.objects.create(name="IServ")
    place = site("100001")
    Site.objects.create(school=place.school, name="Nord")
    clerk = ClerkFactory()
    rows = ["100001;;1.000;01.03.2022;20;18;15;01.08.2020", "100001;Nord;0;;5;0;0;"]
    run = take_in("network", table(*rows, platforms=";IServ seit"), by=clerk, counted_on="2024-12-31")

    assert (run.state, run.counts["changed"]) == (ImportState.APPLIED, 2)
    line = FibreLine.objects.get()
    assert (line.site, line.mbits, line.since, line.history.get().history_user) == (
        place, 1000, day("2022-03-01"), clerk)  # fmt: skip
    assert list(RoomNetwork.objects.order_by("pk").values_list("site__name", "counted_on", "rooms_with_wifi")) == [
        ("Hauptstandort", day("2024-12-31"), 15), ("Nord", day("2024-12-31"), 0)]  # fmt: skip
    status = PlatformStatus.objects.get()
    assert (status.state, status.since) == (PlatformState.IN_USE, day("2020-08-01"))
    again = check("network", table(*rows, platforms=";IServ seit"), counted_on="2025-12-31")
    assert again.counts["unchanged"] == 2


def test_later_tables_add_dated_rows() -> None:
    place = site("100001")
    take_in("network", table("100001;;500;01.03.2022;20;18;15"), counted_on="2022-12-31")
    run = take_in("network", table("100001;;1000;01.03.2024;20;20;15"), counted_on="2024-12-31")

    assert changes(run) == {"100001": {
        "mbits": [500, 1000], "fibre_since": ["2022-03-01", "2024-03-01"], "rooms_with_lan": [18, 20]}}  # fmt: skip
    assert list(place.fibre_lines.order_by("since").values_list("mbits", flat=True)) == [500, 1000]
    assert list(place.room_networks.order_by("counted_on").values_list("rooms_with_lan", flat=True)) == [18, 20]
    empty = check("network", table("100001;;;;;;"))
    assert empty.counts["unchanged"] == 1


def test_faults_of_the_table() -> None:
    Platform.objects.create(name="IServ")
    place = site("100001")
    site("100002")
    Site.objects.create(school=place.school, name="Nord")
    run = check("network", table(
        "100001;;1000;;;;;01.08.2020",
        "100001;Nord;;;10;11;5;01.09.2020",
        "100001;Süd;;;;;;",
        "100002;;;;10;;;",
        "100002;Hauptstandort;;;;;;",
        "10000;;;;;;;",
        "100009;;;;;;;",
        platforms=";IServ seit",
    ))  # fmt: skip

    assert told(run) == [
        (2, "Glasfaser", "Zur Glasfaser gehören beide Angaben: Bandbreite und seit wann."),
        (3, "Räume", "Es kann nicht mehr Räume mit Netz geben als Räume."),
        (3, "IServ seit", "Eine andere Zeile dieser Schule nennt einen anderen Tag."),
        (4, "Standort", "Diesen Standort hat die Schule nicht. Bitte legen Sie ihn zuerst in der Verwaltung an."),
        (5, "Räume", "Alle drei Zahlen der Räume sind nötig oder keine."),
        (7, "Schulnummer", "„10000“ ist keine Schulnummer: Sie hat sechs Ziffern."),
    ]
    assert actions(run)["100009"] == "not_on_file"


def test_the_same_site_twice() -> None:
    site("100001")
    run = check("network", table("100001;;;;10;5;5", "100001;Hauptstandort;;;10;5;5", "100001;;;;9;5;5"))

    assert [(line, column) for line, column, _text in told(run)] == [(3, "Standort"), (4, "Schulnummer")]


def test_unknown_platforms_refuse_the_file() -> None:
    site("100001")
    run = check("network", table("100001;;;;;;;01.08.2020", platforms=";Moodle seit"))

    assert run.state == ImportState.UNREADABLE
    assert run.error == "Diese Plattformen sind unbekannt: Moodle. Bitte legen Sie sie zuerst in der Verwaltung an."


def test_the_command_takes_the_table(tmp_path: Any) -> None:
    site("100001")
    path = tmp_path / "netz.csv"
    path.write_bytes(table("100001;;1000;01.03.2022;20;18;15"))
    rooms = "Räume – → 20; Räume mit LAN – → 18; Räume mit WLAN – → 15"
    out = io.StringIO()
    call_command("import_schools", str(path), "--source", "network", "--counted-on", "2024-12-31", stdout=out)

    assert out.getvalue().splitlines()[2:4] == [
        "Geändert: 1",
        f"  100001 GG Birken: Bandbreite in Mbit/s – → 1.000; Glasfaser seit – → 01.03.2022; {rooms}",
    ]
    assert School.objects.get().sites.get().fibre_lines.count() == 1


def test_queries_of_the_import_do_not_grow() -> None:
    Platform.objects.create(name="IServ")

    def queries(first: int, rows: int) -> int:
        numbers = [site(f"{first + n}").school.number for n in range(rows)]
        content = table(*(f"{n};;1000;01.03.2022;20;18;15;01.08.2020" for n in numbers), platforms=";IServ seit")
        with CaptureQueriesContext(connection) as captured:
            take_in("network", content, counted_on="2024-12-31")
        return len(captured)

    queries(200000, 1)
    assert queries(300000, 30) == queries(400000, 3)
