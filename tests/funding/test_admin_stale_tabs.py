"""Two windows on the same row: the later one hears who did what and when, and is not asked to mend its entries."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core.clock import today
from apps.funding import services
from apps.funding.choices import DrawdownState, OrderState, ProofState
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.desk import desk_of, send, typed_in
from tests.funding.factories import BudgetFactory, make_application
from tests.funding.papers import TEXTS, make_drawdown, make_proof
from tests.funding.portal import client_of, texts
from tests.funding.purchases import approved, deliver, draft_order, lines_for, pay, placed_order, record

pytestmark = pytest.mark.django_db
MOMENT = r"\d\d\.\d\d\.\d{4}, \d\d:\d\d"


@pytest.fixture
def other() -> User:
    return ApproverFactory(name="Olga Ohm")


@pytest.fixture
def me() -> User:
    return ApproverFactory(name="Ines Ich")


@pytest.fixture
def client(me: User) -> Client:
    return client_of(me)


def page_of(row: Any) -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_change", args=[row.pk])


def ensure_told(response: Any, sentence: str, *, reload: str) -> None:
    text = texts(response)
    assert response.status_code == 200
    assert "Hier hat sich inzwischen etwas geändert" in text
    assert re.search(sentence, text), text
    assert "Ihre Änderung wurde nicht gespeichert." in text
    assert f'href="{reload}">' in response.content.decode()
    assert "Bitte prüfen Sie eine Angabe" not in text
    assert "Ihre Eingaben sind noch da" not in text


def test_an_invoice_that_another_person_has_paid(client: Client, other: User) -> None:
    invoice = record(deliver(placed_order(*lines_for(approved()))))
    pay(invoice, by=other)
    response = client.post(page_of(invoice), {"step": "pay", "pay-paid_on": today().isoformat()})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} den Status „bezahlt“ gesetzt", reload=page_of(invoice))


def test_an_invoice_that_one_has_paid_oneself(client: Client, me: User) -> None:
    invoice = record(deliver(placed_order(*lines_for(approved()))))
    pay(invoice, by=me)
    response = client.post(page_of(invoice), {"step": "pay", "pay-paid_on": today().isoformat()})
    ensure_told(response, f"Sie haben am {MOMENT} selbst den Status „bezahlt“ gesetzt", reload=page_of(invoice))


def test_a_change_of_a_budget_that_is_decided(client: Client, other: User) -> None:
    change = services.propose_edit(budget=BudgetFactory(), by=ClerkFactory(), reason="x", freeze=5)
    services.decline_change(change=change, by=other, note="Nein")
    response = client.post(page_of(change), {"step": "confirm", "note": ""})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} den Status „abgelehnt“ gesetzt", reload=page_of(change))


def test_a_budget_that_moved_since_the_proposal(client: Client, other: User) -> None:
    clerk = ClerkFactory()
    change = services.propose_edit(budget=BudgetFactory(), by=clerk, reason="x", freeze=5)
    services.confirm_change(
        change=services.propose_edit(budget=change.budget, by=clerk, reason="y", freeze=7), by=other
    )
    response = client.post(page_of(change), {"step": "confirm", "note": ""})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} gespeichert", reload=page_of(change))


def test_a_drawdown_that_is_cancelled(client: Client, other: User) -> None:
    row = make_drawdown(DrawdownState.DRAFT)
    services.cancel_drawdown(drawdown=row, by=other, reason="Zu früh")
    response = client.post(page_of(row), {"step": "request", "on": today().isoformat()})
    ensure_told(response, "Das geht nicht mehr: Der Status ist jetzt „storniert“", reload=page_of(row))
    response = client.post(page_of(row), {"step": "choose", "lines": [], "remark": ""})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} den Status „storniert“ gesetzt", reload=page_of(row))


def test_a_proof_that_was_saved(client: Client, other: User) -> None:
    row = make_proof(ProofState.DRAFT)
    services.save_texts(proof=row, revision=row.revision, by=other, texts=TEXTS | {"course": "Anders"})
    response = client.post(page_of(row), {"step": "save", "revision": row.revision, **TEXTS})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} gespeichert", reload=page_of(row))


def test_a_draft_order_that_was_saved(client: Client, other: User) -> None:
    order = draft_order(*lines_for(approved()))
    url = page_of(order)
    before = typed_in(client.get(url))
    sent = client_of(other).post(url, before | {"note": "Von Olga", "step": "save"})
    assert sent.status_code == 302
    response = client.post(url, before | {"note": "Von mir", "step": "save"})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} gespeichert", reload=url)
    assert "Von mir" in response.content.decode()


def test_a_draft_order_that_was_placed(client: Client, other: User) -> None:
    order = draft_order(*lines_for(approved()))
    url = page_of(order)
    before = typed_in(client.get(url))
    services.place_order(order=order, by=other)
    response = client.post(url, before | {"step": "save"})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} den Status „bestellt“ gesetzt", reload=url)


def test_a_step_of_an_order_that_is_cancelled(client: Client, other: User) -> None:
    order = placed_order(*lines_for(approved()))
    url = reverse("admin:funding_order_close", args=[order.pk])
    services.cancel_order(order=order, by=other, reason="Doch nicht")
    response = client.post(url, {"reason": "Fertig"})
    ensure_told(response, f"Olga Ohm hat am {MOMENT} den Status „storniert“ gesetzt", reload=page_of(order))
    order.refresh_from_db()
    assert order.state == OrderState.CANCELLED


def test_the_desk_of_an_application_that_was_saved_meanwhile(client: Client) -> None:
    application = make_application()
    budget = BudgetFactory()
    page = client.get(desk_of(application))
    application.revision += 1
    application.save(update_fields=["revision"])
    response = send(client, desk_of(application), "check_approve", page, budget=budget.pk)
    ensure_told(response, "inzwischen", reload=desk_of(application))


def test_a_refusal_that_is_about_no_entry_does_not_ask_to_mend_one(client: Client, me: User) -> None:
    change = services.propose_edit(budget=BudgetFactory(), by=me, reason="x", freeze=5)
    text = texts(client.post(page_of(change), {"step": "confirm", "note": ""}))
    assert "Das ist so nicht möglich" in text
    assert "Bitte prüfen Sie eine Angabe" not in text
    assert "Seite neu laden" not in text
