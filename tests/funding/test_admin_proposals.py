"""Proposals on the desk, in the queue and for several at once."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core.models import SavedFilter
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import ApprovalProposal, Budget, EquipmentApplication
from apps.funding.overruns import overruns_of
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.desk import QUEUE, buttons_of, desk_of, quantity, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, RoundFactory, decide, make_application, two_approve_from
from tests.funding.portal import client_of, messages_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


@pytest.fixture
def application() -> EquipmentApplication:
    return make_application(title="Tablets", lines=[("500.00", 2)])


@pytest.fixture
def clerk() -> User:
    return ClerkFactory(name="Clara Klein")


def proposed(application: EquipmentApplication, budget: Budget, by: User) -> ApprovalProposal:
    return services.propose_approval(application=application, by=by, decisions=decide(application, budget))


def test_a_clerk_proposes_and_goes_on_with_the_next(application: EquipmentApplication, budget: Budget) -> None:
    following = make_application(title="Beamer")
    client = client_of(ClerkFactory())
    assert "step=check_approve" not in buttons_of(client.get(desk_of(application)))

    check = send(client, desk_of(application), "check_propose", budget=budget.pk, **{quantity(application): 1})
    assert not ApprovalProposal.objects.exists()
    assert "Eine andere Person genehmigt" in texts(check)
    answer = send(client, desk_of(application), "propose", check)

    assert answer.url == desk_of(following)
    assert ApprovalProposal.objects.get().amount == D("500.00")
    assert state_of(application) == S.SUBMITTED
    page = client.get(answer.url)
    assert messages_of(page)[0].startswith(f"„Tablets“, {application.school}: Die Genehmigung ist vorgeschlagen.")
    assert typed_in(page)["budget"] == str(budget.pk)


def test_an_approver_sees_the_proposal_and_approves_it_unchanged(
    application: EquipmentApplication, office: Client, budget: Budget, clerk: User
) -> None:
    two_approve_from("1000.00")
    proposed(application, budget, clerk)

    page = office.get(desk_of(application))
    assert "Clara Klein hat am" in texts(page)
    assert (typed_in(page)["budget"], typed_in(page)[quantity(application)]) == (str(budget.pk), "2")
    check = send(office, desk_of(application), "check_approve")
    send(office, desk_of(application), "approve", check)

    assert state_of(application) == S.APPROVED


def test_a_change_makes_it_the_approvers_own_proposal(
    application: EquipmentApplication, office: Client, approver: User, budget: Budget, clerk: User
) -> None:
    two_approve_from("500.00")
    proposed(application, budget, clerk)

    check = send(office, desk_of(application), "check_approve", **{quantity(application): 1})
    assert "step=propose" in buttons_of(check)
    send(office, desk_of(application), "propose", check)

    row = ApprovalProposal.objects.get()
    assert (row.by, row.amount, state_of(application)) == (approver, D("500.00"), S.SUBMITTED)
    again = send(office, desk_of(application), "check_approve")
    assert "Sie haben diese Genehmigung selbst vorgeschlagen." in texts(again)


def test_above_the_sum_the_approvers_button_leads_to_a_proposal(
    application: EquipmentApplication, office: Client, approver: User, budget: Budget
) -> None:
    two_approve_from("1000.00")
    before = written()

    check = send(office, desk_of(application), "check_approve", budget=budget.pk)
    assert "Ab 1.000,00" in texts(check)
    send(office, desk_of(application), "propose", check)
    send(office, desk_of(application), "propose", check)

    assert ApprovalProposal.objects.get().by == approver
    assert written() == before


def test_approving_past_the_preview_is_refused(
    application: EquipmentApplication, office: Client, budget: Budget
) -> None:
    two_approve_from("1000.00")

    page = send(office, desk_of(application), "approve", budget=budget.pk)

    assert "genehmigen zwei Personen" in texts(page)
    assert state_of(application) == S.SUBMITTED


def test_a_second_tab_with_another_proposal_approves_nothing(
    application: EquipmentApplication, office: Client, budget: Budget, clerk: User
) -> None:
    two_approve_from("500.00")
    proposed(application, budget, clerk)
    check = send(office, desk_of(application), "check_approve")
    services.propose_approval(
        application=application, by=ClerkFactory(), decisions=decide(application, budget, quantities=[1])
    )

    send(office, desk_of(application), "approve", check)

    assert state_of(application) == S.SUBMITTED


def test_a_proposal_is_taken_back_on_the_desk(
    application: EquipmentApplication, office: Client, budget: Budget, clerk: User
) -> None:
    proposed(application, budget, clerk)

    page = send(office, desk_of(application), "withdraw_proposal")

    assert messages_of(page) == ["Der Vorschlag ist zurückgenommen."]
    assert not ApprovalProposal.objects.exists()


def test_an_auditor_reads_the_proposal_and_changes_nothing(
    application: EquipmentApplication, budget: Budget, clerk: User
) -> None:
    proposed(application, budget, clerk)
    client = client_of(AuditorFactory())

    assert buttons_of(client.get(desk_of(application))) == []
    for step in ("check_propose", "propose", "withdraw_proposal"):
        assert client.post(desk_of(application), {"step": step}).status_code == 403
    assert ApprovalProposal.objects.count() == 1


# The queue


def titles(client: Client, query: str) -> list[str]:
    return [row.title for row in client.get(f"{QUEUE}?{query}").context["cl"].result_list]


def test_the_queue_filters_by_proposal_round_and_lateness(
    office: Client, approver: User, budget: Budget, clerk: User
) -> None:
    row = RoundFactory()
    mine, theirs, none = (make_application(title=title, in_round=row) for title in ("mein", "fremd", "keiner"))
    proposed(mine, budget, approver)
    proposed(theirs, budget, clerk)
    EquipmentApplication.objects.filter(pk=none.pk).update(is_late=True)

    assert titles(office, "proposal=yes") == ["mein", "fremd"]
    assert titles(office, "proposal=another") == ["fremd"]
    assert titles(office, "proposal=none") == ["keiner"]
    assert titles(office, "late=yes") == ["keiner"]
    assert titles(office, f"round={row.pk}&late=no") == ["mein", "fremd"]
    assert titles(office, "round=none") == []
    assert "eingereicht vorgeschlagen" in texts(office.get(f"{QUEUE}?proposal=another")).lower()


def test_own_filters_are_kept_open_first_and_are_forgotten(office: Client, approver: User) -> None:
    answer = office.post(f"{QUEUE}?proposal=another&e=1", {"keep": "1", "name": "Zweite Person"})
    assert answer.url == f"{QUEUE}?proposal=another"
    own = SavedFilter.objects.get(user=approver, list_name="admin.applications")
    assert "Zweite Person" in texts(office.get(QUEUE))
    assert "Zweite Person" not in texts(client_of(ApproverFactory()).get(QUEUE))

    office.post(QUEUE, {"own": own.pk, "first": "yes"})
    assert office.get(QUEUE).url == f"{QUEUE}?proposal=another"
    assert office.get(f"{QUEUE}?saved=none").status_code == 200
    office.post(QUEUE, {"own": own.pk, "forget": "1"})
    assert office.get(QUEUE).status_code == 200


# Several at once


def test_several_at_once_leave_out_what_two_approve(
    application: EquipmentApplication, office: Client, budget: Budget
) -> None:
    two_approve_from("1000.00")
    small = make_application(title="Beamer", lines=[("999.99", 1)])
    address = f"{QUEUE}bulk/approve/?ids={application.pk},{small.pk}"

    preview = send(office, address, "preview", budget=budget.pk)
    assert "Ab 1.000,00" in texts(preview)
    outcome = send(office, address, "confirm", preview)

    assert "genehmigen zwei Personen" in texts(outcome)
    assert (state_of(application), state_of(small)) == (S.SUBMITTED, S.APPROVED)


def test_a_clerk_proposes_several(application: EquipmentApplication, budget: Budget) -> None:
    other = make_application(title="Beamer", lines=[("9500.00", 1)])
    client = client_of(ClerkFactory())
    address = f"{QUEUE}bulk/propose/?ids={application.pk},{other.pk}"

    preview = send(client, address, "preview", budget=budget.pk)
    send(client, address, "confirm", preview)

    assert list(ApprovalProposal.objects.values_list("application", "amount")) == [
        (application.pk, D("1000.00")),
        (other.pk, D("9500.00")),
    ]


def test_the_course_names_both_people_of_an_approval_and_what_they_overran(
    application: EquipmentApplication, office: Client
) -> None:
    budget = BudgetFactory(name="Schulbau", fiscal_year=2026, appropriation=D("1500.00"), freeze=D("600.00"))
    first = ApproverFactory(name="Anna Albers")
    decisions, reason = decide(application, budget), "Der Rat hat zugestimmt."
    services.propose_approval(application=application, by=first, decisions=decisions, overrun_reason=reason)
    second = ApproverFactory(name="Berta Brandt")
    services.approve(application=application, by=second, decisions=decisions, overrun_reason=reason)

    overrun = f"„{budget}“ um 100,00 € überzogen, über die Sperre von 600,00 € hinaus"
    for reader in (office, client_of(AuditorFactory())):
        page = texts(reader.get(desk_of(application)))
        assert "Vorgeschlagen von Anna Albers" in page
        assert "Genehmigt von Berta Brandt" in page
        assert f"{overrun}. Grund: Der Rat hat zugestimmt." in page

    change = application.status_changes.get(to_state=S.APPROVED)
    listed = texts(office.get(reverse("admin:funding_applicationstatuschange_changelist")))
    assert "Anna Albers" in listed
    assert f"genehmigt {overrun} Anna Albers Berta Brandt Zum Budget: Der Rat hat zugestimmt." in listed
    detail = texts(office.get(reverse("admin:funding_applicationstatuschange_change", args=[change.pk])))
    assert "Anna Albers" in detail
    assert overrun in detail
    assert "Der Rat hat zugestimmt." in detail

    type(change).objects.filter(pk=change.pk).update(overruns=None)
    assert "Budget um 100,00 € überzogen. Grund: Der Rat" in texts(office.get(desk_of(application)))


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        ({"freeze": "600.00"}, "um 100,00 € überzogen, über die Sperre von 600,00 € hinaus"),
        ({"freeze": "600.00", "committed": "1499.99"}, "um 1.599,99 € überzogen, über die Sperre von 600,00 € hinaus"),
        ({"freeze": "600.00", "committed": "1500.00"}, "um 1.600,00 € überzogen"),
        ({"freeze": "600.00", "overrun_allowed": "600.00", "committed": "1500.00"}, "um 1.000,00 € überzogen"),
        ({"freeze": "0.00", "committed": "600.00"}, "um 100,00 € überzogen"),
    ],
)
def test_a_freeze_is_named_only_where_frozen_money_is_used(
    application: EquipmentApplication, amounts: dict[str, str], told: str
) -> None:
    """1,000 euros out of 1,500."""
    budget = BudgetFactory(appropriation=D("1500.00"), **{name: D(amount) for name, amount in amounts.items()})
    values: dict[str, Any] = {"application": application, "decisions": decide(application, budget)}
    services.propose_approval(**values, by=ApproverFactory(), overrun_reason="Beschluss")
    services.approve(**values, by=ApproverFactory(), overrun_reason="Beschluss")
    (sentence,) = overruns_of(application.status_changes.get(to_state=S.APPROVED))
    assert sentence.replace("\u202f", " ") == f"„{budget}“ {told}"


def test_the_second_person_reads_why_the_budget_is_overrun(application: EquipmentApplication, office: Client) -> None:
    budget = BudgetFactory(appropriation=D("900.00"))
    services.propose_approval(
        application=application, by=ApproverFactory(), decisions=decide(application, budget), overrun_reason="Beschluss"
    )

    text = texts(office.get(desk_of(application)))

    assert "Damit wird ein Budget überzogen. Grund: Beschluss" in text
    assert "Sie überschreiten das Budget um 100,00 €. Begründung: „Beschluss“" in text
    assert "Reicht nicht" not in text


def test_a_freeze_that_is_overrun_is_named_to_both_people(application: EquipmentApplication) -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("900.00"), freeze=D("900.00"))
    frozen = "In diesem Budget sind 900,00 € gesperrt."
    first = client_of(ApproverFactory())
    typed = {"budget": budget.pk, "overrun_reason": "Beschluss"}
    check = send(first, desk_of(application), "check_propose", **typed)
    assert texts(check).count(f"{frozen} Mit der Überschreitung wird trotzdem genehmigt.") == 2

    send(first, desk_of(application), "propose", check)
    second = client_of(ApproverFactory())
    for page in (second.get(desk_of(application)), send(second, desk_of(application), "check_approve")):
        assert f"{frozen} Mit der Überschreitung wird trotzdem genehmigt." in texts(page)


def test_without_an_overrun_a_short_budget_names_its_freeze_and_a_full_one_does_not(
    application: EquipmentApplication, office: Client, budget: Budget
) -> None:
    frozen = BudgetFactory(appropriation=D("900.00"), freeze=D("300.00"))
    short = texts(send(office, desk_of(application), "recalculate", budget=frozen.pk))
    assert "Reicht nicht: Es fehlen 400,00 €. In diesem Budget sind 300,00 € gesperrt." in short
    assert "Mit der Überschreitung wird trotzdem" not in short
    enough = BudgetFactory(appropriation=D("9000.00"), freeze=D("300.00"))
    assert "gesperrt." not in texts(send(office, desk_of(application), "recalculate", budget=enough.pk))


def test_whoever_has_proposed_is_not_asked_to_propose(
    application: EquipmentApplication, budget: Budget, approver: User
) -> None:
    two_approve_from("500.00")
    ask = "Bitte schlagen Sie die Genehmigung vor"
    office = client_of(approver)
    assert ask in texts(send(office, desk_of(application), "recalculate", budget=budget.pk))
    proposed(application, budget, approver)
    assert ask not in texts(office.get(desk_of(application)))


def test_the_histories_name_who_proposed_and_what_is_overrun(application: EquipmentApplication, office: Client) -> None:
    budget = BudgetFactory(appropriation=D("900.00"))
    decisions, reason = decide(application, budget), "Der Rat hat zugestimmt."
    first = ApproverFactory(name="Anna Albers")
    services.propose_approval(application=application, by=first, decisions=decisions, overrun_reason=reason)
    services.approve(application=application, by=ApproverFactory(), decisions=decisions, overrun_reason=reason)

    page = texts(office.get(reverse("admin:funding_equipmentapplication_history", args=[application.pk])))
    assert f"vorgeschlagen von Anna Albers; „{budget}“ um 100,00 € überzogen: Der Rat hat zugestimmt." in page
    page = texts(office.get(reverse("admin:funding_budget_history", args=[budget.pk])))
    assert "Der Rat hat zugestimmt. (vorgeschlagen von Anna Albers)" in page


def test_above_the_limit_the_desk_does_not_say_that_the_money_is_committed_at_once(
    application: EquipmentApplication, office: Client, budget: Budget
) -> None:
    two_approve_from("1000.00")

    text = texts(send(office, desk_of(application), "recalculate", budget=budget.pk))

    assert "bindet die Mittel sofort" not in text
    assert text.count("genehmigen zwei Personen") == 2


def test_the_desk_suggests_a_budget_of_the_round_s_programme(office: Client, budget: Budget) -> None:
    of_programme = BudgetFactory(from_grant=True)
    row = RoundFactory(programme=of_programme.grant.programme)

    assert typed_in(office.get(desk_of(make_application(in_round=row))))["budget"] == str(of_programme.pk)
    RoundFactory._meta.model.objects.update(programme=None)
    assert typed_in(office.get(desk_of(make_application(in_round=row))))["budget"] == ""
