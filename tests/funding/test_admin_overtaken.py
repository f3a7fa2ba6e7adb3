"""While somebody looks at a decision, the school changes what is asked for: nothing is decided that nobody has seen."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from post_office.models import Email

from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import Budget, EquipmentApplication, Reservation
from apps.funding.services.applications import LineInput
from tests.factories import ApproverFactory
from tests.funding.desk import desk_of, send, state_of, typed_in
from tests.funding.factories import BudgetFactory, coordinator_of, make_application
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
CHANGED = "Jemand hat diesen Antrag inzwischen geändert."


@pytest.fixture
def client() -> Client:
    return client_of(ApproverFactory())


def bulk(action: str, *applications: EquipmentApplication) -> str:
    ids = ",".join(str(row.pk) for row in applications)
    return f"{reverse('admin:funding_equipmentapplication_bulk', args=[action])}?ids={ids}"


def ask_for_more(application: EquipmentApplication, quantity: int) -> None:
    """The office asks back, the school changes the quantity and submits again."""
    by = coordinator_of(application.school)
    row = services.return_with_question(application=application, by=ApproverFactory(), question="Wofür?")
    line = row.lines.get()
    row = services.save_draft(
        application=row,
        revision=row.revision,
        by=by,
        title=row.title,
        reason=row.reason,
        lines=[LineInput(line.product_id, quantity, line_id=line.pk)],
    )
    services.submit(application=row, by=by)
    Email.objects.all().delete()


def test_several_approvals_leave_out_what_was_changed_since_the_preview(client: Client) -> None:
    changed = make_application(lines=[("489.00", 15)])
    same = make_application(lines=[("489.00", 2)])
    budget = BudgetFactory(appropriation=Decimal("500000.00"))
    address = bulk("approve", changed, same)
    page = send(client, address, "preview", budget=budget.pk)
    ask_for_more(changed, 500)
    answer = send(client, address, "confirm", page)
    assert [state_of(row) for row in (changed, same)] == [S.SUBMITTED, S.APPROVED]
    assert CHANGED in texts(answer)
    assert Budget.objects.get(pk=budget.pk).committed == Decimal("978.00")
    assert Email.objects.count() == 1


def test_a_look_at_what_was_changed_counts_again(client: Client) -> None:
    application = make_application(lines=[("489.00", 15)])
    budget = BudgetFactory(appropriation=Decimal("500000.00"))
    address = bulk("approve", application)
    send(client, address, "preview", budget=budget.pk)
    ask_for_more(application, 20)
    page = send(client, address, "preview", budget=budget.pk)
    send(client, address, "confirm", page)
    assert state_of(application) == S.APPROVED


@pytest.mark.parametrize("action", ["return", "reject"])
def test_several_are_not_returned_or_rejected_for_what_they_no_longer_say(client: Client, action: str) -> None:
    application = make_application()
    address = bulk(action, application)
    page = send(client, address, "preview", reason="Zwei sind zu viele.")
    ask_for_more(application, 1)
    answer = send(client, address, "confirm", page)
    assert state_of(application) == S.SUBMITTED
    assert CHANGED in texts(answer)
    assert Email.objects.count() == 0


def test_several_are_not_pencilled_in_for_what_they_no_longer_say(client: Client) -> None:
    application, budget = make_application(), BudgetFactory()
    address = bulk("reserve", application)
    page = client.get(address)
    ask_for_more(application, 1)
    answer = send(client, address, "preview", page, budget=budget.pk)
    assert CHANGED in texts(answer)
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("garbled", ["", "x:y", "1", "0:0"])
def test_who_cannot_say_what_was_seen_decides_nothing(client: Client, garbled: str) -> None:
    application = make_application()
    address = bulk("reject", application)
    page = send(client, address, "preview", reason="Nein.")
    client.post(address, typed_in(page) | {"seen": garbled, "step": "confirm"})
    assert state_of(application) == S.SUBMITTED


@pytest.mark.parametrize(
    ("verb", "text"), [("approve", "reason"), ("return", "question"), ("reject", "rejection")], ids=lambda given: given
)
def test_the_desk_decides_nothing_that_was_changed_since(client: Client, verb: str, text: str) -> None:
    application = make_application()
    typed = {text: "Zwei sind zu viele.", "budget": BudgetFactory().pk}
    page = send(client, desk_of(application), f"check_{verb}", **typed)
    ask_for_more(application, 3)
    answer = send(client, desk_of(application), verb, page)
    assert state_of(application) == S.SUBMITTED
    assert CHANGED in texts(answer)
    assert "Zwei sind zu viele." in typed_in(answer)[text]


def test_the_desk_pencils_in_nothing_that_was_changed_since(client: Client) -> None:
    application = make_application()
    page = client.get(desk_of(application))
    ask_for_more(application, 1)
    answer = send(client, desk_of(application), "reserve", page, budget=BudgetFactory().pk)
    assert CHANGED in texts(answer)
    assert not Reservation.objects.exists()
