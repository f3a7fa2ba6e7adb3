"""What an order lacks to be placed, the way through the scanner and back, contracts, returns and credit notes."""

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
from apps.funding.choices import InvoiceKind, OrderState
from apps.funding.models import Invoice, Order
from apps.inventory import services as inventory
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import coordinator_of
from tests.funding.portal import client_of, messages_of, texts
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
        assert f"Bestellung {order.number} , {order.supplier} · 0 von 2 gekommen" in texts(shown), name
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
    data |= {f"pieces-{line.pk}": "1", f"amount-{line.pk}": "100,00"}
    refused = texts(sent(clerk, url, data))
    assert "Berechnet und nicht da sind 0 Stück, gutgeschrieben werden 1." in refused
    assert "Nötig, wenn mehr gutgeschrieben wird, als zurückging oder vereinbart war." in refused
    told = sent(clerk, url, data | {"remark": "Geht morgen zurück"})
    assert messages_of(told) == ["Die Gutschrift ist erfasst. Eine andere Person nimmt sie an."]

    credit = Invoice.objects.get(kind=InvoiceKind.CREDIT)
    other, here = client_of(ApproverFactory()), f"/admin/funding/invoice/{credit.pk}/change/"
    shown = texts(other.get(here))
    assert "Gutschrift über 100,00 € annehmen" in shown
    assert "Die Gutschrift ist falsch: stornieren" in shown
    assert "Zahlung anordnen" not in shown
    paid = sent(other, here, {"pay-paid_on": shown_day(today()), "step": "pay", "seen": mark_of(credit)})
    assert messages_of(paid) == ["Die Gutschrift ist angenommen."]
    assert "Angenommen von" in texts(paid)
