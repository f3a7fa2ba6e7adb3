"""Several proposals approved at once: exactly what was proposed, each by itself, and never one's own."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from post_office.models import Email

from apps.accounts.models import User
from apps.core.errors import DomainError, StaleError
from apps.funding import services
from apps.funding.calculations import LineDecision
from apps.funding.choices import ApplicationState
from apps.funding.models import ApprovalProposal, Budget, EquipmentApplication
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.desk import QUEUE, buttons_of, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, make_application, two_approve_from
from tests.funding.portal import client_of, texts
from tests.funding.test_admin_bulk import bulk

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


@pytest.fixture
def clerk() -> User:
    return ClerkFactory(name="Clara Klein")


@pytest.fixture
def approver() -> User:
    return ApproverFactory(name="Anna Amt")


@pytest.fixture
def client(approver: User) -> Client:
    return client_of(approver)


def proposed(
    title: str, budget: Budget, by: User, *, price: str = "100.00", asked: int = 3, pieces: int = 2, **values: Any
) -> EquipmentApplication:
    application = make_application(title=title, lines=[(price, asked)])
    decisions = [LineDecision(line.pk, pieces, budget.pk, None) for line in application.lines.all()]
    services.propose_approval(application=application, by=by, decisions=decisions, reason=f"Grund {title}", **values)
    return EquipmentApplication.objects.get(pk=application.pk)


def approved_pieces(application: EquipmentApplication) -> list[int | None]:
    return list(application.lines.order_by("pk").values_list("approved_quantity", flat=True))


def test_the_list_leads_to_the_preview_at_once(client: Client, clerk: User) -> None:
    row = proposed("Tablets", BudgetFactory(), clerk)
    answer = client.post(QUEUE, {"action": "approve_proposed_selected", "_selected_action": [row.pk], "index": 0})
    page = client.get(answer["Location"])
    text = texts(page)
    assert "Vorgeschlagen von Clara Klein am" in text
    assert "2 von 3 ×" in text
    assert "Grund Tablets" in text
    assert "step=confirm" in buttons_of(page)
    assert "step=edit" not in buttons_of(page)


def test_what_was_proposed_is_approved_and_nothing_else(client: Client, clerk: User, approver: User) -> None:
    """Also above the sum from which two people approve; each out of the budget that its proposal names."""
    two_approve_from("100.00")
    first, second = BudgetFactory(name="Erstes"), BudgetFactory(name="Zweites")
    rows = [proposed("Tablets", first, clerk), proposed("Beamer", second, clerk, price="50.00", pieces=3)]
    none, own = make_application(title="Ohne"), proposed("Eigenes", first, approver)
    address = bulk("approve_proposed", *rows, none, own)
    before = written()
    page = client.get(address)
    text = texts(page)
    assert "Die Mittel reichen für 2 von 2 Anträgen." in text
    assert "Es ist nichts dazu vorgeschlagen." in text
    assert "Sie haben es selbst vorgeschlagen; eine andere Person genehmigt es." in text
    assert "Summe 200,00 € Erstes 2026" in text
    assert "Summe 150,00 € Zweites 2026" in text
    assert written() == before

    answer = send(client, address, "confirm", page)

    assert [state_of(row) for row in (*rows, none, own)] == [S.PARTIALLY_APPROVED, S.APPROVED, S.SUBMITTED, S.SUBMITTED]
    assert [approved_pieces(row) for row in rows] == [[2], [3]]
    assert rows[0].status_changes.last().reason == "Grund Tablets"
    text = texts(answer)
    assert "2 Anträge genehmigt" in text
    assert "2 Anträge bleiben, wie sie waren" in text
    for word in ("Tablets", "Beamer", "Ohne", "Eigenes"):
        assert word in text
    assert Email.objects.count() == 2


def test_a_proposal_that_changed_since_the_preview_stays(client: Client, clerk: User) -> None:
    budget = BudgetFactory()
    row, other = proposed("Tablets", budget, clerk), proposed("Beamer", budget, clerk)
    address = bulk("approve_proposed", row, other)
    page = client.get(address)
    line = row.lines.get()
    services.propose_approval(application=row, by=clerk, decisions=[LineDecision(line.pk, 1, budget.pk, None)])
    answer = send(client, address, "confirm", page)
    assert [state_of(row), state_of(other)] == [S.SUBMITTED, S.PARTIALLY_APPROVED]
    assert "Der Vorschlag hat sich inzwischen geändert." in texts(answer)


def test_the_money_of_one_does_not_keep_the_next(client: Client, clerk: User) -> None:
    budget, other = BudgetFactory(appropriation=D("200.00")), BudgetFactory(appropriation=D("200.00"))
    rows = [proposed("Eins", budget, clerk), proposed("Zwei", budget, clerk), proposed("Drei", other, clerk)]
    address = bulk("approve_proposed", *rows)
    page = client.get(address)
    assert "Die Mittel reichen nicht: Dieser Antrag wird ausgelassen." in texts(page)
    send(client, address, "confirm", page)
    assert [state_of(row) for row in rows] == [S.PARTIALLY_APPROVED, S.SUBMITTED, S.PARTIALLY_APPROVED]


def test_an_overrun_is_decided_by_itself(client: Client, approver: User) -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    row = proposed("Tablets", budget, ApproverFactory(), overrun_reason="Eilt")
    page = client.get(bulk("approve_proposed", row))
    assert "Er geht über ein Budget hinaus; bitte entscheiden Sie ihn auf seiner eigenen Seite." in texts(page)
    assert "step=confirm" not in buttons_of(page)


def test_one_letter_is_shown_as_it_goes_out(client: Client, clerk: User) -> None:
    row = proposed("Tablets", BudgetFactory(), clerk)
    page = client.get(bulk("approve_proposed", row))
    (letter,) = page.context["letters"]
    send(client, bulk("approve_proposed", row), "confirm", page)
    assert Email.objects.get().subject == letter.subject


def test_a_step_that_is_no_confirmation_leads_to_the_preview(client: Client, clerk: User) -> None:
    address = bulk("approve_proposed", proposed("Tablets", BudgetFactory(), clerk))
    answer = client.post(address, typed_in(client.get(address)) | {"step": "edit"})
    assert answer["Location"] == address


def test_the_service_refuses_ones_own_and_another_ones_older_proposal(clerk: User, approver: User) -> None:
    row = proposed("Tablets", BudgetFactory(), approver)
    proposal = ApprovalProposal.objects.get()
    with pytest.raises(DomainError) as refused:
        services.approve_proposed(application=row, by=approver, proposal_id=proposal.pk)
    assert refused.value.code == "same_person"
    with pytest.raises(StaleError):
        services.approve_proposed(application=row, by=ApproverFactory(), proposal_id=proposal.pk + 1)
    assert services.approve_proposed(application=row, by=ApproverFactory(), proposal_id=proposal.pk).pk == row.pk


def test_the_sum_of_the_preview_counts_those_that_are_not_left_out(client: Client, clerk: User) -> None:
    row = proposed("Tablets", BudgetFactory(), clerk)
    others = [make_application() for _number in range(3)]

    text = texts(client.get(bulk("approve_proposed", row, *others)))

    assert "Die Mittel reichen für 1 von 1 Antrag." in text
    assert text.count("Wird ausgelassen: Es ist nichts dazu vorgeschlagen.") == 3
