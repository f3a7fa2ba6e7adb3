"""The office's pages about orders and invoices, from the list of what is to be ordered to the payment."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding.choices import InvoiceState, OrderState
from apps.funding.models import Invoice, Order
from apps.funding.purchasing import InvoiceLineInput
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, DeviceKindFactory, ProductFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    TO_ORDER,
    ContractFactory,
    SupplierFactory,
    approved,
    deliver,
    draft_order,
    form_of,
    lines_for,
    mark_of,
    own_line,
    page,
    pay,
    placed_order,
    record,
    scan_in,
    sent,
)

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def clerk() -> Client:
    return client_of(ClerkFactory(name="Clara Claasen"))


def test_chosen_lines_become_an_order_that_is_placed_and_received(clerk: Client) -> None:
    contract = ContractFactory()
    first, second = approved(("500.00", 2)), approved(("100.00", 3))
    shown = page(clerk, TO_ORDER)
    assert first.title in shown
    assert "1.000,00" in shown

    data = form_of(clerk, TO_ORDER) | {"contract": contract.pk, "target": "new"}
    data |= {f"line-{row.lines.get().pk}": "on" for row in (first, second)}
    response = sent(clerk, TO_ORDER, data)
    order = Order.objects.get()
    assert response.redirect_chain == [(f"/admin/funding/order/{order.pk}/change/", 302)]
    assert [(line.quantity, line.unit_price) for line in order.lines.order_by("unit_price")] == [
        (3, D("100.00")),
        (2, D("500.00")),
    ]

    url = f"/admin/funding/order/{order.pk}/change/"
    sent(clerk, url, form_of(clerk, url) | {"step": "place"})
    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert "Nichts wartet auf eine Bestellung" in page(clerk, TO_ORDER)

    line = order.lines.get(unit_price=D("500.00"))
    scan = f"/admin/funding/order/{order.pk}/scan/?line={line.pk}"
    response = clerk.post(scan, form_of(clerk, scan))
    session = line.scanned.get().receipt.scan_session
    assert response["Location"] == session.get_absolute_url()
    assert (session.product, session.school, session.price, session.expected) == (
        line.product,
        line.school,
        D("500.00"),
        2,
    )


def test_a_line_of_the_office_in_a_draft(clerk: Client) -> None:
    budget, supplier = BudgetFactory(), SupplierFactory()
    application = approved()
    data = form_of(clerk, TO_ORDER) | {
        "supplier": supplier.pk,
        "target": "new",
        f"line-{application.lines.get().pk}": "on",
    }
    sent(clerk, TO_ORDER, data)
    order = Order.objects.get()
    url = f"/admin/funding/order/{order.pk}/change/"

    data = form_of(clerk, url) | {
        "lines-1-description": "Verkabelung", "lines-1-quantity": "1", "lines-1-unit_price": "250,00",
        "lines-1-budget_id": budget.pk, "procedure": "Direktauftrag", "award_reason": "Günstigster Anbieter",
        "step": "place",
    }  # fmt: skip
    sent(clerk, url, data)

    order.refresh_from_db()
    assert (order.state, order.estimated_net) == (OrderState.PROPOSED, D("840.34"))
    sent(client_of(ApproverFactory()), f"/admin/funding/order/{order.pk}/approve/", {"revision": order.revision})

    order.refresh_from_db()
    budget.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert budget.committed == D("250.00")
    assert order.lines.count() == 2


def test_what_the_service_refuses_stays_typed(clerk: Client) -> None:
    application = approved()
    order = placed_order(*lines_for(application))
    url = f"/admin/funding/order/{order.pk}/invoice/"

    data = form_of(clerk, url) | {"voucher_number": "B-1", "number": "R-1", "dated_on": shown_day(today())}
    line = order.lines.get()
    response = sent(clerk, url, data | {f"pieces-{line.pk}": "2", f"amount-{line.pk}": "1000,00"})

    assert response.status_code == 200
    assert response.context["form"].errors["remark"]
    assert "B-1" in response.content.decode()
    assert not Invoice.objects.exists()


def test_recorded_by_one_and_paid_by_another() -> None:
    approver = ApproverFactory(name="Amir Albers")
    order = deliver(placed_order(*lines_for(approved())))
    url = f"/admin/funding/order/{order.pk}/invoice/"
    own = client_of(approver)
    data = form_of(own, url) | {"voucher_number": "B-1", "number": "R-1", "dated_on": shown_day(today())}
    sent(own, url, data)
    invoice = Invoice.objects.get()
    here = f"/admin/funding/invoice/{invoice.pk}/change/"
    assert own.get(here).context["pay"] is None

    other = client_of(ApproverFactory())
    sent(
        other,
        here,
        {
            "step": "pay",
            "seen": mark_of(invoice),
            "pay-paid_on": shown_day(today()),
            "pay-booking_reference": "HKR 4711",
        },
    )
    invoice.refresh_from_db()
    assert (invoice.state, invoice.booking_reference) == (InvoiceState.PAID, "HKR 4711")
    again = sent(other, here, {"pay-paid_on": shown_day(today()), "step": "pay"})
    assert again.context["errors"]


def test_several_payments_with_a_preview() -> None:
    approver = ApproverFactory()
    client = client_of(approver)
    orders = [deliver(placed_order(*lines_for(approved()))) for _ in range(2)]
    first, own = record(orders[0]), record(orders[1], by=approver)
    listed = reverse("admin:funding_invoice_changelist")

    response = client.post(listed, {"action": "pay_selected", "_selected_action": [first.pk, own.pk]})
    preview = client.get(response["Location"])
    assert (preview.context["payable"], preview.context["sum"]) == (1, D("1000.00"))

    after = sent(
        client,
        response["Location"],
        {"paid_on": shown_day(today())} | {f"seen-{row.pk}": mark_of(row) for row in (first, own)},
    )
    assert f'<a href="/admin/funding/invoice/{own.pk}/change/">{own}</a>: Sie haben' in after.content.decode()
    assert [Invoice.objects.get(pk=row.pk).state for row in (first, own)] == [InvoiceState.PAID, InvoiceState.RECORDED]


def test_return_and_close(clerk: Client) -> None:
    cable = ProductFactory(kind=DeviceKindFactory(code="cable", name="Kabel", tracked_singly=False, countable=False))
    order = placed_order(*lines_for(approved()), own_line(BudgetFactory(), product_id=cable.pk, quantity=4))
    base = f"/admin/funding/order/{order.pk}"
    scanned, other = order.lines.order_by("pk")
    device = scan_in(scanned)[0]
    sent(clerk, f"{base}/receive/", form_of(clerk, f"{base}/receive/"))
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED

    data = form_of(clerk, f"{base}/return/") | {"devices": [device.pk], f"pieces-{other.pk}": "1", "reason": "Defekt"}
    sent(clerk, f"{base}/return/", data)
    order.refresh_from_db()
    assert (order.state, [line.delivered for line in order.lines.order_by("pk")]) == (
        OrderState.PARTLY_DELIVERED,
        [1, 3],
    )

    sent(clerk, f"{base}/close/", {"reason": "Die Firma liefert nicht nach", "order_missing_again": "on"})
    order.refresh_from_db()
    assert order.state == OrderState.CLOSED


def test_what_is_paid_and_not_delivered_is_said_when_an_order_is_closed_and_after_it(clerk: Client) -> None:
    order = placed_order(*lines_for(approved(("1000.00", 5))))
    scan_in(line := order.lines.get(), 2)
    pay(record(order, InvoiceLineInput(line.pk, 5, D("5000.00")), remark="Vorkasse"))
    page, close = (reverse(f"admin:funding_order_{name}", args=[order.pk]) for name in ("change", "close"))
    sentence = "3.000,00 € sind bezahlt und nicht geliefert; eine Gutschrift steht aus."
    assert sentence in texts(clerk.get(close))
    refused = clerk.post(close, {"reason": ""})
    assert f"{sentence} Bitte schreiben Sie, warum die Bestellung trotzdem abgeschlossen wird." in texts(refused)

    sent(clerk, close, {"reason": "Die Firma liefert nicht nach"})
    assert sentence in texts(clerk.get(page))
    assert "An dieser Bestellung ist nichts mehr zu tun." not in texts(clerk.get(page))
    pay(record(order, InvoiceLineInput(line.pk, 3, D("3000.00")), kind="credit"))
    assert "An dieser Bestellung ist nichts mehr zu tun." in texts(clerk.get(page))


@pytest.mark.parametrize("state", OrderState)
def test_an_auditor_reads_every_state_and_finds_no_button(state: OrderState) -> None:
    from tests.funding.purchases import order_in

    order = order_in(state)
    client = client_of(AuditorFactory())

    response = client.get(f"/admin/funding/order/{order.pk}/change/")

    assert response.status_code == 200
    assert (response.context["form"], response.context["actions"]) == (None, set())
    assert client.post(f"/admin/funding/order/{order.pk}/change/", {"step": "place"}).status_code == 403
    assert client.get(f"/admin/funding/order/{order.pk}/history/").status_code == 200


def test_the_pages_of_a_paid_invoice_and_its_list() -> None:
    order = deliver(placed_order(*lines_for(approved())))
    invoice = pay(record(order))
    client = client_of(AuditorFactory())

    assert "1.000,00" in page(client, f"/admin/funding/invoice/{invoice.pk}/change/")
    assert invoice.voucher_number in page(client, "/admin/funding/invoice/?state=all")
    assert invoice.voucher_number not in page(client, "/admin/funding/invoice/")
    assert order.number in page(client, "/admin/funding/order/")


def test_give_up_what_is_not_ordered(clerk: Client) -> None:
    application = approved()
    url = f"/admin/funding/order/give-up/{application.lines.get().pk}/"

    assert clerk.get(url).status_code == 200
    sent(clerk, url, {"reason": "Die Schule hat Spenden erhalten."})

    application.refresh_from_db()
    assert application.state == "closed"


def test_a_reason_typed_for_a_call_off_is_shown(clerk: Client) -> None:
    order = placed_order(*lines_for(approved()), contract=ContractFactory(), award_reason="Los 2 des Vertrags")
    shown = texts(clerk.get(reverse("admin:funding_order_change", args=[order.pk])))
    assert "Begründung der Vergabe Los 2 des Vertrags" in shown
    assert "Geschätzter Auftragswert (netto)" not in shown


def test_lines_that_somebody_ordered_meanwhile_are_named_as_the_reason(clerk: Client) -> None:
    application = approved()
    approved()
    line = application.lines.get()
    data = form_of(clerk, TO_ORDER) | {"contract": ContractFactory().pk, "target": "new", f"line-{line.pk}": "on"}
    draft_order(*lines_for(application))

    response = sent(clerk, TO_ORDER, data)

    assert "Eine gewählte Position ist nicht mehr zu bestellen" in texts(response)
    assert "Bitte wählen Sie mindestens eine Position" not in texts(response)
    assert Order.objects.count() == 1


def test_the_scanner_s_button_names_what_is_missing_and_a_return_its_school(clerk: Client) -> None:
    order = placed_order(*lines_for(approved(("500.00", 3))))
    line = order.lines.get()
    (device, *_others) = scan_in(line, 2)

    assert f"Geräte einscannen : 1 × {line.product}" in texts(clerk.get(f"/admin/funding/order/{order.pk}/change/"))
    choices = texts(clerk.get(f"/admin/funding/order/{order.pk}/return/"))
    assert f"{device.tag}, {device.product}, {device.serial}, {device.school}" in choices
