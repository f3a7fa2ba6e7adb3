"""Reading applications and budgets: the same number of queries for ten rows and for a thousand."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.money import ZERO, CentsField, total
from apps.funding.calculations import (
    Balance,
    LineInput,
    Need,
    Part,
    SeveralPreview,
    may_need_own_share,
    needs_own_share,
    parts_of,
    preview_several,
)
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication, Reservation
from apps.funding.past import applications_on, budgets_on, is_past
from apps.inventory.models import Product
from apps.inventory.selectors import prices_on
from apps.quotas.calculations import Effect, FigureRow
from apps.quotas.selectors import current_plan, expected_effect, school_figures
from apps.schools.models import School, SocialIndex

OPEN_STATES = frozenset({ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.RETURNED})
"""States in which nothing is decided yet."""

_EUROS = CentsField()


# Applications


def application_sum(application: EquipmentApplication) -> Decimal:
    """Euros of all lines as applied for."""
    return total(line.amount for line in application.lines.all())


def approved_sum(application: EquipmentApplication) -> Decimal | None:
    """Euros of what is approved; None while nothing is decided."""
    amounts = [line.approved_amount for line in application.lines.all()]
    known = [amount for amount in amounts if amount is not None]
    return total(known) if known else None


def application_rows(user: User) -> QuerySet[EquipmentApplication]:
    """The person's applications with `amount` and `approved_amount` (euros; the latter None if undecided)."""
    rows: QuerySet[EquipmentApplication] = EquipmentApplication.objects.visible_to(user)
    return rows.select_related("school").annotate(
        amount=Coalesce(_sum_of("quantity"), Value(ZERO, output_field=_EUROS)),
        approved_amount=_sum_of("approved_quantity"),
    )


def office_rows(user: User) -> QuerySet[EquipmentApplication]:
    """Applications in any state, the longest waiting first, with `amount`, `social_index` and their reservation.

    `waiting_days` is the row's own; the index (level 1 to 9, None without) informs and does not rank.
    """
    level = SocialIndex.objects.filter(school=OuterRef("school")).order_by("-school_year").values("level")[:1]
    return (
        application_rows(user)
        .select_related("school__school_type", "round", "submitted_by", "reservation__budget", "proposal")
        .annotate(social_index=Subquery(level))
        .order_by("submitted_at", "pk")
    )


def queue_rows(user: User) -> QuerySet[EquipmentApplication]:
    """What waits for a decision: the submitted ones of `office_rows`."""
    return office_rows(user).filter(state=ApplicationState.SUBMITTED)


def _sum_of(quantity: str) -> Subquery:
    """Euros of an application's lines, as a subquery so that joins cannot multiply it."""
    cost = ExpressionWrapper(F("unit_price") * F(quantity), output_field=CentsField())
    sums = (
        ApplicationLine.objects.filter(application=OuterRef("pk"))
        .order_by()
        .values("application")
        .annotate(sum=Sum(cost))
        .values("sum")
    )
    return Subquery(sums, output_field=CentsField())


@dataclass(frozen=True)
class StateCount:
    """How many applications are in a state, and what they ask for in euros."""

    state: ApplicationState
    count: int
    amount: Decimal


def applications_by_state(user: User, day: datetime.date | None = None) -> list[StateCount]:
    """All states in their order, also those without applications; of the rows that the person sees.

    With a day that is over: the states of that day, with the lines as they stand now.
    """
    cost = ExpressionWrapper(F("lines__unit_price") * F("lines__quantity"), output_field=CentsField())
    rows, name = application_states(EquipmentApplication.objects.visible_to(user), user, day)
    counts = rows.order_by().values(name).annotate(count=Count("pk", distinct=True), amount=Sum(cost))
    found = {row[name]: StateCount(ApplicationState(row[name]), row["count"], row["amount"] or ZERO) for row in counts}
    return [found.get(state, StateCount(state, 0, ZERO)) for state in ApplicationState]


def application_states(rows: QuerySet[Any], user: User, day: datetime.date | None) -> tuple[QuerySet[Any], str]:
    """The applications that there were on a day, and the name of the field with their state of that day."""
    if day is None or not is_past(day):
        return rows, "state"
    return applications_on(rows, day, drafts=user.has_perm("funding.see_drafts")), "state_then"


# What applications do to the quota


def application_effect(application: EquipmentApplication, day: datetime.date | None = None) -> Effect | None:
    """The school's quota before and after this application; None without a plan or when the school does not count.

    Counted are pupils' devices: those that are asked for (decided: approved), less those that they replace.
    """
    plan = current_plan(day)
    if plan is None:
        return None
    added, removed = _countable(application.lines.select_related("product__kind"))
    return expected_effect(plan, application.school, added, removed, day)


def application_effects(
    applications: Sequence[EquipmentApplication],
    day: datetime.date | None = None,
    *,
    approved: Mapping[int, int] | None = None,
) -> dict[int, Effect]:
    """Application id -> effect, for a whole list in a fixed number of queries; without schools that do not count.

    `approved`: line id -> pieces that would be approved, in place of what is stored or asked for.
    """
    plan = current_plan(day)
    if plan is None or not applications:
        return {}
    schools = School.objects.filter(pk__in={application.school_id for application in applications})
    figures = school_figures(plan, day or clock.today(), schools)
    before = {figure.school.pk: figure.numbers for figure in figures if figure.school is not None}
    lines: defaultdict[int, list[ApplicationLine]] = defaultdict(list)
    for line in ApplicationLine.objects.filter(application__in=applications).select_related("product__kind"):
        lines[line.application_id].append(line)
    effects = {}
    for application in applications:
        row = before.get(application.school_id)
        if isinstance(row, FigureRow):
            added, removed = _countable(lines[application.pk], approved)
            effects[application.pk] = Effect(row, max(row.devices + added - removed, 0))
    return effects


def _countable(lines: Iterable[ApplicationLine], approved: Mapping[int, int] | None = None) -> tuple[int, int]:
    """(added, removed) pupils' devices of lines; of a line approved in part at most as many are replaced."""
    added = removed = 0
    for line in lines:
        if line.product.kind.countable:
            stored = line.quantity if line.approved_quantity is None else line.approved_quantity
            quantity = (approved or {}).get(line.pk, stored)
            added += quantity
            removed += min(line.replaces_quantity, quantity)
    return added, removed


# Money


def budget_rows(user: User, year: int | None = None) -> QuerySet[Budget]:
    """The budgets that the person sees, municipal ones first, then by programme, with `reserved` in euros.

    `available` is the row's own.
    """
    reserved = (
        Reservation.objects.filter(budget=OuterRef("pk"))
        .order_by()
        .values("budget")
        .annotate(sum=Sum("amount"))
        .values("sum")
    )
    rows: QuerySet[Budget] = Budget.objects.visible_to(user)
    if year is not None:
        rows = rows.filter(fiscal_year=year)
    return (
        rows.select_related("grant__programme")
        .annotate(reserved=Coalesce(Subquery(reserved, output_field=CentsField()), Value(ZERO, output_field=_EUROS)))
        .order_by(F("grant__programme__name").asc(nulls_first=True), "-fiscal_year", "name", "pk")
    )


@dataclass(frozen=True)
class SourceTotals:
    """Budgets of one source added up, in euros. `programme` None: municipal money."""

    name: str
    programme: Any
    budgets: tuple[Budget, ...]
    appropriated: Decimal
    overrun_allowed: Decimal
    freeze: Decimal
    reserved: Decimal
    committed: Decimal
    spent: Decimal
    available: Decimal


def money_by_source(user: User, year: int | None = None, day: datetime.date | None = None) -> list[SourceTotals]:
    """Municipal money and each programme with the sums of their budgets; with a day that is over, as it was then.

    `appropriated` is what may be used: appropriation, carried over, supplement and virements.
    """
    groups: dict[int | None, list[Budget]] = {}
    rows = budget_rows(user, year)
    for budget in rows if day is None or not is_past(day) else budgets_on(rows, day):
        groups.setdefault(None if budget.grant is None else budget.grant.programme_id, []).append(budget)
    return [_source_totals(budgets) for budgets in groups.values()]


def _source_totals(budgets: Sequence[Any]) -> SourceTotals:
    grant = budgets[0].grant
    return SourceTotals(
        name=_("Municipal money") if grant is None else grant.programme.name,
        programme=None if grant is None else grant.programme,
        budgets=tuple(budgets),
        appropriated=total(row.appropriated for row in budgets),
        overrun_allowed=total(row.overrun_allowed for row in budgets),
        freeze=total(row.freeze for row in budgets),
        reserved=total(row.reserved for row in budgets),
        committed=total(row.committed for row in budgets),
        spent=total(row.spent for row in budgets),
        available=total(row.available for row in budgets),
    )


# Previews


def decision_preview(
    applications: Iterable[EquipmentApplication], budget: Budget, own_share_budget: Budget | None = None
) -> SeveralPreview:
    """What approving these in full, in the order of their submission, would do to the budgets, one by one.

    The same steps as `services.decide_several`, without locks: the service decides anew.
    `DomainError` when the budget's grant pays only a part and there is no budget for the own share.
    """
    ordered = sorted(applications, key=lambda row: (row.submitted_at or row.created_at, row.pk))
    return preview_in_order(ordered, budget, own_share_budget)


def preview_in_order(
    ordered: Sequence[EquipmentApplication], budget: Budget, own_share_budget: Budget | None = None
) -> SeveralPreview:
    """`decision_preview` in the order that is given."""
    own = own_share_budget if may_need_own_share(budget) else None
    lines: defaultdict[int, list[ApplicationLine]] = defaultdict(list)
    for line in ApplicationLine.objects.filter(application__in=ordered).order_by("pk"):
        lines[line.application_id].append(line)
    _ensure_own_share([line for row in ordered for line in lines[row.pk]], budget, own)
    needs = [
        Need(row.pk, tuple(part for line in lines[row.pk] for part in _parts(line, budget, own))) for row in ordered
    ]
    return preview_several(needs, _balances([row for row in (budget, own) if row is not None]))


def _balances(budgets: Iterable[Budget]) -> Mapping[int, Balance]:
    """Budget id -> what it has available now."""
    return {row.pk: Balance(row.pk, str(row), row.available) for row in budgets}


def _ensure_own_share(lines: Iterable[ApplicationLine], budget: Budget, own: Budget | None) -> None:
    if own is None and any(needs_own_share(line.amount, budget, line.quantity) for line in lines):
        raise DomainError(
            _("“%(budget)s” pays only a part. Please choose the budget for the own share.") % {"budget": budget},
            code="missing_own_share",
            field="own_share_budget",
        )


def _parts(line: ApplicationLine, budget: Budget, own: Budget | None) -> tuple[Part, ...]:
    return parts_of(
        line.pk,
        line.amount,
        quantity=line.quantity,
        budget_id=budget.pk,
        source=budget,
        own_share_budget_id=None if own is None else own.pk,
    )


# What the school types and waits for


@dataclass(frozen=True)
class Planned:
    """Lines as typed, unsaved, with the catalogue's present prices: their sum in euros and what they would do."""

    lines: tuple[ApplicationLine, ...]
    amount: Decimal
    effect: Effect | None


def planned(school: School, inputs: Iterable[LineInput], products: Mapping[int, Product]) -> Planned:
    """What an application that is being written would cost and do to the school's quota."""
    inputs = tuple(inputs)
    prices = prices_on(typed.product_id for typed in inputs)
    lines = tuple(
        ApplicationLine(
            product=products[typed.product_id],
            quantity=typed.quantity,
            replaces_quantity=typed.replaces_quantity,
            unit_price=prices.get(typed.product_id, ZERO),
        )
        for typed in inputs
    )
    plan = current_plan()
    effect = None if plan is None else expected_effect(plan, school, *_countable(lines))
    return Planned(lines, total(line.amount for line in lines), effect)


def application_lines(application: EquipmentApplication) -> list[ApplicationLine]:
    """Its lines in their order, with product, kind and the devices that they replace."""
    rows = application.lines.select_related("product__kind").prefetch_related("replaced_devices__device")
    return list(rows.order_by("pk"))


def waiting_for_coordinator(user: User) -> QuerySet[EquipmentApplication]:
    """Questions to answer and drafts to finish, of those who may submit; questions first, then the oldest."""
    if not user.has_perm("funding.submit_application"):
        return EquipmentApplication.objects.none()
    rows = application_rows(user).filter(state__in=[ApplicationState.RETURNED, ApplicationState.DRAFT])
    return rows.order_by("-state", "created_at", "pk")


def proposed_for(user: User) -> QuerySet[EquipmentApplication]:
    """Submitted applications of which another person has proposed the approval, for those who approve."""
    if not user.has_perm("funding.approve_application"):
        return EquipmentApplication.objects.none()
    rows: QuerySet[EquipmentApplication] = EquipmentApplication.objects.visible_to(user)
    proposed = rows.filter(state=ApplicationState.SUBMITTED, proposal__revision=F("revision"))
    return proposed.exclude(proposal__by=user).order_by("proposal__at", "pk")


def waiting_for_office(user: User) -> QuerySet[EquipmentApplication]:
    """Submitted applications for those who work the queue, the longest waiting first."""
    return queue_rows(user) if user.has_perm("funding.work_queue") else EquipmentApplication.objects.none()
