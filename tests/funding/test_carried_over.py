"""What was carried over is the same on both sides: nobody types over it, and `check_ledger` compares."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.carry_over import carry_over_list
from apps.funding.models import Budget, BudgetChange
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, GrantFactory, confirmed
from tests.funding.paper_pages import pdf_text
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
D = Decimal


def new_budget(year: int, **values: str) -> Budget:
    facts = {"appropriation": D("1000.00")} | {name: D(value) for name, value in values.items()}
    change = services.propose_budget(by=ClerkFactory(), reason="Plan", name="Schul-IT", fiscal_year=year, **facts)
    return confirmed(change)


def carry(budget: Budget, amount: str) -> Budget:
    """The budget that got so much."""
    row = services.CarryOver(budget.pk, D(amount))
    (change,) = services.propose_carry_overs(rows=[row], reason="§ 22 KomHVO", by=ClerkFactory())
    confirmed(change)
    change.refresh_from_db()
    assert change.counterpart is not None
    return change.counterpart


def refused(budget: Budget, **values: object) -> tuple[str, str]:
    with pytest.raises(DomainError) as caught:
        services.propose_edit(budget=budget, by=ClerkFactory(), reason="x", **values)
    return caught.value.code, caught.value.field


def test_what_a_carry_over_brought_is_not_typed_over() -> None:
    source = new_budget(2026)
    target = carry(source, "100.50")

    assert refused(target, carried_over=D("500.00")) == ("carried", "carried_over")
    assert refused(target, fiscal_year=2030) == ("in_use", "fiscal_year")
    assert refused(target, grant=GrantFactory()) == ("in_use", "grant")
    carry(source, "9.50")
    target.refresh_from_db()
    assert target.carried_over == D("110.00")


def test_a_proposal_to_type_over_it_falls_with_the_carry_over() -> None:
    source, target = new_budget(2026), new_budget(2027)
    change = services.propose_edit(budget=target, by=ClerkFactory(), reason="x", carried_over=D("500.00"))
    carry(source, "100.50")
    with pytest.raises(DomainError):
        services.confirm_change(change=change, by=ApproverFactory())
    target.refresh_from_db()
    assert target.carried_over == D("100.50")


def test_what_came_from_before_the_portal_is_typed_until_then() -> None:
    budget = new_budget(2026, carried_over="70.00")
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="Zahlendreher", carried_over=D("7.00"))
    assert confirmed(change).carried_over == D("7.00")
    new_budget(2025)
    target = carry(Budget.objects.get(fiscal_year=2025), "100.00")
    assert (target.pk, target.carried_over) == (budget.pk, D("107.00"))
    assert ledger_differences() == []


def test_check_ledger_compares_both_sides() -> None:
    source = new_budget(2026)
    target = carry(source, "100.50")
    assert ledger_differences() == []

    Budget.objects.filter(pk=target.pk).update(carried_over=D("500.00"))
    BudgetChange.objects.create(
        kind="edit", budget=target, state="confirmed", values={"carried_over": "500.00"}, reason="x",
        before={"carried_over": "100.50"}, proposed_by=ClerkFactory(), decided_by=(by := ApproverFactory()),
        decided_at=by.date_joined,
    )  # fmt: skip
    BudgetChange.objects.filter(kind="edit").update(decided_at="2999-01-01T00:00Z")
    Budget.objects.filter(pk=source.pk).update(carried_out=D("100.49"))

    assert [(row.check, row.budget, row.expected, row.found) for row in ledger_differences()] == [
        ("carried_out", source.pk, D("100.50"), D("100.49")),
        ("carried_over", target.pk, D("100.50"), D("500.00")),
    ]


def test_the_page_shows_it_with_the_way_to_its_carry_over() -> None:
    target = carry(source := BudgetFactory(name="Schul-IT"), "100.50")
    url = reverse("admin:funding_budget_change", args=[target.pk])
    office: Client = client_of(ApproverFactory())
    page = office.get(url)
    assert "100,50 € durch Übertrag aus Schul-IT 2026" in texts(page)
    assert 'name="carried_over"' not in page.content.decode()
    assert 'name="carried_over"' in office.get(url.replace(str(target.pk), str(source.pk))).content.decode()
    assert "durch Übertrag" not in texts(client_of(AuditorFactory()).get(url))

    sent = {
        "name": "Schul-IT", "fiscal_year": "2027", "expenditure_type": "capital", "appropriation": "5,00",
        "carried_over": "500.000,00", "supplement": "0", "freeze": "0", "change_reason": "Nachgemeldet",
    }  # fmt: skip
    assert office.post(url, sent).status_code == 302
    assert BudgetChange.objects.filter(state="proposed").get().values == {"appropriation": "5.00"}


def take_back(target: Budget, amount: str) -> BudgetChange:
    change = BudgetChange.objects.get(counterpart=target, amount__gt=0)
    return services.propose_take_back(change=change, amount=D(amount), reason="Zu viel", by=ApproverFactory())


def test_of_several_carry_overs_the_page_names_each_amount() -> None:
    target = carry(BudgetFactory(name="Schul-IT"), "600.00")
    services.confirm_change(change=take_back(target, "250.50"), by=ApproverFactory(), note="Stimmt")
    page = texts(client_of(ApproverFactory()).get(reverse("admin:funding_budget_change", args=[target.pk])))
    assert "349,50 € durch Übertrag aus Schul-IT 2026 (600,00 €) , Schul-IT 2026 (− 250,50 €)" in page


def test_what_was_carried_over_too_much_goes_back_with_a_second_person() -> None:
    source = new_budget(2026)
    target = carry(source, "600.00")
    back = take_back(target, "250.50")
    target.refresh_from_db()
    assert target.carried_over == D("600.00")
    with pytest.raises(DomainError) as refused:
        services.confirm_change(change=back, by=back.proposed_by)
    assert refused.value.code == "own_proposal"

    confirmed(back)

    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.carried_out, source.available) == (D("349.50"), D("650.50"))
    assert (target.carried_over, target.available) == (D("349.50"), D("349.50"))
    assert ledger_differences() == []
    assert carry_over_list(ApproverFactory(), 2026).sum_confirmed == D("349.50")


def test_no_more_goes_back_than_came_and_is_still_free() -> None:
    source = new_budget(2026)
    target = carry(source, "600.00")
    for amount, code in (("600.01", "above_carried"), ("0.00", "invalid")):
        with pytest.raises(DomainError) as refused:
            take_back(target, amount)
        assert refused.value.code == code
    ledger.commit(target, D("500.00"), by=ApproverFactory())
    with pytest.raises(DomainError) as refused:
        take_back(target, "100.01")
    assert refused.value.code == "unaffordable"
    confirmed(take_back(target, "100.00"))
    with pytest.raises(DomainError) as refused:
        take_back(target, "0.01")
    assert refused.value.code == "unaffordable"


def test_the_money_may_be_gone_before_the_second_person_confirms() -> None:
    source = new_budget(2026)
    target = carry(source, "600.00")
    back = take_back(target, "300.00")
    ledger.commit(target, D("400.00"), by=ApproverFactory())
    with pytest.raises(DomainError) as refused:
        services.confirm_change(change=back, by=ApproverFactory())
    assert refused.value.code == "unaffordable"
    with pytest.raises(DomainError) as refused:
        take_back(target, "1.00")
    assert refused.value.code == "waits"


def test_its_page_leads_to_taking_it_back_and_says_what_moves() -> None:
    source = new_budget(2026)
    target = carry(source, "600.00")
    change = BudgetChange.objects.get(counterpart=target)
    address = reverse("admin:funding_budgetchange_change", args=[change.pk])
    assert "Zu viel übertragen" not in texts(client_of(AuditorFactory()).get(address))
    clerk = client_of(ClerkFactory())
    page = clerk.get(address)
    assert "Zu viel übertragen: einen Teil zurückholen" in texts(page)
    assert 'value="600,00"' in page.content.decode()

    sent = {"step": "take_back", "back-amount": "700,00", "back-reason": "Zu viel"}
    assert "Von „Schul-IT 2026“ wurden 600,00 € auf „Schul-IT 2027“ übertragen." in texts(clerk.post(address, sent))
    assert client_of(AuditorFactory()).post(address, sent).status_code == 403
    answer = clerk.post(address, sent | {"back-amount": "200,00"}, follow=True)
    shown = texts(answer)
    assert "Übertrag zurückholen: Schul-IT 2026" in shown
    assert "Kommt zurück 200,00 € Aus Schul-IT 2027" in shown
    assert "Frei in „Schul-IT 2026“ 400,00 € → wird zu 600,00 €" in shown
    assert "Frei in „Schul-IT 2027“ 600,00 € → wird zu 400,00 €" in shown

    year = {"year": "2026"}
    pages = texts(clerk.get(reverse("admin:funding_budget_carry_over"), year))
    assert "200,00 € sollen zurückkommen und warten auf Bestätigung" in pages
    confirmed(BudgetChange.objects.get(amount__lt=0))
    assert "200,00 € zurückgeholt, bestätigt am" in texts(clerk.get(reverse("admin:funding_budget_carry_over"), year))
    csv = b"".join(clerk.get(reverse("admin:funding_budget_carry_over_csv"), year)).decode()
    assert [amount in csv for amount in (";600,00;", ";-200,00;")] == [True, True]
    assert csv.count("Rücknahme aus „Schul-IT 2027“;-200,00;") == 1
    assert csv.count("Rücknahme") == 1
    pdf = clerk.get(reverse("admin:funding_budget_carry_over_pdf"), year).content
    assert pdf_text(pdf).count("Rücknahme aus") == 1


def test_its_page_says_what_was_taken_back_with_the_way_there() -> None:
    target = carry(new_budget(2026), "600.00")
    change = BudgetChange.objects.get(counterpart=target)
    address = reverse("admin:funding_budgetchange_change", args=[change.pk])
    reader = client_of(AuditorFactory())
    assert "Zurückgeholt" not in texts(reader.get(address))

    back = take_back(target, "200.00")
    there = reverse("admin:funding_budgetchange_change", args=[back.pk])
    page = reader.get(address)
    assert "Zurückgeholt 200,00 € sollen zurückkommen und warten auf Bestätigung" in texts(page)
    assert f'<a href="{there}">' in page.content.decode()
    confirmed(back)
    assert "Zurückgeholt 200,00 € zurückgeholt, bestätigt am" in texts(reader.get(address))
    assert "Zurückgeholt" not in texts(reader.get(there))
    services.decline_change(change=take_back(target, "1.00"), by=ApproverFactory(), note="Nein")
    assert "sollen zurückkommen" not in texts(reader.get(address))


def test_the_refusal_names_a_take_back_that_waits() -> None:
    source = new_budget(2026)
    target = carry(source, "600.00")
    take_back(target, "200.00")
    with pytest.raises(DomainError, match="Eine Rücknahme des Übertrags aus „Schul-IT 2026“ wartet schon"):
        take_back(target, "1.00")
    rows = [services.CarryOver(source.pk, D("1.00"))]
    with pytest.raises(DomainError, match="Eine Rücknahme des Übertrags aus"):
        services.propose_carry_overs(rows=rows, reason="x", by=ClerkFactory())
