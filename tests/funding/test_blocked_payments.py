"""A payment for which money is missing is not offered: the pages say what is missing, and what of it is frozen."""

from decimal import Decimal

import pytest

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.models import Budget, Invoice
from tests.factories import ApproverFactory
from tests.funding.factories import BudgetFactory, change_by_two
from tests.funding.portal import client_of, texts
from tests.funding.purchases import deliver, invoiced, own_line, placed_order

pytestmark = pytest.mark.django_db
D = Decimal
LIST = "/admin/funding/invoice/"
OFFERED = "Zahlung von 150,00 € anordnen"
SETTLE = "Die Zahlung kann erst angeordnet werden, wenn das geklärt ist."


@pytest.fixture
def budget() -> Budget:
    return BudgetFactory(name="Schul-IT", appropriation=D("1000.00"))


@pytest.fixture
def dearer(budget: Budget) -> Invoice:
    """Ordered for 100 euros, invoiced for 150."""
    return invoiced(deliver(placed_order(own_line(budget))), "150.00", 1, remark="Der Preis ist gestiegen")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"appropriation": D("110.00")}, "nur 10,00 € sind frei."),
        ({"freeze": D("880.00")}, "nur 20,00 € sind frei: 880,00 € sind gesperrt."),
    ],
    ids=["too little", "frozen"],
)
def test_it_is_offered_again_once_the_money_is_there(
    budget: Budget, dearer: Invoice, change: dict[str, Decimal], told: str
) -> None:
    payer, page = client_of(ApproverFactory()), f"{LIST}{dearer.pk}/change/"
    assert OFFERED in texts(payer.get(page))
    change_by_two(budget, **change)
    shown = texts(payer.get(page))
    assert (OFFERED in shown, SETTLE in shown, shown.count(told)) == (False, True, 1)
    together = texts(payer.get(f"{LIST}pay/?ids={dearer.pk}"))
    assert (together.count(told), "Wird ausgelassen:" in together) == (1, True)
    with pytest.raises(DomainError):
        services.pay_invoice(invoice=dearer, by=ApproverFactory(), paid_on=dearer.dated_on)

    change_by_two(budget, appropriation=D("1000.00"), freeze=D("0.00"))
    assert OFFERED in texts(payer.get(page))


def test_what_the_payer_typed_stays_where_the_money_went_meanwhile(budget: Budget, dearer: Invoice) -> None:
    payer, page = client_of(ApproverFactory()), f"{LIST}{dearer.pk}/change/"
    seen = payer.get(page).context["seen"]
    change_by_two(budget, freeze=D("880.00"))
    sent = {"step": "pay", "seen": seen, "pay-paid_on": "2026-11-30", "pay-booking_reference": "AO 17"}
    answer = payer.post(page, sent)
    assert 'value="AO 17"' in answer.content.decode()
    assert SETTLE in texts(answer)
