"""The lines of a draft order: of applications, or of the office's own. Part of the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import formats
from apps.core.errors import DomainError
from apps.core.history import delete_by, save_by
from apps.core.money import ZERO
from apps.funding.models import ApplicationLine, Budget, LineAllocation, Order, OrderLine
from apps.funding.purchase_selectors import pieces_of
from apps.funding.purchasing import OrderLineInput
from apps.funding.services.commitments import ensure_own_share
from apps.funding.services.purchase_steps import lock_applications
from apps.funding.services.steps import validated
from apps.funding.workflow import APPROVED_STATES
from apps.inventory.models import Product
from apps.schools.models import School


def write_lines(order: Order, lines: Sequence[OrderLineInput], *, by: User) -> None:
    """Brings the stored lines of a draft to what was typed. Locks the applications of the lines that are named."""
    stored = {line.pk: line for line in order.lines.select_related("application_line")}
    kept = [line.line_id for line in lines if line.line_id is not None]
    if len(set(kept)) != len(kept) or not set(kept) <= set(stored):
        raise DomainError(_("A line was removed in the meantime. Please load the page again."), code="stale")
    for pk in sorted(set(stored) - set(kept)):
        delete_by(stored.pop(pk), by=by)
    applied = _applied_lines(lines, stored, by)
    numbers: dict[int, int] = {}
    for number, typed in enumerate(lines, start=1):
        line = stored[typed.line_id] if typed.line_id is not None else OrderLine(order=order)
        applied_id = line.application_line_id or typed.application_line_id
        try:
            if applied_id is not None:
                numbers.setdefault(applied_id, number)
                _of_application(line, typed, applied[applied_id], by=by)
            else:
                _of_the_office(line, typed, by=by)
            _check(line)
        except DomainError as error:
            error.line = number
            raise
        save_by(line, by=by)
    _ensure_not_too_many(list(applied.values()), numbers)


def _check(line: OrderLine) -> None:
    validated(line, exclude=("order", "application_line", "school", "product", "budget", "own_share_budget"))
    if line.unit_price < ZERO:
        raise DomainError(_("A price is not negative."), field="unit_price")


def pot_of(line: ApplicationLine) -> OrderLine:
    """An order line that is not stored, with the budgets that pay an approved line: the grant's first."""
    allocations = LineAllocation.objects.filter(line=line).select_related("budget__grant")
    budgets = [row.budget for row in allocations.order_by("pk")]
    from_grant = [row for row in budgets if row.grant_id is not None]
    municipal = [row for row in budgets if row.grant_id is None]
    if not budgets:
        raise DomainError(_("No budget pays for “%(line)s”.") % {"line": line}, code="missing_budget")
    return OrderLine(
        application_line=line,
        product=line.product,
        budget=(from_grant or municipal)[0],
        own_share_budget=municipal[0] if from_grant and municipal else None,
    )


def _applied_lines(
    lines: Sequence[OrderLineInput], stored: Mapping[int, OrderLine], by: User
) -> dict[int, ApplicationLine]:
    """The applications' lines that are named, with their applications locked."""
    ids = {line.application_line_id for line in lines if line.application_line_id is not None}
    ids |= {line.application_line_id for line in stored.values() if line.application_line_id is not None}
    visible = ApplicationLine.objects.visible_to(by).filter(pk__in=ids)
    applications = lock_applications(visible.order_by().values_list("application", flat=True))
    rows = visible.select_related("application__school", "product").order_by("pk")
    found = {line.pk: line for line in rows}
    if len(found) != len(ids) or any(row.state not in APPROVED_STATES for row in applications.values()):
        raise DomainError(
            _("A line is no longer to be ordered: its application is not approved. Please load the page again."),
            code="not_approved",
        )
    return found


def _of_application(line: OrderLine, typed: OrderLineInput, applied: ApplicationLine, *, by: User) -> None:
    pot = pot_of(applied)
    line.application_line, line.product = applied, applied.product
    line.school = applied.application.school
    line.budget, line.own_share_budget = pot.budget, pot.own_share_budget or _chosen(typed.own_share_budget_id, by=by)
    line.quantity = typed.quantity
    line.unit_price = applied.unit_price if typed.unit_price is None else typed.unit_price
    line.description = typed.description.strip()


def _of_the_office(line: OrderLine, typed: OrderLineInput, *, by: User) -> None:
    product = None
    if typed.product_id is not None:
        product = Product.objects.visible_to(by).select_related("kind").filter(pk=typed.product_id).first()
    if product is None and not typed.description.strip():
        raise DomainError(
            _("Please choose a product or describe what is ordered."),
            field="description",
        )
    budget = _chosen(typed.budget_id, by=by)
    if budget is None:
        raise DomainError(
            _("Please choose the budget that pays."),
            code="missing_budget",
            field="budget",
        )
    if typed.unit_price is None:
        raise DomainError(_("Please enter a price."), field="unit_price")
    line.product, line.description = product, typed.description.strip()
    line.school = None if typed.school_id is None else School.objects.visible_to(by).filter(pk=typed.school_id).first()
    line.quantity, line.unit_price = typed.quantity, typed.unit_price
    line.budget, line.own_share_budget = budget, _chosen(typed.own_share_budget_id, by=by)
    ensure_own_share(line, product or line.description)


def _chosen(budget_id: int | None, *, by: User) -> Budget | None:
    if budget_id is None:
        return None
    found: Budget | None = Budget.objects.visible_to(by).select_related("grant").filter(pk=budget_id).first()
    if found is None:
        raise DomainError(_("A chosen budget no longer exists. Please choose another one."), field="budget")
    return found


def _ensure_not_too_many(rows: Sequence[ApplicationLine], numbers: Mapping[int, int]) -> None:
    """`numbers`: line of an application -> line of the order that takes it, where one still does."""
    pieces = pieces_of(rows)
    for line in rows:
        over = -pieces[line.pk].to_order
        if over > 0:
            raise DomainError(
                ngettext(
                    "“%(product)s” of “%(application)s”: that is %(over)s piece too many. Please order only what is"
                    " approved and not ordered yet.",
                    "“%(product)s” of “%(application)s”: that is %(over)s pieces too many. Please order only what is"
                    " approved and not ordered yet.",
                    over,
                )
                % {"product": line.product, "application": line.application.title, "over": formats.number(over)},
                code="quantity",
                field="quantity",
                line=numbers.get(line.pk),
            )
