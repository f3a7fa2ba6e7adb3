"""The statements that stored figures rest on, with one text for SQLite and PostgreSQL.

Each reads versions and inputs of all asked schools and days together, so that both belong to one state of the
database, and its cost grows with placements, not with placements times days. `refresh_rows` computes and stores
without a row leaving the database; `read_inputs` brings the inputs to `calculations`, for days that are not stored and
to compare; `write_rows` repairs what differs. A row is only written over one that was computed from older versions.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.quotas.calculations import TWO_PLACES, FigureRow, figure_row
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure

PlanDay = tuple[int, datetime.date]
ROWS_PER_STATEMENT = 500

# moved: how many came (+) and left (-) at a school on a day.
# course: the sum of what moved up to and including each asked day; an asked day itself moves nothing.
_COURSE = """
placed AS MATERIALIZED (
    SELECT school_id, since, until,
           SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN 1 ELSE 0 END) AS devices,
           SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN 1 ELSE 0 END) AS parent_financed,
           SUM(CASE WHEN presentation THEN 1 ELSE 0 END) AS presentation_devices
    FROM inventory_placement
    WHERE {part_asked} AND (countable OR presentation) AND since <= (SELECT MAX(day) FROM days)
    GROUP BY school_id, since, until
),
course AS (
    SELECT plan_id, school_id, day, school_type_id, inputs_version, targets_version, counted,
           SUM(devices) OVER up_to_day AS devices,
           SUM(parent_financed) OVER up_to_day AS parent_financed,
           SUM(presentation_devices) OVER up_to_day AS presentation_devices
    FROM (
        SELECT asked.*, 0 AS devices, 0 AS parent_financed, 0 AS presentation_devices FROM asked
        UNION ALL
        SELECT NULL, school_id, since, NULL, NULL, NULL, NULL, devices, parent_financed, presentation_devices
        FROM placed
        UNION ALL
        SELECT NULL, school_id, until, NULL, NULL, NULL, NULL, -devices, -parent_financed, -presentation_devices
        FROM placed WHERE until IS NOT NULL
    ) AS together
    WINDOW up_to_day AS (PARTITION BY school_id ORDER BY day RANGE UNBOUNDED PRECEDING)
),
"""
# The same where only one day is asked for: whatever stood then.
_COURSE_OF_ONE_DAY = """
standing AS (
    SELECT school_id,
           SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN 1 ELSE 0 END) AS devices,
           SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN 1 ELSE 0 END) AS parent_financed,
           SUM(CASE WHEN presentation THEN 1 ELSE 0 END) AS presentation_devices
    FROM inventory_placement
    WHERE {part_asked} AND since <= '{day}' AND (until IS NULL OR until > '{day}')
    GROUP BY school_id
),
course AS (
    SELECT asked.*, COALESCE(standing.devices, 0) AS devices, COALESCE(standing.parent_financed, 0) AS parent_financed,
           COALESCE(standing.presentation_devices, 0) AS presentation_devices
    FROM asked LEFT JOIN standing ON standing.school_id = asked.school_id
),
"""
# asked: the (plan, school, day) to compute, with the versions that hold now.
# course: how many devices stood at each school on each asked day.
# counts, weights, targets: what holds from which day until which.
_INPUTS = """
WITH days (plan_id, day) AS (VALUES {days}),
asked AS MATERIALIZED (
    SELECT plan.id AS plan_id, school.id AS school_id, days.day, school.school_type_id,
           school.inputs_version, plan.targets_version,
           authority.is_own AND kind.is_school
               AND (school.opened_on IS NULL OR school.opened_on <= days.day)
               AND (school.closed_on IS NULL OR school.closed_on > days.day) AS counted
    FROM schools_school school
    JOIN schools_schoolauthority authority ON authority.id = school.authority_id
    JOIN schools_schooltype kind ON kind.key = school.school_type_id
    CROSS JOIN days
    JOIN quotas_mediadevelopmentplan plan ON plan.id = days.plan_id
    WHERE (authority.is_own
           OR EXISTS (SELECT 1 FROM quotas_quotafigure earlier WHERE earlier.school_id = school.id))
      AND {school_asked}
),
{course}counts AS (
    SELECT school_id, counted_on, pupils, rounded,
           LEAD(counted_on) OVER (PARTITION BY school_id ORDER BY counted_on) AS next_count
    FROM schools_pupilcount WHERE {part_asked}
),
weights AS (
    SELECT school_type_id, valid_from, weight,
           LEAD(valid_from) OVER (PARTITION BY school_type_id ORDER BY valid_from) AS next_weight
    FROM schools_pupilweight
),
targets AS (
    SELECT member.plan_id, member.school_type_id, target.valid_from, target.pupils_per_device,
           LEAD(target.valid_from) OVER (PARTITION BY member.id ORDER BY target.valid_from) AS next_target
    FROM quotas_targetgroupmember member JOIN quotas_target target ON target.group_id = member.group_id
),
inputs AS (
    SELECT course.plan_id, course.school_id, course.day, course.inputs_version, course.targets_version, course.counted,
           course.devices, course.parent_financed, course.presentation_devices,
           counts.pupils, weights.weight, counts.counted_on, counts.rounded, targets.pupils_per_device AS target
    FROM course
    LEFT JOIN counts ON counts.school_id = course.school_id AND counts.counted_on <= course.day
                    AND (counts.next_count IS NULL OR counts.next_count > course.day)
    LEFT JOIN weights ON weights.school_type_id = course.school_type_id AND weights.valid_from <= course.day
                     AND (weights.next_weight IS NULL OR weights.next_weight > course.day)
    LEFT JOIN targets ON targets.plan_id = course.plan_id AND targets.school_type_id = course.school_type_id
                     AND targets.valid_from <= course.day
                     AND (targets.next_target IS NULL OR targets.next_target > course.day)
    WHERE course.plan_id IS NOT NULL
)
"""
_READ = (
    _INPUTS
    + """
SELECT inputs.*, stored.inputs_version, stored.targets_version, stored.counted,
       stored.devices, stored.parent_financed, stored.presentation_devices,
       stored.pupils, stored.weighted_pupils, stored.counted_on, stored.rounded,
       stored.target_pupils_per_device, stored.target_devices
FROM inputs
LEFT JOIN quotas_quotafigure stored
       ON stored.plan_id = inputs.plan_id AND stored.school_id = inputs.school_id AND stored.day = inputs.day
ORDER BY inputs.plan_id, inputs.day, inputs.school_id
"""
)

_COLUMNS = (
    "plan_id", "school_id", "day", "counted", "devices", "parent_financed", "presentation_devices", "pupils",
    "weighted_pupils", "counted_on", "rounded", "target_pupils_per_device", "target_devices", "inputs_version",
    "targets_version", "computed_at",
)  # fmt: skip
_KEY = ("plan_id", "school_id", "day")
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEY)
_WRITE = """
INSERT INTO quotas_quotafigure ({columns}) VALUES {rows}
ON CONFLICT (plan_id, school_id, day) DO UPDATE SET {changes}
WHERE quotas_quotafigure.inputs_version <= excluded.inputs_version
  AND quotas_quotafigure.targets_version <= excluded.targets_version
  AND (quotas_quotafigure.inputs_version < excluded.inputs_version
       OR quotas_quotafigure.targets_version < excluded.targets_version OR {same_versions})
"""
# The formulas of `calculations.figure_row`, exact on both databases: in hundredths of pupils, rounded up.
_REFRESH = """
INSERT INTO quotas_quotafigure ({columns})
{inputs}
SELECT plan_id, school_id, day, counted, devices, parent_financed, presentation_devices, pupils,
       ROUND(pupils * COALESCE(weight, 1), 2), counted_on, rounded, target,
       (pupils * CAST(ROUND(COALESCE(weight, 1) * 100) AS BIGINT) + CAST(ROUND(target * 100) AS BIGINT) - 1)
           / CAST(ROUND(target * 100) AS BIGINT),
       inputs_version, targets_version, {computed_at}
FROM inputs WHERE 1 = 1
ORDER BY plan_id, day, school_id
ON CONFLICT (plan_id, school_id, day) DO UPDATE SET {changes}
WHERE quotas_quotafigure.inputs_version <= excluded.inputs_version
  AND quotas_quotafigure.targets_version <= excluded.targets_version
  AND (quotas_quotafigure.inputs_version < excluded.inputs_version
       OR quotas_quotafigure.targets_version < excluded.targets_version)
RETURNING plan_id, school_id
"""
_MARK = """
WITH read (school_id, version) AS (VALUES {read})
UPDATE schools_school SET computed_version = read.version FROM read
WHERE schools_school.id = read.school_id AND schools_school.computed_version < read.version
  AND schools_school.id IN (SELECT id FROM schools_school WHERE id IN ({ids}) ORDER BY id {lock})
"""

_RENEW = """
WITH held AS MATERIALIZED (SELECT id FROM quotas_mediadevelopmentplan WHERE id IN ({ids}) ORDER BY id {lock})
UPDATE quotas_mediadevelopmentplan SET figures_state = %s FROM held WHERE quotas_mediadevelopmentplan.id = held.id
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


def read_inputs(days: Sequence[PlanDay], *, school_ids: Iterable[int] | None = None) -> list[Computed]:
    """Fresh rows for schools of the own authority, and others that have rows, on these days of plans.

    Sorted by plan, day and school, as rows are stored: those of a day lie side by side and are read together. One
    statement, whatever the number of schools and days.
    """
    wanted = None if school_ids is None else sorted(set(school_ids))
    if not days or wanted == []:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_filled(_READ, days, wanted))
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
    inputs = _filled(_INPUTS, days, wanted)
    text = _REFRESH.format(
        columns=", ".join(_COLUMNS),
        inputs=inputs,
        changes=_CHANGES,
        computed_at="%s::timestamptz" if connection.vendor == "postgresql" else "%s",
    )
    moment = QuotaFigure._meta.get_field("computed_at").get_db_prep_save(computed_at, connection)
    with connection.cursor() as cursor:
        cursor.execute(text, [moment])
        return list(cursor.fetchall())


def mark_schools(versions: Mapping[int, int]) -> None:
    """Notes up to which inputs version the stored figures of these schools stand; never a lower one.

    A school that somebody else holds is left for the next run: whoever waited here could hold up a change of it.
    """
    lock = "FOR NO KEY UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    ids = sorted(int(pk) for pk in versions)
    for first in range(0, len(ids), ROWS_PER_STATEMENT):
        batch = ids[first : first + ROWS_PER_STATEMENT]
        with connection.cursor() as cursor:
            cursor.execute(
                _MARK.format(
                    read=", ".join(f"({pk:d}, {versions[pk]:d})" for pk in batch),
                    ids=", ".join(str(pk) for pk in batch),
                    lock=lock,
                )
            )


def renew_states(plan_ids: Iterable[int]) -> None:
    """Says in the transaction that wrote figures of these plans that they are no longer what somebody has read."""
    ids = ", ".join(str(int(pk)) for pk in sorted(set(plan_ids)))
    if not ids:
        return
    lock = "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    state = MediaDevelopmentPlan._meta.get_field("figures_state").get_db_prep_save(uuid.uuid4(), connection)
    with connection.cursor() as cursor:
        cursor.execute(_RENEW.format(ids=ids, lock=lock), [state])


def _filled(text: str, days: Sequence[PlanDay], school_ids: Sequence[int] | None) -> str:
    """The text with its days and conditions. Numbers and days stand in it: as parameters each would cost time."""
    ids = "" if school_ids is None else ", ".join(str(int(pk)) for pk in school_ids)
    part_asked = f"school_id IN ({ids})" if ids else "school_id IN (SELECT school_id FROM asked)"
    moments = {day for _plan_id, day in days}
    course = _COURSE if len(moments) > 1 else _COURSE_OF_ONE_DAY
    kind = "DATE " if connection.vendor == "postgresql" else ""
    return text.format(
        days=", ".join(f"({int(plan_id)}, {kind}'{day.isoformat()}')" for plan_id, day in days),
        school_asked=f"school.id IN ({ids})" if ids else "1 = 1",
        part_asked=part_asked,
        course=course.strip().format(part_asked=part_asked, day=min(moments).isoformat()) + "\n",
    )


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
            changes=_CHANGES,
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
