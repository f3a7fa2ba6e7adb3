"""The office's pages about orders and invoices, from the list of what is to be ordered to the payment."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.choices import InvoiceKind, InvoiceState, OrderState
from apps.funding.models import Invoice, Order
from apps.inventory import services as inventory
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, DeviceKindFactory, ProductFactory
from tests.funding.factories import BudgetFactory, coordinator_of
from tests.funding.portal import client_of, messages_of, texts
from tests.funding.purchases import (
    ContractFactory,
    SupplierFactory,
    approved,
    deliver,
    draft_order,
    lines_for,
    own_line,
    pay,
    placed_order,
    record,
    scan_in,
)

pytestmark = pytest.mark.django_db
D = Decimal
TO_ORDER = "/admin/funding/order/to-order/"


@pytest.fixture
def clerk() -> Client:
    return client_of(ClerkFactory(name="Clara Claasen"))


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def sent(client: Client, url: str, data: dict[str, Any]) -> Any:
    """Posts and follows to the page that answers."""
    return client.post(url, data, follow=True)


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What the browser would send of the page's form as it stands."""
    context = client.get(url).context
    form, lines = context["form"], context.get("lines")
    fields = list(form)
    data: dict[str, Any] = {}
    if lines is not None:
        fields += [field for row in lines.forms for field in row]
        data |= {
            lines.management_form[name].html_name: lines.management_form[name].value()
            for name in ("TOTAL_FORMS", "INITIAL_FORMS")
        }
    for field in fields:
        value = field.value()
        if value not in (None, False, ""):
            data[field.html_name] = (
                shown_day(value)
                if hasattr(value, "year")
                else str(value).replace(".", ",")
                if isinstance(value, Decimal)
                else value
            )
    return data


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
    assert [(line.quantity, line.unit_price) for line in order.lines.order_by("pk")] == [
        (2, D("500.00")),
        (3, D("100.00")),
    ]

    url = f"/admin/funding/order/{order.pk}/change/"
    sent(clerk, url, form_of(clerk, url) | {"step": "place"})
    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert "Nichts wartet auf eine Bestellung" in page(clerk, TO_ORDER)

    line = order.lines.order_by("pk").first()
    assert line is not None
    scan = f"/admin/funding/order/{order.pk}/scan/?line={line.pk}"
    response = clerk.post(scan, form_of(clerk, scan))
    session = line.scanned.get().scan_session
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
    budget.refresh_from_db()
    assert (order.state, order.estimated_net) == (OrderState.PLACED, D("840.34"))
    assert budget.committed == D("250.00")
    assert order.lines.count() == 2


def draft_without_contract(clerk: Client, **typed: Any) -> tuple[Order, Any]:
    """A draft that is sent to be placed with this award record, and the page that answers."""
    application = approved()
    data = form_of(clerk, TO_ORDER) | {"supplier": SupplierFactory().pk, "target": "new"}
    sent(clerk, TO_ORDER, data | {f"line-{application.lines.get().pk}": "on"})
    order = Order.objects.get()
    url = f"/admin/funding/order/{order.pk}/change/"
    response = sent(clerk, url, form_of(clerk, url) | typed | {"step": "place"})
    order.refresh_from_db()
    return order, response


@pytest.mark.parametrize(
    ("typed", "field", "note"),
    [
        ({"note": "Eilt", "estimated_net": ""}, "estimated_net", "Eilt"),
        ({"note": "Eilt", "award_reason": "Günstig"}, "procedure", "Günstig"),
        ({"procedure": "Direktauftrag"}, "award_reason", "Direktauftrag"),
    ],
)
def test_what_is_missing_for_placing_is_said_at_its_field(
    clerk: Client, typed: dict[str, Any], field: str, note: str
) -> None:
    order, response = draft_without_contract(clerk, **typed)

    assert order.state == OrderState.DRAFT
    form = response.context["form"]
    assert list(form.errors) == [field]
    assert form[field].value() in ("", None)
    assert [error.target for error in response.context["errors"]] == [f"id_{field}"]
    assert note in (order.note, order.award_reason, order.procedure)
    text = texts(response)
    assert "Der Entwurf ist gespeichert, aber noch nicht bestellt." in text
    assert "Es ist noch nichts gespeichert" not in text
    assert not order.status_changes.exists()


def test_a_refused_order_is_sent_again_as_it_stands(clerk: Client) -> None:
    order, response = draft_without_contract(clerk)
    url = response.redirect_chain[-1][0]
    data = form_of(clerk, url) | {"procedure": "Direktauftrag", "award_reason": "Günstig", "step": "place"}

    sent(clerk, url, data)

    order.refresh_from_db()
    assert (order.state, order.lines.count()) == (OrderState.PLACED, 1)


def test_the_award_says_when_it_is_needed(clerk: Client) -> None:
    order, _response = draft_without_contract(clerk)
    response = clerk.get(f"/admin/funding/order/{order.pk}/change/")
    fields = response.context["form"].fields

    for name in ("estimated_net", "procedure", "award_reason"):
        assert "Nötig zum Bestellen" in str(fields[name].help_text), name
    assert texts(response).count("(freiwillig)") == 2  # framework contract and note


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
    sent(other, here, {"pay-paid_on": shown_day(today()), "pay-booking_reference": "HKR 4711", "step": "pay"})
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

    sent(client, response["Location"], {"paid_on": shown_day(today())})
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


def scanned_for(order: Order, by: Any) -> Any:
    session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
    scan = SentSerial(uuid.uuid4(), "SN0815")
    inventory.record_scans(session=session, scanned=[scan], by=by)
    session.refresh_from_db()
    return session


def test_the_scan_pages_name_the_order_and_lead_back_to_it() -> None:
    by = ClerkFactory()
    order = placed_order(*lines_for(approved()))
    session, client = scanned_for(order, by), client_of(by)
    back = f'href="/admin/funding/order/{order.pk}/change/"'
    for name in ("scan", "scan_take_in", "scan_cancel"):
        shown = client.get(reverse(f"inventory:{name}", args=[session.pk]))
        assert f"Bestellung {order.number} , {order.supplier} · 0 von 2 sind gekommen" in texts(shown), name
        assert back in shown.content.decode(), name

    taken = {"revision": session.revision}
    ended = client.post(reverse("inventory:scan_take_in", args=[session.pk]), taken, follow=True)

    text, html = texts(ended), ended.content.decode()
    assert f"Zurück zur Bestellung {order.number}" in text
    assert "Weitere Lieferung dieser Bestellung scannen (1 Stück fehlt)" in text
    assert back in html
    assert f'href="/admin/funding/order/{order.pk}/scan/?line={order.lines.get().pk}"' in html
    assert reverse("inventory:scan_start") not in html.partition("<table")[2]


def test_a_cancelled_scan_leads_back_to_the_order() -> None:
    by = ClerkFactory()
    order = placed_order(*lines_for(approved()))
    session, client = scanned_for(order, by), client_of(by)
    ended = client.post(reverse("inventory:scan_cancel", args=[session.pk]), follow=True)
    assert f"Zurück zur Bestellung {order.number}" in texts(ended)


def test_those_who_see_no_orders_read_nothing_of_one() -> None:
    order = placed_order(*lines_for(approved()))
    session = scanned_for(order, ClerkFactory())
    session.by = coordinator_of(session.school)
    session.save()
    client = client_of(session.by)
    shown = client.get(reverse("inventory:scan", args=[session.pk]))
    assert shown.status_code == 200
    assert order.number not in texts(shown)
    assert "/admin/funding/order" not in shown.content.decode()


def offered(form: Any) -> list[str]:
    return [label for _key, label in form.fields["contract"].choices][1:]


def test_only_contracts_that_hold_today_are_offered(clerk: Client) -> None:
    day = datetime.timedelta(days=1)
    kept = ContractFactory(reference="RV-Gilt", valid_from=today(), valid_until=today())
    ended = ContractFactory(reference="RV-Ende", valid_until=today() - day)
    ContractFactory(reference="RV-Bald", valid_from=today() + day)
    ContractFactory(reference="RV-Zu", supplier=SupplierFactory(is_active=False))
    lines = lines_for(approved())
    approved()
    assert offered(clerk.get(TO_ORDER).context["form"]) == [str(kept)]

    order = draft_order(*lines, contract=kept)
    url = f"/admin/funding/order/{order.pk}/change/"
    assert offered(clerk.get(url).context["form"]) == [str(kept)]

    Order.objects.filter(pk=order.pk).update(contract=ended, supplier=ended.supplier)
    assert offered(clerk.get(url).context["form"]) == [str(kept), f"{ended} (abgelaufen)"]
    refused = sent(clerk, url, form_of(clerk, url) | {"step": "place"})
    assert list(refused.context["form"].errors) == ["contract"]


def test_a_return_of_nothing_is_said_at_the_devices(clerk: Client) -> None:
    order = placed_order(*lines_for(approved()))
    scan_in(order.lines.get())
    url = f"/admin/funding/order/{order.pk}/return/"
    refused = sent(clerk, url, form_of(clerk, url) | {"reason": "Defekt"})
    assert [error.target for error in refused.context["errors"]] == ["id_devices_0"]
    assert "Bitte wählen Sie mindestens ein Gerät, das zurückgeht." in texts(refused)


def test_a_credit_note_is_accepted_and_not_paid(clerk: Client) -> None:
    order = deliver(placed_order(*lines_for(approved())))
    pay(record(order))
    url = f"/admin/funding/order/{order.pk}/invoice/?kind=credit"
    assert "Nummer der Gutschrift" in texts(clerk.get(url))
    line = order.lines.get()
    data = form_of(clerk, url) | {"voucher_number": "B-2", "number": "G-1", "dated_on": shown_day(today())}
    told = sent(clerk, url, data | {f"pieces-{line.pk}": "1", f"amount-{line.pk}": "100,00"})
    assert messages_of(told) == ["Sie ist erfasst. Eine andere Person nimmt sie an."]

    credit = Invoice.objects.get(kind=InvoiceKind.CREDIT)
    other, here = client_of(ApproverFactory()), f"/admin/funding/invoice/{credit.pk}/change/"
    shown = texts(other.get(here))
    assert "Gutschrift über 100,00 € annehmen" in shown
    assert "Die Gutschrift ist falsch: stornieren" in shown
    assert "Zahlung anordnen" not in shown
    paid = sent(other, here, {"pay-paid_on": shown_day(today()), "step": "pay"})
    assert messages_of(paid) == ["Die Gutschrift ist angenommen."]
    assert "Angenommen von" in texts(paid)
