"""What holds at any time about orders, invoices and budgets, whatever people did before."""

from hypothesis.stateful import RuleBasedStateMachine, invariant

from apps.core.money import ZERO, total
from apps.funding.choices import InvoiceState
from apps.funding.models import Budget, InvoiceLine, OrderLine, PurchasedDevice
from apps.funding.reconciliation import ledger_differences


class PurchaseInvariants(RuleBasedStateMachine):
    """Asked after each step of a random sequence."""

    @invariant()
    def sums_agree(self) -> None:
        assert ledger_differences() == []

    @invariant()
    def no_budget_is_overspent(self) -> None:
        for budget in Budget.objects.all():
            assert budget.committed >= ZERO
            assert budget.spent >= ZERO
            assert budget.committed + budget.spent <= budget.appropriated

    @invariant()
    def no_grant_exceeds_its_rate(self) -> None:
        """Of what was paid for each order line, and of each invoice line by itself."""
        for line in OrderLine.objects.select_related("budget__grant"):
            paid = list(InvoiceLine.objects.filter(order_line=line, invoice__state=InvoiceState.PAID))
            rate = line.budget.rate
            grant = total(row.grant_amount for row in paid if row.grant_amount is not None)
            own = total(row.own_amount for row in paid if row.own_amount is not None)
            assert grant + own == total(row.amount for row in paid)
            assert min(grant, own) >= ZERO
            assert grant <= total(row.eligible_amount for row in paid) * (rate or ZERO)
            for row in paid:
                if row.amount > ZERO:
                    assert (row.grant_amount or ZERO) <= row.eligible_amount * (rate or ZERO)

    @invariant()
    def each_piece_came_on_its_own_line(self) -> None:
        """What is recorded piece by piece has a device for each piece that is there, at its line's school and price."""
        for line in OrderLine.objects.filter(product__kind__tracked_singly=True):
            rows = PurchasedDevice.objects.filter(order_line=line, returned_on__isnull=True)
            assert rows.count() == line.delivered
            assert rows.filter(device__price=line.unit_price, device__product=line.product_id).count() == line.delivered

    @invariant()
    def spent_is_what_was_paid(self) -> None:
        paid = InvoiceLine.objects.filter(invoice__state=InvoiceState.PAID)
        assert total(row.spent for row in Budget.objects.all()) == total(row.amount for row in paid)
