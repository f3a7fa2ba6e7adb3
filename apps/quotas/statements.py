"""The statements that stored figures rest on, whose texts stand in `sql`.

Each reads versions and inputs of all asked schools and days together, so that both belong to one state of the
database, and its cost grows with placements, not with placements times days. `refresh_rows` computes and stores
without a row leaving the database; `read_inputs` and `read_day` bring the inputs to `calculations`, to compare and for
days that are not stored; `write_rows` repairs what differs. A row is only written over one that was computed from older
versions.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection

from apps.core.prepared import execute_prepared
from apps.quotas import sql
from apps.quotas.calculations import TWO_PLACES, FigureRow, figure_row
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure

PlanDay = tuple[int, datetime.date]
ROWS_PER_STATEMENT = 500
FEW_SCHOOLS = 20
"""Up to so many schools, planning the statement would take longer than running it."""


@dataclass(frozen=True)
class Computed:
    """A fresh row, the versions it stands on, and what is stored (None, or row and versions)."""

    plan_id: int
    school_id: int
    day: datetime.date
    inputs_version: int
    targets_version: int
    row: FigureRow
    stored: FigureRow | None = None
    stored_versions: tuple[int, int] | None = None

    @property
    def is_stale(self) -> bool:
        return self.stored_versions != (self.inputs_version, self.targets_version)

    @property
    def has_drifted(self) -> bool:
        """The stored row claims to be current and yet differs: somebody moved an input without its version."""
        return not self.is_stale and self.stored != self.row


def read_inputs(days: Sequence[PlanDay], *, school_ids: Iterable[int] | None = None) -> list[Computed]:
    """Fresh rows for schools of the own authority, and others that have rows, on these days of plans.

    Sorted by plan, day and school, as rows are stored: those of a day lie side by side and are read together. One
    statement, whatever the number of schools and days.
    """
    wanted = None if school_ids is None else sorted(set(school_ids))
    if not days or wanted == []:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_filled(sql.READ, days, wanted))
        return [_computed(values) for values in cursor.fetchall()]


def read_day(plan_id: int, day: datetime.date, *, before: datetime.date | None) -> list[Computed]:
    """Fresh rows, as `read_inputs` gives them, of all schools on a day that is not stored.

    `before` is an earlier day of the plan that is stored: where a school's row of it stands on the school's inputs as
    they are, only what came and left since is counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_filled(sql.READ_FRESH, [(plan_id, day)], None, before=before))
        return [_computed(values) for values in cursor.fetchall()]


def refresh_rows(
    days: Sequence[PlanDay], *, computed_at: datetime.datetime, school_ids: Iterable[int] | None = None
) -> list[tuple[int, int]]:
    """Computes and stores these schools' rows (all schools by default) inside the database.

    Returns (plan, school) of each row written: a row of the same or newer versions stays as it is. Versions and
    inputs are read by the statement that writes, and it takes the locks of its rows in the order of `read_inputs`.
    """
    wanted = None if school_ids is None else sorted(set(school_ids))
    if not days or wanted == []:
        return []
    moment = QuotaFigure._meta.get_field("computed_at").get_db_prep_save(computed_at, connection)
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if is_postgresql and wanted is not None and len(wanted) <= FEW_SCHOOLS and len(_moments(days)) > 1:
            plans, moments = [plan_id for plan_id, _day in days], [day for _plan_id, day in days]
            execute_prepared(cursor, _refresh_of_few_schools(), [plans, moments, wanted, moment])
        else:
            inputs = _filled(sql.INPUTS, days, wanted)
            cursor.execute(_refresh(inputs, "%s::timestamptz" if is_postgresql else "%s"), [moment])
        return list(cursor.fetchall())


def _refresh(inputs: str, computed_at: str) -> str:
    return sql.REFRESH.format(
        columns=", ".join(sql.COLUMNS), inputs=inputs, changes=sql.CHANGES, computed_at=computed_at
    )


@cache
def _refresh_of_few_schools() -> str:
    """The same for any days and schools, which stand outside: planning takes longer than a school's figures do."""
    schools = "= ANY($3::bigint[])"
    asked = f"school_id {schools}"
    inputs = sql.INPUTS.format(
        days="SELECT * FROM unnest($1::bigint[], $2::date[])",
        school_asked=f"school.id {schools}",
        course=sql.COURSE.lstrip().format(part_asked=asked),
        counts=sql.COUNTS.lstrip().format(part_asked=asked),
    )
    return _refresh(inputs, "$4::timestamptz")


def mark_schools(versions: Mapping[int, int]) -> None:
    """Notes up to which inputs version the stored figures of these schools stand; never a lower one.

    A school that somebody else holds is left for the next run: whoever waited here could hold up a change of it.
    """
    ids = sorted(int(pk) for pk in versions)
    for first in range(0, len(ids), ROWS_PER_STATEMENT):
        batch = ids[first : first + ROWS_PER_STATEMENT]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                execute_prepared(cursor, _mark_schools(), [batch, [versions[pk] for pk in batch]])
            else:
                read = "VALUES " + ", ".join(f"({pk:d}, {versions[pk]:d})" for pk in batch)
                cursor.execute(sql.MARK.format(read=read, asked="id IN (SELECT school_id FROM read)", lock=""))


@cache
def _mark_schools() -> str:
    return sql.MARK.format(
        read="SELECT * FROM unnest($1::bigint[], $2::bigint[])",
        asked="id = ANY($1::bigint[])",
        lock="FOR NO KEY UPDATE SKIP LOCKED",
    )


def renew_states(plan_ids: Iterable[int]) -> None:
    """Says in the transaction that wrote figures of these plans that they are no longer what somebody has read."""
    ids = ", ".join(str(int(pk)) for pk in sorted(set(plan_ids)))
    if not ids:
        return
    lock = "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    state = MediaDevelopmentPlan._meta.get_field("figures_state").get_db_prep_save(uuid.uuid4(), connection)
    with connection.cursor() as cursor:
        cursor.execute(sql.RENEW.format(ids=ids, lock=lock), [state])


def _filled(
    text: str, days: Sequence[PlanDay], school_ids: Sequence[int] | None, *, before: datetime.date | None = None
) -> str:
    """The text with its days and conditions. Numbers and days stand in it: as parameters each would cost time.

    `before` is a stored day to count from, where all schools are asked for on a single day.
    """
    ids = "" if school_ids is None else ", ".join(str(int(pk)) for pk in school_ids)
    kind = "DATE " if connection.vendor == "postgresql" else ""
    parts = {
        "part_asked": f"school_id IN ({ids})" if ids else "school_id IN (SELECT school_id FROM asked)",
        "counts_asked": f"school_id IN ({ids})" if ids else "1 = 1",
        "plan_id": int(days[0][0]),
        "day": min(day for _plan_id, day in days).isoformat(),
        "before": before.isoformat() if before else "",
    }
    course, counts = sql.COURSE, sql.COUNTS
    if len(_moments(days)) == 1:
        course = (sql.STANDING_SINCE_STORED_DAY if before else sql.STANDING) + sql.COURSE_OF_STANDING.lstrip()
        counts = sql.COUNTS_OF_ONE_DAY
    return text.format(
        days="VALUES " + ", ".join(f"({int(plan_id)}, {kind}'{day.isoformat()}')" for plan_id, day in days),
        school_asked=f"school.id IN ({ids})" if ids else "1 = 1",
        course=course.lstrip().format(**parts),
        counts=counts.lstrip().format(**parts),
    )


def _moments(days: Sequence[PlanDay]) -> set[datetime.date]:
    return {day for _plan_id, day in days}


def write_rows(rows: Sequence[Computed], *, computed_at: datetime.datetime, same_versions: bool = False) -> int:
    """Stores rows and returns how many were written; a row computed from newer versions stays as it is.

    `same_versions` also writes over rows of the same versions (repair of drift). Rows are written in the order of
    `read_inputs`, so that two runs take their locks in the same order.
    """
    written = 0
    by_column = {field.column: field for field in QuotaFigure._meta.concrete_fields}
    fields = [by_column[name] for name in sql.COLUMNS]
    for first in range(0, len(rows), ROWS_PER_STATEMENT):
        batch = rows[first : first + ROWS_PER_STATEMENT]
        text = sql.WRITE.format(
            columns=", ".join(sql.COLUMNS),
            rows=", ".join([f"({_places(len(sql.COLUMNS))})"] * len(batch)),
            changes=sql.CHANGES,
            same_versions="1 = 1" if same_versions else "1 = 0",
        )
        parameters = [
            field.get_db_prep_save(value, connection)
            for row in batch
            for field, value in zip(fields, _values(row, computed_at), strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(text, parameters)
            written += cursor.rowcount
    return written


def _places(number: int) -> str:
    return ", ".join(["%s"] * number)


def _values(row: Computed, computed_at: datetime.datetime) -> tuple[Any, ...]:
    figures = row.row
    return (
        row.plan_id, row.school_id, row.day, figures.counted, figures.devices, figures.parent_financed,
        figures.presentation_devices, figures.pupils, figures.weighted_pupils, figures.counted_on, figures.rounded,
        figures.target_pupils_per_device, figures.target_devices, row.inputs_version, row.targets_version, computed_at,
    )  # fmt: skip


def _computed(values: Sequence[Any]) -> Computed:
    plan_id, school_id, day, inputs_version, targets_version, counted, devices, parents, presentation = values[:9]
    pupils, weight, counted_on, rounded, target = values[9:14]
    stored_versions, stored = values[14:16], values[16:]
    row = figure_row(
        counted=bool(counted),
        devices=int(devices),
        parent_financed=int(parents),
        presentation_devices=int(presentation),
        pupils=pupils,
        weight=_decimal(weight),
        counted_on=_day(counted_on),
        rounded=_truth(rounded),
        target=_decimal(target),
    )
    known = bool(stored_versions) and stored_versions[0] is not None
    return Computed(
        plan_id=plan_id,
        school_id=school_id,
        day=_day(day) or datetime.date.min,
        inputs_version=inputs_version,
        targets_version=targets_version,
        row=row,
        stored=_stored(stored) if known else None,
        stored_versions=(stored_versions[0], stored_versions[1]) if known else None,
    )


def _stored(values: Sequence[Any]) -> FigureRow:
    counted, devices, parents, presentation, pupils, weighted, counted_on, rounded, target, target_devices = values
    return FigureRow(
        counted=bool(counted),
        devices=devices,
        parent_financed=parents,
        presentation_devices=presentation,
        pupils=pupils,
        weighted_pupils=_decimal(weighted),
        counted_on=_day(counted_on),
        rounded=_truth(rounded),
        target_pupils_per_device=_decimal(target),
        target_devices=target_devices,
    )


def _day(value: datetime.date | str | None) -> datetime.date | None:
    """SQLite gives days of raw statements as text."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def _decimal(value: object) -> Decimal | None:
    """SQLite keeps decimals as floats; two decimals survive that exactly."""
    return None if value is None else Decimal(str(value)).quantize(TWO_PLACES)


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)
