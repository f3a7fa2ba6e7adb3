"""What went from budget to budget is called so, in the list, on the page and in the past; and rows add up."""

import re
from decimal import Decimal
from html import unescape
from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from apps.core import formats
from apps.core.clock import today
from apps.core.money import total
from apps.funding import services
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, allow_overrun, confirmed
from tests.funding.portal import client_of, hidden, texts
from tests.funding.purchases import refused

pytestmark = pytest.mark.django_db
D = Decimal
LIST = reverse("admin:funding_budget_changelist")


def moved(amount: str) -> tuple[Budget, Budget]:
    giver = BudgetFactory(name="Geber", virement_group="DK 7", appropriation=D("5000.00"), supplement=D("10.00"))
    getter = BudgetFactory(name="Nehmer", virement_group="DK 7", appropriation=D("1000.00"))
    change = services.propose_virement(
        budget=giver, counterpart=getter, amount=D(amount), reason="Mehrbedarf", by=ClerkFactory()
    )
    return confirmed(change), Budget.objects.get(pk=getter.pk)


def amounts_of(name: str) -> list[Decimal]:
    """The first amount of each cell in the row of a budget."""
    page = client_of(AuditorFactory()).get(LIST, {"year": "2026"}).content.decode()
    (row,) = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if f">{name}</a>" in row]
    cells = [re.search(r'class="desk-number">([^<]*)<', cell) for cell in row.split("</td>")]
    plain = [re.sub(r"[^\d,−-]", "", cell.group(1)).replace("−", "-").replace(",", ".") for cell in cells if cell]
    return [D(text) for text in plain]


def test_a_virement_is_no_supplement() -> None:
    giver, getter = moved("2345.67")
    assert (giver.virement, giver.supplement, giver.available) == (D("-2345.67"), D("10.00"), D("2664.33"))
    assert (getter.virement, getter.supplement, getter.available) == (D("2345.67"), D("0.00"), D("3345.67"))

    auditor = client_of(AuditorFactory())
    assert "übertragen" not in texts(auditor.get(LIST)).partition("Geber")[2]
    assert "− 2.335,67 € Nachtrag 10,00 € Umschichtung − 2.345,67 €" in texts(auditor.get(LIST))
    page = texts(auditor.get(reverse("admin:funding_budget_change", args=[giver.pk])))
    assert "Umschichtung: − 2.345,67 €" in page
    history = texts(auditor.get(reverse("admin:funding_budget_history", args=[giver.pk])))
    assert "Umschichtung: 0,00 € → − 2.345,67 €" in history
    assert "Nachtrag: 10,00 € →" not in history


def test_each_row_adds_up() -> None:
    """Appropriation, added and taken, frozen, committed, paid, available."""
    budget = BudgetFactory(name="Schul-IT", appropriation=D("1000.00"), carried_over=D("70.00"), freeze=D("30.00"))
    row = services.CarryOver(budget.pk, D("1040.00"))
    confirmed(services.propose_carry_overs(rows=[row], reason="§ 22 KomHVO", by=ClerkFactory())[0])
    budget = allow_overrun(Budget.objects.get(pk=budget.pk), "8670.00")
    ledger.commit(budget, D("8000.00"), by=ApproverFactory())
    ledger.pay(budget, D("500.00"), by=ApproverFactory())

    given, added, frozen, committed, paid, available = amounts_of("Schul-IT")

    assert (given, added, available) == (D("1000.00"), D("7700.00"), D("670.00"))
    assert given + added - frozen - committed - paid == available
    assert total(amount for _name, amount in Budget.objects.get(pk=budget.pk).added) == added
    text = texts(client_of(AuditorFactory()).get(LIST))
    assert (
        "7.700,00 € übertragen 70,00 € in das nächste Jahr übertragen − 1.040,00 € erlaubte Überschreitung 8.670,00 €"
    ) in text


def test_virements_from_before_are_told_apart_from_supplements_and_back() -> None:
    migration = import_module("apps.funding.migrations.0021_virements_out_of_supplements")
    giver, getter = moved("100.50")

    def state() -> list[tuple[Decimal, Decimal]]:
        rows = [*Budget.objects.order_by("pk"), *Budget.history.order_by("id", "history_id")]
        return [(row.supplement, row.virement) for row in rows]

    apart = [
        (D("10.00"), D("-100.50")), (D("0.00"), D("100.50")),
        (D("10.00"), D("0.00")), (D("10.00"), D("-100.50")), (D("0.00"), D("0.00")), (D("0.00"), D("100.50")),
    ]  # fmt: skip
    assert state() == apart
    migration.put_together(apps, None)
    assert state() == [(supplement + virement, D("0.00")) for supplement, virement in apart]
    migration.tell_apart(apps, None)
    assert state() == apart
    assert {giver.virement_group, getter.virement_group} == {"DK 7"}


def test_an_allowed_overrun_is_named_where_it_makes_the_difference() -> None:
    """Available are 150 euros, 50 of them allowed on top: only 100 may move."""
    budget = BudgetFactory(name="Geber", virement_group="DK 7", appropriation=D("100.00"))
    other = BudgetFactory(name="Nehmer", virement_group="DK 7", appropriation=D("10.00"))
    budget = allow_overrun(budget, "50.00")
    approver = client_of(ApproverFactory())
    form = texts(approver.get(reverse("admin:funding_budget_virement", args=[budget.pk])))
    sentence = (
        "Davon erlaubte Überschreitung: Sie lässt sich nicht umschichten 50,00 € Frei für eine Umschichtung 100,00 €"
    )
    assert f"Verfügbar 150,00 € {sentence}" in form

    change = services.propose_virement(
        budget=budget, counterpart=other, amount=D("60.00"), reason="Mehrbedarf", by=ClerkFactory()
    )
    page = texts(approver.get(reverse("admin:funding_budgetchange_change", args=[change.pk])))
    assert (
        "Frei in „Geber 2026“ (verfügbar ohne die erlaubte Überschreitung von 50,00 €) 100,00 € → wird zu 40,00 €"
    ) in page
    assert "Frei in „Nehmer 2026“ 10,00 € → wird zu 70,00 €" in page


def budgets_of_a_group() -> tuple[Budget, Budget, Budget]:
    names = ("Geber", "Nehmer", "Dritter")
    giver, getter, third = (BudgetFactory(name=n, virement_group="DK 7", appropriation=D("1000.00")) for n in names)
    return giver, getter, third


def test_a_preview_counts_what_else_waits_and_proposes_nothing() -> None:
    giver, getter, third = budgets_of_a_group()
    clerk = ClerkFactory()
    for source, target, amount in ((giver, third, "300.00"), (third, giver, "20.00"), (getter, third, "50.00")):
        services.propose_virement(budget=source, counterpart=target, amount=D(amount), reason="x", by=clerk)
    services.propose_edit(budget=giver, by=clerk, reason="x", freeze=D("100.00"))
    confirmed(services.propose_virement(budget=third, counterpart=getter, amount=D("1.00"), reason="x", by=clerk))

    address = reverse("admin:funding_budget_virement", args=[giver.pk])
    office = client_of(ClerkFactory())
    empty = office.get(address)
    first = texts(empty)
    assert "Frei für eine Umschichtung 1.000,00 € Davon schon vorgeschlagen 400,00 €" in first
    assert '<span class="kern-label">Umschichtung vorschlagen' not in empty.content.decode()
    typed = {"counterpart": getter.pk, "amount": "700", "reason": "Mehrbedarf"}
    page = office.get(address, typed)
    assert (
        "Was die Umschichtung bewirkt Betrag 700,00 € Geht an Nehmer 2026"
        " Frei in „Geber 2026“ 1.000,00 € → wird zu 300,00 €"
        " Davon schon vorgeschlagen, aus „Geber 2026“ 400,00 €"
        " Kommt nach anderen Vorschlägen dazu, in „Geber 2026“ 20,00 €"
        " Frei in „Geber 2026“, wenn alles bestätigt ist − 80,00 €"
        " Nicht alle diese Vorschläge können bestätigt werden: Zusammen nehmen sie mehr, als frei ist."
        " Frei in „Nehmer 2026“ 1.001,00 € → wird zu 1.701,00 €"
        " Davon schon vorgeschlagen, aus „Nehmer 2026“ 50,00 €"
        " Frei in „Nehmer 2026“, wenn alles bestätigt ist 1.651,00 € Umschichtung vorschlagen"
    ) in texts(page)
    assert BudgetChange.objects.filter(amount=D("700.00")).count() == 0

    sent = {"step": "propose", "previewed": unescape(hidden(page, "previewed"))}
    answer = office.post(address, typed | sent, follow=True)
    assert "Davon schon vorgeschlagen, aus „Geber 2026“ 400,00 €" in texts(answer)
    assert BudgetChange.objects.get(amount=D("700.00")).counterpart == getter


def test_a_preview_says_at_the_amount_what_is_refused() -> None:
    giver, getter, _third = budgets_of_a_group()
    address = reverse("admin:funding_budget_virement", args=[giver.pk])
    typed = {"counterpart": getter.pk, "amount": "1.000,01", "reason": "Mehrbedarf"}
    page = client_of(ClerkFactory()).get(address, typed)
    assert [error.target for error in page.context["errors"]] == ["id_amount"]
    assert page.context["preview"] is None
    assert "Was die Umschichtung bewirkt" not in texts(page)


def test_a_virement_alone_names_no_others() -> None:
    giver, getter, _third = budgets_of_a_group()
    address = reverse("admin:funding_budget_virement", args=[giver.pk])
    page = texts(client_of(ClerkFactory()).get(address, {"counterpart": getter.pk, "amount": "5", "reason": "x"}))
    assert "Frei in „Nehmer 2026“ 1.000,00 € → wird zu 1.005,00 € Umschichtung vorschlagen" in page
    assert "vorgeschlagen, aus" not in page
    assert "wenn alles bestätigt ist" not in page


def test_what_was_changed_after_the_preview_is_shown_before_it_is_proposed() -> None:
    giver = BudgetFactory(name="Geber", virement_group="DK 7", appropriation=D("5000.00"))
    getter = BudgetFactory(name="Nehmer", virement_group="DK 7", appropriation=D("1000.00"))
    client, address = client_of(ClerkFactory()), reverse("admin:funding_budget_virement", args=[giver.pk])
    typed = {"counterpart": str(getter.pk), "amount": "100", "reason": "Mehrbedarf,\r\nsagt das Amt"}
    looked = client.post(address, typed | {"step": "show"})
    preview = client.get(looked.url)
    assert looked.url.endswith("#preview")
    assert "wird zu 4.900,00 €" in texts(preview)
    seen = unescape(hidden(preview, "previewed"))

    again = client.post(address, typed | {"amount": "200", "step": "propose", "previewed": seen})
    assert not BudgetChange.objects.exists()
    assert "#" not in again.url, "the sentence on top would be out of sight"
    preview = client.get(again.url)
    assert "Sie haben nach der Vorschau etwas geändert. Bitte prüfen Sie die neue Vorschau." in texts(preview)
    assert "wird zu 4.800,00 €" in texts(preview)

    sent = typed | {"amount": "200", "step": "propose", "previewed": unescape(hidden(preview, "previewed"))}
    client.post(address, sent)
    assert BudgetChange.objects.get().amount == D("200.00")


def test_the_proposal_is_sent_with_the_fields_that_are_typed_in() -> None:
    giver, getter = BudgetFactory(virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    address = reverse("admin:funding_budget_virement", args=[giver.pk])
    typed = {"counterpart": getter.pk, "amount": "100", "reason": "Mehrbedarf"}
    page = client_of(ClerkFactory()).get(address, typed).content.decode()
    assert page.count('name="amount"') == 1
    assert re.findall(r'form="virement" name="step" value="(\w+)"', page) == ["propose"]


def test_what_somebody_else_has_proposed_waits_for_its_decision_first() -> None:
    source, target = BudgetFactory(virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    values = {"budget": source, "counterpart": target, "amount": D("10.00")}
    first_clerk, second_clerk = ClerkFactory(), ClerkFactory()
    first = services.propose_virement(**values, reason="Mehrbedarf", by=first_clerk)
    found = refused("proposed_already", services.propose_virement, **values, reason="Reparaturen", by=second_clerk)
    day = formats.day(today())
    told = f"{first_clerk} hat am {day} genau das vorgeschlagen"
    assert str(found) == f"{told}. Der Vorschlag wartet, bis eine andere Person ihn bestätigt oder ablehnt."
    found = refused("proposed_already", services.propose_virement, **values, reason="x", by=ApproverFactory())
    assert str(found).startswith(f"{told}; der Vorschlag wartet noch. Bitte bestätigen Sie ihn zuerst")
    services.decline_change(change=first, by=ApproverFactory(), note="Aus anderem Grund")
    assert services.propose_virement(**values, reason="Reparaturen", by=second_clerk).state == ProposalState.PROPOSED


def test_what_is_sent_twice_is_proposed_once() -> None:
    source, target = BudgetFactory(virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    clerk = ClerkFactory()
    values = {"budget": source, "counterpart": target, "amount": D("10.00"), "reason": "Mehrbedarf"}
    first = services.propose_virement(**values, by=clerk)
    refused("proposed_already", services.propose_virement, **values, by=clerk)
    more = services.propose_virement(**values | {"reason": "Noch mehr Bedarf"}, by=clerk)
    confirmed(first)
    again = services.propose_virement(**values, by=clerk)
    assert set(BudgetChange.objects.filter(state=ProposalState.PROPOSED)) == {more, again}

    freeze = {"budget": source, "reason": "Sperre", "freeze": D("5.00")}
    services.propose_edit(**freeze, by=clerk)
    refused("proposed_already", services.propose_edit, **freeze, by=clerk)
