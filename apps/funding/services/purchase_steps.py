"""What every write about orders begins with: the order and its applications locked, in this order; then budgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError, StaleError
from apps.core.history import save_by
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication, Order, OrderLine, OrderStatusChange
from apps.funding.services.steps import ensure_may, lock_budgets
from apps.funding.workflow import ORDER_TRANSITIONS


@dataclass
class Locked:
    """An order with its lines and the applications behind them, as they are now, locked until the transaction ends."""

    order: Order
    lines: list[OrderLine]
    applications: dict[int, EquipmentApplication]

    def lock_budgets(self, *, by: User) -> dict[int, Budget]:
        """The budgets of the lines and of what is committed for them; last of the locks."""
        return lock_budgets(budgets_behind(self.lines), by=by)


def lock_order(order: Order, *, by: User, permission: str, also_lines: Sequence[int] = ()) -> Locked:
    """Locks the order, then its applications in the order of their keys; `Http404` where there is no such order.

    `also_lines`: lines of applications that are about to come into the order.
    """
    ensure_may(by, permission)
    rows = Order.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: Order = get_object_or_404(rows, pk=order.pk)
    applications = lock_applications(
        ApplicationLine.objects.filter(Q(order_lines__order=row) | Q(pk__in=also_lines))
        .order_by()
        .values_list("application", flat=True)
    )
    return Locked(row, lines_of(row), applications)


def lines_of(order: Order) -> list[OrderLine]:
    """In their order, with all that sums and sentences about them need."""
    related = ("application_line__product", "product__kind", "school", "budget__grant", "own_share_budget")
    return list(order.lines.select_related(*related).order_by("pk"))


def lock_applications(ids: Iterable[int]) -> dict[int, EquipmentApplication]:
    rows = EquipmentApplication.objects.select_for_update(of=("self",), no_key=True)
    return {row.pk: row for row in rows.filter(pk__in=set(ids)).order_by("pk")}


def budgets_behind(lines: Sequence[OrderLine]) -> set[int]:
    """Ids of the budgets of the lines and of what is committed for them."""
    applied = [line.application_line_id for line in lines if line.application_line_id is not None]
    return budget_ids(lines) | allocated_budgets(applied)


def budget_ids(lines: Iterable[OrderLine]) -> set[int]:
    ids = {pk for line in lines for pk in (line.budget_id, line.own_share_budget_id)}
    return {pk for pk in ids if pk is not None}


def allocated_budgets(application_line_ids: Sequence[int]) -> set[int]:
    rows = ApplicationLine.objects.filter(pk__in=application_line_ids, allocations__isnull=False)
    return set(rows.values_list("allocations__budget", flat=True))


def ensure_order_step(verb: str, order: Order) -> None:
    """Refuses a step that the table does not let start in the present state."""
    transition = ORDER_TRANSITIONS.transitions[verb]
    ORDER_TRANSITIONS.ensure(verb, source=order.state, target=min(transition.targets))


def change_order_state(order: Order, verb: str, target: str, *, by: User, reason: str = "", **facts: object) -> None:
    """The only place that assigns an order's state; the caller saves the row. Staying in a state is no change.

    `facts`: more fields of the status change.
    """
    ORDER_TRANSITIONS.ensure(verb, source=order.state, target=target)
    if order.state == target:
        return
    OrderStatusChange.objects.create(
        order=order, from_state=order.state, to_state=target, by=by, reason=reason, **facts
    )
    order.state = target


def move_order(
    order: Order, verb: str, target: str, *, by: User, reason: str = "", told: str = "", **facts: object
) -> None:
    """Changes the state and saves it, with who proposed and placed and with the next revision.

    `told`: what the order's history says, where that is not the reason.
    """
    change_order_state(order, verb, target, by=by, reason=reason, **facts)
    order.revision += 1
    fields = ["state", "proposed_by", "placed_by", "placed_on", "procedure", "revision"]
    save_by(order, by=by, update_fields=fields, reason=told or reason)


def ensure_order_revision(order: Order, revision: int | None) -> None:
    """`StaleError` when the order was saved since the person read it; None: not asked."""
    if revision is not None and revision != order.revision:
        raise StaleError(
            _("Somebody has changed this order in the meantime. Please load the page again."), code="stale"
        )


def not_yours() -> DomainError:
    """A form's key that somebody else's form had."""
    return DomainError(_("This form is not yours. Please open it again."), code="form_key", field="form_key")
