"""What comes once a year: pupil counts, social index, directory, and the register again."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.models import ImportState, RowAction
from apps.schools.models import PupilCount, School, Site, SocialIndex
from tests.factories import ClerkFactory, DeviceFactory, ForeignAuthorityFactory, SchoolFactory
from tests.schools.files import REGION, counts, directory, school, schuldaten, social_index
from tests.schools.importing import actions, changes, check, take_in, told

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
COUNTED = datetime.date(2025, 10, 15)


@pytest.fixture
def schools() -> dict[str, School]:
    """Two schools of the city and one of another authority in another town."""
    other = ForeignAuthorityFactory(number="20777")
    return {
        "100001": SchoolFactory(number="100001", short_name="GG Birken", municipality_key="05915000"),
        "100002": SchoolFactory(number="100002", short_name="GY Eiche", municipality_key="05915000"),
        "100004": SchoolFactory(number="100004", short_name="RS", authority=other, municipality_key="05978000"),
    }


def versions() -> dict[str, int]:
    return dict(School.objects.order_by("number").values_list("number", "inputs_version"))


# -- pupil counts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", [False, True])
def test_exact_counts_of_the_statistics_day(schools: Any, bom: bool) -> None:
    clerk = ClerkFactory()
    run = take_in("counts", counts([("100001", "723"), ("100002", "1.161")], bom=bom), by=clerk, school_year="2025/26")

    assert (run.state, actions(run)) == (
        ImportState.APPLIED, {"100001": "new", "100002": "new", "100004": "missing"})  # fmt: skip
    assert list(PupilCount.objects.values_list("school__number", "pupils", "rounded", "counted_on", "school_year")) == [
        ("100001", 723, False, COUNTED, "2025/26"),
        ("100002", 1161, False, COUNTED, "2025/26"),
    ]
    assert (
        PupilCount.objects.filter(source="Ministerium für Schule und Bildung NRW, Schülerzahlen (dl-de/by-2-0)").count()
        == 2
    )
    assert versions() == {"100001": 2, "100002": 2, "100004": 1}
    assert PupilCount.history.first().history_user == clerk
    again = take_in("counts", counts([("100001", "723"), ("100002", "1161")]), school_year="2025/26")
    assert (again.counts["unchanged"], versions()["100001"], PupilCount.history.count()) == (2, 2, 2)


def test_another_day_is_another_count_and_the_same_day_corrects(schools: Any) -> None:
    take_in("counts", counts([("100001", "100")]), school_year="2025/26")
    take_in("counts", counts([("100001", "110")]), school_year="2025/26", counted_on="2026-02-01")
    run = take_in("counts", counts([("100001", "105")]), school_year="2025/26")

    assert changes(run) == {"100001": {"pupils": [100, 105]}}
    assert list(PupilCount.objects.order_by("counted_on").values_list("counted_on", "pupils")) == [
        (COUNTED, 105), (datetime.date(2026, 2, 1), 110)]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"100001": "new", "100004": "new", "999999": "not_on_file", "100002": "missing"}),
        ({"authority": "10315"}, {"100001": "new", "100004": "other_authority", "999999": "not_on_file",
                                  "100002": "missing"}),
        ({"municipality": "05978000"}, {"100001": "other_municipality", "100004": "new", "999999": "not_on_file"}),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named(schools: Any, options: dict[str, str], expected: dict[str, str]) -> None:
    content = counts([("100001", "10"), ("100004", "20"), ("999999", "30")])

    assert actions(take_in("counts", content, school_year="2025/26", **options)) == expected


def test_closed_schools_are_not_missed(schools: Any) -> None:
    School.objects.filter(number="100002").update(closed_on=datetime.date(2024, 8, 1))

    assert actions(check("counts", counts([("100001", "10")]), school_year="2025/26", authority="10315")) == {
        "100001": "new"}  # fmt: skip


def test_faulty_counts(schools: Any) -> None:
    rows = [("10001", "5"), ("100001", ""), ("100002", "viele"), ("100002", "50001"), ("100004", "-1")]

    assert told(check("counts", counts(rows), school_year="2025/26")) == [
        (3, "Schulnummer", "„10001“ ist keine Schulnummer: Sie hat sechs Ziffern."),
        (4, "Anzahl", "Die Zelle ist leer."),
        (5, "Anzahl", "„viele“ ist keine ganze Zahl."),
        (6, "Schulnummer", "„100002“ steht schon in Zeile 5; jede Nummer darf nur einmal vorkommen."),
        (6, "Anzahl", "50001 liegt nicht zwischen 0 und 50000."),
        (7, "Anzahl", "„-1“ ist keine ganze Zahl."),
    ]


# -- social index -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp850", "utf-8", "cp1252"])
def test_levels_in_any_encoding(schools: Any, encoding: str) -> None:
    SocialIndex.objects.create(school=schools["100001"], school_year="2024/25", level=5)
    content = social_index([("100001", "6"), ("100002", "ohne"), ("100004", "")], encoding=encoding)
    run = take_in("social-index", content, school_year="2025/26")

    assert (run.encoding, run.counts["new"], run.counts["unchanged"]) == (encoding, 1, 2)
    assert list(SocialIndex.objects.order_by("school_year").values_list("school__number", "school_year", "level")) == [
        ("100001", "2024/25", 5), ("100001", "2025/26", 6)]  # fmt: skip
    assert versions() == {"100001": 1, "100002": 1, "100004": 1}


def test_a_level_is_corrected_and_never_wiped_out(schools: Any) -> None:
    take_in("social-index", social_index([("100001", "6"), ("100002", "3")]), school_year="2025/26")
    run = take_in("social-index", social_index([("100001", "7"), ("100002", "ohne")]), school_year="2025/26")

    assert changes(run) == {"100001": {"level": [6, 7]}}
    assert told(run, "hints") == [
        (3, "Sozialindex", "Die Datei nennt für diese Schule keinen Sozialindex; Stufe 3 bleibt erfasst.")]  # fmt: skip
    assert SocialIndex.objects.get(school__number="100002").level == 3


@pytest.mark.parametrize("level", ["0", "10", "²", "a", "1,5"])
def test_faulty_levels(schools: Any, level: str) -> None:
    run = check("social-index", social_index([("100001", level)], encoding="utf-8"), school_year="2025/26")

    assert told(run) == [
        (2, "Sozialindexstufe", f"„{level}“ ist kein Sozialindex: Er geht von 1 bis 9.")]  # fmt: skip


# -- directory ----------------------------------------------------------------------------------------------------


def test_directory_moves_counts_and_ranks(schools: Any) -> None:
    row = schools["100001"]
    Site.objects.create(school=row, name="Hauptstandort", is_main=True, street="Alt 1", city="Musterstadt", easting=1)
    run = take_in("directory", directory([{}, {"Schulnummer": "100002", "Anzahl": ".", "Sozialindex": ""}]))

    assert changes(run)["100001"] == {
        "official_name": ["GG Birken der Stadt", "Birkenschule Städt. Gem. Grundschule"],
        "email": ["", "100001@schule.example"], "phone": ["", "02381 123"],
        "street": ["Alt 1", "Birkenweg 1"], "postal_code": ["", "01234"],
        "pupils": [None, 190], "rounded": [None, True], "level": [None, 6]}  # fmt: skip
    assert [hint[0] for hint in told(run, "hints")] == [2]
    count, index = PupilCount.objects.get(), SocialIndex.objects.get()
    assert (count.pupils, count.rounded, count.counted_on, count.school_year, count.source) == (
        190, True, datetime.date(2024, 10, 15), "2024/25", "IT.NRW, Verzeichnis der Schulen 2024/25 (dl-de/by-2-0)"
    )  # fmt: skip
    assert (index.school_year, index.level) == ("2025/26", 6)
    assert (Site.objects.get(school=row).street, row.history.count()) == ("Birkenweg 1", 2)
    assert School.objects.get(number="100001").short_name == "GG Birken"
    assert (versions()["100001"], versions()["100002"]) == (2, 1)
    assert take_in("directory", directory([{}])).counts["unchanged"] == 1


def test_a_rounded_count_never_replaces_an_exact_one(schools: Any) -> None:
    exact = PupilCount.objects.create(school=schools["100001"], school_year="2024/25", pupils=192,
                                      counted_on=datetime.date(2024, 10, 15))  # fmt: skip
    made_up = PupilCount.objects.create(school=schools["100002"], school_year="2024/25", pupils=50, generated=True,
                                        counted_on=datetime.date(2024, 10, 15))  # fmt: skip
    run = take_in("directory", directory([{}, {"Schulnummer": "100002"}]))

    assert told(run, "hints") == [
        (2, "Anzahl", "Für diesen Tag ist eine genaue Zahl erfasst (192); die gerundete bleibt weg.")]  # fmt: skip
    exact.refresh_from_db()
    made_up.refresh_from_db()
    assert (exact.pupils, exact.rounded) == (192, False)
    assert (made_up.pupils, made_up.rounded, made_up.generated) == (190, True, False)


def test_directory_adds_no_school_and_says_so(schools: Any) -> None:
    rows = [{}, {"Schulnummer": "100009"}, {"Schulnummer": "100008", "Amtlicher Gemeindeschlüssel": "05978000"}]

    assert actions(check("directory", directory(rows), municipality="05915000")) == {
        "100001": "changed", "100008": "other_municipality", "100009": "not_on_file", "100002": "missing"}  # fmt: skip
    assert actions(check("directory", directory(rows), authority="10315")) == {
        "100001": "changed", "100008": "not_on_file", "100009": "not_on_file", "100002": "missing"}  # fmt: skip


def test_faulty_directory(schools: Any) -> None:
    run = check("directory", directory([{"Schuljahr": "2024/26", "Anzahl": "etwa 5", "Postleitzahl": "123"}]))

    assert told(run) == [
        (2, "Schuljahr", "„2024/26“ ist kein Schuljahr wie 2024/25."),
        (2, "Postleitzahl", "„123“ ist keine Postleitzahl: Sie hat fünf Ziffern."),
        (2, "Anzahl", "„etwa 5“ ist keine ganze Zahl."),
    ]


# -- the register a year later --------------------------------------------------------------------------------------


def test_no_school_falls_away_unseen() -> None:
    take_in("schuldaten", schuldaten(REGION))
    a_year_later = [school("100001", Kurzbezeichnung="Musterstadt, GG Ulme"), school("100009")]
    a_year_later += [REGION[1] | {"Traegernummer": "72000"}]
    run = take_in("schuldaten", schuldaten(a_year_later), authority="10315")

    assert actions(run) == {"100001": "changed", "100002": "authority_changed", "100009": "new"}
    run = take_in("schuldaten", schuldaten(a_year_later[:1]), municipality="05915000")
    assert actions(run) == {"100002": "missing", "100003": "missing", "100009": "missing"}
    missing = run.rows.filter(action=RowAction.MISSING).order_by("key")
    assert [(row.line, row.key, row.label) for row in missing][:1] == [(None, "100002", "GY Eiche")]
    assert School.objects.filter(closed_on=None).count() == 5


def test_devices_are_found_by_the_new_name(django_capture_on_commit_callbacks: Any) -> None:
    take_in("schuldaten", schuldaten([school()]))
    device = DeviceFactory(school=School.objects.get())
    with django_capture_on_commit_callbacks(execute=True):
        take_in("schuldaten", schuldaten([school(Kurzbezeichnung="Musterstadt, GG Ulme")]))
    device.refresh_from_db()

    assert "gg ulme" in device.search_text


@pytest.mark.parametrize("source", ["counts", "social-index", "directory"])
def test_queries_do_not_grow_with_the_rows(source: str) -> None:
    def content(numbers: list[str]) -> bytes:
        if source == "counts":
            return counts([(number, "10") for number in numbers])
        if source == "social-index":
            return social_index([(number, "5") for number in numbers])
        return directory([{"Schulnummer": number} for number in numbers])

    def queries(first: int, rows: int) -> int:
        numbers = [SchoolFactory(number=f"{first + n}").number for n in range(rows)]
        options = {} if source == "directory" else {"school_year": "2025/26"}
        with CaptureQueriesContext(connection) as captured:
            take_in(source, content(numbers), **options)
        return len(captured)

    queries(200000, 1)
    assert queries(300000, 30) == queries(400000, 3)
