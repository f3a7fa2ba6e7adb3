"""The waiting list: what is submitted in the order of `priorities`, with reasons in words, and where the money ends."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.core import clock, formats
from apps.funding.calculations import SeveralPreview
from apps.funding.choices import RuleKind
from apps.funding.models import ApplicationRound, Budget, DatedRule, EquipmentApplication, ReplacedDevice
from apps.funding.priorities import Age, Criterion, Facts, Place, Score, places_of
from apps.funding.selectors import preview_in_order, queue_rows
from apps.inventory.ageing import years_of_use
from apps.inventory.calculations import months_later
from apps.quotas.calculations import FigureRow
from apps.quotas.selectors import current_plan, school_figures
from apps.schools.models import School

RULES = {
    Criterion.NEED: RuleKind.WEIGHT_NEED,
    Criterion.AGE: RuleKind.WEIGHT_AGE,
    Criterion.SOCIAL_INDEX: RuleKind.WEIGHT_SOCIAL_INDEX,
}
NAMES: dict[Criterion, str | Promise] = {
    Criterion.NEED: gettext_lazy("need against the target"),
    Criterion.AGE: gettext_lazy("age of what is replaced"),
    Criterion.SOCIAL_INDEX: gettext_lazy("social index"),
}


@dataclass(frozen=True)
class Weight:
    """How much a criterion counts on a day; `rule` None: the city has set nothing."""

    criterion: Criterion
    rule: DatedRule | None

    @property
    def name(self) -> str:
        return str(NAMES[self.criterion])

    @property
    def value(self) -> Decimal:
        """0: switched off."""
        return Decimal(0) if self.rule is None or self.rule.value is None else self.rule.value


@dataclass(frozen=True)
class Entry:
    """An application (a row of `queue_rows`) on its place."""

    place: Place
    application: Any

    @property
    def reasons(self) -> list[tuple[Score, str]]:
        return [(score, sentence_about(score, self.place.facts)) for score in self.place.scores]


def weights_on(day: datetime.date) -> list[Weight]:
    """One per criterion, in their order, with the rule that holds on the day."""
    rows = DatedRule.objects.begun(day).filter(kind__in=RULES.values()).order_by("valid_from")
    found = {row.kind: row for row in rows}
    return [Weight(criterion, found.get(kind)) for criterion, kind in RULES.items()]


def values_on(day: datetime.date) -> dict[Criterion, Decimal]:
    """The weights alone."""
    return {weight.criterion: weight.value for weight in weights_on(day)}


def waiting_list(user: User, in_round: ApplicationRound | None = None) -> list[Entry]:
    """What waits for a decision, of one round or of all, in a fixed number of queries."""
    rows: Any = queue_rows(user).select_related("round")
    if in_round is not None:
        rows = rows.filter(round=in_round)
    by_id = {row.pk: row for row in rows}
    weights = values_on(clock.today())
    return [
        Entry(place, by_id[place.facts.application_id])
        for place in places_of(facts_about(by_id.values(), clock.today()), weights)
    ]


def facts_about(applications: Iterable[Any], day: datetime.date) -> list[Facts]:
    """What is known about rows of `queue_rows` on a day."""
    applications = list(applications)
    figures = _figures_of({row.school_id for row in applications}, day)
    ages = _ages_of(applications, day)
    facts = []
    for row in applications:
        figure = figures.get(row.school_id)
        facts.append(
            Facts(
                application_id=row.pk,
                submitted_at=row.submitted_at,
                devices=None if figure is None else figure.devices,
                target_devices=None if figure is None else figure.target_devices,
                ages=tuple(ages[row.pk]),
                social_index=row.social_index,
            )
        )
    return facts


def _figures_of(school_ids: set[int], day: datetime.date) -> dict[int, FigureRow]:
    plan = current_plan(day)
    if plan is None or not school_ids:
        return {}
    schools = School.objects.filter(pk__in=school_ids)
    figures = school_figures(plan, day, schools)
    return {
        figure.school.pk: figure.numbers
        for figure in figures
        if figure.school is not None and isinstance(figure.numbers, FigureRow)
    }


def _ages_of(applications: Sequence[EquipmentApplication], day: datetime.date) -> defaultdict[int, list[Age]]:
    """Of the devices that are named as replaced and of which it is known when they were bought."""
    rows = ReplacedDevice.objects.filter(line__application__in=applications, device__bought_on__isnull=False)
    ages: defaultdict[int, list[Age]] = defaultdict(list)
    for row in rows.select_related("line", "device__product", "device__kind").order_by("pk"):
        bought_on = row.device.bought_on
        planned = (months_later(bought_on, 12 * years_of_use(row.device)) - bought_on).days
        ages[row.line.application_id].append(Age((day - bought_on).days, planned))
    return ages


# In words


def sentence_about(score: Score, facts: Facts) -> str:
    """Why a criterion has its value."""
    sentences = {
        Criterion.NEED: _about_need,
        Criterion.AGE: _about_age,
        Criterion.SOCIAL_INDEX: _about_social_index,
    }
    return sentences[score.criterion](score, facts)


def _about_need(score: Score, facts: Facts) -> str:
    if score.value is None:
        return _("The need is not known: the school has no target or no count. It counts as neutral.")
    missing = max((facts.target_devices or 0) - (facts.devices or 0), 0)
    if not missing:
        return _("The school has reached its target.")
    return ngettext(
        "%(missing)s of %(target)s device is missing to the target.",
        "%(missing)s of %(target)s devices are missing to the target.",
        missing,
    ) % {"missing": formats.number(missing), "target": formats.number(facts.target_devices)}


def _about_age(score: Score, facts: Facts) -> str:
    if score.value is None:
        return _("No device with a known age is named as replaced. It counts as neutral.")
    number = len(facts.ages)
    return ngettext(
        "%(number)s device is replaced; it was used for %(percent)s of its planned time.",
        "%(number)s devices are replaced; on average they were used for %(percent)s of their planned time.",
        number,
    ) % {"number": formats.number(number), "percent": formats.percent(100 * score.value)}


def _about_social_index(score: Score, facts: Facts) -> str:
    if score.value is None:
        return _("The school has no social index. It counts as neutral.")
    return _("Social index: level %(level)s of 9.") % {"level": facts.social_index}


# Where the money ends


def money_along(
    entries: Sequence[Entry], budget: Budget, own_share_budget: Budget | None = None
) -> tuple[SeveralPreview, int | None]:
    """What approving all in this order does to the budgets, and the place of the first that is not affordable."""
    preview = preview_in_order([entry.application for entry in entries], budget, own_share_budget)
    short: Mapping[int, bool] = {step.application_id: not step.affordable for step in preview.steps}
    ends_at = next((entry.place.number for entry in entries if short[entry.application.pk]), None)
    return preview, ends_at
