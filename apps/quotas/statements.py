"""The two statements that stored figures rest on, with one text for SQLite and PostgreSQL.

`read_inputs` reads versions and inputs of all asked schools and days in one statement, so that both belong to one
state of the database, and its cost grows with placements, not with placements times days. `write_rows` writes only
over a row that was computed from older versions.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.quotas.calculations import TWO_PLACES, FigureRow, figure_row
from apps.quotas.models import QuotaFigure

PlanDay = tuple[int, datetime.date]
ROWS_PER_STATEMENT = 500

_STALE = """(stored.id IS NULL OR stored.inputs_version <> school.inputs_version
             OR stored.targets_version <> plan.targets_version)"""

# asked: the (plan, school, day) to compute, with the versions that hold now.
# moves: how many devices came (+) and left (-) on which day, per school.
# course: their sum up to and including each asked day; an asked day itself moves nothing.
_READ = """
WITH days (plan_id, day) AS (VALUES {days}),
asked AS MATERIALIZED (
    SELECT plan.id AS plan_id, school.id AS school_id, days.day, school.school_type_id,
           school.inputs_version, plan.targets_version,
           authority.is_own AND kind.is_school
               AND (school.opened_on IS NULL OR school.opened_on <= days.day)
               AND (school.closed_on IS NULL OR school.closed_on > days.day) AS counted
    FROM days
    JOIN quotas_mediadevelopmentplan plan ON plan.id = days.plan_id
    CROSS JOIN schools_school school
    JOIN schools_schoolauthority authority ON authority.id = school.authority_id
    JOIN schools_schooltype kind ON kind.key = school.school_type_id
    LEFT JOIN quotas_quotafigure stored
           ON stored.plan_id = plan.id AND stored.school_id = school.id AND stored.day = days.day
    WHERE (authority.is_own
           OR EXISTS (SELECT 1 FROM quotas_quotafigure earlier WHERE earlier.school_id = school.id))
      AND {condition}
),
moves AS (
    SELECT school_id, since AS day,
           SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN 1 ELSE 0 END) AS devices,
           SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN 1 ELSE 0 END) AS parent_financed,
           SUM(CASE WHEN presentation THEN 1 ELSE 0 END) AS presentation_devices
    FROM inventory_placement
    WHERE school_id IN (SELECT school_id FROM asked) AND since <= (SELECT MAX(day) FROM days)
      AND (countable OR presentation)
    GROUP BY school_id, since
    UNION ALL
    SELECT school_id, until,
           -SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN 1 ELSE 0 END),
           -SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN 1 ELSE 0 END),
           -SUM(CASE WHEN presentation THEN 1 ELSE 0 END)
    FROM inventory_placement
    WHERE school_id IN (SELECT school_id FROM asked) AND until <= (SELECT MAX(day) FROM days)
      AND (countable OR presentation)
    GROUP BY school_id, until
),
course AS (
    SELECT plan_id, school_id, day,
           SUM(devices) OVER up_to_day AS devices,
           SUM(parent_financed) OVER up_to_day AS parent_financed,
           SUM(presentation_devices) OVER up_to_day AS presentation_devices
    FROM (
        SELECT plan_id, school_id, day, 0 AS devices, 0 AS parent_financed, 0 AS presentation_devices FROM asked
        UNION ALL
        SELECT NULL, school_id, day, devices, parent_financed, presentation_devices FROM moves
    ) AS steps
    WINDOW up_to_day AS (PARTITION BY school_id ORDER BY day RANGE UNBOUNDED PRECEDING)
)
SELECT asked.plan_id, asked.school_id, asked.day, asked.inputs_version, asked.targets_version, asked.counted,
       course.devices, course.parent_financed, course.presentation_devices,
       pupils.pupils, weight.weight, pupils.counted_on, pupils.rounded, target.pupils_per_device,
       stored.inputs_version, stored.targets_version, stored.counted,
       stored.devices, stored.parent_financed, stored.presentation_devices,
       stored.pupils, stored.weighted_pupils, stored.counted_on, stored.rounded,
       stored.target_pupils_per_device, stored.target_devices
FROM asked
JOIN course ON course.plan_id = asked.plan_id AND course.school_id = asked.school_id AND course.day = asked.day
LEFT JOIN schools_pupilcount pupils ON pupils.school_id = asked.school_id AND pupils.counted_on = (
    SELECT MAX(counted_on) FROM schools_pupilcount WHERE school_id = asked.school_id AND counted_on <= asked.day)
LEFT JOIN schools_pupilweight weight ON weight.school_type_id = asked.school_type_id AND weight.valid_from = (
    SELECT MAX(valid_from) FROM schools_pupilweight
    WHERE school_type_id = asked.school_type_id AND valid_from <= asked.day)
LEFT JOIN quotas_targetgroupmember member
       ON member.plan_id = asked.plan_id AND member.school_type_id = asked.school_type_id
LEFT JOIN quotas_target target ON target.group_id = member.group_id AND target.valid_from = (
    SELECT MAX(valid_from) FROM quotas_target WHERE group_id = member.group_id AND valid_from <= asked.day)
LEFT JOIN quotas_quotafigure stored
       ON stored.plan_id = asked.plan_id AND stored.school_id = asked.school_id AND stored.day = asked.day
ORDER BY asked.school_id, asked.plan_id, asked.day
"""

_COLUMNS = (
    "plan_id", "school_id", "day", "counted", "devices", "parent_financed", "presentation_devices", "pupils",
    "weighted_pupils", "counted_on", "rounded", "target_pupils_per_device", "target_devices", "inputs_version",
    "targets_version", "computed_at",
)  # fmt: skip
_KEY = ("plan_id", "school_id", "day")
_WRITE = """
INSERT INTO quotas_quotafigure ({columns}) VALUES {rows}
ON CONFLICT (plan_id, school_id, day) DO UPDATE SET {changes}
WHERE quotas_quotafigure.inputs_version <= excluded.inputs_version
  AND quotas_quotafigure.targets_version <= excluded.targets_version
  AND (quotas_quotafigure.inputs_version < excluded.inputs_version
       OR quotas_quotafigure.targets_version < excluded.targets_version OR {same_versions})
"""


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


def read_inputs(
    days: Sequence[PlanDay], *, only_stale: bool = False, school_ids: Iterable[int] | None = None
) -> list[Computed]:
    """Fresh rows for schools of the own authority, and others that have rows, on these days of plans.

    Sorted by school, plan and day. One statement, whatever the number of schools and days.
    """
    wanted = None if school_ids is None else sorted(set(school_ids))
    if not days or wanted == []:
        return []
    conditions = [_STALE] if only_stale else []
    parameters: list[Any] = [value for plan_id, day in days for value in (plan_id, day)]
    if wanted is not None:
        conditions.append(f"school.id IN ({_places(len(wanted))})")
        parameters += wanted
    text = _READ.format(
        days=", ".join(["(%s, %s)"] * len(days)), condition=" AND ".join(conditions) or "school.id IS NOT NULL"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return [_computed(values) for values in cursor.fetchall()]


def write_rows(rows: Sequence[Computed], *, computed_at: datetime.datetime, same_versions: bool = False) -> int:
    """Stores rows and returns how many were written; a row computed from newer versions stays as it is.

    `same_versions` also writes over rows of the same versions (repair of drift). Rows are written in the order of
    `read_inputs`, so that two runs take their locks in the same order.
    """
    written = 0
    by_column = {field.column: field for field in QuotaFigure._meta.concrete_fields}
    fields = [by_column[name] for name in _COLUMNS]
    for first in range(0, len(rows), ROWS_PER_STATEMENT):
        batch = rows[first : first + ROWS_PER_STATEMENT]
        text = _WRITE.format(
            columns=", ".join(_COLUMNS),
            rows=", ".join([f"({_places(len(_COLUMNS))})"] * len(batch)),
            changes=", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEY),
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
    known = stored_versions[0] is not None
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
