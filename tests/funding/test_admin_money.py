"""Budgets, grants and ledger in the admin: the numbers, who may change them, and that a refusal keeps what is typed."""

import re
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.funding import services
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models import (
    ApplicationStatusChange,
    Budget,
    BudgetChange,
    LedgerEntry,
    ReasonTemplate,
)
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, UserFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, GrantFactory, decide, make_application
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal
BUDGETS = reverse("admin:funding_budget_changelist")
ADD = reverse("admin:funding_budget_add")


def edit(row: Any) -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_change", args=[row.pk])


def overrun(budget: Budget) -> str:
    return reverse("admin:funding_budget_overrun", args=[budget.pk])


@pytest.fixture
def approver() -> User:
    return ApproverFactory()


@pytest.fixture
def client(approver: User) -> Client:
    return client_of(approver)


def values(**changes: Any) -> dict[str, Any]:
    """What the form of a budget sends."""
    return {
        "name": "Schul-IT",
        "fiscal_year": "2026",
        "grant": "",
        "expenditure_type": "capital",
        "measure_number": "400_0300003080",
        "product": "030101",
        "ledger_account": "0811000",
        "appropriation": "13.650.000,00",
        "carried_over": "1.234,56",
        "supplement": "0,00",
        "freeze": "0",
        "change_reason": "Haushaltsplan 2026",
    } | changes


def row_of(response: HttpResponse, name: str) -> list[str]:
    """The cells of the row that begins with a name."""
    for row in re.findall(r"<tr>(.*?)</tr>", response.content.decode(), re.DOTALL):
        plain = [
            " ".join(re.sub(r"<[^>]+>", " ", cell).replace("\u202f", " ").split())
            for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        if plain and plain[0] == name:
            return plain
    raise AssertionError(f"no row {name}")


def test_the_list_shows_where_the_money_is(client: Client, approver: User) -> None:
    """10,000 + 500 + 250 - 1,000 frozen - 600 committed and not paid - 400 paid = 8,750."""
    account = {"product": "030101", "ledger_account": "0785", "measure_number": "0300_01"}
    amounts = {"carried_over": D("500.00"), "supplement": D("250.00"), "freeze": D("1000.00")}
    budget = BudgetFactory(name="Schul-IT", **account, **amounts)
    application = make_application(lines=[("1000.00", 1)])
    services.approve(application=application, by=approver, decisions=decide(application, budget))
    ledger.pay(budget, D("400.00"), by=approver)
    services.reserve(application=make_application(lines=[("70.00", 1)]), budget=budget, by=ClerkFactory())
    BudgetFactory(name="DigitalPakt", from_grant=True)
    page = client.get(BUDGETS)
    assert row_of(page, "Schul-IT")[1:] == [
        "2026",
        "städtische Mittel Produkt 030101 · Sachkonto 0785 · Maßnahmennummer 0300_01",
        "10.000,00 €",
        "750,00 € übertragen 500,00 € Nachtrag 250,00 €",
        "1.000,00 €",
        "600,00 €",
        "400,00 €",
        "8.750,00 € vorgemerkt 70,00 €",
    ]
    assert row_of(page, "DigitalPakt")[2] == "DigitalPakt Schule"


def test_filters_by_year_and_source(client: Client) -> None:
    BudgetFactory(name="Stadt 2026")
    BudgetFactory(name="Stadt 2025", fiscal_year=2025)
    grant = BudgetFactory(name="Förderung", from_grant=True).grant

    def names(**asked: str) -> list[str]:
        return [row.name for row in client.get(BUDGETS, asked).context["cl"].result_list]

    assert names() == ["Förderung", "Stadt 2026", "Stadt 2025"]
    assert names(year="2025") == ["Stadt 2025"]
    assert names(source="municipal") == ["Stadt 2026", "Stadt 2025"]
    assert names(source=str(grant.programme_id)) == ["Förderung"]
    assert names(q="Förder") == ["Förderung"]


def test_a_budget_is_made_with_german_numbers(client: Client, approver: User) -> None:
    answer = client.post(ADD, values(virement_group="DK 7"))
    change = BudgetChange.objects.get()
    assert (answer.url, Budget.objects.count()) == (edit(change), 0)
    assert "Sie wartet auf Bestätigung durch eine andere Person" in texts(client.get(answer.url))
    second = ApproverFactory()
    assert client_of(second).post(edit(change), {"step": "confirm", "note": ""}).status_code == 302
    budget = Budget.objects.get()
    assert (budget.name, budget.fiscal_year, budget.measure_number) == ("Schul-IT", 2026, "400_0300003080")
    assert (budget.appropriation, budget.carried_over, budget.available) == (
        D("13650000.00"),
        D("1234.56"),
        D("13651234.56"),
    )
    (record,) = budget.history.all()
    assert budget.virement_group == "DK 7"
    assert (record.history_user, record.history_change_reason) == (
        second,
        f"Haushaltsplan 2026 (vorgeschlagen von {approver})",
    )


def test_a_change_keeps_both_people_and_the_reason(client: Client, approver: User) -> None:
    budget = BudgetFactory(name="Schul-IT")
    clerk = ClerkFactory()
    sent = values(appropriation="20000", freeze="5.000", change_reason="Haushaltssperre")
    answer = client_of(clerk).post(edit(budget), sent)
    budget.refresh_from_db()
    assert (answer.status_code, budget.appropriation) == (302, D("10000.00"))
    waiting = texts(client.get(edit(budget)))
    assert "Ansatz 10.000,00 € → wird zu 20.000,00 €" in waiting
    assert client.post(edit(BudgetChange.objects.get()), {"step": "confirm", "note": ""}).status_code == 302
    budget.refresh_from_db()
    assert (budget.appropriation, budget.freeze) == (D("20000.00"), D("5000.00"))
    newest = budget.history.first()
    assert (newest.history_user, newest.history_change_reason) == (
        approver,
        f"Haushaltssperre (vorgeschlagen von {clerk})",
    )
    assert budget.history.count() == 2
    history = texts(client.get(edit(budget).replace("change", "history")))
    assert "Ansatz: 10.000,00 € → 20.000,00 €" in history
    assert "Haushaltssperre" in history


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"appropriation": "500"}, "appropriation", "sind schon gebunden"),
        ({"appropriation": "-1"}, "appropriation", "nicht negativ"),
        ({"appropriation": "viel"}, "appropriation", "Betrag in Euro"),
        ({"fiscal_year": "2027"}, "fiscal_year", "Haushaltsjahr und Zuwendung bleiben"),
        ({"name": "Zweitens"}, "__all__", "gibt es schon ein Budget mit diesem Namen"),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_is_typed(
    client: Client, approver: User, changes: dict[str, str], field: str, sentence: str
) -> None:
    budget = BudgetFactory(name="Schul-IT")
    BudgetFactory(name="Zweitens")
    application = make_application(lines=[("1000.00", 1)])
    services.approve(application=application, by=approver, decisions=decide(application, budget))
    before = Budget.history.count()
    page = client.post(edit(budget), values(carried_over="7,00") | changes)
    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    (found,) = errors[field]
    assert sentence in found
    assert 'value="7,00"' in page.content.decode()
    budget.refresh_from_db()
    assert (budget.carried_over, Budget.history.count()) == (D("0.00"), before)


def test_the_ledger_and_what_is_pencilled_in_stand_below(client: Client, approver: User) -> None:
    budget = BudgetFactory()
    application = make_application(title="Tablets", lines=[("1000.00", 1)])
    services.approve(application=application, by=approver, decisions=decide(application, budget))
    ledger.pay(budget, D("400.00"), by=approver, note="Rechnung 12")
    services.reserve(application=make_application(title="Beamer"), budget=budget, by=ClerkFactory())
    text = texts(client.get(edit(budget)))
    assert f"gebunden 1.000,00 € Tablets : {application.lines.get().product} {approver}" in text
    assert f"400,00 € keine Angabe {approver} Rechnung 12" in text
    assert f"Beamer , {application.school.__class__.objects.get(equipment_applications__title='Beamer')}" in text


def test_only_the_newest_entries_stand_there_with_the_way_to_all(client: Client, approver: User) -> None:
    budget = BudgetFactory(appropriation=D("100000.00"))
    for number in range(51):
        ledger.commit(budget, D(1), by=approver, note=f"Nr {number:03d}")
    page = client.get(edit(budget))
    assert ("Nr 050" in texts(page), "Nr 000" in texts(page)) == (True, False)
    address = f"{reverse('admin:funding_ledgerentry_changelist')}?budget={budget.pk}"
    assert f'href="{address}"' in page.content.decode()
    assert client.get(address).context["cl"].result_count == 51


def test_going_over_is_proposed_with_a_reason(client: Client, approver: User) -> None:
    budget = BudgetFactory(name="Schul-IT")
    page = client.post(overrun(budget), {"amount": "1.500,50", "reason": ""})
    assert page.status_code == 200
    assert 'value="1.500,50"' in page.content.decode()
    assert [error.target for error in page.context["errors"]] == ["id_reason"]
    page = client.post(overrun(budget), {"amount": "0", "reason": "Zusage"})
    assert [error.target for error in page.context["errors"]] == ["id_amount"]
    answer = client.post(overrun(budget), {"amount": "1.500,50", "reason": "Zusage des Rates"})
    change = BudgetChange.objects.get()
    assert answer.url == edit(change)
    assert client_of(ApproverFactory()).post(edit(change), {"step": "confirm", "note": ""}).status_code == 302
    budget.refresh_from_db()
    assert (budget.overrun_allowed, budget.available) == (D("1500.50"), D("11500.50"))


# Who may do what


def pages() -> dict[str, str]:
    budget = BudgetFactory(from_grant=True)
    application = make_application(S.APPROVED, budget=BudgetFactory())
    entry, change = LedgerEntry.objects.first(), ApplicationStatusChange.objects.first()
    template = ReasonTemplate.objects.create(kind=ReasonKind.RETURN, name="Kurz", text="Wofür?")
    assert application is not None
    rows = {
        "budget": budget,
        "grant": budget.grant,
        "programme": budget.grant.programme,
        "entry": entry,
        "change": change,
        "template": template,
    }
    names = {name: f"admin:funding_{row._meta.model_name}" for name, row in rows.items()}
    addresses = {name: edit(row) for name, row in rows.items()}
    addresses |= {f"{name} list": reverse(f"{names[name]}_changelist") for name in rows}
    addresses |= {f"{name} add": reverse(f"{names[name]}_add") for name in rows}
    addresses |= {f"{name} delete": reverse(f"{names[name]}_delete", args=[row.pk]) for name, row in rows.items()}
    addresses |= {
        f"{name} history": reverse(f"{names[name]}_history", args=[rows[name].pk])
        for name in ("budget", "grant", "programme", "template")
    }
    return addresses | {"overrun": overrun(budget)}


READ = {f"{name}{kind}" for name in ("budget", "grant", "programme", "entry", "change") for kind in ("", " list")} | {
    "budget history",
    "grant history",
    "programme history",
}
WORDING = {"template", "template list", "template history"}
KEEP_MONEY = {"budget add", "grant add", "programme add"}
OPENS = {
    Role.OFFICE_CLERK: READ | WORDING | {"template add", "template delete"} | KEEP_MONEY,
    Role.OFFICE_APPROVER: READ | WORDING | {"template add", "template delete", "overrun"} | KEEP_MONEY,
    Role.AUDITOR: READ | WORDING,
    Role.ADMIN: set(),
}


@pytest.mark.parametrize(("role", "opens"), OPENS.items())
def test_every_page_by_every_role_of_the_admin(role: Role, opens: set[str]) -> None:
    client = client_of(UserFactory(role=role))
    found = {name: client.get(address).status_code for name, address in pages().items()}
    assert {name for name, status in found.items() if status == 200} == opens
    assert {status for name, status in found.items() if name not in opens} <= {403}


@pytest.mark.parametrize("role", [role for role in Role.values if role not in OPENS])
def test_nobody_else_gets_in(role: str) -> None:
    client = client_of(UserFactory(role=role))
    assert {client.get(address, follow=True).status_code for address in pages().values()} == {403}


@pytest.mark.parametrize(("role", "answers"), [(Role.AUDITOR, 403), (Role.ADMIN, 403), (Role.OFFICE_CLERK, 200)])
def test_nobody_changes_a_budget_alone(role: Role, answers: int) -> None:
    """The clerk may propose: what is incomplete comes back with its errors. An overrun is not the clerk's."""
    budget = BudgetFactory(name="Schul-IT")
    grant = GrantFactory()
    client = client_of(UserFactory(role=role))
    posts = [
        (edit(budget), values(appropriation="1", change_reason="")),
        (ADD, values(name="Neu", change_reason="")),
        (edit(grant), {"amount": "1"}),
        (overrun(budget), {"amount": "1", "reason": "Grund"}),
    ]
    assert [client.post(address, data).status_code for address, data in posts] == [answers, answers, answers, 403]
    budget.refresh_from_db()
    assert (budget.appropriation, budget.overrun_allowed, Budget.objects.count()) == (D("10000.00"), D("0.00"), 1)
    assert not BudgetChange.objects.exists()


def test_whoever_only_reads_sees_amounts_in_words(client: Client) -> None:
    text = texts(client_of(AuditorFactory()).get(edit(BudgetFactory(appropriation=D("1234.50")))))
    assert "Haushaltsjahr: 2026" in text
    assert "Ansatz: 1.234,50 €" in text
    assert "Überschreitung vorschlagen" not in text
    assert "Speichern" not in text


def test_wordings_are_kept_by_the_office() -> None:
    clerk = ClerkFactory()
    client = client_of(clerk)
    data = {"kind": "reject", "name": "Kurz", "text": "Kein Bedarf."}
    assert client.post(reverse("admin:funding_reasontemplate_add"), data).status_code == 302
    template = ReasonTemplate.objects.get(name="Kurz")
    assert template.history.get().history_user == clerk
    again = client.post(reverse("admin:funding_reasontemplate_add"), data)
    assert "Eine Vorlage mit diesem Namen gibt es schon." in texts(again)
    delete = reverse("admin:funding_reasontemplate_delete", args=[template.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not ReasonTemplate.objects.filter(name="Kurz").exists()
    assert template.history.first().history_user == clerk


def test_the_office_does_not_start_without_wordings() -> None:
    migration = import_module("apps.funding.migrations.0003_first_reason_templates")
    ReasonTemplate.objects.all().delete()
    migration.write(apps, None)
    kinds = list(ReasonTemplate.objects.values_list("kind", flat=True))
    assert {kind: kinds.count(kind) for kind in ReasonKind.values} == {"approve": 2, "return": 3, "reject": 2}
    own = ReasonTemplate.objects.create(kind=ReasonKind.REJECT, name="Eigene", text="Nein.")
    migration.remove(apps, None)
    assert list(ReasonTemplate.objects.all()) == [own]


def link_names(response: HttpResponse) -> list[str]:
    """How the links to the rows of a list are read out."""
    rows = response.content.decode().split('id="result_list"', 1)[1].split("</table>", 1)[0]
    found = re.findall(r'<th[^>]*><a (?:aria-label="([^"]*)" )?href=[^>]*>(.*?)</a>', rows)
    return [label or text for label, text in found]


def test_links_that_read_alike_say_which_row_they_lead_to(client: Client, approver: User) -> None:
    for year in (2025, 2026):
        BudgetFactory(name="Schul-IT", fiscal_year=year, grant=None)
    BudgetFactory(name="Netze", fiscal_year=2026, grant=None)
    assert link_names(client.get(reverse("admin:funding_budget_changelist"))) == [
        "Netze",
        "Schul-IT, 2026",
        "Schul-IT, 2025",
    ]


def test_the_start_page_says_what_is_added_and_changed(client: Client) -> None:
    page = client.get(reverse("admin:index")).content.decode().split('id="content"', 1)[1]
    names = [strip_tags(text) for text in re.findall(r'<a [^>]*class="(?:add|change|view)link"[^>]*>(.*?)</a>', page)]
    assert "Ändern: Budgets" in names
    assert "Hinzufügen: Budgets" in names
    assert len(set(names)) == len(names)


def test_entries_and_decisions_name_people_without_a_way_to_their_accounts(client: Client, approver: User) -> None:
    application = make_application()
    services.approve(application=application, by=approver, decisions=decide(application, BudgetFactory()))
    for row in (LedgerEntry.objects.first(), ApplicationStatusChange.objects.last()):
        shown = client.get(edit(row))
        assert f"Durch: {row.by}" in texts(shown)  # type: ignore[union-attr]  # just made
        assert "/admin/accounts/user/" not in shown.content.decode()


@pytest.mark.parametrize("field", ["measure_number", "product", "ledger_account", "virement_group"])
def test_a_budget_is_found_by_its_accounts(client: Client, field: str) -> None:
    BudgetFactory(name="Schul-IT", **{field: "0099"})
    BudgetFactory(name="Netze")
    page = client.get(BUDGETS, {"q": "0099"})
    assert [row.name for row in page.context["cl"].result_list] == ["Schul-IT"]
    assert "Sucht in Namen, Maßnahmennummern, Produkten, Sachkonten und Deckungskreisen." in texts(page)
