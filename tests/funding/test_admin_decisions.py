"""Decisions on the desk: through both pages as a person makes them, refused, twice at once."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from post_office.models import Email

from apps.accounts.models import User
from apps.funding import services
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models import (
    Budget,
    EquipmentApplication,
    LedgerEntry,
    LineAllocation,
    ReasonTemplate,
)
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.desk import QUEUE, approve, buttons_of, desk_of, quantity, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, coordinator_of, decide, make_application
from tests.funding.portal import client_of, messages_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


# Approving


def test_approving_in_full_opens_the_next_application(office: Client, approver: User, budget: Budget) -> None:
    first = make_application(title="Tablets", lines=[("500.00", 2)])
    second = make_application(title="Beamer")
    answer = approve(office, first, budget=budget.pk, reason="Viel Erfolg.")
    assert (answer.status_code, answer.url) == (302, desk_of(second))
    budget.refresh_from_db()
    assert (state_of(first), budget.committed, budget.available) == (S.APPROVED, D("1000.00"), D("9000.00"))
    change = first.status_changes.last()
    assert (change.to_state, change.by, change.reason) == (S.APPROVED, approver, "Viel Erfolg.")
    page = office.get(answer.url)
    assert messages_of(page) == [f"„Tablets“, {first.school}: genehmigt. Die Mail ist unterwegs. Das ist der nächste."]


def test_after_the_last_one_the_list_opens(office: Client, budget: Budget) -> None:
    application = make_application()
    answer = approve(office, application, budget=budget.pk)
    assert answer.url == QUEUE
    assert messages_of(office.get(answer.url))[0].endswith("Kein weiterer Antrag wartet.")


def test_the_way_through_a_filtered_list_stays_in_it(office: Client, budget: Budget) -> None:
    """From a list of one school the next one is of that school, and the way back leads into that list."""
    first, other, third = make_application(title="A"), make_application(title="B"), make_application(title="C")
    third.school = first.school
    EquipmentApplication.objects.filter(pk=third.pk).update(school=first.school)
    EquipmentApplication.objects.filter(pk=first.pk).update(title="Mensa eins")
    EquipmentApplication.objects.filter(pk=third.pk).update(title="Mensa zwei")
    kept = "?_changelist_filters=q%3DMensa"
    page = office.get(desk_of(first) + kept)
    assert page.context["place"] == (1, 2)
    assert page.context["list_url"] == f"{QUEUE}?q=Mensa"
    check = send(office, desk_of(first) + kept, "check_approve", budget=budget.pk)
    answer = send(office, desk_of(first) + kept, "approve", check)
    assert answer.url == desk_of(third) + kept
    assert state_of(other) == S.SUBMITTED


def test_approving_in_part_out_of_several_budgets(office: Client, budget: Budget) -> None:
    """Line 1: 2 of 3 from a grant, 666.66 = 599.99 + 66.67; line 2: 1 of 4 from another budget; line 3: nothing."""
    application = make_application(lines=[("333.33", 3), ("50.00", 4), ("9.99", 1)])
    grant = BudgetFactory(from_grant=True)
    other = BudgetFactory()
    first, second, third = application.lines.order_by("pk")
    answer = approve(
        office,
        application,
        budget=grant.pk,
        own_share_budget=budget.pk,
        **{
            f"line-{first.pk}-approved_quantity": "2",
            f"line-{second.pk}-approved_quantity": "1",
            f"line-{second.pk}-budget": other.pk,
            f"line-{second.pk}-note": "Die übrigen kommen nächstes Jahr.",
            f"line-{third.pk}-approved_quantity": "0",
        },
    )
    assert answer.status_code == 302
    assert state_of(application) == S.PARTIALLY_APPROVED
    assert list(application.lines.order_by("pk").values_list("approved_quantity", "decision_note")) == [
        (2, ""),
        (1, "Die übrigen kommen nächstes Jahr."),
        (0, ""),
    ]
    assert list(LineAllocation.objects.order_by("line", "budget").values_list("line", "budget", "amount")) == sorted(
        [
            (first.pk, grant.pk, D("599.99")),
            (first.pk, budget.pk, D("66.67")),
            (second.pk, other.pk, D("50.00")),
        ]
    )
    page = office.get(desk_of(application))
    assert "Teilweise genehmigt" in texts(page)
    assert "Finanziert aus" in texts(page)
    assert "step=check_approve" not in buttons_of(page)


def test_the_mail_is_shown_exactly_as_it_goes_out(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("333.33", 3)])
    before = written()
    check = send(
        office,
        desk_of(application),
        "check_approve",
        budget=budget.pk,
        reason="Später mehr.",
        **{quantity(application): 1},
    )
    (letter,) = check.context["letters"]
    assert written() == before, "a look at the mail writes nothing"
    assert (state_of(application), Email.objects.count()) == (S.SUBMITTED, 0)
    assert letter.body in check.content.decode().replace("&#x27;", "'")
    assert "Teilweise genehmigt" in texts(check)

    send(office, desk_of(application), "approve", check)

    sent = Email.objects.get()
    assert ([letter.to], letter.subject, letter.body) == (sent.to, sent.subject, sent.message)
    assert "Später mehr." in sent.message


def test_the_mail_is_the_same_whatever_language_the_office_reads(office: Client, budget: Budget) -> None:
    application = make_application()
    office.cookies["django_language"] = "en"
    check = send(office, desk_of(application), "check_approve", budget=budget.pk)
    (letter,) = check.context["letters"]
    assert letter.subject.startswith("Genehmigt: Antrag „Tablets für Jahrgang 5“")
    send(office, desk_of(application), "approve", check)
    assert Email.objects.get().subject == letter.subject


def test_back_to_editing_keeps_everything(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("333.33", 3)])
    typed = {"budget": str(budget.pk), "reason": "Später mehr.", quantity(application): "1"}
    check = send(office, desk_of(application), "check_approve", **typed)
    page = send(office, desk_of(application), "edit", check)
    assert typed_in(page) | typed == typed_in(page)
    assert page.context["errors"] == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"budget": ""}, "Budget: Bitte wählen Sie ein Budget."),
        ({"quantity": "4"}, "Anzahl genehmigen: Beantragt sind höchstens 3."),
        ({"quantity": "-1"}, "Anzahl genehmigen:"),
        ({"quantity": "drei"}, "Anzahl genehmigen: Geben Sie eine ganze Zahl ein"),
        ({"quantity": "0"}, "Es würde nichts genehmigt."),
        ({"budget": "grant"}, "Bitte wählen Sie ein städtisches Budget für den Eigenanteil."),
        ({"budget": "small"}, "sind 10,00 € verfügbar, nötig sind 300,00 €"),
        ({"budget": "987654"}, "Budget:"),
    ],
)
def test_what_is_wrong_is_said_on_the_same_screen(office: Client, budget: Budget, typed: Any, sentence: str) -> None:
    application = make_application(lines=[("100.00", 3)])
    known = {
        "grant": BudgetFactory(from_grant=True).pk,
        "small": BudgetFactory(appropriation=D("10.00")).pk,
    }
    data = {"budget": known.get(typed.get("budget", ""), typed.get("budget", budget.pk)), "reason": "Bitte bleiben."}
    if "quantity" in typed:
        data[quantity(application)] = typed["quantity"]
    before = written()
    page = send(office, desk_of(application), "check_approve", **data)
    assert page.status_code == 200
    assert sentence in texts(page)
    assert typed_in(page)["reason"] == "Bitte bleiben."
    assert (state_of(application), written()) == (S.SUBMITTED, before)


def test_the_own_share_of_one_line_is_asked_for_at_that_line(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("100.00", 1), ("100.00", 1)])
    second = list(application.lines.order_by("pk"))[1]
    grant = BudgetFactory(from_grant=True)
    page = send(
        office, desk_of(application), "check_approve", budget=budget.pk, **{f"line-{second.pk}-budget": grant.pk}
    )
    (error,) = page.context["errors"]
    assert error.target == f"id_line-{second.pk}-own_share_budget"


def test_going_over_a_budget_on_purpose_needs_a_reason_and_two_people(office: Client) -> None:
    application = make_application(lines=[("100.00", 3)])
    small = BudgetFactory(appropriation=D("250.00"))
    typed = {"budget": small.pk, "overrun_reason": "Zusage des Rates vom 1. März."}
    check = send(office, desk_of(application), "check_approve", **typed)
    assert "Über ein Budget hinaus genehmigen zwei Personen." in texts(check)
    assert approve(office, application, **typed).status_code == 200
    services.propose_approval(
        application=application,
        by=ApproverFactory(name="Anna Albers"),
        decisions=decide(application, small),
        overrun_reason="Zusage des Rates vom 1. März.",
    )
    assert approve(office, application).status_code == 302
    small.refresh_from_db()
    assert (small.overrun_allowed, small.committed, small.available) == (D("50.00"), D("300.00"), D("0.00"))
    raised = small.history.filter(overrun_allowed=D("50.00")).last()
    assert raised.history_change_reason == "Zusage des Rates vom 1. März. (vorgeschlagen von Anna Albers)"


def test_the_last_look_says_that_a_budget_is_overrun_and_why(office: Client) -> None:
    application = make_application(lines=[("100.00", 3)])
    small = BudgetFactory(name="Klein", appropriation=D("250.00"))
    check = send(office, desk_of(application), "check_approve", budget=small.pk, overrun_reason="Zusage des Rates.")
    text = texts(check)
    assert text.count("Sie überschreiten das Budget um 50,00 €. Begründung: „Zusage des Rates.“") == 2
    assert "Reicht nicht" not in text
    assert "Danach verfügbar − 50,00 €" in text


@pytest.mark.parametrize(
    ("typed", "warned"),
    [
        ({"quantity": "1"}, True),
        ({"quantity": "1", "reason": "Später mehr."}, False),
        ({"quantity": "1", "note": "Später mehr."}, False),
        ({"quantity": "3"}, False),
    ],
)
def test_less_than_asked_without_a_reason_is_warned_of(
    office: Client, budget: Budget, typed: dict[str, str], warned: bool
) -> None:
    application = make_application(lines=[("100.00", 3)])
    name = quantity(application)
    data = {name: typed["quantity"], name.replace("approved_quantity", "note"): typed.get("note", "")}
    data["reason"] = typed.get("reason", "")
    check = send(office, desk_of(application), "check_approve", budget=budget.pk, **data)
    assert ("Sie genehmigen weniger als beantragt und nennen keinen Grund." in texts(check)) is warned
    assert "step=approve" in buttons_of(check)


def test_the_way_back_after_a_decision_sends_no_form_again(office: Client, budget: Budget) -> None:
    """The look before the decision is a page of its own to GET; once decided it shows the decided application."""
    application, other = make_application(), make_application()
    data = typed_in(office.get(desk_of(application))) | {"budget": str(budget.pk), "step": "check_approve"}
    answer = office.post(desk_of(application), data)
    address = f"{desk_of(application)}?preview=approve"
    assert (answer.status_code, answer.url) == (302, address)
    check = office.get(address)
    assert "step=approve" in buttons_of(check)
    assert "step=approve" not in buttons_of(office.get(f"{desk_of(other)}?preview=approve")), "kept for one only"
    assert send(office, address, "approve", check).url == desk_of(other)
    after = written()
    page = office.get(address)
    assert (page.status_code, buttons_of(page), page.context["overtaken"]) == (200, [], None)
    assert written() == after


def test_the_desk_holds_what_was_typed_until_it_is_decided_or_changed(office: Client, budget: Budget) -> None:
    """Also after something was missing: the way back leads from page to page, none of them the answer to a form."""
    application = make_application(lines=[("500.00", 2)])
    typed = {"reason": "Später mehr.", quantity(application): "1"}
    missing = office.post(desk_of(application), typed | {"step": "check_approve", "revision": application.revision})
    assert missing.url == f"{desk_of(application)}?mend=approve"
    assert "Budget: Bitte wählen Sie ein Budget." in texts(office.get(missing.url))
    check = send(office, desk_of(application), "check_approve", budget=budget.pk)
    assert "step=approve" in buttons_of(check)
    page = office.get(desk_of(application))
    assert typed_in(page).items() >= (typed | {"budget": str(budget.pk)}).items()
    assert (page.context["errors"], page.context["overtaken"]) == ([], None)

    services.return_with_question(application=application, by=ClerkFactory(), question="Wofür?")
    assert office.get(desk_of(application)).context["overtaken"] is None
    services.submit(application=application, by=coordinator_of(application.school))
    page = office.get(desk_of(application))
    assert (typed_in(page)["reason"], typed_in(page)[quantity(application)]) == ("", "2")


# Returning and rejecting


@pytest.mark.parametrize(("verb", "field"), [("return", "question"), ("reject", "rejection")])
def test_what_approves_nothing_shows_no_figures_of_an_approval(office: Client, verb: str, field: str) -> None:
    BudgetFactory()
    check = send(office, desk_of(make_application()), f"check_{verb}", **{field: "Bitte neu."})
    text = texts(check)
    assert f"step={verb}" in buttons_of(check)
    for figure in ("Zu genehmigen", "noch kein Budget gewählt", "Mit der Genehmigung"):
        assert figure not in text


@pytest.mark.parametrize(
    ("verb", "field", "state", "missing"),
    [
        ("return", "question", S.RETURNED, "Bitte schreiben Sie, was Sie wissen möchten."),
        ("reject", "rejection", S.REJECTED, "Bitte nennen Sie der Schule einen Grund."),
    ],
)
def test_a_clerk_returns_and_rejects(verb: str, field: str, state: str, missing: str) -> None:
    clerk = ClerkFactory()
    office = client_of(clerk)
    application, following = make_application(), make_application()
    page = send(office, desk_of(application), f"check_{verb}")
    assert (missing in texts(page), state_of(application)) == (True, S.SUBMITTED)

    check = send(office, desk_of(application), f"check_{verb}", **{field: "Bitte  mit Umlauten: äöü <b>."})
    (letter,) = check.context["letters"]
    assert (state_of(application), Email.objects.count()) == (S.SUBMITTED, 0)
    answer = send(office, desk_of(application), verb, check)

    assert (answer.url, state_of(application)) == (desk_of(following), state)
    sent = Email.objects.get()
    assert ([letter.to], letter.subject, letter.body) == (sent.to, sent.subject, sent.message)
    assert "Bitte  mit Umlauten: äöü <b>." in sent.message
    change = application.status_changes.last()
    assert (change.by, change.reason) == (clerk, "Bitte  mit Umlauten: äöü <b>.")
    assert LedgerEntry.objects.count() == 0


def test_a_wrong_quantity_does_not_keep_from_rejecting(office: Client) -> None:
    application = make_application()
    check = send(office, desk_of(application), "check_reject", rejection="Nein.", **{quantity(application): "viele"})
    assert check.context["errors"] == [] if "errors" in check.context else True
    send(office, desk_of(application), "reject", check)
    assert state_of(application) == S.REJECTED


def test_nobody_to_mail_is_said(office: Client, budget: Budget) -> None:
    application = make_application()
    User.objects.filter(pk=application.submitted_by_id).update(is_active=False)
    check = send(office, desk_of(application), "check_approve", budget=budget.pk)
    assert check.context["letters"] == ()
    assert "An der Schule ist niemand erreichbar" in texts(check)


def test_templates_go_into_the_text_without_script(office: Client) -> None:
    application = make_application()
    template = ReasonTemplate.objects.create(kind=ReasonKind.REJECT, name="Kurz", text="Kein Bedarf.")
    other = ReasonTemplate.objects.create(kind=ReasonKind.RETURN, name="Frage", text="Wofür?")
    page = send(office, desk_of(application), "insert_rejection", rejection_template=template.pk)
    assert typed_in(page)["rejection"] == "Kein Bedarf."
    page = send(office, desk_of(application), "insert_rejection", page, rejection="Leider nein.")
    assert typed_in(page)["rejection"] == "Leider nein.\n\nKein Bedarf."
    page = send(office, desk_of(application), "insert_question", question_template=other.pk)
    assert (typed_in(page)["question"], typed_in(page)["rejection"]) == (
        "Wofür?",
        "Leider nein.\n\nKein Bedarf.",
    )


def test_all_quantities_go_back_to_what_was_asked(office: Client) -> None:
    application = make_application(lines=[("1.00", 3), ("1.00", 1200)])
    typed = {quantity(application): "0", quantity(application, 1): "7", "reason": "Bleibt."}
    page = send(office, desk_of(application), "fill", **typed)
    values = typed_in(page)
    assert (values[quantity(application)], values[quantity(application, 1)], values["reason"]) == (
        "3",
        "1200",
        "Bleibt.",
    )
