"""Decisions that commit no money: returning with a question, rejecting, pencilling in."""

from decimal import Decimal

import pytest

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    LedgerEntry,
    Reservation,
)
from tests.factories import ClerkFactory
from tests.funding.factories import BudgetFactory, make_application

pytestmark = pytest.mark.django_db


D = Decimal


S = ApplicationState


def test_returning_asks_and_keeps_the_question() -> None:
    application, by = make_application(), ClerkFactory()
    services.reserve(application=application, budget=BudgetFactory(), by=by)

    returned = services.return_with_question(application=application, by=by, question=" Wofür? ")

    message = returned.messages.get()
    assert (returned.state, message.by, message.text) == (S.RETURNED, by, "Wofür?")
    assert returned.status_changes.last().reason == "Wofür?"
    assert returned.history.first().history_user == by
    assert not Reservation.objects.exists()


def test_rejecting_keeps_the_reason_and_moves_no_money() -> None:
    application, by = make_application(), ClerkFactory()

    rejected = services.reject(application=application, by=by, reason=" Kein Bedarf. ")

    assert (rejected.state, rejected.status_changes.last().reason) == (S.REJECTED, "Kein Bedarf.")
    assert rejected.decided_at is not None
    assert not LedgerEntry.objects.exists()


def test_question_and_reason_are_needed() -> None:
    application, by = make_application(), ClerkFactory()

    with pytest.raises(DomainError) as question:
        services.return_with_question(application=application, by=by, question=" ")
    with pytest.raises(DomainError) as reason:
        services.reject(application=application, by=by, reason="")

    assert (question.value.field, reason.value.field) == ("question", "reason")
    application.refresh_from_db()
    assert application.state == S.SUBMITTED


def test_a_reservation_is_shown_and_not_subtracted() -> None:
    application = make_application(lines=[("100.00", 7)])
    first, second, by = BudgetFactory(), BudgetFactory(from_grant=True), ClerkFactory()

    services.reserve(application=application, budget=first, by=by)
    assert Reservation.objects.get().amount == D("700.00")
    services.reserve(application=application, budget=second, by=by)

    reservation = Reservation.objects.get()
    assert (reservation.budget, reservation.amount, reservation.by) == (second, D("630.00"), by)
    assert first.available == D("10000.00")

    services.cancel_reservation(application=application, by=by)
    services.cancel_reservation(application=application, by=by)
    assert not Reservation.objects.exists()


def test_only_submitted_applications_are_pencilled_in() -> None:
    with pytest.raises(DomainError):
        services.reserve(application=make_application(S.RETURNED), budget=BudgetFactory(), by=ClerkFactory())
