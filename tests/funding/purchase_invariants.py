"""What holds at any time about orders, invoices and budgets, whatever people did before."""

from hypothesis.stateful import RuleBasedStateMachine, invariant

from apps.core.money import ZERO, total
from apps.funding.choices import InvoiceState
from apps.funding.models import Budget, InvoiceLine, OrderLine
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
    def spent_is_what_was_paid(self) -> None:
        paid = InvoiceLine.objects.filter(invoice__state=InvoiceState.PAID)
        assert total(row.spent for row in Budget.objects.all()) == total(row.amount for row in paid)
