"""May this order be placed: does its framework contract reach, and is its award on record?"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.money import total
from apps.funding.contract_selectors import left_of
from apps.funding.models import FrameworkContract, Order, OrderLine
from apps.funding.purchase_selectors import estimated_net
from apps.funding.rules import sets_thresholds, threshold_for


def ensure_contract(order: Order, lines: Sequence[OrderLine]) -> None:
    """Dates and volume of the framework contract, which is locked so that two orders cannot share its rest."""
    if order.contract_id is None:
        return
    contract = FrameworkContract.objects.select_for_update(no_key=True).get(pk=order.contract_id)
    if not contract.holds_on(clock.today()):
        raise DomainError(
            _("“%(contract)s” does not hold today. Please choose another contract, or none.") % {"contract": contract},
            code="contract_over",
            field="contract",
        )
    if contract.volume is None:
        return
    left, needed = left_of([contract])[contract.pk], total(line.amount for line in lines)
    if needed > left:
        raise DomainError(
            _("“%(contract)s” has %(left)s left, but the order comes to %(needed)s. Please order less, or without it.")
            % {"contract": contract, "left": euro(left), "needed": euro(needed)},
            code="contract_volume",
            field="contract",
        )


def complete_award(order: Order) -> None:
    """Copies the procedure of the step that holds today; refuses a record that is needed and not complete.

    What counts is the estimate, or the net sum of the order where that is higher.
    """
    if order.estimated_net is None:
        if order.contract_id is None or sets_thresholds(clock.today()):
            raise DomainError(
                _("Please enter the estimated net sum of the award, for the whole need and not split."),
                code="award",
                field="estimated_net",
            )
        return
    step = threshold_for(max(order.estimated_net, estimated_net(order)), clock.today())
    if step is not None:
        order.procedure = step.procedure
    elif order.contract_id is not None:
        return
    if not order.procedure:
        raise DomainError(
            _("No step of the city's rules holds for this sum. Please say in words how the order was awarded."),
            code="award",
            field="procedure",
        )
    if not order.award_reason:
        raise DomainError(_("Please give the reason of the award."), code="award", field="award_reason")
