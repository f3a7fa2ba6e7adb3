"""The desk before a decision and beside others: pencilling in, a second click, two people at once."""

from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    Budget,
    LedgerEntry,
    Reservation,
)
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.desk import buttons_of, desk_of, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, coordinator_of, decide, make_application
from tests.funding.portal import messages_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


def test_pencilling_in_keeps_what_is_typed(office: Client, budget: Budget, approver: User) -> None:
    application = make_application(lines=[("500.00", 2)])
    page = send(office, desk_of(application), "reserve", budget=budget.pk, reason="Noch nicht.")
    reservation = Reservation.objects.get()
    assert (reservation.budget, reservation.amount, reservation.by) == (budget, D("1000.00"), approver)
    assert typed_in(page)["reason"] == "Noch nicht."
    assert messages_of(page) == ["In „Schul-IT 2026“ vorgemerkt."]
    assert "Insgesamt vorgemerkt: 1.000,00 €" in texts(page)
    assert office.get(desk_of(application)).context["forms"].typed_budgets() == (budget.pk, None)

    page = send(office, desk_of(application), "cancel_reservation")
    assert not Reservation.objects.exists()
    assert messages_of(page) == ["Der Antrag ist nicht mehr vorgemerkt."]


def test_pencilling_in_needs_a_budget(office: Client) -> None:
    application = make_application()
    page = send(office, desk_of(application), "reserve")
    assert "Bitte wählen Sie das Budget, in dem der Antrag vorgemerkt werden soll." in texts(page)
    assert not Reservation.objects.exists()


def test_a_second_click_books_nothing_twice(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("500.00", 2)])
    check = send(office, desk_of(application), "check_approve", budget=budget.pk)
    first = send(office, desk_of(application), "approve", check)
    after = written()
    second = send(office, desk_of(application), "approve", check)
    assert (first.status_code, second.status_code) == (302, 200)
    assert "Sie haben über diesen Antrag schon entschieden" in texts(second)
    assert "Nichts wurde doppelt gebucht" in texts(second)
    assert written() == after
    budget.refresh_from_db()
    assert budget.committed == D("1000.00")


@pytest.mark.parametrize("step", ["check_approve", "approve", "reserve", "check_reject", "reject", "check_return"])
def test_whoever_comes_second_reads_who_decided_what(office: Client, budget: Budget, step: str) -> None:
    application = make_application()
    page = office.get(desk_of(application))
    services.reject(application=application, by=ApproverFactory(name="Bea Brandt"), reason="Kein Bedarf.")
    before = written()
    typed = {"budget": budget.pk, "reason": "Text A", "question": "Text B", "rejection": "Text C"}
    answer = send(office, desk_of(application), step, page, **typed)
    text = texts(answer)
    assert answer.status_code == 200
    assert "Bea Brandt war schneller" in text
    assert "Bea Brandt hat diesen Antrag" in text
    assert "auf „abgelehnt“ gesetzt" in text
    assert "Text A Text B Text C" in text
    assert "step=check_approve" not in buttons_of(answer)
    assert (state_of(application), written()) == (S.REJECTED, before)


def test_an_application_that_changed_meanwhile_is_not_approved_unseen(office: Client, budget: Budget) -> None:
    """Returned, changed by the school and submitted again while the page lay open."""
    application = make_application(lines=[("500.00", 2)])
    page = office.get(desk_of(application))
    services.return_with_question(application=application, by=ClerkFactory(), question="Wofür?")
    by = coordinator_of(application.school)
    services.submit(application=application, by=by)
    answer = send(office, desk_of(application), "check_approve", page, budget=budget.pk)
    assert answer.status_code == 200
    assert "laden" in texts(answer)
    again = send(office, desk_of(application), "approve", page, budget=budget.pk)
    assert again.status_code == 200
    assert (state_of(application), LedgerEntry.objects.count()) == (S.SUBMITTED, 0)


def test_money_that_went_meanwhile_is_not_spent_twice(office: Client) -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    first, second = make_application(lines=[("600.00", 1)]), make_application(lines=[("600.00", 1)])
    check = send(office, desk_of(second), "check_approve", budget=budget.pk)
    services.approve(application=first, by=ApproverFactory(), decisions=decide(first, budget))
    answer = send(office, desk_of(second), "approve", check)
    assert "sind 400,00 € verfügbar, nötig sind 600,00 €" in texts(answer)
    assert state_of(second) == S.SUBMITTED
