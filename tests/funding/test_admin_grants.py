"""Programmes and grant notices in the admin, and the change notices that alone move what a notice says."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.funding.models import FundingProgramme, Grant, GrantChange
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.desk import typed_in
from tests.funding.factories import BudgetFactory, GrantFactory, ProgrammeFactory
from tests.funding.portal import client_of, texts
from tests.funding.test_admin_money import row_of

pytestmark = pytest.mark.django_db
D = Decimal
ADD = reverse("admin:funding_grant_add")


@pytest.fixture
def approver() -> User:
    return ApproverFactory()


@pytest.fixture
def client(approver: User) -> Client:
    return client_of(approver)


def edit(grant: Grant) -> str:
    return reverse("admin:funding_grant_change", args=[grant.pk])


def notice(grant: Grant) -> str:
    return reverse("admin:funding_grant_notice", args=[grant.pk])


def test_grants_take_german_rates_and_programmes_are_kept(client: Client, approver: User) -> None:
    client.post(reverse("admin:funding_fundingprogramme_add"), {"code": "dp2", "name": "DigitalPakt 2.0"})
    programme = FundingProgramme.objects.get()
    data = {
        "programme": programme.pk,
        "file_reference": "48-1",
        "notice_on": "01.03.2026",
        "amount": "1.000.000",
        "rate": "85",
    }
    for rate, sentence in (
        ("0", "Bitte geben Sie mehr als 0 und höchstens 100 Prozent ein."),
        ("101", "Bitte geben Sie mehr als 0 und höchstens 100 Prozent ein."),
        ("66,667", "Geben Sie höchstens zwei Nachkommastellen ein."),
        ("viel", "Bitte geben Sie einen Prozentsatz ein, zum Beispiel 90 oder 66,67."),
    ):
        assert sentence in texts(client.post(reverse("admin:funding_grant_add"), data | {"rate": rate}))
    assert client.post(reverse("admin:funding_grant_add"), data).status_code == 302
    grant = Grant.objects.get()
    assert (grant.rate, grant.amount, grant.notice_on.isoformat()) == (D("0.8500"), D("1000000.00"), "2026-03-01")
    assert grant.history.get().history_user == approver
    assert row_of(client.get(reverse("admin:funding_grant_changelist")), "48-1")[2:] == [
        "01.03.2026",
        "1.000.000,00 €",
        "85,0 %",
        "keine Angabe",
    ]
    change = reverse("admin:funding_grant_change", args=[grant.pk])
    assert typed_in(client.get(change))["rate"] == "85"
    read = texts(client_of(AuditorFactory()).get(change))
    assert "Betrag: 1.000.000,00 € Fördersatz: 85,0 %" in read


def test_a_new_notice_begins_with_its_programme(client: Client) -> None:
    programme = ProgrammeFactory(
        rate=D("0.9"), limit_per_device=D("500"), earmarking_years=5, implementation_until=datetime.date(2024, 10, 31)
    )
    assert f"?programme={programme.pk}" in client.get(ADD).content.decode()
    page = client.get(f"{ADD}?programme={programme.pk}")
    typed = typed_in(page)
    assert {name: typed[name] for name in ("programme", "rate", "limit_per_device", "earmarking_years")} == {
        "programme": str(programme.pk),
        "rate": "90",
        "limit_per_device": "500,00",
        "earmarking_years": "5",
    }
    assert typed["implementation_until"] == "2024-10-31"
    sent = typed | {"file_reference": "48-1", "notice_on": "01.02.2021", "amount": "1.000", "rate": ""}
    assert client.post(ADD, sent).status_code == 302
    grant = Grant.objects.get()
    assert (grant.rate, grant.earmarked_until) == (D("0.9000"), datetime.date(2029, 12, 31))


def test_a_rate_that_nobody_knows_is_asked_for(client: Client) -> None:
    programme = ProgrammeFactory(rate=None)
    sent = {"programme": programme.pk, "file_reference": "48-1", "notice_on": "01.02.2021", "amount": "1", "rate": ""}
    assert "Das Programm nennt keinen Fördersatz" in texts(client.post(ADD, sent))


def test_what_a_notice_says_stands_fast_once_it_has_budgets(client: Client) -> None:
    grant = GrantFactory(file_reference="48-1", amount=D("1000.00"))
    BudgetFactory(grant=grant, appropriation=D("600.00"))
    page = client.get(edit(grant))
    assert "amount" not in typed_in(page)
    text = texts(page)
    assert "Auf Budgets verteilt 600,00 €" in text
    assert "Noch in keinem Budget 400,00 €" in text
    sent = typed_in(page) | {"file_reference": "48-2", "amount": "5", "contact": "Kämmerei, 02381 1"}
    assert client.post(edit(grant), sent).status_code == 302
    grant.refresh_from_db()
    assert (grant.file_reference, grant.amount, grant.contact) == ("48-2", D("1000.00"), "Kämmerei, 02381 1")
    assert grant.history.count() == 2


def test_a_change_notice_is_recorded_and_read(client: Client, approver: User) -> None:
    grant = GrantFactory(amount=D("1000.00"))
    BudgetFactory(grant=grant, appropriation=D("600.00"))
    page = client.get(notice(grant))
    sent = typed_in(page) | {"notice_on": "01.03.2026", "reason": "Aufstockung", "amount": "500"}
    refused = client.post(notice(grant), sent)
    assert [error.target for error in refused.context["errors"]] == ["id_amount"]
    assert 'value="500"' in refused.content.decode()
    assert client.post(notice(grant), sent | {"amount": "1.500,00"}).url == edit(grant)
    grant.refresh_from_db()
    assert grant.amount == D("1500.00")
    text = texts(client_of(AuditorFactory()).get(edit(grant)))
    assert f"01.03.2026 : Aufstockung Betrag: 1.000,00 € → 1.500,00 € {approver}" in text


def test_limit_and_programme_are_not_saved_over_a_grant_in_use(client: Client) -> None:
    grant = GrantFactory(amount=D("1000.00"), limit_per_device=D("500.00"))
    BudgetFactory(grant=grant, appropriation=D("600.00"))
    page = client.get(edit(grant))
    assert "limit_per_device" not in typed_in(page)
    assert "Höchstbetrag je Gerät: 500,00 €" in texts(page)
    sent = typed_in(page) | {"programme": ProgrammeFactory(code="anders").pk, "limit_per_device": "900"}
    refused = client.post(edit(grant), sent)
    assert "bleibt es bei ihrem Programm" in texts(refused)
    assert list(refused.context["adminform"].form.errors) == ["programme"]

    typed = typed_in(client.get(notice(grant)))
    assert typed["limit_per_device"] == "500,00"
    sent = typed | {"reason": "Neuer Höchstbetrag", "limit_per_device": "900", "notice_on": "01.01.2035"}
    late = client.post(notice(grant), sent)
    assert [error.target for error in late.context["errors"]] == ["id_notice_on"]
    assert "liegt in der Zukunft" in texts(late)
    early = client.post(notice(grant), sent | {"notice_on": "14.01.2026"})
    assert [error.target for error in early.context["errors"]] == ["id_notice_on"]
    assert "Der Änderungsbescheid ist nicht älter als der Bescheid vom 15.01.2026" in texts(early)
    nothing = client.post(notice(grant), sent | {"notice_on": "01.03.2026", "limit_per_device": "0"})
    assert [error.target for error in nothing.context["errors"]] == ["id_limit_per_device"]
    assert client.post(notice(grant), sent | {"notice_on": "01.03.2026"}).status_code == 302
    grant.refresh_from_db()
    assert grant.limit_per_device == D("900.00")


@pytest.mark.parametrize(("person", "status"), [(ClerkFactory, 200), (AuditorFactory, 403)])
def test_who_records_notices(person: Any, status: int) -> None:
    grant = GrantFactory()
    assert client_of(person()).get(notice(grant)).status_code == status
    assert client_of(person()).post(notice(grant), {"amount": "1"}).status_code == status
    assert not GrantChange.objects.exists()


def test_programmes_hold_what_is_known_and_say_how_sure_it_is(client: Client) -> None:
    programme = ProgrammeFactory(rate=D("0.9"), source="Richtlinie", checked_on=datetime.date(2026, 2, 1))
    address = reverse("admin:funding_fundingprogramme_change", args=[programme.pk])
    assert typed_in(client.get(address))["rate"] == "90"
    text = texts(client_of(AuditorFactory()).get(address))
    assert "Üblicher Fördersatz: 90,0 %" in text
    assert "Quelle: Richtlinie Quelle geprüft am: 01.02.2026" in text
