"""What the pages of an order offer: only what will not be refused, and where to go on."""

from decimal import Decimal

import pytest
from django.test import Client

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import OrderState
from apps.funding.models import Order
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, change_by_two
from tests.funding.portal import client_of, messages_of, texts
from tests.funding.purchases import (
    approved,
    deliver,
    draft_order,
    form_of,
    invoiced,
    lines_for,
    order_in,
    own_line,
    pay,
    placed_order,
)

pytestmark = pytest.mark.django_db
D = Decimal
CANCEL = "Bestellung stornieren"
APPROVE = "Genehmigen und bestellen"


@pytest.fixture
def clerk() -> Client:
    return client_of(ClerkFactory())


def address(order: Order, name: str = "change") -> str:
    return f"/admin/funding/order/{order.pk}/{name}/"


def test_a_cancellation_is_offered_while_it_will_not_be_refused(clerk: Client) -> None:
    order = order_in(OrderState.PLACED)
    assert CANCEL in texts(clerk.get(address(order)))
    assert clerk.get(address(order, "cancel")).status_code == 200

    pay(invoiced(order, "100.00", 1, remark="Vorkasse"))
    for refused in (order, order_in(OrderState.PARTLY_DELIVERED)):
        assert CANCEL not in texts(clerk.get(address(refused)))
        answer = clerk.get(address(refused, "cancel"))
        assert answer["Location"] == address(refused)
        with pytest.raises(DomainError) as caught:
            services.cancel_order(order=refused, by=ClerkFactory(), reason="Doch nicht")
        assert str(caught.value) in messages_of(clerk.get(address(refused)))


def test_the_way_back_from_a_step_names_the_order(clerk: Client) -> None:
    order = order_in(OrderState.PROPOSED)
    shown = texts(clerk.get(address(order, "send-back")))
    assert shown.count("Zurück zum Entwurf Zur Bestellung") == 1


def test_goods_that_are_all_scanned_in_have_no_empty_form(clerk: Client) -> None:
    order = placed_order(*lines_for(approved()))
    line = order.lines.get()
    answer = clerk.get(address(order, "receive"))
    shown = texts(answer)
    assert "Was von dieser Bestellung noch fehlt, wird Stück für Stück eingescannt." in shown
    assert f"Einscannen: {line}, {line.school}" in shown
    assert f'href="{address(order, "scan")}?line={line.pk}"' in answer.content.decode()
    assert "Nummer des Lieferscheins" not in shown
    shown = texts(clerk.get(address(deliver(order), "receive")))
    assert "Von dieser Bestellung fehlt nichts mehr." in shown
    assert "Nummer des Lieferscheins" not in shown
    mixed = placed_order(own_line(BudgetFactory()))
    assert "Nummer des Lieferscheins" in texts(clerk.get(address(mixed, "receive")))


def test_missing_money_leads_to_where_it_may_come_from() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"), virement_group="DK 7", fiscal_year=2026)
    order = services.place_order(order=draft_order(own_line(budget)), by=ClerkFactory())
    change_by_two(budget, freeze=D("950.00"))
    page = client_of(ApproverFactory()).get(address(order)).content.decode()
    assert f'href="/admin/funding/budget/{budget.pk}/overrun/">Überschreitung vorschlagen' in page
    assert 'href="/admin/funding/budget/?year=2026&amp;q=DK%207">Budget wählen, das Geld abgibt' in page
    assert f"/budget/{budget.pk}/overrun/" not in client_of(ClerkFactory()).get(address(order)).content.decode()


def test_an_approval_is_offered_while_it_will_not_be_refused() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    order = services.place_order(order=draft_order(own_line(budget)), by=ClerkFactory())
    approver = client_of(ApproverFactory())
    assert APPROVE in texts(approver.get(address(order)))
    assert approver.get(address(order, "approve")).status_code == 200

    change_by_two(budget, freeze=D("950.00"))
    shown = texts(approver.get(address(order)))
    assert (APPROVE in shown, shown.count("Es fehlen 50,00 €"), "nötig sind" in shown) == (False, 1, False)
    assert approver.get(address(order, "approve"))["Location"] == address(order)
    order.refresh_from_db()
    assert (order.state, budget.entries.count()) == (OrderState.PROPOSED, 0)
    assert "In diesem Budget sind 950,00 € gesperrt." in shown
    assert "Vorschlagen, weniger zu sperren" in texts(client_of(ClerkFactory()).get(address(order)))

    change_by_two(budget, freeze=D("0.00"))
    services.approve_order(order=order, by=ApproverFactory())
    assert approver.get(address(order, "approve"))["Location"] == address(order)
    assert "Status" in messages_of(approver.get(address(order)))[-1]


def test_a_line_that_costs_nothing_is_marked_and_its_reason_asked_for(clerk: Client) -> None:
    order = draft_order(own_line(BudgetFactory(), price="0.00"), own_line(BudgetFactory()))
    assert "Warum eine Position nichts kostet" in texts(clerk.get(address(order)))
    assert "Warum eine Position" not in texts(clerk.get(address(draft_order(own_line(BudgetFactory())))))

    data = form_of(clerk, address(order)) | {"step": "place"}
    shown = texts(clerk.post(address(order), data, follow=True))
    assert "Position 1 („1 × Verkabelung“) kostet nichts." in shown
    data = form_of(clerk, address(order)) | {"step": "place", "no_price_reason": "Zugabe der Lieferfirma"}
    shown = texts(clerk.post(address(order), data, follow=True))
    assert shown.count("Diese Position kostet nichts. Begründung: Zugabe der Lieferfirma") == 1
    order.refresh_from_db()
    assert order.state == OrderState.PROPOSED


def test_a_supplier_is_to_be_chosen(clerk: Client) -> None:
    page = texts(clerk.get(address(draft_order(own_line(BudgetFactory())))))
    assert "---------" not in page


def test_too_many_are_told_in_a_plain_sentence() -> None:
    application = approved(("500.00", 2))
    with pytest.raises(DomainError) as caught:
        draft_order(*lines_for(application, quantity=10000))
    told = "Das sind 9.998 Stück zu viel. Bitte bestellen Sie nur, was genehmigt und noch nicht bestellt ist."
    assert str(caught.value).endswith(f"aus „{application.title}“: {told}")
