"""The head's summary: exact figures, and links to the rows behind them."""

import datetime
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.core import clock
from apps.core import tables as core_tables
from apps.funding.models import Budget
from apps.quotas.models import MediaDevelopmentPlan
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork, Site
from tests.factories import UserFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, allow_overrun, change_by_two
from tests.summaries.pages import apply_for, approve, plain

pytestmark = pytest.mark.django_db


def test_the_summary_says_quota_money_and_applications(client, city):
    approve(city, apply_for(city, 16, "Zwei Sätze"), 12)
    apply_for(city, 2, "Noch offen")
    ledger.pay(city.budget, Decimal("489.00"), by=city.people["office_approver"], note="Rechnung 1")
    client.force_login(city.people["head"])
    page = client.get(reverse("summaries:summary"))
    words = plain(page.text)
    assert "20,0 % · 1 : 5,0" in words
    assert "60 Geräte für 300 Schülerinnen und Schüler" in words
    assert "Talschule 10,0 % · 1 : 10,0 20,0 % · 1 : 5 10" in words
    assert "Digitale Ausstattung 10.000,00 € 5.379,00 € 489,00 € 4.132,00 €" in words
    assert "Teilweise genehmigt 1 7.824,00 €" in words
    assert "Eingereicht 1 978,00 €" in words
    assert f"Mittel {clock.today().year} nach Herkunft" in words
    for address in (
        reverse("summaries:budget", args=[city.budget.pk]),
        f"{reverse('funding:list')}?state=submitted",
        reverse("schools:detail", args=[city.school.number]),
    ):
        assert f'href="{address}"' in page.text


def test_the_money_of_a_finished_plan_adds_up_over_its_years_and_leads_to_them(client, city, monkeypatch):
    plan = MediaDevelopmentPlan.objects.create(name="MEP 2020–2024", starts_on="2020-01-01", ends_on="2024-12-31")
    for year, amount, more in (
        (2019, "900.00", {}),
        (2020, "100.00", {}),
        (2022, "20.00", {}),
        (2022, "3.00", {"from_grant": True}),
        (2024, "0.40", {"from_grant": True}),
    ):
        moment = timezone.make_aware(datetime.datetime.combine(datetime.date(year, 12, 31), datetime.time(12)))
        with monkeypatch.context() as clocks:
            clocks.setattr(timezone, "now", lambda moment=moment: moment)
            budget = BudgetFactory(fiscal_year=year, **more)
            ledger.commit(budget, Decimal(amount), by=city.people["office_approver"])
            ledger.pay(budget, Decimal(amount), by=city.people["office_approver"])
    client.force_login(city.people["head"])

    page = client.get(reverse("summaries:summary"), {"plan": plan.pk, "day": "2024-12-31"})

    money = page.context["summary"].plan_money
    assert money.years == [2020, 2022, 2024]
    assert [row.whole for row in money.municipal] == [Decimal("120.00")]
    assert (money.grants.whole, money.all_sources.whole) == (Decimal("3.40"), Decimal("123.40"))
    assert "Städtische Mittel 100,00 € 20,00 € 0,00 € 120,00 €" in plain(page.text)
    assert "Alle Mittel 100,00 € 23,00 € 0,40 € 123,40 €" in plain(page.text)
    assert f'href="?plan={plan.pk}&amp;day=2022-12-31#money"' in page.text


def test_what_is_paid_after_the_end_of_a_year_counts_for_the_year_of_its_budget(client, city, monkeypatch):
    """Committed in December and paid in January: the year before shows it as soon as it is paid."""
    plan = MediaDevelopmentPlan.objects.create(name="MEP 2020–2024", starts_on="2020-01-01", ends_on="2024-12-31")
    for day, step in (((2024, 12, 10), ledger.commit), ((2025, 1, 20), ledger.pay)):
        moment = timezone.make_aware(datetime.datetime.combine(datetime.date(*day), datetime.time(12)))
        with monkeypatch.context() as clocks:
            clocks.setattr(timezone, "now", lambda moment=moment: moment)
            budget = Budget.objects.filter(fiscal_year=2024).first() or BudgetFactory(fiscal_year=2024)
            step(budget, Decimal("100.00"), by=city.people["office_approver"])
    client.force_login(city.people["head"])
    for day, paid in (("2024-12-31", "0.00"), ("2025-01-31", "100.00")):
        page = client.get(reverse("summaries:summary"), {"plan": plan.pk, "day": day})
        cell = page.context["summary"].plan_money.all_sources.cells[-1]
        assert (cell.year, cell.amount) == (2024, Decimal(paid))
    assert "diese Zahlungen reichen bis zum 31.01.2025" in plain(page.text)


def test_the_rows_behind_the_quota_are_counted_to_the_last(client, city, monkeypatch):
    monkeypatch.setattr(core_tables, "COUNT_LIMIT", 10)
    client.force_login(city.people["head"])
    rows = client.get(reverse("inventory:list"), {"counts": "pupils", "day": clock.today().isoformat()})
    assert rows.context["table"].count == 60
    assert "60 Ergebnisse" in plain(rows.text)
    assert "mehr als 10 Ergebnisse" in plain(client.get(reverse("inventory:list")).text)


def test_the_page_says_once_as_of_when_its_figures_are(client, city):
    client.force_login(city.people["head"])
    words = plain(client.get(reverse("summaries:summary")).text)
    assert len(re.findall(r"\bStand \d", words)) == 1


def test_figures_of_a_past_day_name_that_day_first(client, city):
    client.force_login(city.people["head"])
    day = clock.today() - datetime.timedelta(days=1)
    for page in ("summaries:summary", "quotas:overview"):
        words = plain(client.get(reverse(page), {"day": day.isoformat()}).text)
        assert re.findall(r"\bStand \d[\d.]+; berechnet am [\d.]{10}", words) == [
            f"Stand {day:%d.%m.%Y}; berechnet am {clock.today():%d.%m.%Y}"
        ]
        assert len(re.findall(r"\bStand \d", words)) == 1


def test_a_frozen_budget_has_less_available(client, city):
    change_by_two(city.budget, freeze=Decimal("1000.00"))
    client.force_login(city.people["head"])
    words = plain(client.get(reverse("summaries:summary")).text)
    assert "Bereitgestellt Gesperrt Gebunden Ausgegeben Verfügbar" in words
    assert "Digitale Ausstattung 10.000,00 € 1.000,00 € 0,00 € 0,00 € 9.000,00 €" in words
    assert "Erlaubte Überschreitung" not in words


def test_an_overrun_and_frozen_budget_is_seen_to_add_up(client, city):
    office = city.people["office_approver"]
    allow_overrun(city.budget, "500.00")
    change_by_two(city.budget, freeze=Decimal("1000.00"))
    approve(city, apply_for(city, 2), 2)
    ledger.pay(city.budget, Decimal("300.00"), by=office, note="Rechnung 1")
    client.force_login(city.people["head"])
    words = plain(client.get(reverse("summaries:summary")).text)
    assert "Bereitgestellt Erlaubte Überschreitung Gesperrt Gebunden Ausgegeben Verfügbar" in words
    amounts = "10.000,00 € 500,00 € 1.000,00 € 678,00 € 300,00 € 8.522,00 €"
    for row in ("Digitale Ausstattung", "Städtische Mittel", "Alle Mittel"):
        assert f"{row} {amounts}" in words
    assert (
        "Verfügbar ist, was bereitgestellt ist, und die erlaubte Überschreitung, "
        "abzüglich dessen, was gesperrt, gebunden und ausgegeben ist."
    ) in words
    budget = plain(client.get(reverse("summaries:budget", args=[city.budget.pk])).text)
    assert "Erlaubte Überschreitung 500,00 € Gesperrt 1.000,00 €" in budget
    assert "ohne Antrag" in budget


def test_numbers_with_a_link_lead_to_their_rows(client, city):
    application = approve(city, apply_for(city, 2), 2)
    client.force_login(city.people["head"])
    text = client.get(reverse("summaries:summary")).text
    ledger = reverse("summaries:budget", args=[city.budget.pk])
    states = f"{reverse('funding:list')}?state={application.state}"
    school = reverse("schools:detail", args=[city.school.number])
    assert re.findall(rf'href="{ledger}">([^<]+)<', text)[1:] == [
        "10.000,00\u202f€",
        "978,00\u202f€",
        "0,00\u202f€",
        "9.022,00\u202f€",
    ]
    assert re.findall(rf'href="{re.escape(states)}">([^<]+)<', text) == ["1", "978,00\u202f€"]
    assert "10" in re.findall(rf'href="{school}">([^<]+)<', text)
    plan, today = MediaDevelopmentPlan.objects.get(), clock.today().isoformat()
    key = city.school.school_type_id
    assert f'href="{reverse("quotas:overview")}?plan={plan.pk}&amp;day={today}&amp;school_type={key}"' in text
    assert "Der gestrichelte Strich an jedem Balken ist das Ziel der Schulform." in plain(text)
    assert "Zahlen mit Link führen zu den Einträgen, aus denen sie entstehen." in plain(text)


def test_it_staff_lead_to_their_rows_for_those_who_may_open_them(client, city):
    ItStaffing.objects.create(year=2026, full_time_posts=Decimal("4.5"))
    address = f'href="{reverse("admin:schools_itstaffing_changelist")}"'
    for person, is_linked in (("office_approver", True), ("head", False)):
        client.force_login(city.people[person])
        text = client.get(reverse("summaries:summary")).text
        assert "4,5" in text
        assert (address in text) is is_linked, person


def test_a_budget_shows_the_entries_behind_its_sums(client, city):
    application = approve(city, apply_for(city, 2, "Zwei Tablets"), 2)
    client.force_login(city.people["head"])
    page = client.get(reverse("summaries:budget", args=[city.budget.pk]))
    assert f'href="{reverse("funding:detail", args=[application.pk])}"' in page.text
    assert "Zwei Tablets Talschule" in plain(page.text)
    assert "978,00 €" in plain(page.text)


def test_the_entries_of_a_budget_add_up_to_its_sums(client, city):
    approve(city, apply_for(city, 2, "Zwei Tablets"), 2)
    office = city.people["office_approver"]
    ledger.pay(city.budget, Decimal("300.00"), by=office, note="Rechnung 1")
    city.budget.refresh_from_db()
    client.force_login(city.people["head"])
    page = client.get(reverse("summaries:budget", args=[city.budget.pk]))
    assert page.context["table"].sums() == {"committed": city.budget.committed, "spent": city.budget.spent}
    assert (city.budget.committed, city.budget.spent) == (Decimal("678.00"), Decimal("300.00"))
    words = plain(page.text)
    assert "bezahlt 300,00 € − 300,00 € 300,00 €" in words
    assert "978,00 € 978,00 € 0,00 €" in words
    assert "Summe 678,00 € 300,00 €" in words


def test_another_day_shows_that_days_figures(client, city):
    year = clock.today().year
    client.force_login(city.people["head"])
    first = client.get(reverse("summaries:summary"), {"day": f"{year}-01-01"})
    assert first.context["summary"].overview.day == datetime.date(year, 1, 1)
    for wrong in ("2999-01-01", "gestern", "1999-01-01"):
        page = client.get(reverse("summaries:summary"), {"day": wrong})
        assert page.context["summary"].overview.day == clock.today()
        assert page.context["asked"].problem


def test_without_a_plan_the_summary_says_what_to_do(client):
    client.force_login(UserFactory(role="head"))
    assert "noch keinen Medienentwicklungsplan" in client.get(reverse("summaries:summary")).text


def test_the_summary_shows_the_network_as_of_the_chosen_day(client, city):
    today = clock.today()
    site = Site.objects.create(school=city.school, name="Neubau")
    FibreLine.objects.create(site=site, since=today, mbits=1000)
    for day, wifi in ((today - datetime.timedelta(days=1), 3), (today, 9)):
        RoomNetwork.objects.create(site=site, counted_on=day, rooms=12, rooms_with_lan=12, rooms_with_wifi=wifi)
    iserv = Platform.objects.create(name="IServ")
    PlatformStatus.objects.create(school=city.school, platform=iserv, since=today)
    ItStaffing.objects.create(year=today.year, full_time_posts=Decimal("6.5"))
    sites = Site.objects.filter(school__authority__is_own=True).count()
    for role in ("head", "auditor", "office_clerk", "office_approver"):
        client.force_login(city.people.get(role) or UserFactory(role=role))
        page = client.get(reverse("summaries:summary"))
        words = plain(page.text)
        assert f"Standorte mit Glasfaser 1 von {sites}" in words
        assert "Räume mit WLAN 75,0 % 9 von 12 Räumen" in words
        assert "Schulen mit IServ 1 von 2" in words
        assert f"{today.year} 6,5" in words
        address = f"{reverse('schools:network')}?day={today.isoformat()}"
        for shows in ("fibre", "rooms", str(iserv.pk)):
            assert f'href="{address}&amp;shows={shows}#sites"' in page.text
            rows = [row.record.site for row in client.get(f"{address}&shows={shows}").context["table"].rows]
            assert rows == [site], shows
    yesterday = today - datetime.timedelta(days=1)
    words = plain(client.get(reverse("summaries:summary"), {"day": yesterday.isoformat()}).text)
    assert f"Standorte mit Glasfaser 0 von {sites}" in words
    assert "Räume mit WLAN 25,0 % 3 von 12 Räumen" in words
    assert "Schulen mit IServ 0 von 2" in words


def test_the_summary_says_that_its_plan_is_over(client, city):
    client.force_login(city.people["head"])
    address, plan = reverse("summaries:summary"), MediaDevelopmentPlan.objects.get()
    assert "endete am" not in plain(client.get(address).content.decode())

    plan.starts_on, plan.ends_on = datetime.date(2021, 1, 1), clock.today() - datetime.timedelta(days=1)
    plan.save()
    shown = plain(client.get(address, {"plan": plan.pk, "day": clock.today().isoformat()}).content.decode())

    assert f"{plan.name} endete am {plan.ends_on:%d.%m.%Y}. Seine Ziele gelten" in shown
