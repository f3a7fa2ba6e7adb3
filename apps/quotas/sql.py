"""The texts of the statements that stored figures rest on, one for both databases; `statements` fills them in."""

from __future__ import annotations

# moved: how many came (+) and left (-) at a school on a day.
# course: the sum of what moved up to and including each asked day; an asked day itself moves nothing.
COURSE = """
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
# standing: the same where only one day is asked for, whatever stood then.
STANDING = """
standing AS (
    SELECT school_id,
           SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN 1 ELSE 0 END) AS devices,
           SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN 1 ELSE 0 END) AS parent_financed,
           SUM(CASE WHEN presentation THEN 1 ELSE 0 END) AS presentation_devices
    FROM inventory_placement
    WHERE {part_asked} AND since <= '{day}' AND (until IS NULL OR until > '{day}')
    GROUP BY school_id
),
"""
# The same for all schools from what is stored of an earlier day of the plan: only what came and left since is counted.
# A school whose row of that day is missing or stale is counted there first.
STANDING_SINCE_STORED_DAY = """
stored_before AS MATERIALIZED (
    SELECT asked.school_id, stored.devices, stored.parent_financed, stored.presentation_devices
    FROM asked JOIN quotas_quotafigure stored
         ON stored.plan_id = asked.plan_id AND stored.school_id = asked.school_id
            AND stored.inputs_version = asked.inputs_version
    WHERE stored.plan_id = {plan_id} AND stored.day = '{before}'
),
moved AS (
    SELECT school_id, countable, presentation, ownership, 1 AS number FROM inventory_placement
    WHERE school_id IN (SELECT school_id FROM asked EXCEPT SELECT school_id FROM stored_before)
      AND since <= '{before}' AND (until IS NULL OR until > '{before}')
    UNION ALL
    SELECT school_id, countable, presentation, ownership, 1 FROM inventory_placement
    WHERE school_id IN (SELECT school_id FROM asked)
      AND since > '{before}' AND since <= '{day}' AND (until IS NULL OR until > '{day}')
    UNION ALL
    SELECT school_id, countable, presentation, ownership, -1 FROM inventory_placement
    WHERE until > '{before}' AND until <= '{day}' AND since <= '{before}'
),
standing AS (
    SELECT school_id, SUM(devices) AS devices, SUM(parent_financed) AS parent_financed,
           SUM(presentation_devices) AS presentation_devices
    FROM (
        SELECT school_id, devices, parent_financed, presentation_devices FROM stored_before
        UNION ALL
        SELECT school_id,
               SUM(CASE WHEN countable AND ownership <> 'parent_financed' THEN number ELSE 0 END),
               SUM(CASE WHEN countable AND ownership = 'parent_financed' THEN number ELSE 0 END),
               SUM(CASE WHEN presentation THEN number ELSE 0 END)
        FROM moved GROUP BY school_id
    ) AS together
    GROUP BY school_id
),
"""
COURSE_OF_STANDING = """
course AS (
    SELECT asked.*, COALESCE(standing.devices, 0) AS devices, COALESCE(standing.parent_financed, 0) AS parent_financed,
           COALESCE(standing.presentation_devices, 0) AS presentation_devices
    FROM asked LEFT JOIN standing ON standing.school_id = asked.school_id
),
"""
# counts: the pupil counts, each with the next one; on a single day only the one that holds then.
COUNTS = """
counts AS (
    SELECT school_id, counted_on, pupils, rounded,
           LEAD(counted_on) OVER (PARTITION BY school_id ORDER BY counted_on) AS next_count
    FROM schools_pupilcount WHERE {part_asked}
),
"""
COUNTS_OF_ONE_DAY = """
counts AS (
    SELECT count.school_id, count.counted_on, count.pupils, count.rounded, CAST(NULL AS DATE) AS next_count
    FROM schools_pupilcount count
    JOIN (SELECT school_id, MAX(counted_on) AS counted_on FROM schools_pupilcount
          WHERE counted_on <= '{day}' AND {counts_asked} GROUP BY school_id) AS latest
         ON latest.school_id = count.school_id AND latest.counted_on = count.counted_on
),
"""
# asked: the (plan, school, day) to compute, with the versions that hold now.
# course: how many devices stood at each school on each asked day.
# weights, targets: what holds from which day until which.
INPUTS = """
WITH days (plan_id, day) AS ({days}),
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
{course}{counts}weights AS (
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
READ_FRESH = (
    INPUTS
    + """
SELECT inputs.*
FROM inputs ORDER BY school_id
"""
)
READ = (
    INPUTS
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

COLUMNS = (
    "plan_id", "school_id", "day", "counted", "devices", "parent_financed", "presentation_devices", "pupils",
    "weighted_pupils", "counted_on", "rounded", "target_pupils_per_device", "target_devices", "inputs_version",
    "targets_version", "computed_at",
)  # fmt: skip
_KEY = ("plan_id", "school_id", "day")
CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in _KEY)
WRITE = """
INSERT INTO quotas_quotafigure ({columns}) VALUES {rows}
ON CONFLICT (plan_id, school_id, day) DO UPDATE SET {changes}
WHERE quotas_quotafigure.inputs_version <= excluded.inputs_version
  AND quotas_quotafigure.targets_version <= excluded.targets_version
  AND (quotas_quotafigure.inputs_version < excluded.inputs_version
       OR quotas_quotafigure.targets_version < excluded.targets_version OR {same_versions})
"""
# The formulas of `calculations.figure_row`, exact on both databases: in hundredths of pupils, rounded up.
REFRESH = """
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
MARK = """
WITH read (school_id, version) AS ({read})
UPDATE schools_school SET computed_version = read.version FROM read
WHERE schools_school.id = read.school_id AND schools_school.computed_version < read.version
  AND schools_school.id IN (SELECT id FROM schools_school WHERE {asked} ORDER BY id {lock})
"""

RENEW = """
WITH held AS MATERIALIZED (SELECT id FROM quotas_mediadevelopmentplan WHERE id IN ({ids}) ORDER BY id {lock})
UPDATE quotas_mediadevelopmentplan SET figures_state = %s FROM held WHERE quotas_mediadevelopmentplan.id = held.id
"""
