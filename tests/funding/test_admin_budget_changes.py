"""Changes of budgets in the admin: what waits, the decision, virements, carry-overs and their list for the council."""

import csv
import io
import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pypdfium2
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, confirmed
from tests.funding.portal import client_of, messages_of, texts

pytestmark = pytest.mark.django_db
D = Decimal
LIST = reverse("admin:funding_budgetchange_changelist")
CARRY_OVER = reverse("admin:funding_budget_carry_over")
YEAR = {"year": "2026"}


@pytest.fixture
def clerk() -> User:
    return ClerkFactory()


@pytest.fixture
def approver() -> User:
    return ApproverFactory()


@pytest.fixture
def client(approver: User) -> Client:
    return client_of(approver)


def page_of(change: BudgetChange) -> str:
    return reverse("admin:funding_budgetchange_change", args=[change.pk])


def steps_on(page: str) -> list[str]:
    return re.findall(r'name="step" value="(\w+)"', page)


def freeze(by: User, name: str = "Schul-IT", amount: str = "5.00") -> BudgetChange:
    facts = {"reason": "Haushaltssperre", "freeze": D(amount), "beyond_free": True}
    return services.propose_edit(budget=BudgetFactory(name=name), by=by, **facts)


def carry(budget: Budget, amount: str, by: User) -> BudgetChange:
    rows = [services.CarryOver(budget.pk, D(amount))]
    return services.propose_carry_overs(rows=rows, reason="Lieferung verzögert", by=by)[0]


def test_the_list_shows_what_waits_with_both_values(client: Client, clerk: User) -> None:
    freeze(clerk)
    decided = freeze(clerk, "Anderes")
    confirmed(decided)
    text = texts(client.get(LIST))
    assert (
        "Schul-IT 2026 Sperre Gesperrt: 0,00 € → 5,00 € Verfügbar in „Schul-IT 2026“: 10.000,00 € → 9.995,00 €"
        f" Haushaltssperre {clerk}"
    ) in text
    assert "Anderes" not in text
    assert "Anderes 2026" in texts(client.get(LIST, {"state": "all"}))
    assert "Anderes 2026" in texts(client.get(LIST, {"state": "confirmed"}))


def test_several_are_confirmed_at_once_and_what_is_refused_says_why(
    client: Client, clerk: User, approver: User
) -> None:
    theirs, own = freeze(clerk), freeze(approver, "Eigenes")
    sent = {"action": "confirm_chosen", "_selected_action": [theirs.pk, own.pk]}
    answer = client.post(LIST, sent)
    assert answer["Location"] == f"/admin/funding/budgetchange/confirm/?ids={theirs.pk}%2C{own.pk}"
    preview = client.get(answer["Location"])
    assert "Gesperrt 0,00 € → wird zu 5,00 € Verfügbar in „Schul-IT 2026“ 10.000,00 €" in texts(preview)
    assert "Wird ausgelassen: Sie haben diese Änderung selbst vorgeschlagen." in texts(preview)
    assert "1 Änderung bestätigen" in texts(preview)
    assert set(BudgetChange.objects.values_list("state", flat=True)) == {"proposed"}

    after = client.post(answer["Location"], {"shown": [theirs.pk, own.pk]}, follow=True)
    assert after.redirect_chain == [(LIST, 302)]
    assert "1 Änderung bestätigt." in texts(after)
    assert "Sie haben diese Änderung selbst vorgeschlagen." in texts(after)
    assert f'<a href="{page_of(own)}">Änderung öffnen</a>' in after.content.decode()
    assert dict(BudgetChange.objects.values_list("pk", "state")) == {theirs.pk: "confirmed", own.pk: "proposed"}
    back = texts(client.get(answer["Location"]))
    assert "bestätigen" not in back.rsplit("Wird ausgelassen", 1)[1]
    assert "confirm_chosen" not in client_of(clerk).get(LIST).content.decode()


def test_the_preview_says_what_is_refused_once_the_others_are_confirmed(client: Client, clerk: User) -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("100.00"), virement_group="DK 7")
    other = BudgetFactory(virement_group="DK 7")
    first, second = (
        services.propose_virement(budget=budget, counterpart=other, amount=D("60.00"), reason=why, by=clerk)
        for why in ("Tablets", "Notebooks")
    )
    records = Budget.history.count()
    preview = client.post(LIST, {"action": "confirm_chosen", "_selected_action": [first.pk, second.pk]}, follow=True)
    assert texts(preview).count("Wird ausgelassen") == 1
    assert "Wird ausgelassen: In „Schul-IT 2026“ sind noch 40,00 € weder gebunden noch gesperrt." in texts(preview)
    assert "1 Änderung bestätigen" in texts(preview)
    assert set(BudgetChange.objects.values_list("state", flat=True)) == {"proposed"}
    assert Budget.history.count() == records


def test_what_else_waits_for_the_budget_stands_beside_it(client: Client, clerk: User) -> None:
    budget, other = BudgetFactory(name="Schul-IT", virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    waiting = services.propose_virement(budget=budget, counterpart=other, amount=D("60.00"), reason="Tablets", by=clerk)
    change = services.propose_edit(budget=budget, by=clerk, reason="Sperre", freeze=D("5.00"))
    assert "Außerdem wartet für dieses Budget" in texts(client.get(page_of(change)))
    assert f"{waiting} : 60,00 € {clerk}, Tablets" in texts(client.get(page_of(change)))
    services.withdraw_change(change=waiting, by=clerk)
    assert "Außerdem wartet" not in texts(client.get(page_of(change)))


def test_only_what_was_shown_as_possible_is_confirmed(client: Client, clerk: User) -> None:
    """The budget got money between preview and confirmation, so that what was to be left out would be possible too."""
    budget = BudgetFactory(name="Schul-IT", appropriation=D("100.00"), virement_group="DK 7")
    other = BudgetFactory(virement_group="DK 7")
    first, second = (
        services.propose_virement(budget=budget, counterpart=other, amount=D("60.00"), reason=why, by=clerk)
        for why in ("Tablets", "Notebooks")
    )
    address = f"{LIST}confirm/?ids={first.pk},{second.pk}"
    page = client.get(address)
    data = {"shown": re.findall(r'name="shown" value="(\d+)"', page.content.decode())}
    confirmed(services.propose_edit(budget=budget, by=clerk, reason="x", appropriation=D("500.00")))
    assert messages_of(client.post(address, data, follow=True)) == ["1 Änderung bestätigt."]
    states = BudgetChange.objects.in_bulk([first.pk, second.pk])
    assert (states[first.pk].state, states[second.pk].state) == ("confirmed", "proposed")


def test_an_own_proposal_may_be_withdrawn_and_not_confirmed(client: Client, approver: User) -> None:
    change = freeze(approver)
    page = client.get(page_of(change)).content.decode()
    assert steps_on(page) == ["withdraw"]
    refused = client.post(page_of(change), {"step": "confirm", "note": "Eilt"})
    assert refused.status_code == 200
    assert "Sie haben diese Änderung selbst vorgeschlagen." in texts(refused)
    assert ">\nEilt</textarea>" in refused.content.decode()


def test_who_declines_says_why_and_keeps_what_is_typed(client: Client, clerk: User) -> None:
    change = freeze(clerk)
    refused = client.post(page_of(change), {"step": "decline", "note": ""})
    assert [error.target for error in refused.context["errors"]] == ["id_note"]
    assert client.post(page_of(change), {"step": "decline", "note": "Noch kein Beschluss"}).url == LIST
    text = texts(client_of(AuditorFactory()).get(page_of(change)))
    assert "Abgelehnt" in text
    assert "Notiz Noch kein Beschluss" in text


@pytest.mark.parametrize("amount", ["9000.00", "90000.00"], ids=["free", "more than is free"])
def test_what_can_no_longer_be_confirmed_says_why_and_is_only_declined(
    client: Client, clerk: User, amount: str
) -> None:
    change = freeze(clerk, amount=amount)
    assert change.budget is not None
    assert steps_on(client.get(page_of(change)).content.decode()) == ["confirm", "decline"]
    confirmed(services.propose_edit(budget=change.budget, by=clerk, reason="x", freeze=D("7.00")))
    records = Budget.history.count()

    page = client.get(page_of(change))
    assert steps_on(page.content.decode()) == ["decline"]
    why = "„Gesperrt“ dieses Budgets hat sich seit dem Vorschlag geändert."
    assert why in texts(page)
    assert why in texts(client.post(page_of(change), {"step": "decline", "note": ""})), "it stays beside another error"
    assert "Wer bestätigt, sagt in der Notiz, warum." not in texts(page)
    change.refresh_from_db()
    assert (change.state, Budget.history.count()) == (ProposalState.PROPOSED, records)


def test_what_moved_since_is_said(client: Client, clerk: User) -> None:
    change = freeze(clerk)
    confirmed(services.propose_edit(budget=change.budget, by=clerk, reason="x", freeze=D("7.00")))  # type: ignore[arg-type]
    text = texts(client.post(page_of(change), {"step": "confirm", "note": ""}))
    assert "„Gesperrt“ dieses Budgets hat sich seit dem Vorschlag geändert." in text


def test_the_history_names_who_proposed_and_who_decided(client: Client, clerk: User, approver: User) -> None:
    change = freeze(clerk)
    services.confirm_change(change=change, by=approver, note="geprüft")
    text = texts(client_of(AuditorFactory()).get(reverse("admin:funding_budgetchange_history", args=[change.pk])))
    assert "Status: vorgeschlagen → bestätigt" in text
    assert str(approver) in text
    assert str(clerk) in text


def test_money_is_moved_within_its_group(client: Client) -> None:
    budget = BudgetFactory(name="Schul-IT", virement_group="DK 7")
    other = BudgetFactory(name="Geräte", virement_group="DK 7")
    BudgetFactory(name="Fremd", virement_group="DK 8")
    address = reverse("admin:funding_budget_virement", args=[budget.pk])
    page = client.get(address)
    assert [str(row) for row in page.context["form"].fields["counterpart"].queryset] == ["Geräte 2026"]
    sent = {"counterpart": other.pk, "amount": "1.000", "reason": "Mehrbedarf"}
    looked = client.post(address, sent)
    assert (looked.url, BudgetChange.objects.count()) == (f"{address}?{urlencode(sent)}#preview", 0)
    answer = client.post(address, sent | {"previewed": urlencode(sent)})
    change = BudgetChange.objects.get()
    assert answer.url == page_of(change)
    text = texts(client.get(answer.url))
    assert "Frei in „Schul-IT 2026“ 10.000,00 € → wird zu 9.000,00 €" in text
    assert "Frei in „Geräte 2026“ 10.000,00 € → wird zu 11.000,00 €" in text


def test_what_is_left_of_a_year_is_proposed_for_the_next(client: Client, clerk: User, approver: User) -> None:
    budget = BudgetFactory(name="Schul-IT", measure_number="400_0300003080")
    empty = BudgetFactory(name="Leer", appropriation=D("0.00"))
    following = BudgetFactory(name="Anders", measure_number="400_0300003080", fiscal_year=2027)
    ledger.commit(budget, D("400.00"), by=approver)
    desk = client_of(clerk)
    text = texts(desk.get(CARRY_OVER, YEAR))
    assert "Überträge in das Haushaltsjahr 2027" in text
    assert "Schul-IT 400_0300003080 9.600,00 € 400,00 € Anders 2027" in text
    assert "Leer 0,00 € 0,00 € Leer 2027 (wird angelegt) nichts übrig" in text
    sent: dict[str, Any] = {f"chosen_{budget.pk}": "on", f"amount_{budget.pk}": "9.600,01", "reason": "Verzögert"}
    address = f"{CARRY_OVER}?year=2026"
    refused = desk.post(address, sent)
    assert "sind noch 9.600,00 € weder gebunden noch gesperrt" in texts(refused)
    assert 'value="9.600,01"' in refused.content.decode()
    assert desk.post(address, {"reason": "x"}).context["errors"][0].message == "Bitte wählen Sie mindestens ein Budget."
    assert desk.post(address, sent | {f"amount_{budget.pk}": "9.000"}).url == f"{LIST}?kind=carry_over"
    change = BudgetChange.objects.get()
    assert (change.amount, change.counterpart, change.state) == (D("9000.00"), following, ProposalState.PROPOSED)
    assert "9.000,00 € warten auf Bestätigung" in texts(desk.get(CARRY_OVER, YEAR))
    assert client.post(page_of(change), {"step": "confirm", "note": ""}).status_code == 302
    following.refresh_from_db()
    assert following.carried_over == D("9000.00")
    assert not Budget.objects.filter(fiscal_year=2027, name=empty.name).exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-1", "Bitte geben Sie einen Betrag über null ein."),
        ("", "Bitte geben Sie einen Betrag über null ein."),
        ("100,01", "In „Zweites 2026“ sind noch 100,00 € weder gebunden noch gesperrt."),
    ],
)
def test_a_refused_carry_over_stands_at_the_amount_of_its_budget(client: Client, typed: str, sentence: str) -> None:
    first, second = (BudgetFactory(name=name, appropriation=D("100.00")) for name in ("Erstes", "Zweites"))
    sent = {
        f"chosen_{first.pk}": "on", f"amount_{first.pk}": "5", f"chosen_{second.pk}": "on",
        f"amount_{second.pk}": typed, "reason": "Verzögert",
    }  # fmt: skip
    refused = client.post(f"{CARRY_OVER}?year=2026", sent)
    (error,) = refused.context["errors"]
    assert (error.label, error.message.replace("\u202f", " ")[: len(sentence)]) == (
        "Betrag aus „Zweites 2026“", sentence,
    )  # fmt: skip
    assert f'href="#id_amount_{second.pk}"' in refused.content.decode()
    assert not BudgetChange.objects.exists()


def test_a_budget_with_less_than_nothing_says_so() -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("100.00"), freeze=D("188.00"), virement_group="DK 7")
    other = BudgetFactory(virement_group="DK 7")
    with pytest.raises(DomainError) as caught:
        services.propose_virement(budget=budget, counterpart=other, amount=D(1), reason="x", by=ClerkFactory())
    assert str(caught.value).replace("\u202f", " ") == (
        "In „Schul-IT 2026“ ist nichts mehr frei: weder gebunden noch gesperrt sind − 88,00 €."
        " Bitte wählen Sie ein anderes Budget."
    )


def test_each_row_of_the_carry_overs_is_headed_by_its_budget() -> None:
    budget = BudgetFactory(fiscal_year=2026)
    page = client_of(ClerkFactory()).get(CARRY_OVER, YEAR).content.decode()
    link = reverse("admin:funding_budget_change", args=[budget.pk])
    assert f'<th scope="row"><a href="{link}">{budget.name}</a>' in page
    for words in ("Übertragen", "Betrag"):
        assert f'<span class="desk-on-cards">{words}</span><span class="desk-sr"> {budget}</span>' in page


def test_an_auditor_reads_carry_overs_and_proposes_none() -> None:
    budget = BudgetFactory()
    client = client_of(AuditorFactory())
    page = client.get(CARRY_OVER, YEAR).content.decode()
    assert budget.name in page
    assert f"chosen_{budget.pk}" not in page
    assert client.post(f"{CARRY_OVER}?year=2026", {f"chosen_{budget.pk}": "on", "reason": "x"}).status_code == 403


def council(client: Client, kind: str) -> bytes:
    answer: Any = client.get(reverse(f"admin:funding_budget_carry_over_{kind}"), YEAR)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_both_files_of_the_list_are_named_alike(client: Client) -> None:
    day = f"{clock.today():%Y-%m-%d}"
    for kind in ("csv", "pdf"):
        answer: Any = client.get(reverse(f"admin:funding_budget_carry_over_{kind}"), YEAR)
        assert answer["Content-Disposition"] == f'attachment; filename="uebertraege-2026-{day}.{kind}"'


def test_a_row_says_what_of_it_is_confirmed_already_also_where_more_is_left(clerk: User, approver: User) -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    services.confirm_change(change=carry(budget, "300.00", clerk), by=approver)

    shown = client_of(clerk).get(CARRY_OVER, YEAR)

    today = f"{clock.today():%d.%m.%Y}"
    assert f"300,00 € übertragen, bestätigt am {today} von {approver}" in texts(shown)
    assert f"chosen_{budget.pk}" in shown.content.decode()


def test_the_council_gets_its_list(client: Client, clerk: User, approver: User) -> None:
    first = BudgetFactory(name="Schul-IT", measure_number="0300_01", product="030101")
    second, third = BudgetFactory(name="=Geräte"), BudgetFactory(name="Nein")
    services.confirm_change(change=carry(first, "1234.50", clerk), by=approver)
    carry(second, "1.00", clerk)
    services.decline_change(change=carry(third, "1.00", clerk), by=approver, note="x")

    rows = list(csv.DictReader(io.StringIO(council(client, "csv").decode("utf-8-sig")), delimiter=";"))
    assert [(row["Budget"], row["Geht an"], row["Betrag"], row["Status"]) for row in rows] == [
        ("Schul-IT 2026", "Schul-IT 2027", "1234,50", "bestätigt"),
        ("'=Geräte 2026", "'=Geräte 2027", "1,00", "vorgeschlagen"),
    ]
    day = formats.day(today())
    assert rows[0]["Maßnahmennummer"] == "0300_01"
    assert (rows[0]["Vorgeschlagen von"], rows[0]["Vorgeschlagen am"]) == (str(clerk), day)
    assert (rows[0]["Bestätigt von"], rows[0]["Bestätigt am"]) == (str(approver), day)
    assert (rows[1]["Bestätigt von"], rows[1]["Bestätigt am"]) == ("", "")

    pdf = council(client, "pdf")
    assert b"/MarkInfo" in pdf
    assert b"/StructTreeRoot" in pdf
    document = pypdfium2.PdfDocument(pdf)
    words = " ".join(page.get_textpage().get_text_range() for page in document).replace("\u202f", " ")
    assert document.get_metadata_value("Title") == "Überträge aus dem Haushaltsjahr 2026 in das Haushaltsjahr 2027"
    for word in ("Schul-IT 2027", "0300_01", "1.234,50 €", "Lieferung", "noch nicht bestätigt"):
        assert word in words
    assert (words.count("Bestätigt am"), words.count("Vorgeschlagen am")) == (1, 1)
    assert words.count(day) == 3, "of both lines, and when the list was made"
    assert not [word for word in ("Nein 2026", str(clerk), str(approver)) if word in words]
