"""New devices that are alike are read once and written in masses: the same as each row for itself through the ORM."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core import clock
from apps.core.imports import engine
from apps.inventory.imports import devices
from apps.inventory.imports.devices import DevicesSource
from apps.inventory.models import Device, Loan, Placement, Product
from apps.inventory.placing import search_text_of
from apps.inventory.services import alike, masses, newcomers
from apps.schools.models import School
from tests import factories
from tests.inventory.lists import PLAIN, table
from tests.schools.importing import check, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


RUNNING = re.compile(r"HAM-\d{6}", re.IGNORECASE)


def rows() -> list[dict[str, str]]:
    """Devices in use, in the depot, lost; with and without a number, a price, a day, a room."""
    found = []
    for number in range(60):
        status = ("in Gebrauch", "Lager", "verloren")[number % 3]
        found.append({
            "Inventarnummer": f"T-{number}" if number % 2 else "", "Seriennummer": f"SN{number}" if number % 5 else "",
            "Hersteller": "Apple", "Modell": ("iPad 9", "iPad Größe L")[number % 2], "Geräteart": "Tablet",
            "Schulnummer": "" if status == "Lager" else f"12060{number % 3}",
            "Raum": "R \\N 1" if number % 4 == 0 and status == "in Gebrauch" else "",
            "Eigentum": ("gekauft", "geleast")[number % 2], "Preis": "449,50" if number % 7 else "",
            "Kaufdatum": "01.08.2024" if number % 3 else "", "Status": status,
            "Notiz": "a\\b;\n\"c\"" if number % 2 else "",
        })  # fmt: skip
    return [row for row in found if row["Inventarnummer"] or row["Seriennummer"]]


def all_written() -> dict[str, list[Any]]:
    """All that was written, but for keys and moments, and for which device has which of the running numbers."""
    products = {product.pk: f"{product} {product.kind_id}" for product in Product.objects.all()}
    known = {device.pk: device.tag for device in Device.objects.all()}
    skipped = {"id", "created_at", "history_id", "history_date", "device_id"}

    def plain(row: dict[str, Any], key: int) -> dict[str, Any]:
        more = {"of": known[key], "product_id": products.get(row.get("product_id"))}
        kept = {name: value for name, value in row.items() if name not in skipped} | more
        return {name: RUNNING.sub("running", str(value)) for name, value in kept.items()}

    return {
        "devices": sorted((plain(row, row["id"]) for row in Device.objects.values()), key=str),
        "placements": sorted((plain(row, row["device_id"]) for row in Placement.objects.values()), key=str),
        "history": sorted((plain(row, row["id"]) for row in Device.history.values()), key=str),
    }


Setting = Callable[[pytest.MonkeyPatch], None]


def in_masses(patch: pytest.MonkeyPatch) -> None:
    """However few rows there are, and however little alike."""
    patch.setattr(alike, "FEW", 1)
    patch.setattr(alike, "LEAST", 1)


def by_batches(patch: pytest.MonkeyPatch) -> None:
    """Each row for itself, new devices by the staging table."""
    patch.setattr(alike, "is_possible", lambda: False)
    patch.setattr(newcomers, "FEW", 1)
    plainly_read(patch)


def plainly_read(patch: pytest.MonkeyPatch) -> None:
    """The rules are asked for each row."""
    patch.setattr(DevicesSource, "_read_like", lambda _self, _row, _shape: False)
    patch.setattr(devices, "_plan_like", lambda _row, _shape: False)


def by_the_orm(patch: pytest.MonkeyPatch) -> None:
    plainly_read(patch)
    patch.setattr(masses, "is_possible", lambda: False)


def outcome(content: bytes, by: Any, setting: Setting) -> dict[str, Any]:
    """What a list says and writes, undone again."""
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        setting(patch)
        run = check("devices", content, by=by)
        shown = list(run.rows.order_by("line").values("line", "key", "label", "action", "changes", "errors", "hints"))
        written: dict[str, Any] = {"shown": shown, "counts": run.counts}
        if not run.counts["wrong"]:
            engine.request_apply(run, by=by)
            run = engine.apply(run.pk)
            assert (run.state, run.error) == ("applied", "")
            written |= all_written() | {"loans": Loan.objects.filter(state="out").count()}
            written["products"] = list(Product.objects.order_by("manufacturer", "model").values_list("model", "kind"))
            written["versions"] = list(School.objects.order_by("number").values_list("inputs_version", flat=True))
            for device in Device.objects.select_related("product", "school"):
                assert device.search_text == search_text_of(device)
        transaction.set_rollback(True)
    return written


@pytest.fixture
def clerk(db: None) -> Any:
    for number, name in enumerate(("GS Überweg", "RS Straße", "GY O\u0308st")):
        school = factories.SchoolFactory(number=f"12060{number}", short_name=name)
        factories.SiteFactory(school=school, name="Nebenstelle")
    for model in ("iPad 9", "iPad Größe L"):
        factories.ProductFactory(manufacturer="Apple", model=model)
    factories.DeviceFactory(serial="SN-ON-FILE", tag="ON-FILE", product=Product.objects.order_by("pk").first())
    return factories.ClerkFactory()


def test_all_ways_write_the_same(clerk: Any) -> None:
    content = table(PLAIN, rows())
    before = clock.now()
    expected = outcome(content, clerk, by_the_orm)

    assert len(expected["devices"]) == len(expected["history"]) == len(rows()) + 1 > 50
    assert len(expected["placements"]) == sum(1 for row in rows() if row["Status"] == "in Gebrauch")
    assert outcome(content, clerk, by_batches) == expected
    assert outcome(content, clerk, in_masses) == expected
    take_in("devices", content, by=clerk)
    assert all(device.created_at >= before for device in Device.objects.exclude(tag="ON-FILE"))


def test_the_first_row_of_a_list_says_what_a_new_product_is(clerk: Any) -> None:
    """Also where it is read on its own and those that follow together: its room has a letter beyond ASCII."""
    facts = {"Hersteller": "Apple", "Modell": "Neuheit", "Schulnummer": "120600", "Eigentum": "gekauft"}
    first = facts | {"Seriennummer": "SN0", "Geräteart": "Tablet", "Raum": "Büro", "Preis": "449,00"}
    others = [
        facts | {"Seriennummer": f"SN{number}", "Geräteart": "Notebook", "Raum": "R 1", "Preis": "999,00"}
        for number in range(1, 5)
    ]
    content = table(PLAIN, [first, *others])
    expected = outcome(content, clerk, by_the_orm)
    tablet = Product.objects.get(model="iPad 9").kind_id
    assert ("Neuheit", tablet) in expected["products"]
    assert outcome(content, clerk, by_batches) == expected
    assert outcome(content, clerk, in_masses) == expected


CELLS = {
    "Hersteller": st.just("Apple"), "Modell": st.sampled_from(["iPad 9", "iPad Größe L", "IPAD 9", "Neuheit"]),
    "Geräteart": st.sampled_from(["Tablet", "tablet", "Notebook"]),
    "Schulnummer": st.sampled_from(["120600", "120601", "120602", ""]),
    "Schulstandort": st.sampled_from(["", "", "Nebenstelle"]),
    "Raum": st.sampled_from(["", "R 1", "r  2", "Büro", "'=1", "R\\N", "e\u0301"]),
    "Eigentum": st.sampled_from(["gekauft", "geleast", ""]), "Preis": st.sampled_from(["", "0", "1.234,5", "449,00"]),
    "Kaufdatum": st.sampled_from(["", "01.08.2024"]),
    "Status": st.sampled_from(["", "", "in Gebrauch", "Lager", "verliehen", "verloren", "ausgesondert"]),
    "Steht dort seit": st.sampled_from(["", "", "02.09.2024"]), "Zustand": st.sampled_from(["", "gut"]),
    "Zweckgebunden bis": st.sampled_from(["", "", "31.12.2029"]),
    "Notiz": st.sampled_from(["", "a\tb", "\\N", '"{}"', "zwei\nZeilen"]),
}  # fmt: skip
HEADER = ("Inventarnummer", "Seriennummer", *CELLS, "Aktenzeichen der Zuwendung")


def listed(number: int, cells: dict[str, str], *, named: str, serial: str) -> dict[str, str]:
    """A row; mostly one that the rules allow, since a faulty one keeps the others from being written."""
    row = dict(cells)
    row["Aktenzeichen der Zuwendung"] = "48.03" if row["Zweckgebunden bis"] else ""
    if row["Status"] == "Lager" or not row["Schulnummer"]:
        row |= {"Schulnummer": "", "Schulstandort": "", "Raum": "", "Status": "Lager"}
    row["Inventarnummer"] = f"{named}{number}" if named else ""
    row["Seriennummer"] = f"{serial}{number}" if serial or not named else ""
    return row


ROW = st.tuples(
    st.fixed_dictionaries(CELLS), st.sampled_from(["", "t-", "T-"]), st.sampled_from(["", "sn ", "ÄÖ-", "N"])
)
FAULTY = st.sampled_from([{}, {}, {}, {"Preis": "viel"}, {"Raum": "R" * 61}, {"Seriennummer": "SN-ON-FILE"},
                          {"Inventarnummer": "T-0"}, {"Schulnummer": "99"}])  # fmt: skip


@given(drawn=st.lists(ROW, min_size=1, max_size=12), order=st.randoms(use_true_random=False), faulty=FAULTY)
@settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_lists_are_read_and_written_alike_all_ways(clerk, drawn, order, faulty) -> None:
    """Each drawn row stands in the list several times, with numbers of its own. Shrinking a list would take minutes."""
    copies = [row for row in drawn for _copy in range(order.randint(1, 4))]
    order.shuffle(copies)
    rows = [listed(number, cells, named=named, serial=serial) for number, (cells, named, serial) in enumerate(copies)]
    rows[-1] |= faulty
    content = table(HEADER, rows)
    expected = outcome(content, clerk, by_the_orm)

    assert outcome(content, clerk, by_batches) == expected
    assert outcome(content, clerk, in_masses) == expected


def test_what_stands_on_file_by_now_is_noticed_before_masses_are_written(clerk: Any) -> None:
    """A device that somebody added after the check: nothing is written, or nothing is left to write."""
    content = table(PLAIN, rows())
    run = check("devices", content, by=clerk)
    factories.DeviceFactory(tag="T-1", product=Product.objects.order_by("pk").first())
    engine.request_apply(run, by=clerk)
    run = engine.apply(run.pk)

    assert (run.state, Device.objects.count()) == ("checked", 2)
    assert "haben sich seit der Prüfung geändert" in run.error
