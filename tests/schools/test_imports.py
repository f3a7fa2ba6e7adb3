"""The register of schools through the staged engine."""

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import jobs
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.imports import engine
from apps.core.imports.faults import faults_of
from apps.core.models import ImportRow, ImportRun, ImportState, JobState, RowAction
from apps.schools.models import School, SchoolAuthority, SchoolType, Site
from apps.schools.services import ensure_school_types
from tests.factories import ClerkFactory, SchoolFactory
from tests.schools.files import REGION, school, schuldaten

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def school_types() -> None:
    ensure_school_types()


def check(content: bytes, *, by: Any = None, **options: str) -> ImportRun:
    run = engine.create_run("schuldaten", by=by, file_name="schuldaten.csv", options=options)
    return engine.check(run.pk, io.BytesIO(content))


def take_in(content: bytes, *, by: Any = None, **options: str) -> ImportRun:
    run = check(content, by=by, **options)
    engine.request_apply(run, by=by)
    return engine.apply(run.pk)


def faults(run: ImportRun) -> list[tuple[int, str, str]]:
    rows = run.rows.filter(action=RowAction.WRONG)
    return [(row.line, fault.column, fault.text) for row in rows for fault in faults_of(row.errors)]


def figures(run: ImportRun) -> tuple[int, int, int, int, int]:
    counts = run.counts
    return counts["new"], counts["changed"], counts["unchanged"], counts["wrong"], counts["left_out"]


@pytest.mark.parametrize("newer", [False, True])
def test_first_file_makes_schools_sites_and_authorities(newer: bool) -> None:
    clerk = ClerkFactory()
    run = take_in(schuldaten(REGION, newer=newer), by=clerk)

    assert (run.state, figures(run), run.encoding) == (ImportState.APPLIED, (4, 0, 0, 0, 4), "utf-8")
    assert run.reasons == {"no_school": 2, "deleted": 2}
    row = School.objects.get(number="100002")
    assert (row.short_name, row.official_name) == ("GY Eiche", 'Gymnasium "Eiche" Städt. Gem. Grundschule')
    assert (row.school_type_id, row.legal_form, row.municipality_key, row.phone) == ("20", "1", "05915000", "02381 123")
    assert (row.opened_on, row.closed_on, row.sort_key) == (None, None, "gy eiche")
    site = Site.objects.get(school=row)
    assert (site.name, site.is_main, site.address) == ("Hauptstandort", True, "Birkenweg 1, 01234 Musterstadt")
    assert (site.easting, site.northing) == (413185, 5723914)
    assert list(SchoolAuthority.objects.order_by("number").values_list("number", "name", "is_own")) == [
        ("10315", "Stadt Hamm", True),
        ("20777", "Schulträger 20777", False),
        ("72000", "Schulträger 72000", False),
    ]
    record = row.history.get()
    assert (record.history_user, record.history_change_reason) == (clerk, "Aus der Datei „schuldaten.csv“")


def test_schools_of_other_authorities_never_count() -> None:
    take_in(schuldaten(REGION))

    assert [row.number for row in School.objects.counted_on(today())] == ["100001", "100002"]


@pytest.mark.parametrize(
    ("options", "numbers", "reasons"),
    [
        ({"authority": "10315"}, ["100001", "100002"], {"no_school": 2, "other_authority": 2, "deleted": 2}),
        ({"authority": "20777"}, ["100004"], {"no_school": 2, "other_authority": 5}),
        ({"municipality": "05915000"}, ["100001", "100002", "100003"],
         {"no_school": 2, "other_municipality": 1, "deleted": 2}),
        ({"municipality": "05978000"}, ["100004"], {"no_school": 2, "other_municipality": 5}),
    ],
)  # fmt: skip
def test_one_authority_or_municipality(options: dict[str, str], numbers: list[str], reasons: dict[str, int]) -> None:
    run = take_in(schuldaten(REGION), **options)

    assert list(School.objects.order_by("number").values_list("number", flat=True)) == numbers
    assert run.reasons == reasons


def test_same_file_again_changes_nothing() -> None:
    take_in(schuldaten(REGION))
    before = list(School.objects.order_by("pk").values_list("pk", "inputs_version"))
    records = School.history.count(), Site.history.count()
    run = take_in(schuldaten(REGION, newer=True))

    assert figures(run) == (0, 0, 4, 0, 4)
    assert list(School.objects.order_by("pk").values_list("pk", "inputs_version")) == before
    assert (School.history.count(), Site.history.count()) == records


def test_changes_are_shown_field_by_field_and_only_they_are_written() -> None:
    take_in(schuldaten(REGION))
    changed = school("100001", Kurzbezeichnung="Musterstadt, GG Ulme", Strasse="Ulmenweg 2", UTMRechtswert="413200")
    run = check(schuldaten([changed, *REGION[1:]]))

    assert figures(run) == (0, 1, 3, 0, 4)
    assert run.rows.get(action=RowAction.CHANGED).changes == {
        "short_name": ["GG Birken", "GG Ulme"],
        "street": ["Birkenweg 1", "Ulmenweg 2"],
        "easting": [413185, 413200],
    }
    assert School.objects.get(number="100001").short_name == "GG Birken"
    engine.request_apply(run, by=None)
    engine.apply(run.pk)
    row = School.objects.get(number="100001")
    assert (row.short_name, row.sort_key) == ("GG Ulme", "gg ulme")
    assert (row.history.count(), School.objects.get(number="100002").history.count()) == (2, 1)
    assert (Site.objects.get(school=row).street, Site.objects.get(school=row).easting) == ("Ulmenweg 2", 413200)


def test_schools_are_called_without_their_town_and_found_by_it() -> None:
    take_in(schuldaten(REGION))
    assert list(School.objects.order_by("number").values_list("short_name", flat=True)) == [
        "GG Birken", "GY Eiche", "BK Land", "Nachbarort, RS"]  # fmt: skip
    assert School.objects.search("musterstadt eiche").get().number == "100002"

    take_in(schuldaten([school(Ort="Neudorf", Kurzbezeichnung="Neudorf, GG Birken")]))
    row = School.objects.search("neudorf birken").get()
    assert (row.number, row.short_name, row.history.count()) == ("100001", "GG Birken", 1)
    assert figures(check(schuldaten([school(Ort="", Kurzbezeichnung="Neudorf, GG Birken")]))) == (0, 0, 1, 0, 0)


def test_figures_become_stale_only_where_a_school_counts_differently() -> None:
    take_in(schuldaten(REGION))
    versions = dict(School.objects.values_list("number", "inputs_version"))
    rows = [
        school("100001", Kurzbezeichnung="Anders"),
        school("100002", Kurzbezeichnung="Musterstadt, GY Eiche", Schulform="15"),
        REGION[2] | {"Traegernummer": "10315"},
    ]
    take_in(schuldaten(rows))

    after = dict(School.objects.values_list("number", "inputs_version"))
    assert {number: after[number] - versions[number] for number in versions} == {
        "100001": 0, "100002": 1, "100003": 1, "100004": 0}  # fmt: skip


def test_empty_cells_wipe_nothing_out() -> None:
    take_in(schuldaten([school()]))
    empty = school(E_Mail="", Homepage="", Strasse="", PLZ="", EPSG="null", UTMRechtswert="null", UTMHochwert="null",
                   Telefonvorwahl="", Telefon="", Schulbetriebsdatum="")  # fmt: skip

    assert figures(check(schuldaten([empty]))) == (0, 0, 1, 0, 0)


def test_all_faults_are_named_in_one_pass_and_nothing_is_written() -> None:
    rows = [
        school("10000"),
        school("100002", Schulform="81"),
        school("100003", Rechtsform="7", PLZ="1234", Schulbetriebsdatum="31.02.2024"),
        school("100004"),
        school("100004"),
        school("100005", Kurzbezeichnung="", Traegernummer=""),
        school("100006", Schulbetriebsschluessel="3", Schulbetriebsdatum=""),
    ]
    run = check(schuldaten(rows) + b'"100007";"02"\n')

    assert faults(run) == [
        (3, "Schulnummer", "„10000“ ist keine Schulnummer: Sie hat sechs Ziffern."),
        (4, "Schulform", "Der Schulformschlüssel „81“ ist unbekannt. Die Systemverwaltung kann ihn anlegen."),
        (5, "PLZ", "„1234“ ist keine Postleitzahl: Sie hat fünf Ziffern."),
        (5, "Rechtsform", "Der Schlüssel „7“ ist unbekannt; es gibt 1, 2."),
        (5, "Schulbetriebsdatum", "„31.02.2024“ ist kein Datum wie 01.08.2024."),
        (7, "Schulnummer", "„100004“ steht schon in Zeile 6; jede Nummer darf nur einmal vorkommen."),
        (8, "Kurzbezeichnung", "Die Zelle ist leer."),
        (8, "Traegernummer", "Die Zelle ist leer."),
        (9, "Schulbetriebsdatum", "Die Schule öffnet später (Schlüssel 3), aber das Datum fehlt."),
        (10, "", "Die Zeile hat 2 statt 23 Zellen; vielleicht ist sie abgeschnitten."),
        *[(10, column, "Die Zelle ist leer.") for column in (
            "Schulbezeichnung_1", "Kurzbezeichnung", "Rechtsform", "Traegernummer", "Gemeindeschluessel",
            "Schulbetriebsschluessel")],
    ]  # fmt: skip
    assert figures(run) == (1, 0, 0, 7, 0)
    with pytest.raises(DomainError, match="fehlerhafte Zeilen"):
        engine.request_apply(run, by=None)
    assert (School.objects.count(), SchoolAuthority.objects.filter(number="10315").count()) == (0, 0)


def test_faulty_rows_of_others_do_not_stop_the_own_ones() -> None:
    rows = [school("100001"), school("10", Traegernummer="20777", Schulform="81")]

    assert figures(take_in(schuldaten(rows), authority="10315")) == (1, 0, 0, 0, 1)


def test_a_type_that_the_city_added_is_known() -> None:
    SchoolType.objects.create(key="81", name="Neue Schulform")
    SchoolType.objects.create(key="99", name="Fortbildung", is_school=False)
    run = take_in(schuldaten([school("100001", Schulform="81"), school("100002", Schulform="99")]))

    assert (figures(run), run.reasons) == ((1, 0, 0, 0, 1), {"no_school": 1})


def test_bad_contact_data_are_a_hint_and_left_out() -> None:
    run = take_in(schuldaten([school(E_Mail="keine", Homepage="x y", EPSG="EPSG:4326")]))

    row = School.objects.get()
    assert (row.email, row.homepage, Site.objects.get().easting, run.counts["hints"]) == ("", "", None, 1)
    assert [(hint.column, hint.text) for hint in faults_of(run.rows.get().hints)] == [
        ("E-Mail", "„keine“ ist keine E-Mail-Adresse."),
        ("Homepage", "„x y“ ist keine Internetadresse."),
        ("EPSG", "Das Koordinatensystem „EPSG:4326“ ist unbekannt; die Koordinaten bleiben weg."),
    ]


def test_a_place_outside_the_state_is_a_hint_and_left_out_and_the_command_says_so(tmp_path: Path) -> None:
    path = tmp_path / "schuldaten.csv"
    path.write_bytes(schuldaten([school(UTMRechtswert="1", UTMHochwert="2")]))
    answer = io.StringIO()

    call_command("import_schools", path, source="schuldaten", stdout=answer)

    assert (Site.objects.get().easting, Site.objects.get().northing) == (None, None)
    assert answer.getvalue().splitlines()[-2:] == [
        "Hinweise: 1",
        "  Zeile 3, UTMRechtswert: Die Koordinaten liegen außerhalb von Nordrhein-Westfalen; sie werden ausgelassen.",
    ]


@pytest.mark.parametrize(
    ("state", "days", "opened", "closed"),
    [("1", -400, None, None), ("3", 40, 40, None), ("0", 40, None, 40), ("2", 400, None, 400), ("2", -9000, None, None),
     ("4", 40, None, None), ("6", 40, None, None)],
)  # fmt: skip
def test_the_day_means_what_its_key_says(state: str, days: int, opened: int | None, closed: int | None) -> None:
    def day(offset: int | None) -> datetime.date | None:
        return None if offset is None else today() + datetime.timedelta(offset)

    take_in(schuldaten([school(Schulbetriebsschluessel=state, Schulbetriebsdatum=f"{day(days):%d.%m.%Y}")]))

    row = School.objects.get()
    assert (row.operating_state, row.opened_on, row.closed_on) == (state, day(opened), day(closed))


def test_a_school_cannot_close_before_it_opens() -> None:
    opens, closes = today() + datetime.timedelta(100), today() + datetime.timedelta(50)
    take_in(schuldaten([school(Schulbetriebsschluessel="3", Schulbetriebsdatum=f"{opens:%d.%m.%Y}")]))
    run = check(schuldaten([school(Schulbetriebsschluessel="0", Schulbetriebsdatum=f"{closes:%d.%m.%Y}")]))

    assert [(line, column) for line, column, _text in faults(run)] == [(3, "Schulbetriebsdatum")]


def test_deleted_schools_that_are_open_here_are_named() -> None:
    take_in(schuldaten([school("100001"), school("100002")]))
    School.objects.filter(number="100002").update(closed_on=today())
    gone = [school(number, Schulbetriebsschluessel="9") for number in ("100001", "100002", "100003")]

    assert check(schuldaten(gone)).reasons == {"deleted_but_open": 1, "deleted": 2}


def test_an_existing_site_of_that_name_becomes_the_main_one() -> None:
    row = SchoolFactory(number="100001")
    Site.objects.create(school=row, name="Hauptstandort", street="Alt 1")
    take_in(schuldaten([school()]))

    assert list(Site.objects.values_list("name", "is_main", "street")) == [("Hauptstandort", True, "Birkenweg 1")]


# -- the engine around it -----------------------------------------------------------------------------------------


def test_applying_twice_is_harmless() -> None:
    first, second = check(schuldaten(REGION)), check(schuldaten(REGION))
    for run in (first, second):
        engine.request_apply(run, by=None)
        assert engine.apply(run.pk).state == ImportState.APPLIED
        assert engine.apply(run.pk).state == ImportState.APPLIED
        with pytest.raises(DomainError, match="schon übernommen"):
            engine.request_apply(run, by=None)

    assert (School.objects.count(), School.history.count(), Site.objects.count()) == (4, 4, 4)


def test_data_that_changed_since_the_check_are_not_overwritten() -> None:
    take_in(schuldaten(REGION))
    run = check(schuldaten([school(Kurzbezeichnung="Aus der Datei"), REGION[1] | {"Kurzbezeichnung": "Auch"}]))
    School.objects.filter(number="100002").update(short_name="Von Hand")
    engine.request_apply(run, by=None)
    run = engine.apply(run.pk)

    assert run.state == ImportState.CHECKED
    assert run.error.startswith("Die Daten haben sich seit der Prüfung geändert. Es wurde nichts übernommen;")
    assert School.objects.get(number="100001").short_name == "GG Birken"


def test_unreadable_file_ends_with_a_sentence() -> None:
    run = check(b"%PDF-1.7 something")

    assert (run.state, run.error) == (
        ImportState.UNREADABLE, "Das ist eine PDF-Datei. Bitte wählen Sie die Tabelle als XLSX oder CSV.")  # fmt: skip
    assert (run.job.state, run.rows.count()) == (JobState.FAILED, 0)


def test_header_without_rows_is_unreadable() -> None:
    assert check(schuldaten([])).error.startswith("Die Datei enthält unter der Kopfzeile keine Zeilen.")


def test_discarding_drops_rows_and_stops_a_check() -> None:
    run = check(schuldaten(REGION))
    engine.discard(run)
    waiting = engine.create_run("schuldaten", by=None, file_name="a.csv")
    engine.discard(waiting)
    waiting = engine.check(waiting.pk, io.BytesIO(schuldaten(REGION)))

    run.refresh_from_db()
    assert (run.state, waiting.state, ImportRow.objects.count()) == (ImportState.DISCARDED, ImportState.DISCARDED, 0)
    assert (run.job.state, waiting.job.state) == (JobState.DONE, JobState.DONE)
    with pytest.raises(DomainError):
        engine.request_apply(run, by=None)


def test_only_one_worker_does_a_check() -> None:
    run = engine.create_run("schuldaten", by=None, file_name="a.csv")
    assert jobs.begin_job(run.job)
    run = engine.check(run.pk, io.BytesIO(schuldaten(REGION)))

    assert (run.state, run.rows.count()) == (ImportState.CHECKING, 0)


def test_queries_do_not_grow_with_the_rows() -> None:
    def queries(first: int, rows: int) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as checking:
            run = check(schuldaten([school(f"{first + n}") for n in range(rows)]))
        engine.request_apply(run, by=None)
        with CaptureQueriesContext(connection) as writing:
            engine.apply(run.pk)
        return len(checking), len(writing)

    queries(200000, 1)
    assert queries(300000, 30) == queries(400000, 3)


def test_progress_is_kept_in_the_job() -> None:
    run = check(schuldaten(REGION))

    assert (run.job.state, run.job.done, run.job.result) == (JobState.DONE, 8, run.counts)
