"""The draft form in a real browser: saving by itself, two tabs, keyboard only, no barrier."""

from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from apps.funding.services import save_draft
from tests.factories import CoordinatorFactory, ProductFactory, SchoolFactory
from tests.funding.factories import make_application
from tests.quotas.factories import count_pupils, make_plan
from tests.support.browser import axe_violations

pytestmark = pytest.mark.django_db(transaction=True)
NEW = reverse("funding:create")


@pytest.fixture
def school():
    make_plan()
    school = SchoolFactory()
    count_pupils(school, 100)
    return school


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school])


@pytest.fixture
def tablet():
    return ProductFactory(manufacturer="Muster", model="Tab 10", gross_price=Decimal("450.00"))


def tab_to(page: Page, selector: str) -> None:
    """Walks with the Tab key until the focus stands there."""
    for _step in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"the Tab key does not reach {selector}")


def test_a_draft_saves_itself_counts_along_and_is_sent_while_it_saves(pages, coordinator, tablet):
    page = pages.open(coordinator)
    page.goto(NEW)
    page.fill("[name=title]", "Tablets für Klasse 5")
    page.select_option("[name=lines-0-product]", str(tablet.pk))
    page.fill("[name=lines-0-quantity]", "10")
    page.locator("[name=lines-0-quantity]").blur()
    expect(page.locator("aside")).to_contain_text("Summe: 4.500,00")
    expect(page.locator("aside")).to_contain_text(
        "Danach 10 Geräte für Schülerinnen und Schüler, das Ziel verlangt 20."
    )
    expect(page.locator("form [data-saved]")).to_contain_text("gespeichert um", ignore_case=True)
    application = EquipmentApplication.objects.get()
    expect(page).to_have_url(f"{pages.address}{reverse('funding:edit', args=[application.pk])}")
    # A save on its way is held up, so that the click comes while it runs
    page.route("**/edit/", lambda route: (page.wait_for_timeout(600), route.continue_()))
    with page.expect_request(lambda request: request.headers.get("x-autosave") == "1"):
        page.fill("[name=lines-0-quantity]", "12")
    page.get_by_role("button", name="Prüfen und einreichen").click()
    expect(page).to_have_url(f"{pages.address}{reverse('funding:detail', args=[application.pk])}")
    assert EquipmentApplication.objects.get().lines.get().quantity == 12


def test_the_second_tab_is_told_and_loses_nothing(pages, coordinator, school):
    application = make_application(ApplicationState.DRAFT, school=school, by=coordinator, title="Alt")
    page = pages.open(coordinator)
    page.goto(reverse("funding:edit", args=[application.pk]))
    save_draft(application=application, revision=1, by=coordinator, title="Erster Tab", reason="", lines=[])
    page.fill("[name=title]", "Zweiter Tab")
    expect(page.locator("form [data-saved]")).to_contain_text("nachdem Sie ihn hier geöffnet hatten")
    page.get_by_role("button", name="Entwurf speichern").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Der Antrag wurde an anderer Stelle geändert")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Meine Fassung speichern").first.click()
    expect(page.locator("[name=title]")).to_have_value("Zweiter Tab")
    application.refresh_from_db()
    assert application.title == "Zweiter Tab"


def test_an_application_is_submitted_with_the_keyboard_alone(pages, coordinator, tablet):
    page = pages.open(coordinator)
    page.goto(NEW)
    tab_to(page, "[name=title]")
    page.keyboard.type("Nur mit Tasten")
    tab_to(page, "[name=lines-0-product]")
    page.keyboard.type("Muster")
    tab_to(page, "[name=lines-0-quantity]")
    page.keyboard.press("Control+a")
    page.keyboard.type("1.250")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, "[name=lines-0-replaces]")
    page.keyboard.type("alte Tablets")
    tab_to(page, "[value=check]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Antrag einreichen")).to_be_visible()
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Der Antrag ist eingereicht: 562.500,00")).to_be_visible()
    application = EquipmentApplication.objects.get()
    assert (application.state, application.lines.get().replaces) == (ApplicationState.SUBMITTED, "alte Tablets")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_no_barrier_on_any_page(pages, coordinator, school, tablet, width, scheme):
    page = pages.open(coordinator, color_scheme=scheme, viewport={"width": width, "height": 900})
    states = (ApplicationState.DRAFT, ApplicationState.RETURNED, ApplicationState.PARTIALLY_APPROVED)
    draft, returned, approved = (
        make_application(state, school=school, by=coordinator, lines=[("450.00", 3)]) for state in states
    )
    addresses = [
        reverse("funding:list"),
        NEW,
        reverse("funding:detail", args=[draft.pk]),
        reverse("funding:detail", args=[approved.pk]),
        reverse("funding:discard", args=[draft.pk]),
        *(reverse(f"funding:{name}", args=[returned.pk]) for name in ("detail", "edit", "answer", "withdraw")),
    ]
    for address in addresses:
        page.goto(address)
        assert axe_violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
