"""The waiting list's page: its order with reasons, how far the money reaches, and the way through the desk."""

import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core import clock
from apps.funding import services
from apps.funding.calculations import LineInput
from apps.funding.choices import RuleKind
from apps.funding.models import Budget, DatedRule, EquipmentApplication
from apps.funding.waiting_list import waiting_list
from apps.schools.models import School, SocialIndex
from tests.factories import ClerkFactory, DeviceFactory, ProductFactory, SchoolFactory, UserFactory
from tests.funding.desk import desk_of, send
from tests.funding.factories import BudgetFactory, RoundFactory, coordinator_of, make_application
from tests.funding.portal import client_of, texts
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
D = Decimal
PAGE = reverse("admin:funding_equipmentapplication_waiting")


def a_school(name: str, pupils: int, level: int | None = None) -> School:
    school = SchoolFactory(short_name=f"Schule {name}")
    count_pupils(school, pupils, "2025-10-15")
    if level is not None:
        SocialIndex.objects.create(school=school, school_year="2025/26", level=level)
    return school


def an_application(school: School, title: str, price: str = "100.00", **more: object) -> EquipmentApplication:
    return make_application(school=school, title=title, lines=[(price, 1)], **more)


@pytest.fixture
def three() -> list[EquipmentApplication]:
    """All schools miss their whole target; the first has no social index, the others the lowest and the highest."""
    make_plan("2026-01-01", "2030-12-31")
    return [
        an_application(a_school("A", 100), "ohne Index"),
        an_application(a_school("B", 100, 1), "Stufe 1"),
        an_application(a_school("C", 100, 9), "Stufe 9"),
    ]


def titles(client: Client, query: str = "") -> list[str]:
    return [row.application.title for row in client.get(PAGE + query).context["rows"]]


def test_each_place_shows_its_reasons(three: list[EquipmentApplication]) -> None:
    page = client_of(ClerkFactory()).get(PAGE)

    words = " ".join(texts(page).split())
    assert [row.application.title for row in page.context["rows"]] == ["Stufe 9", "ohne Index", "Stufe 1"]
    assert [row.place.points for row in page.context["rows"]] == [D("85"), D("80"), D("75")]
    assert "Sozialindex: Stufe 9 von 9. 10,00 von 10,00 Punkten." in words
    assert "Die Schule hat keinen Sozialindex. Er zählt neutral. 5,00 von 10,00 Punkten." in words
    assert "Bis zum Ziel fehlen 20 von 20 Geräten. 60,00 von 60,00 Punkten." in words
    assert "Kein ersetztes Gerät mit bekanntem Alter ist genannt. Das zählt neutral. 15,00 von 30,00 Punkten." in words
    assert "seit 01.01.2020, Vorgabe des Portals, vom Amt zu prüfen" in words


def test_the_social_index_can_be_switched_off_from_a_day_on(three: list[EquipmentApplication]) -> None:
    client = client_of(ClerkFactory())
    tomorrow = clock.today() + datetime.timedelta(days=1)
    DatedRule.objects.create(kind=RuleKind.WEIGHT_SOCIAL_INDEX, valid_from=tomorrow, value=None, source="Beschluss")
    assert titles(client) == ["Stufe 9", "ohne Index", "Stufe 1"]

    DatedRule.objects.create(
        kind=RuleKind.WEIGHT_SOCIAL_INDEX, valid_from=clock.today(), value=None, source="Beschluss"
    )

    page = client.get(PAGE)
    assert titles(client) == ["ohne Index", "Stufe 1", "Stufe 9"]
    assert "ausgeschaltet" in texts(page)
    assert "Sozialindex: Stufe" not in texts(page)


def test_old_devices_go_first() -> None:
    make_plan("2026-01-01", "2030-12-31")
    ages = {"alt": 6 * 365, "neu": 200}
    for title, days in ages.items():
        school = a_school(title, 100)
        device = DeviceFactory(school=school, bought_on=clock.today() - datetime.timedelta(days=days))
        by = coordinator_of(school)
        line = LineInput(ProductFactory(gross_price=D(5)).pk, 1, replaces_quantity=1, replaced_device_ids=(device.pk,))
        draft = services.create_draft(by=by, school=school, title=title, lines=[line])
        services.submit(application=draft, by=by)

    first, second = waiting_list(ClerkFactory())

    assert [first.application.title, second.application.title] == ["alt", "neu"]
    assert first.place.scores[1].value == D("1.0000")


def test_of_one_round_only() -> None:
    row = RoundFactory()
    inside = make_application(title="drin", in_round=row)
    EquipmentApplication.objects.filter(pk=make_application(title="x", in_round=row).pk).update(round=None)

    assert titles(client_of(ClerkFactory()), f"?round={row.pk}") == [inside.title]


def test_the_page_says_where_the_money_ends(three: list[EquipmentApplication]) -> None:
    budget = BudgetFactory(appropriation=D("250.00"), fiscal_year=clock.today().year)

    page = client_of(ClerkFactory()).get(f"{PAGE}?budget={budget.pk}")

    assert page.context["ends_at"] == 3
    assert [row.step.affordable for row in page.context["rows"]] == [True, True, False]
    assert "Das Geld endet an Platz 3." in texts(page)


@pytest.mark.parametrize(
    ("role", "name"), [(Role.OFFICE_CLERK, "propose"), (Role.OFFICE_APPROVER, "approve"), (Role.AUDITOR, None)]
)
def test_those_the_money_is_enough_for_are_decided_together(
    three: list[EquipmentApplication], role: Role, name: str | None
) -> None:
    budget = BudgetFactory(appropriation=D("250.00"), fiscal_year=clock.today().year)
    client = client_of(UserFactory(role=role))
    without, _low, high = three

    assert client.get(PAGE).context["decide_url"] == ""
    page = client.get(f"{PAGE}?budget={budget.pk}")
    url = page.context["decide_url"]

    if name is None:
        assert (url, "gemeinsam" in texts(page)) == ("", False)
    else:
        assert "2 Anträge gemeinsam entscheiden, für die das Geld reicht" in texts(page)
        address = reverse("admin:funding_equipmentapplication_bulk", args=[name])
        assert url == f"{address}?ids={high.pk}%2C{without.pk}&budget={budget.pk}"
        bulk = client.get(url)
        assert {row.application for row in bulk.context["rows"]} == {high, without}
        assert f'<option value="{budget.pk}" selected>' in bulk.content.decode()


def test_a_grant_needs_its_own_share_here_too(three: list[EquipmentApplication]) -> None:
    grant = BudgetFactory(from_grant=True, fiscal_year=clock.today().year)
    municipal = BudgetFactory(fiscal_year=clock.today().year)
    client = client_of(ClerkFactory())

    assert "own_share_budget" in client.get(f"{PAGE}?budget={grant.pk}").context["form"].errors
    page = client.get(f"{PAGE}?budget={grant.pk}&own_share_budget={municipal.pk}")
    assert page.context["ends_at"] is None


def test_the_desk_goes_on_in_the_order_of_the_list(
    three: list[EquipmentApplication], office: Client, budget: Budget
) -> None:
    without, _low, high = three
    url = next(row.url for row in office.get(PAGE).context["rows"])
    page = office.get(url)
    assert (page.context["place"], page.context["list_url"]) == ((1, 3), f"{PAGE}?list=waiting")

    check = send(office, url, "check_approve", budget=budget.pk)
    answer = send(office, url, "approve", check)

    assert url.startswith(desk_of(high))
    assert answer.url == desk_of(without) + url.partition(desk_of(high))[2]
    assert office.get(answer.url).context["place"] == (1, 2)


@pytest.mark.parametrize("role", Role)
def test_only_the_office_and_auditors_see_it(role: Role) -> None:
    application = make_application()
    client = client_of(UserFactory(role=role, schools=[application.school]))

    allowed = role in (Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.AUDITOR)
    assert client.get(PAGE, follow=True).status_code == (200 if allowed else 403)


def test_nothing_waits() -> None:
    assert "Kein Antrag wartet auf Entscheidung." in texts(client_of(ClerkFactory()).get(PAGE))


def test_the_desk_says_what_the_social_index_is_taken_for(three: list[EquipmentApplication]) -> None:
    client = client_of(ClerkFactory())
    without, _low, high = three
    weight = DatedRule.objects.filter(kind=RuleKind.WEIGHT_SOCIAL_INDEX).latest("valid_from")

    counted = f"Auf der Warteliste zählt er für bis zu {weight.value:.2f} Punkte.".replace(".00 ", ",00 ")
    assert f"Sozialindex: Stufe 9 (2025/26). {counted}" in texts(client.get(desk_of(high)))
    assert "Sozialindex: keine Angabe. Auf der Warteliste zählt er deshalb neutral." in texts(
        client.get(desk_of(without))
    )

    DatedRule.objects.create(
        kind=RuleKind.WEIGHT_SOCIAL_INDEX, valid_from=clock.today(), value=None, source="Ratsbeschluss"
    )
    assert "Stufe 9 (2025/26). Er dient nur zur Information." in texts(client.get(desk_of(high)))
