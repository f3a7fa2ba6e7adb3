"""Reading figures: stored where they are stored, computed by the same statement where they are not.

Figures of the city and of school types are public: they go to the council. Which schools' own rows a person sees
is decided by `School.objects.visible_to(user)`, which callers hand to `school_figures`.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.models import Job, JobState
from apps.quotas import calculations
from apps.quotas.calculations import Effect, FigureRow, Share, two_places
from apps.quotas.choices import Level
from apps.quotas.figures import Figure, Overview, SchoolRow, row_of
from apps.quotas.models import ComputedDay, MediaDevelopmentPlan, QuotaFigure, Target
from apps.quotas.statements import PlanDay, read_day, read_inputs
from apps.quotas.stored import StoredOverview, settled_state
from apps.schools.models import PupilCount, School

STALE_JOB = "quotas.recalculate_stale"
FULL_JOB = "quotas.recalculate_all"
OVERDUE = datetime.timedelta(minutes=15)


# Plans and days


def current_plan(day: datetime.date | None = None) -> MediaDevelopmentPlan | None:
    """The plan that began last; it stays in force after its last day until the next one begins."""
    plans = MediaDevelopmentPlan.objects.filter(starts_on__lte=day or clock.today())
    return plans.order_by("-starts_on", "-pk").first()


def plan_on(plans: Sequence[MediaDevelopmentPlan], day: datetime.date) -> MediaDevelopmentPlan:
    """The plan among `plans` (at least one) that was in force on a day.

    Raises `DomainError` for days to come, and before the first plan, whose first day it names.
    """
    began = [plan for plan in plans if plan.starts_on <= day]
    first = min(plans, key=lambda plan: plan.starts_on)
    plan = max(began, key=lambda plan: (plan.starts_on, plan.pk), default=first)
    ensure_readable(plan, day)
    return plan


def stored_days(today: datetime.date | None = None) -> list[PlanDay]:
    """All (plan, day) whose figures are stored, see `calculations.needed_days`."""
    today = today or clock.today()
    plans = list(MediaDevelopmentPlan.objects.order_by("starts_on", "pk"))
    pairs = zip(plans, [*plans[1:], None], strict=False)  # a portal without a plan stores nothing
    return [(plan.pk, day) for plan, following in pairs for day in _days_of(plan, today, following)]


def _days_of(
    plan: MediaDevelopmentPlan, today: datetime.date, following: MediaDevelopmentPlan | None
) -> list[datetime.date]:
    followed_on = following.starts_on if following else None
    return calculations.needed_days(plan.starts_on, plan.ends_on, today, followed_on)


def _following(plan: MediaDevelopmentPlan) -> MediaDevelopmentPlan | None:
    later = Q(starts_on__gt=plan.starts_on) | Q(starts_on=plan.starts_on, pk__gt=plan.pk)
    return MediaDevelopmentPlan.objects.filter(later).order_by("starts_on", "pk").first()


def newest_day(plan: MediaDevelopmentPlan, today: datetime.date | None = None) -> datetime.date | None:
    """The day on which a plan is read: today for the current one, its last day for one that is over.

    The latest one stored of a plan that another overtook.
    """
    today, following = today or clock.today(), _following(plan)
    days = _days_of(plan, today, following)
    if following is not None and following.starts_on <= today:
        days = [day for day in days if day <= plan.ends_on]
    return days[-1] if days else None


def ensure_readable(plan: MediaDevelopmentPlan, day: datetime.date) -> None:
    """Raises `DomainError` for a day on which the plan has no figures."""
    if day > clock.today():
        raise DomainError(_("There are no figures for days to come. Please choose today or an earlier day."))
    if day < plan.starts_on:
        raise DomainError(
            _("%(plan)s begins on %(day)s. Please choose that day or a later one.")
            % {"plan": plan.name, "day": formats.date_format(plan.starts_on, "SHORT_DATE_FORMAT")}
        )


def target_in_force(plan: MediaDevelopmentPlan, school: School, day: datetime.date) -> Target | None:
    """The row behind a school's target on a day."""
    targets = Target.objects.filter(
        group__plan=plan, group__members__school_type=school.school_type_id, valid_from__lte=day
    )
    return targets.select_related("group").order_by("-valid_from").first()


# Figures


def overview(
    plan: MediaDevelopmentPlan, day: datetime.date, schools: QuerySet[School] | None = None
) -> Overview | StoredOverview:
    """Figures of the own authority's schools, or of those among `schools`; a fixed number of queries in all.

    A stored row is shown as it stands and says whether it is stale; a row that is not stored (any other day, or
    a school since the last run) is computed now. Where all are stored, the database makes the sums.
    """
    if schools is None and day in _days_of(plan, clock.today(), _following(plan)):
        state = settled_state(plan, day)
        if state is not None or _is_stored(plan, day):
            return StoredOverview(plan, day, state)
    wanted = School.objects.filter(authority__is_own=True)
    if schools is not None:
        wanted = wanted.filter(pk__in=schools.values("pk"))
    known = {row[0]: KnownSchool(*row) for row in wanted.values_list(*KnownSchool._fields)}
    rows = _stored_rows(plan, day, known)
    missing = known.keys() - rows.keys()
    if missing:
        rows |= _fresh_rows(plan, day, known, None if schools is None and not rows else missing)
    return Overview(plan, day, [rows[pk] for pk in known if pk in rows])


class KnownSchool(NamedTuple):
    """What a figure needs of a school before it is shown: thousands of whole ones would take longer than their sums."""

    pk: int
    school_type_id: str
    sort_key: str
    inputs_version: int


def _is_stored(plan: MediaDevelopmentPlan, day: datetime.date) -> bool:
    """Whether each own school has a stored row: the day was computed for all, and again for those that came since."""
    if not ComputedDay.objects.filter(plan=plan, day=day).exists():
        return False
    row = QuotaFigure.objects.filter(school=OuterRef("pk"), plan=plan, day=day)
    return not School.objects.due().filter(~Exists(row), authority__is_own=True).exists()


def _stored_rows(
    plan: MediaDevelopmentPlan, day: datetime.date, schools: Mapping[int, KnownSchool]
) -> dict[int, SchoolRow]:
    """Rows that the job keeps current; rows left over from a day that is no longer stored are not used."""
    today = clock.today()
    if day not in _days_of(plan, today, _following(plan)):
        return {}
    figures = QuotaFigure.objects.filter(plan=plan, day=day)
    if len(schools) == 1:
        figures = figures.filter(school=next(iter(schools)))
    return {
        figure.school_id: _school_row(
            schools[figure.school_id],
            row_of(figure),
            figure.computed_at,
            stale=figure.inputs_version != schools[figure.school_id].inputs_version
            or figure.targets_version != plan.targets_version,
        )
        for figure in figures
        if figure.school_id in schools
    }


def _fresh_rows(
    plan: MediaDevelopmentPlan,
    day: datetime.date,
    schools: Mapping[int, KnownSchool],
    asked: Collection[int] | None,
) -> dict[int, SchoolRow]:
    """Rows computed now for these schools; for all by default, from the stored day before."""
    moment = clock.now()
    if asked is None:
        computed = read_day(plan.pk, day, before=_stored_day_before(plan, day))
    else:
        computed = read_inputs([(plan.pk, day)], school_ids=asked)
    return {
        one.school_id: _school_row(schools[one.school_id], one.row, moment, stale=False)
        for one in computed
        if one.school_id in schools
    }


def _stored_day_before(plan: MediaDevelopmentPlan, day: datetime.date) -> datetime.date | None:
    days = ComputedDay.objects.filter(plan=plan, day__lt=day).order_by("-day")
    return days.values_list("day", flat=True).first()


def _school_row(school: KnownSchool, row: FigureRow, moment: datetime.datetime, *, stale: bool) -> SchoolRow:
    return SchoolRow(school.pk, school.school_type_id, school.sort_key, row, moment, stale)


def figures(plan: MediaDevelopmentPlan, day: datetime.date, level: Level | str) -> list[Figure]:
    """All figures of a level; unrestricted, so for a person use `school_figures` with their schools."""
    read = overview(plan, day)
    match Level(level):
        case Level.CITY:
            return [read.city]
        case Level.SCHOOL_TYPE:
            return read.school_types
        case Level.SCHOOL:
            return read.schools


def city_figure(plan: MediaDevelopmentPlan, day: datetime.date) -> Figure:
    return overview(plan, day).city


def school_figures(
    plan: MediaDevelopmentPlan, day: datetime.date, schools: QuerySet[School] | None = None
) -> list[Figure]:
    """Figures of the schools that count on the day, by name; `schools` narrows them to a person's scope."""
    return overview(plan, day, schools).schools


def school_figure(plan: MediaDevelopmentPlan, school: School, day: datetime.date) -> Figure | None:
    """One school's figure; None when the school does not count on the day."""
    return next(iter(school_figures(plan, day, School.objects.filter(pk=school.pk))), None)


def shares(plan: MediaDevelopmentPlan, day: datetime.date) -> dict[int, Share]:
    """Share of schools at 1 : 1 and at 1 : 2 or better."""
    read = overview(plan, day)
    return {most: read.share_at(most) for most in (1, 2)}


def mean_of_schools(plan: MediaDevelopmentPlan, day: datetime.date) -> Decimal | None:
    """Mean of the schools' quotas in percent; beside the city's quota, never instead of it."""
    return city_figure(plan, day).mean_of_schools


def stands_on_generated_counts(figure: Figure) -> bool:
    """Whether a pupil count behind the figure was made up for the demonstration."""
    behind = PupilCount.objects.filter(generated=True, counted_on__lte=figure.day)
    later = PupilCount.objects.filter(
        school=OuterRef("school"), counted_on__gt=OuterRef("counted_on"), counted_on__lte=figure.day
    )
    match figure.level:
        case Level.CITY:
            behind = behind.filter(school__authority__is_own=True)
        case Level.SCHOOL_TYPE:
            behind = behind.filter(school__authority__is_own=True, school__school_type=figure.key)
        case Level.SCHOOL:
            behind = behind.filter(school__number=figure.key)
    return behind.filter(~Exists(later)).exists()


def as_json(figure: Figure) -> dict[str, Any]:
    """A figure under the fixed field names of its JSON form. Decimals are strings with two places."""
    numbers = figure.numbers
    values: dict[str, Any] = {
        "plan": figure.plan,
        "day": figure.day.isoformat(),
        "level": str(figure.level),
        "key": figure.key,
        "name": figure.name,
        "devices": numbers.devices,
        "presentation_devices": numbers.presentation_devices,
        "parent_financed": numbers.parent_financed,
        "pupils": numbers.pupils,
        "weighted_pupils": two_places(numbers.weighted_pupils),
        "counted_on": None if numbers.counted_on is None else numbers.counted_on.isoformat(),
        "rounded": numbers.rounded,
        "percent": two_places(numbers.percent),
        "pupils_per_device": two_places(numbers.pupils_per_device),
        "target_pupils_per_device": two_places(numbers.target_pupils_per_device),
        "target_devices": numbers.target_devices,
        "difference": numbers.difference,
    }
    if figure.level == Level.CITY:
        values["mean_of_schools"] = two_places(figure.mean_of_schools)
    return values | {"computed_at": figure.computed_at.isoformat(), "stale": figure.stale}


# What a change would do


def expected_effect(
    plan: MediaDevelopmentPlan,
    school: School,
    added_countable_devices: int,
    removed: int = 0,
    day: datetime.date | None = None,
) -> Effect | None:
    """What so many more (and fewer) pupils' devices would do to a school's quota; None when it does not count."""
    figure = school_figure(plan, school, day or clock.today())
    if figure is None or not isinstance(figure.numbers, FigureRow):
        return None
    return Effect(figure.numbers, max(figure.numbers.devices + added_countable_devices - removed, 0))


# How current the figures are


@dataclass(frozen=True)
class FigureStatus:
    """As of when the newest figures are, for how many schools a run is due, and how the last run ended.

    With nothing pending all rows are as the last successful run left or confirmed them, so `as_of` is its end;
    else it is the oldest moment at which one of the rows was computed.
    """

    as_of: datetime.datetime | None
    pending: int
    last_run_ended_at: datetime.datetime | None
    last_run_failed: bool

    @property
    def overdue(self) -> bool:
        """Something is due and no run has ended for a while: the worker may be down."""
        ended = self.last_run_ended_at
        return bool(self.pending) and (ended is None or clock.now() - ended > OVERDUE)


def figure_status(plan: MediaDevelopmentPlan | None = None) -> FigureStatus:
    """Status of a plan's newest figures (the current plan's by default).

    A school is pending when its newest row is missing or stale; all its days are recomputed together, so this
    one row speaks for them.
    """
    plan = plan or current_plan()
    day = None if plan is None else newest_day(plan)
    pending = 0 if plan is None or day is None else _pending_schools(plan, day)
    runs = Job.objects.filter(kind__in=(STALE_JOB, FULL_JOB), ended_at__isnull=False).order_by("-ended_at")
    last = runs.first()
    good = last if last is None or last.state == JobState.DONE else runs.filter(state=JobState.DONE).first()
    return FigureStatus(
        as_of=_oldest_moment(plan, day) if pending or good is None else good.ended_at,
        pending=pending,
        last_run_ended_at=None if last is None else last.ended_at,
        last_run_failed=last is not None and last.state == JobState.FAILED,
    )


def _oldest_moment(plan: MediaDevelopmentPlan | None, day: datetime.date | None) -> datetime.datetime | None:
    if plan is None or day is None:
        return None
    oldest: datetime.datetime | None = QuotaFigure.objects.filter(plan=plan, day=day).aggregate(
        oldest=Min("computed_at")
    )["oldest"]
    return oldest


def _pending_schools(plan: MediaDevelopmentPlan, day: datetime.date) -> int:
    current = QuotaFigure.objects.filter(
        school=OuterRef("pk"),
        plan=plan,
        day=day,
        inputs_version=OuterRef("inputs_version"),
        targets_version=plan.targets_version,
    )
    schools = School.objects.filter(authority__is_own=True)
    if ComputedDay.objects.filter(plan=plan, day=day, targets_version=plan.targets_version).exists():
        schools = schools.due()
    return schools.filter(~Exists(current)).count()
