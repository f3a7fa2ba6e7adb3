"""Orders and invoices: every state x action x role from the tables, through the services and the admin."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.choices import Role
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.choices import InvoiceState, OrderState
from apps.funding.models import Invoice, LedgerEntry, Order, ScannedReceipt
from apps.funding.reconciliation import ledger_differences
from apps.funding.workflow import INVOICE_TRANSITIONS, ORDER_TRANSITIONS
from apps.inventory.scan_checks import SentSerial
from apps.inventory.services import record_scans, release_scanning, start_scanning
from tests.factories import ApproverFactory, ClerkFactory, UserFactory
from tests.funding.portal import client_of
from tests.funding.purchases import mark_of, order_in, pay, record, scan_in

pytestmark = pytest.mark.django_db
O, I = OrderState, InvoiceState  # noqa: E741 - read as states below
Action = Callable[[Any, Any], object]


def _return(order: Order, by: Any) -> object:
    bought = [row.device for line in order.lines.all() for row in line.devices.select_related("device")]
    return services.return_goods(order=order, by=by, reason="Defekt", devices=bought[:1])


def _scan(order: Order, by: Any) -> object:
    return scan_in(order.lines.get(), 1, by=by)


def _release(order: Order, by: Any) -> object:
    """One more is scanned than was ordered."""
    line, clerk = order.lines.get(), ClerkFactory()
    session = start_scanning(token=uuid.uuid4(), by=clerk, product=line.product, school=line.school)
    receipt = ScannedReceipt.objects.create(order=order, scan_session=session, received_on=today())
    receipt.lines.create(order_line=line)
    scans = [SentSerial(uuid.uuid4(), f"ZU-VIEL-{number}") for number in range(line.quantity + 1)]
    record_scans(session=session, scanned=scans, by=clerk)
    return release_scanning(session=session, by=by)


ORDER_ACTIONS: dict[str, Action] = {
    "place_order": lambda order, by: services.place_order(order=order, by=by),
    "approve_order": lambda order, by: services.approve_order(order=order, by=by),
    "return_order": lambda order, by: services.return_order(order=order, by=by, reason="Zu teuer."),
    "cancel_order": lambda order, by: services.cancel_order(order=order, by=by, reason="Doch nicht."),
    "receive_goods": _scan,
    "return_goods": _return,
    "release_scan": _release,
    "close_order": lambda order, by: services.close_order(order=order, by=by, reason="Genug."),
}
INVOICE_ACTIONS: dict[str, Action] = {
    "pay_invoice": lambda invoice, by: services.pay_invoice(invoice=invoice, by=by),
    "cancel_invoice": lambda invoice, by: services.cancel_invoice(invoice=invoice, by=by, reason="Falsch."),
}

# Written down by hand from the domain, not read from the code under test.
ORDER_STATES: dict[str, set[OrderState]] = {
    "place_order": {O.DRAFT},
    "approve_order": {O.PROPOSED},
    "return_order": {O.PROPOSED},
    "cancel_order": {O.DRAFT, O.PROPOSED, O.PLACED},
    "receive_goods": {O.PLACED, O.PARTLY_DELIVERED},
    "return_goods": {O.PARTLY_DELIVERED, O.DELIVERED},
    "release_scan": {O.PLACED, O.PARTLY_DELIVERED, O.DELIVERED, O.CLOSED, O.CANCELLED},
    "close_order": {O.PLACED, O.PARTLY_DELIVERED, O.DELIVERED},
}
INVOICE_STATES: dict[str, set[InvoiceState]] = {"pay_invoice": {I.RECORDED}, "cancel_invoice": {I.RECORDED}}
OFFICE = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER}
ROLES: dict[str, set[Role]] = dict.fromkeys([*ORDER_ACTIONS, "cancel_invoice"], OFFICE) | {
    "approve_order": {Role.OFFICE_APPROVER},
    "pay_invoice": {Role.OFFICE_APPROVER},
}


def invoice_in(state: InvoiceState) -> Invoice:
    invoice = record(order_in(O.DELIVERED))
    if state == I.PAID:
        return pay(invoice)
    if state == I.CANCELLED:
        return services.cancel_invoice(invoice=invoice, by=ClerkFactory(), reason="Falsch.")
    return invoice


def person_for(action: str) -> Any:
    return (ClerkFactory if Role.OFFICE_CLERK in ROLES[action] else ApproverFactory)()


@pytest.mark.parametrize("state", O)
@pytest.mark.parametrize("action", ORDER_ACTIONS)
def test_every_order_action_in_every_state(action: str, state: OrderState) -> None:
    order = order_in(state)
    entries, changes = LedgerEntry.objects.count(), order.status_changes.count()

    if state in ORDER_STATES[action]:
        ORDER_ACTIONS[action](order, person_for(action))
        order.refresh_from_db()
        assert order.state in ORDER_TRANSITIONS.transitions[action].targets
        assert ledger_differences() == []
        return
    with pytest.raises(DomainError):
        ORDER_ACTIONS[action](order, person_for(action))

    order.refresh_from_db()
    assert (order.state, LedgerEntry.objects.count(), order.status_changes.count()) == (state, entries, changes)


@pytest.mark.parametrize("state", I)
@pytest.mark.parametrize("action", INVOICE_ACTIONS)
def test_every_invoice_action_in_every_state(action: str, state: InvoiceState) -> None:
    invoice = invoice_in(state)
    entries = LedgerEntry.objects.count()

    if state in INVOICE_STATES[action]:
        INVOICE_ACTIONS[action](invoice, ApproverFactory())
        invoice.refresh_from_db()
        assert invoice.state in INVOICE_TRANSITIONS.transitions[action].targets
        assert ledger_differences() == []
        return
    with pytest.raises(DomainError):
        INVOICE_ACTIONS[action](invoice, ApproverFactory())

    invoice.refresh_from_db()
    assert (invoice.state, LedgerEntry.objects.count()) == (state, entries)


def test_the_tables_say_what_the_services_do() -> None:
    for name, transition in ORDER_TRANSITIONS:
        assert transition.sources == ORDER_STATES[name], name
    for name, transition in INVOICE_TRANSITIONS:
        assert transition.sources == INVOICE_STATES[name], name
    assert set(ORDER_TRANSITIONS.transitions) == set(ORDER_ACTIONS)
    assert set(INVOICE_TRANSITIONS.transitions) == set(INVOICE_ACTIONS)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", [*ORDER_ACTIONS, *INVOICE_ACTIONS])
def test_every_action_by_every_role(action: str, role: Role) -> None:
    if action in ORDER_ACTIONS:
        row: Any = order_in(min(ORDER_STATES[action], key=list(O).index))
        schools = [line.school for line in row.lines.select_related("school")]
    else:
        row = invoice_in(I.RECORDED)
        schools = [line.school for line in row.order.lines.select_related("school")]
    by = UserFactory(role=role, schools=schools)
    perform = (ORDER_ACTIONS | INVOICE_ACTIONS)[action]

    if role in ROLES[action]:
        perform(row, by)
    else:
        with pytest.raises((PermissionDenied, Http404)):
            perform(row, by)


def step_data(action: str, order: Order) -> tuple[str, dict[str, Any]]:
    """Where the admin takes an order's step, and what its form sends."""
    base = f"/admin/funding/order/{order.pk}"
    line = order.lines.get()
    key = {"form_key": str(uuid.uuid4())}
    device = line.devices.filter(returned_on=None).values_list("device", flat=True)[:1]
    return {
        "approve_order": (f"{base}/approve/", {"revision": order.revision}),
        "return_order": (f"{base}/send-back/", {"revision": order.revision, "reason": "Zu teuer."}),
        "cancel_order": (f"{base}/cancel/", {"reason": "Doch nicht."}),
        "close_order": (f"{base}/close/", {"reason": "Genug."}),
        "receive_goods": (f"{base}/scan/?line={line.pk}", {"received_on": shown_day(today()), **key}),
        "return_goods": (
            f"{base}/return/",
            {"reason": "Defekt", "on": shown_day(today()), "devices": list(device), **key},
        ),
        "place_order": (
            f"{base}/change/",
            {
                "step": "place", "revision": order.revision, "supplier": order.supplier_id,
                "contract": order.contract_id, "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 1,
                "lines-0-line_id": line.pk, "lines-0-application_line_id": line.application_line_id,
                "lines-0-quantity": line.quantity, "lines-0-unit_price": "500,00",
            },
        ),
    }[action]  # fmt: skip


@pytest.mark.parametrize("state", O)
@pytest.mark.parametrize("action", [name for name in ORDER_ACTIONS if name != "release_scan"])
def test_every_order_action_in_every_state_through_the_admin(action: str, state: OrderState) -> None:
    """A step that is not open now is refused with a sentence and changes nothing."""
    order = order_in(state)
    url, data = step_data(action, order)
    response = client_of(person_for(action)).post(url, data)

    order.refresh_from_db()
    if state in ORDER_STATES[action]:
        assert response.status_code == 302
        assert action == "receive_goods" or order.state in ORDER_TRANSITIONS.transitions[action].targets
        return
    assert response.status_code == 200
    assert order.state == state
    assert response.context["errors"]


@pytest.mark.parametrize("state", I)
@pytest.mark.parametrize("action", INVOICE_ACTIONS)
@pytest.mark.parametrize("role", Role)
def test_every_invoice_action_through_the_admin(action: str, state: InvoiceState, role: Role) -> None:
    invoice = invoice_in(state)
    step = action.removesuffix("_invoice")
    data = {"step": step, "seen": mark_of(invoice), "pay-paid_on": shown_day(today()), "cancel-reason": "Falsch."}
    client = client_of(UserFactory(role=role))
    response = client.post(f"/admin/funding/invoice/{invoice.pk}/change/", data)

    invoice.refresh_from_db()
    if role in ROLES[action] and state in INVOICE_STATES[action]:
        assert response.status_code == 302
        assert invoice.state in INVOICE_TRANSITIONS.transitions[action].targets
        return
    assert invoice.state == state
    assert response.status_code == (200 if role in ROLES[action] else 302 if not client_is_office(role) else 403)


def client_is_office(role: Role) -> bool:
    """Who gets into the admin at all; the others are sent to the sign-in."""
    return role in OFFICE | {Role.AUDITOR, Role.ADMIN}
