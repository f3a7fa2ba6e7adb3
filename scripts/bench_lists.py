"""Measures of lists of devices: taking in 100,000 rows, and exporting the demo's devices, against the bare COPY.

The import runs as `bench_lists.py FILE` in a process of its own, whose peak memory is that of a worker.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import django
from bench_table import Bench, median_ms, once_ms
from console import ROOT, step

ROWS = 100_000
IMPORT_LIMIT, MEMORY_LIMIT, EXPORT_LIMIT = 8, 400, 2
HEADER = ("Inventarnummer", "Seriennummer", "Hersteller", "Modell", "Geräteart", "Schulnummer", "Raum", "Eigentum",
          "Preis", "Kaufdatum", "Status", "Notiz")  # fmt: skip
STAGED = ", ".join(f"c{number} text" for number in range(len(HEADER)))
FLOOR = """
INSERT INTO inventory_device (tag, serial, product_id, kind_id, ownership, price, bought_on, status, school_id, room,
    note, created_at, search_text, condition, bound_by, disposal)
SELECT c0, c1, product.id, product.kind_id, 'bought', 44900, to_date(c9, 'DD.MM.YYYY'), 'in_use', school.id, c6, '',
    now(), lower(c0 || ' ' || c1 || ' ' || c2 || ' ' || c3 || ' ' || c6 || ' ' || c5), '', '', ''
FROM bench_staged
JOIN schools_school school ON school.number = c5
JOIN inventory_product product ON product.manufacturer = c2 AND product.model = c3
"""


def rows(quantity: int) -> Iterator[Sequence[str]]:
    """Clean rows: products of the catalogue, schools in turn."""
    from apps.inventory.models import Product
    from apps.schools.models import School

    schools = list(School.objects.filter(school_type__is_school=True, authority__is_own=True, closed_on=None)
                   .order_by("number").values_list("number", flat=True))  # fmt: skip
    products = list(Product.objects.select_related("kind").order_by("pk"))
    for number in range(quantity):
        product = products[number % len(products)]
        yield (f"L-{number:06d}", f"LSN{number * 7:08d}", product.manufacturer, product.model, product.kind.name,
               schools[number % len(schools)], f"R {number % 40}", "gekauft", "449,00", "01.08.2024", "in Gebrauch",
               "")  # fmt: skip


def write_list(path: Path, quantity: int) -> None:
    lines = [HEADER, *rows(quantity)]
    path.write_text("\n".join(";".join(line) for line in lines) + "\n", encoding="utf-8")


def copy_in(path: Path) -> Callable[[], None]:
    """COPY of the file as it is into a table of texts."""
    from django.db import connection

    def act() -> None:
        with connection.cursor() as cursor, path.open("rb") as file:
            cursor.execute("TRUNCATE bench_staged")
            statement = "COPY bench_staged FROM STDIN WITH (FORMAT csv, DELIMITER ';', HEADER)"
            with cursor.copy(statement) as copy:
                while chunk := file.read(256 * 1024):
                    copy.write(chunk)

    return act


def insert_only() -> None:
    """What PostgreSQL alone needs for the rows of one table with its indexes and keys; undone again."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FLOOR)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def copy_out(statement: str, parameters: Any) -> Callable[[], None]:
    from django.db import connection

    def act() -> None:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY ({statement}) TO STDOUT WITH (FORMAT csv, DELIMITER ';')", parameters) as copy,
        ):
            for _line in copy:
                pass

    return act


def measure_export(bench: Bench, city: str, page: Callable[[str], Callable[[], object]]) -> None:
    """The same columns and rows, once as the portal hands them out, once as they stand in the database."""
    from apps.inventory.models import Device

    columns = ("tag", "product__manufacturer", "product__model", "kind__name", "kind__code", "serial", "status",
               "school__number", "school__short_name", "site__name", "room", "ownership", "price", "bought_on",
               "use_until", "condition", "bound_until", "bound_by", "disposal", "disposed_on", "proceeds",
               "note")  # fmt: skip
    raw = f"{city}: COPY of all devices to stdout"
    found = Device.objects.order_by("tag").values_list(*columns)
    bench.take(raw, median_ms(copy_out(*found.query.sql_with_params()), times=9))
    exported = median_ms(page("/inventory/?status=all&export=csv"), times=9)
    bench.take(f"{city}: export of all devices as CSV", exported, raw, limit=EXPORT_LIMIT)


def measure_import(bench: Bench, city: str) -> None:
    from django.db import connection

    with tempfile.TemporaryDirectory(prefix="mep-bench-list-") as folder:
        path = Path(folder) / "list.csv"
        write_list(path, ROWS)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bench_staged ({STAGED})")
        raw, rate = f"{city}: COPY of {ROWS:,} rows", f"{city}: rows of a list per second"
        bench.take(raw, median_ms(copy_in(path), times=3))
        bench.take(f"{city}: bare INSERT of devices alone", once_ms(insert_only), raw)
        command = [sys.executable, str(Path(__file__)), str(path)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        for name in ("upload", "check", "write"):
            bench.take(f"{city}: list of {ROWS:,} rows, {name}", figures[name])
        whole = figures["upload"] + figures["check"] + figures["write"]
        bench.take(f"{city}: list of {ROWS:,} rows, whole", whole, raw, limit=IMPORT_LIMIT)
        bench.take(rate, ROWS * 1000 / whole, unit="rows/s")
        bench.take(f"{city}: peak memory of the import", figures["megabytes"], limit=MEMORY_LIMIT, unit="MB")
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_staged")


def measure_import_and_export(bench: Bench, city: str, page: Callable[[str], Callable[[], object]]) -> None:
    with step(f"Measuring {city}: export of devices"):
        measure_export(bench, city, page)
    with step(f"Measuring {city}: import of {ROWS:,} devices"):
        measure_import(bench, city)


def take_in(path: Path) -> dict[str, float]:
    """The whole import as upload and worker do it; milliseconds of each part, and the peak memory."""
    from django.core.files import File

    from apps.accounts.models import User
    from apps.core.imports import engine
    from apps.core.models import ImportState

    clerk = User.objects.filter(role="office_clerk").order_by("pk").first()
    figures, began = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        figures[name], began = (now - began) * 1000, now

    with path.open("rb") as content:
        run = engine.create_run("devices", by=clerk, file_name=path.name, upload=File(content, name=path.name))
    lap("upload")
    run = engine.check(run.pk)
    lap("check")
    if run.counts["new"] != sum(run.counts.values()) or not run.counts["new"]:
        raise SystemExit(f"the list is not clean: {run.counts} {run.error}")
    engine.request_apply(run, by=clerk)
    run = engine.apply(run.pk)
    lap("write")
    if run.state != ImportState.APPLIED:
        raise SystemExit(f"the list was not written: {run.error}")
    return figures | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mepportal.settings")
    django.setup()
    logging.disable(logging.INFO)
    print(json.dumps(take_in(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
