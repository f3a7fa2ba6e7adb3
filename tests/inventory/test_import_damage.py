"""Large and damaged lists: every fault named in one pass, nothing written, memory bounded."""

import datetime
import io
import random
import tracemalloc
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from apps.core.models import ImportRow, ImportRun
from apps.inventory.models import Device, Placement
from apps.schools.models import School
from tests import factories
from tests.core.workbooks import HOSTILE, book
from tests.inventory.lists import PLAIN, table
from tests.schools.importing import check, take_in, told

pytestmark = pytest.mark.django_db
FAULTS = {
    "Inventarnummer": "A_1",
    "Preis": "viel",
    "Kaufdatum": "31.02.2024",
    "Status": "verschwunden",
    "Eigentum": "geklaut",
    "Schulnummer": "99",
    "Geräteart": "Toaster",
    "Modell": "unbekannt",
    "Raum": "R" * 61,
    "Seriennummer": "X" * 81,
}
"""Column -> a cell that is wrong there."""


@pytest.fixture(autouse=True)
def on_file() -> None:
    for number in range(20):
        factories.SchoolFactory(number=f"{120600 + number}")
    factories.ProductFactory(manufacturer="Apple", model="iPad 10")


def rows_of(quantity: int) -> list[dict[str, str]]:
    return [
        {"Inventarnummer": f"T-{n:06d}", "Seriennummer": f"SN-{n:06d}", "Hersteller": "Apple", "Modell": "iPad 10",
         "Geräteart": "Tablet", "Schulnummer": f"{120600 + n % 20}", "Raum": f"R {n % 40}", "Eigentum": "gekauft",
         "Preis": "449,00", "Kaufdatum": "01.08.2024", "Status": "in Gebrauch", "Notiz": ""}
        for n in range(quantity)
    ]  # fmt: skip


def test_500_seeded_faults_are_all_named_and_once_mended_one_run_writes_all():
    quantity = 10_000
    rng = random.Random(20261122)
    rows, seeded = rows_of(quantity), []
    for place in sorted(rng.sample(range(quantity), 500)):
        column = rng.choice(list(FAULTS))
        bad = FAULTS[column]
        rows[place][column] = f"{bad}{place}"
        if column == "Modell":
            rows[place]["Geräteart"] = ""
        seeded.append((place + 2, column))
    run = check("devices", table(PLAIN, rows))

    assert [(line, column) for line, column, _text in told(run)] == seeded
    assert all(text for _line, _column, text in told(run))
    assert (run.counts["wrong"], run.counts["new"]) == (500, quantity - 500)
    assert (Device.objects.count(), Placement.objects.count()) == (0, 0)

    run = take_in("devices", table(PLAIN, rows_of(quantity)))
    assert (run.state, run.counts["new"], run.counts["wrong"]) == ("applied", quantity, 0)
    assert Device.objects.count() == Placement.objects.filter(until=None).count() == quantity
    assert Device.history.count() == quantity
    assert {school.inputs_version for school in School.objects.all()} == {School().inputs_version + 1}


def test_the_number_of_statements_does_not_grow_with_the_rows(django_assert_max_num_queries):
    """At most so many for each chunk of 500 rows, on checking and on writing."""
    take_in("devices", table(PLAIN, rows_of(500)))
    moved = [row | {"Schulnummer": "120600", "Preis": "500"} for row in rows_of(500)]
    with django_assert_max_num_queries(100):
        run = take_in("devices", table(PLAIN, moved))
    assert run.counts["changed"] == 500


def outcome(path, content: bytes) -> tuple[int, str]:
    path.write_bytes(content)
    try:
        call_command("import_devices", str(path), stdout=io.StringIO())
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


BOOKS = ("bomb", "entities", "million-columns", "cut-off-workbook", "no-workbook")
HEAD = table(PLAIN, []).decode("utf-8-sig")
GOOD = table(PLAIN, rows_of(3)).decode("utf-8-sig")


@pytest.mark.parametrize(
    "content",
    [
        lambda: random.Random(1).randbytes(300_000),
        lambda: bytes(byte or 1 for byte in random.Random(2).randbytes(300_000)),
        lambda: b"",
        lambda: b"\n\n\n",
        (GOOD + '"T-9;').encode,
        lambda: GOOD.encode()[:-30] + "ä".encode()[:1],
        lambda: GOOD.encode("utf-16"),
        (HEAD + "x" * 10 * 1024 * 1024).encode,
        (HEAD + '"' + "x\n" * 5 * 1024 * 1024 + '"').encode,
        (HEAD + ";" * 1_000_000).encode,
        lambda: (";".join(f"Spalte {n}" for n in range(1_000_000))).encode(),
        lambda: ("\n".join(f"{n};" for n in range(150_000))).encode(),
        lambda: b"%PDF-1.7",
        *(HOSTILE[name] for name in BOOKS),
    ],
    ids=["random", "random-text", "empty", "blank", "open-quote", "cut-off", "utf-16", "10-MB-line", "10-MB-cell",
         "million-cells", "million-columns", "too-many-rows", "pdf", *BOOKS],
)  # fmt: skip
def test_damaged_files_end_with_2_and_one_sentence(tmp_path, content):
    code, sentence = outcome(tmp_path / "list.csv", content())

    assert code == 2
    assert sentence.endswith(".")
    assert (ImportRun.objects.count(), ImportRow.objects.count(), Device.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "content", [(HEAD + "x" * 10 * 1024 * 1024).encode(), HOSTILE["bomb"]()], ids=["10-MB-cell", "zip-bomb"]
)
def test_memory_stays_small(tmp_path, content):
    tracemalloc.start()
    code, _sentence = outcome(tmp_path / "list.csv", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (code, peak < 5 * 1024 * 1024) == (2, True)


def test_a_workbook_is_taken_in_like_a_table(tmp_path):
    """Numbers, days and formulas as their values; text keeps its zeros and what looks like a formula."""
    header = ["Inventarnummer", "Seriennummer", "Hersteller", "Modell", "Geräteart", "Schulnummer", "Raum", "Preis",
              "Kaufdatum", "Notiz"]  # fmt: skip
    rows = [
        ["T-1", "00123", "Apple", "iPad 10", "Tablet", 120600, "=SUM(1)", 449.5, datetime.date(2024, 8, 1), "'@x"],
        ["T-2", 4711, "Apple", "iPad 10", "Tablet", "120601", "'3", Decimal("1234.50"), None, "a_x000D_b"],
    ]
    assert outcome(tmp_path / "list.xlsx", book(header, rows, formulas={"J3": ("=1+1", "zwei")})) == (0, "")

    facts = Device.objects.order_by("tag").values_list("serial", "school__number", "room", "price", "bought_on", "note")
    assert list(facts) == [
        ("00123", "120600", "=SUM(1)", Decimal("449.50"), datetime.date(2024, 8, 1), "'@x"),
        ("4711", "120601", "'3", Decimal("1234.50"), None, "zwei"),
    ]


def test_500_faults_in_a_workbook_are_named_by_their_rows():
    rows = rows_of(1000)
    for number in range(0, 1000, 2):
        rows[number]["Preis"] = f"viel{number}"
    run = check("devices", book(PLAIN, [[row[name] for name in PLAIN] for row in rows]))

    assert [(line, column) for line, column, _text in told(run)] == [(n + 2, "Preis") for n in range(0, 1000, 2)]
    assert (run.counts["wrong"], run.counts["new"], run.encoding) == (500, 500, "xlsx")


def test_formula_cells_stay_text(tmp_path):
    rows = rows_of(1)
    rows[0] |= {"Raum": "=SUM(1)", "Notiz": "'@cmd", "Seriennummer": '="00123"'}
    assert outcome(tmp_path / "list.csv", table(PLAIN, rows))[0] == 0

    device = Device.objects.get()
    assert (device.room, device.note, device.serial) == ("=SUM(1)", "@cmd", "00123")
