"""What `make bench` measures; runs in the environment, on the servers that bench.py started.

First the demo city is measured, then the same city grown to thousands of schools, with the same measures; what must
not grow with the city is compared between the two. Exits with 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from bench_lists import measure_import_and_export
from bench_pages import measure_lists
from bench_table import Bench, median_database_ms, median_ms, once_ms
from console import ROOT, say, step
from django.core.management import call_command

TARGET = ROOT / "bench.json"
GROUPED = """
WITH days (plan_id, day) AS (VALUES {days})
SELECT days.plan_id, days.day, school_id,
       count(*) FILTER (WHERE countable AND ownership <> 'parent_financed'),
       count(*) FILTER (WHERE countable AND ownership = 'parent_financed'),
       count(*) FILTER (WHERE presentation)
FROM days
JOIN inventory_placement ON since <= days.day AND (until IS NULL OR until > days.day)
GROUP BY days.plan_id, days.day, school_id
"""
FIFTY = "SELECT id, tag, serial, status, school_id FROM inventory_device ORDER BY tag LIMIT 50"
SAME_PAGES = {"quotas of today": "/quotas/", "summary of the head": "/summary/"}
"""Pages that may take at most PAGE_LIMIT times as long in the grown city."""
RECALCULATION_LIMIT, PAGE_LIMIT, DAY_LIMIT = 1.5, 1.5, 10
ONE_SCHOOL_MS = 5


def query(statement: str, parameters: list[Any] | None = None) -> Callable[[], object]:
    from django.db import connection

    def act() -> object:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    return act


def grouped_query() -> Callable[[], object]:
    """Devices of each kind of counting, by school, on all days that are stored."""
    from apps.quotas.selectors import stored_days

    days = stored_days()
    parameters = [value for plan_id, day in days for value in (plan_id, day)]
    return query(GROUPED.format(days=", ".join(["(%s, %s::date)"] * len(days))), parameters)


def measure_recalculation(bench: Bench, city: str, *, often: bool) -> None:
    from django.db.models import F

    from apps.quotas.services import recalculate_all, recalculate_stale
    from apps.schools.models import School

    def make_stale(**which: object) -> Callable[[], object]:
        return lambda: School.objects.filter(**which).update(inputs_version=F("inputs_version") + 1)

    number = School.objects.filter(authority__is_own=True).order_by("number").values_list("number", flat=True)[0]
    raw, one = f"{city}: raw query, devices by school and day", f"{city}: one school stale, database"
    bench.take(f"{city}: nothing stale, database", median_database_ms(recalculate_stale, times=10))
    bench.take(
        one, median_database_ms(recalculate_stale, times=20, before=make_stale(number=number)), limit=ONE_SCHOOL_MS
    )
    if often:
        bench.take(raw, median_ms(grouped_query(), times=10))
        every = median_ms(recalculate_stale, times=10, before=make_stale())
        full = median_ms(recalculate_all, times=10)
    else:
        bench.take(raw, once_ms(grouped_query()))
        make_stale()()
        every, full = once_ms(recalculate_stale), once_ms(recalculate_all)
    bench.take(f"{city}: all schools stale", every, raw, limit=None if often else RECALCULATION_LIMIT)
    bench.take(f"{city}: all compared in full", full, raw)


def page_of_the_auditor() -> Callable[[str], Callable[[], object]]:
    """Makes a function that asks for an address as the auditor, who sees every page."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    people = json.loads((Path(settings.VAR_DIR) / "demo.json").read_text(encoding="utf-8"))
    emails = {person["role"]: person["email"] for person in people}
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(email=emails["auditor"]))

    def page(address: str) -> Callable[[], object]:
        def act() -> None:
            answer: Any = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code}")
            for _chunk in answer.streaming_content if answer.streaming else ():
                pass

        return act

    return page


def measure_pages(bench: Bench, city: str, before: str | None) -> None:
    page, plain = page_of_the_auditor(), f"{city}: page without data (privacy notice)"
    bench.take(plain, median_ms(page("/privacy/"), times=20))
    for name, address in SAME_PAGES.items():
        value = median_ms(page(address), times=20)
        if before:
            bench.take(f"{city}: {name}", value, f"{before}: {name}", limit=PAGE_LIMIT)
        else:
            bench.take(f"{city}: {name}", value, plain)
    bench.take(f"{city}: raw query, fifty devices", median_ms(query(FIFTY), times=20))


def measure_days(bench: Bench, city: str) -> None:
    """A day that is stored, and days of each kind that are not: within a month, and in the year between two plans."""
    from apps.quotas.models import MediaDevelopmentPlan

    page, plan = page_of_the_auditor(), MediaDevelopmentPlan.objects.order_by("starts_on").first()
    assert plan is not None
    stored = f"{city}: quotas of a stored day"

    def on(year: int, month: int, day: int) -> Callable[[], object]:
        return page(f"/quotas/?plan={plan.pk}&day={datetime.date(year, month, day).isoformat()}")

    bench.take(stored, median_ms(on(2024, 12, 1), times=10))
    for year, month, day in ((2020, 1, 17), (2022, 6, 15), (2024, 12, 30), (2025, 9, 19)):
        shown = f"{year}-{month:02}-{day:02}"
        bench.take(f"{city}: quotas of {shown}", median_ms(on(year, month, day), times=5), stored, limit=DAY_LIMIT)


def measure(bench: Bench, city: str, only: str, *, before: str | None = None) -> None:
    if only in ("", "devices"):
        with step(f"Measuring {city}: lists"):
            measure_lists(bench, city, before)
    if only not in ("", "quotas"):
        return
    with step(f"Measuring {city}: recalculation"):
        measure_recalculation(bench, city, often=before is None)
    with step(f"Measuring {city}: pages"):
        measure_pages(bench, city, before)
    with step(f"Measuring {city}: days"):
        measure_days(bench, city)


def grow_city(bench: Bench, city: str, schools: int, devices: int, *, with_quotas: bool) -> None:
    import bench_city

    from apps.quotas.services import recalculate_stale

    with step(f"Growing the city to {schools:,} schools and {devices:,} devices"):
        bench.take(f"{city}: growing", once_ms(lambda: bench_city.grow(schools, devices)))
    if with_quotas:
        with step("Calculating its quotas for the first time"):
            bench.take(f"{city}: first calculation", once_ms(recalculate_stale))
    bench.take(f"{city}: database on disk", bench_city.database_bytes() / 1e6, unit="MB")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the portal on PostgreSQL.")
    parser.add_argument("--schools", type=int, default=5_400, help="schools of the grown city")
    parser.add_argument("--devices", type=int, default=2_000_000, help="devices of the grown city")
    parser.add_argument("--only", choices=("devices", "lists", "quotas"), default="", help="measure only these")
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mepportal.settings")
    django.setup()
    logging.disable(logging.INFO)
    with step("Making the database"):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", interactive=False, verbosity=0)
    call_command("load_demo")
    bench, small, big = Bench(), "52 schools", f"{asked.schools:,} schools"
    if asked.only != "lists":
        measure(bench, small, asked.only)
    if asked.only in {"", "lists"}:
        measure_import_and_export(bench, small, page_of_the_auditor())
    if asked.only != "lists":
        grow_city(bench, big, asked.schools, asked.devices, with_quotas=asked.only in ("", "quotas"))
        measure(bench, big, asked.only, before=small)
    bench.show()
    bench.write(TARGET)
    say(f"\nWritten to {TARGET.name}.")
    beyond = bench.exceeded()
    say("Beyond their limits: " + "; ".join(beyond) + "." if beyond else "Every measure is within its limit.")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
