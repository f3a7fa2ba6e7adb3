"""Orders and invoices in a real browser: the keyboard alone, axe, small screens, light and dark."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.core.clock import today
from apps.funding import services
from apps.funding.models import Invoice, Order
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, DeviceKindFactory, KitFactory, ProductFactory
from tests.funding.factories import BudgetFactory
from tests.funding.purchases import (
    ContractFactory,
    SupplierFactory,
    approved,
    bound_grant,
    deliver,
    draft_order,
    invoiced,
    lines_for,
    money_of,
    own_line,
    pay,
    placed_order,
    record,
    scan_in,
)
from tests.funding.test_admin_browser import faults_of, press_until, step

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
ADMIN = "/admin/funding"


@pytest.fixture
def clerk() -> User:
    return ClerkFactory(name="Clara Claasen")


def addresses(clerk: User) -> dict[str, str]:
    """Every page about orders and invoices with something on it."""
    money, own = money_of(bound_grant())
    cable = ProductFactory(
        kind=DeviceKindFactory(code="cable", name="Kabel", tracked_singly=False, countable=False),
        model="Patchkabel 3 m",
    )
    waiting = approved(("500.00", 8), ("89.90", 3), budget=money, own=own)
    supplier, contract = SupplierFactory(name="Lieferhaus Nord"), ContractFactory(title="Tablets und Zubehör")
    draft = draft_order(*lines_for(approved()), own_line(own, quantity=2), by=clerk, contract=contract)
    lines = lines_for(approved(("480.00", 3), budget=money, own=own)), own_line(own, product_id=cable.pk, quantity=9)
    placed = placed_order(*lines[0], lines[1], by=clerk)
    first = placed.lines.order_by("pk")[0]
    device = scan_in(first, 2, by=clerk)[0]
    kit = KitFactory(parts=[(first.product, 1)])
    closed = deliver(placed_order(*lines_for(approved()), by=clerk), by=clerk)
    paid, open_invoice = pay(record(closed, by=clerk)), record(deliver(placed_order(*lines_for(approved()))))
    order, give_up = f"{ADMIN}/order/{placed.pk}", f"{ADMIN}/order/give-up/{waiting.lines.order_by('pk')[0].pk}/"
    return {
        "to order": f"{ADMIN}/order/to-order/",
        "give up": give_up,
        "orders": f"{ADMIN}/order/",
        "no order": f"{ADMIN}/order/?q=nichts",
        "draft": f"{ADMIN}/order/{draft.pk}/change/",
        "placed": f"{order}/change/",
        "delivered": f"{ADMIN}/order/{closed.pk}/change/",
        **{name: f"{order}/{name}/" for name in ("cancel", "close", "receive", "return", "invoice", "history")},
        "credit": f"{order}/invoice/?kind=credit",
        "scan": f"{order}/scan/?line={first.pk}",
        "scan kits": f"{order}/scan/?line={first.pk}&kit={kit.pk}",
        "invoices": f"{ADMIN}/invoice/",
        "no invoice": f"{ADMIN}/invoice/?q=nichts",
        "paid": f"{ADMIN}/invoice/{paid.pk}/change/",
        "to pay": f"{ADMIN}/invoice/{open_invoice.pk}/change/",
        "several": f"{ADMIN}/invoice/pay/?ids={paid.pk},{open_invoice.pk}",
        "suppliers": f"{ADMIN}/supplier/",
        "supplier": f"{ADMIN}/supplier/{supplier.pk}/change/",
        "contracts": f"{ADMIN}/frameworkcontract/",
        "contract": f"{ADMIN}/frameworkcontract/{contract.pk}/change/",
        "device": f"/inventory/{device.tag}/",
    }


@pytest.mark.parametrize(("width", "scheme"), WAYS)
def test_no_page_has_a_fault(pages: Any, clerk: User, width: int, scheme: Any) -> None:
    page = pages.open(ApproverFactory(), viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = []
    for name, address in addresses(clerk).items():
        assert page.goto(address).status == 200
        found += faults_of(page, name, width)
    assert found == []


def test_what_an_auditor_reads_and_what_is_empty_has_no_fault(pages: Any, clerk: User) -> None:
    page = pages.open(AuditorFactory())
    found = []
    for name in ("to-order", "", "../invoice"):
        page.goto(f"{ADMIN}/order/{name}/" if name else f"{ADMIN}/order/")
        found += faults_of(page, f"empty {name}", 1280)
    shown = addresses(clerk)
    for name in ("to order", "draft", "placed", "delivered", "paid", "to pay", "history"):
        assert page.goto(shown[name]).status == 200
        found += faults_of(page, name, 1280)
    assert found == []


def _check(page: Page, selector: str) -> None:
    press_until(page, selector)
    page.keyboard.press("Space")


def _type(page: Page, selector: str, text: str) -> None:
    press_until(page, selector)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_from_the_list_to_the_payment_with_the_keyboard_alone(pages: Any, clerk: User) -> None:
    application, contract = approved(), ContractFactory()
    line = application.lines.get()
    page = pages.open(clerk)
    page.goto(f"{ADMIN}/order/to-order/")
    _check(page, f"#id_line-{line.pk}")
    press_until(page, "#id_contract")
    page.keyboard.press("ArrowDown")
    press_until(page, "button:has-text('Positionen in die Bestellung übernehmen')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    order = Order.objects.get()
    assert order.contract == contract
    press_until(page, step("place"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("ist aufgegeben")).to_be_visible()

    deliver(order, by=clerk)
    page.goto(f"{ADMIN}/order/{order.pk}/change/")
    press_until(page, "a:has-text('Rechnung erfassen')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/invoice/")
    _type(page, "#id_voucher_number", "2026-00815")
    _type(page, "#id_number", "R 17")
    page.locator("#id_dated_on").fill(today().isoformat())
    press_until(page, "button:has-text('Rechnung erfassen')")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Die Rechnung ist erfasst.")).to_be_visible()

    invoice = Invoice.objects.get()
    other = pages.open(ApproverFactory())
    other.goto(f"{ADMIN}/invoice/{invoice.pk}/change/")
    press_until(other, step("pay"))
    other.keyboard.press("Enter")
    expect(other.get_by_text("Die Zahlung ist angeordnet.")).to_be_visible()


def test_a_refusal_names_its_field_and_keeps_what_was_typed(pages: Any, clerk: User) -> None:
    order = placed_order(*lines_for(approved()), by=clerk)
    line = order.lines.get()
    page = pages.open(clerk, viewport={"width": 390, "height": 800})
    page.goto(f"{ADMIN}/order/{order.pk}/invoice/")
    page.fill("#id_voucher_number", "2026-00815")
    page.fill("#id_number", "R 17")
    page.fill("#id_dated_on", today().isoformat())
    page.fill(f"#id_pieces-{line.pk}", "2")
    page.fill(f"#id_amount-{line.pk}", "1.000,00")
    page.get_by_role("button", name="Rechnung erfassen").click()

    expect(page.locator("[data-error-summary]")).to_be_visible()
    expect(page.locator("#id_voucher_number")).to_have_value("2026-00815")
    expect(page.locator(f"#id_amount-{line.pk}")).to_have_value("1.000,00")
    assert faults_of(page, "errors", 390) == []


def test_back_and_reload_after_a_refused_payment_send_nothing_and_keep_what_was_typed(pages: Any, clerk: User) -> None:
    order = placed_order(own_line(BudgetFactory(), quantity=2))
    line = order.lines.get()
    services.receive_goods(order=order, by=clerk, quantities={line.pk: 2})
    invoice = invoiced(order, "200.00", 2)
    page = pages.open(ApproverFactory())
    page.goto(f"{ADMIN}/invoice/{invoice.pk}/change/")
    page.fill("[name=pay-booking_reference]", "HKR 4711")
    services.return_goods(order=order, by=clerk, reason="Defekt", quantities={line.pk: 1})
    page.click("button[value=pay]")
    expect(page.locator(".portal-errors")).to_contain_text("Inzwischen fällt auf: „2 × Verkabelung“: Geliefert: 1")
    expect(page.locator("[name=pay-booking_reference]")).to_have_value("HKR 4711")

    page.click("text=Zur Position der Bestellung")
    page.wait_for_url(f"**/order/{order.pk}/change/#line-{line.pk}")
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    for go in (page.go_back, page.reload):
        go()
        expect(page.locator("h1")).to_contain_text(invoice.voucher_number)
        page.click("[data-kept-restore]")
        expect(page.locator("[name=pay-booking_reference]")).to_have_value("HKR 4711")
    assert "POST" not in asked
