"""What `make bench` measures; runs in the environment, on the servers that bench.py started."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import django
from console import ROOT, say, step
from django.core.management import call_command

TARGET = ROOT / "bench.json"
GROUPED = """
SELECT school_id, count(*) FROM inventory_placement
WHERE countable AND until IS NULL GROUP BY school_id
"""
FIFTY = "SELECT id, tag, serial, status, school_id FROM inventory_device ORDER BY tag LIMIT 50"
PAGES = {
    "device list, 50 rows": "/inventory/",
    "device list, searched": "/inventory/?q=ipad",
    "school list": "/schools/",
    "quotas of today": "/quotas/",
    "summary of the head": "/summary/",
    "application list": "/applications/",
}


@dataclass(frozen=True)
class Measure:
    """A median time; `ratio` says how often as long as the measure named `ratio_to` it takes."""

    name: str
    value: float
    unit: str = "ms"
    ratio_to: str | None = None
    ratio: float | None = None


def median_ms(act: Callable[[], object], *, times: int, before: Callable[[], object] = lambda: None) -> float:
    """Median of several runs in milliseconds, after one that is not counted; `before` is not timed."""
    taken = []
    for number in range(times + 1):
        before()
        began = time.perf_counter()
        act()
        if number:
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


class Bench:
    """Collects measures in order, each with its ratio to one taken before."""

    def __init__(self) -> None:
        self.measures: dict[str, Measure] = {}

    def take(self, name: str, value: float, ratio_to: str | None = None) -> None:
        base = self.measures[ratio_to].value if ratio_to else None
        ratio = round(value / base, 2) if base else None
        self.measures[name] = Measure(name, round(value, 2), "ms", ratio_to, ratio)

    def show(self) -> None:
        width = max(len(name) for name in self.measures)
        say()
        for measure in self.measures.values():
            compared = f"{measure.ratio:8.2f} x {measure.ratio_to}" if measure.ratio_to else ""
            say(f"{measure.name.ljust(width)} {measure.value:10.2f} {measure.unit} {compared}".rstrip())


def measure_queries(bench: Bench) -> None:
    from django.db import connection

    def query(statement: str) -> Callable[[], object]:
        def act() -> object:
            with connection.cursor() as cursor:
                return cursor.execute(statement).fetchall()

        return act

    bench.take("raw query: devices grouped by school", median_ms(query(GROUPED), times=20))
    bench.take("raw query: fifty devices", median_ms(query(FIFTY), times=20))


def measure_recalculation(bench: Bench) -> None:
    from django.db.models import F

    from apps.quotas.services import recalculate_all, recalculate_stale
    from apps.schools.models import School

    raw = "raw query: devices grouped by school"

    def make_stale(**which: object) -> Callable[[], object]:
        return lambda: School.objects.filter(**which).update(inputs_version=F("inputs_version") + 1)

    number = School.objects.filter(authority__is_own=True).order_by("number").values_list("number", flat=True)[0]
    nothing = median_ms(recalculate_stale, times=10)
    one = median_ms(recalculate_stale, times=10, before=make_stale(number=number))
    every = median_ms(recalculate_stale, times=10, before=make_stale())
    bench.take("recalculation, nothing stale", nothing, raw)
    bench.take("recalculation, one school stale", one, raw)
    bench.take("recalculation, all schools stale", every, raw)
    bench.take("recalculation in full with drift report", median_ms(recalculate_all, times=10), raw)


def measure_pages(bench: Bench) -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    people = json.loads((Path(settings.VAR_DIR) / "demo.json").read_text(encoding="utf-8"))
    emails = {person["role"]: person["email"] for person in people}
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(email=emails["auditor"]))

    def page(address: str) -> Callable[[], object]:
        def act() -> None:
            status = client.get(address).status_code
            if status != 200:
                raise SystemExit(f"{address} answered {status}")

        return act

    bench.take("page without data (privacy notice)", median_ms(page("/privacy/"), times=20))
    for name, address in PAGES.items():
        bench.take(name, median_ms(page(address), times=20), "page without data (privacy notice)")


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mepportal.settings")
    django.setup()
    with step("Making the database"):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", interactive=False, verbosity=0)
    call_command("load_demo")
    bench = Bench()
    for part in (measure_queries, measure_recalculation, measure_pages):
        with step(f"Measuring: {part.__name__.removeprefix('measure_')}"):
            part(bench)
    bench.show()
    found = [asdict(measure) for measure in bench.measures.values()]
    TARGET.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    say(f"\nWritten to {TARGET.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
