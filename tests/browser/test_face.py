"""What the frame's scripts promise: appearance, phone menu, filters, kept input, no double sending."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from apps.core.models import ContactMessage
from tests.factories import ClerkFactory, SchoolFactory
from tests.support.browser import Pages, axe_violations
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 320, "height": 640}
TEXT = "Die Seite ist mit der Tastatur nicht bedienbar."


@pytest.fixture
def clerk(transactional_db: None) -> Any:
    SchoolFactory.create_batch(3)
    return ClerkFactory(name="Kim Muster")


def test_the_chosen_appearance_comes_with_the_page(pages: Pages, clerk: Any) -> None:
    page = pages.open(clerk, color_scheme="light")
    page.goto("/schools/")
    assert page.locator("html").get_attribute("data-kern-theme") is None
    page.get_by_text("Darstellung").click()
    page.get_by_role("button", name="Dunkel").click()
    response = page.reload()
    assert response is not None
    assert '<html lang="de" data-kern-theme="dark"' in response.text()
    page.goto("/admin/")
    assert page.locator("html").get_attribute("data-kern-theme") == "dark"


def test_on_a_phone_the_menu_opens_and_nothing_scrolls_sideways(pages: Pages, clerk: Any) -> None:
    page = pages.open(clerk, viewport=PHONE)
    page.goto("/schools/")
    navigation = page.get_by_role("navigation", name="Hauptnavigation")
    expect(navigation).to_be_hidden()
    menu = page.get_by_role("button", name="Menü")
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(navigation).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_scripts_the_menu_is_simply_there(pages: Pages, clerk: Any) -> None:
    page = pages.open(clerk, viewport=PHONE, java_script_enabled=False)
    page.goto("/schools/")
    expect(page.get_by_role("navigation", name="Hauptnavigation")).to_be_visible()


def test_filters_stand_in_the_address_without_the_empty_ones(pages: Pages, clerk: Any) -> None:
    page = pages.open(clerk)
    page.goto("/schools/?sort=-number")
    page.get_by_label("Suche").fill("schule 00")
    page.get_by_role("button", name="Filtern").click()
    chip = page.get_by_role("link", name="Filter entfernen: Suche: schule 00")
    expect(chip).to_be_visible()
    assert parse_qs(urlsplit(page.url).query, keep_blank_values=True) == {"q": ["schule 00"], "sort": ["-number"]}
    chip.click()
    expect(chip).to_have_count(0)
    assert urlsplit(page.url).query == "sort=-number"


def kept(page: Page) -> int:
    return int(page.evaluate("Object.keys(localStorage).length"))


def contact(page: Page) -> Page:
    page.goto("/contact/")
    return page


def test_unsaved_input_is_offered_again_and_goes_when_it_is_sent(pages: Pages, clerk: Any) -> None:
    page = contact(pages.open(clerk))
    page.locator("textarea").fill(TEXT)
    wait_until(lambda: kept(page) == 1, what="the kept input")
    contact(page)
    expect(page.locator("textarea")).to_have_value("")
    page.get_by_role("button", name="Eingaben wiederherstellen").click()
    expect(page.locator("textarea")).to_have_value(TEXT)
    contact(page)
    page.get_by_role("button", name="Eingaben verwerfen").click()
    contact(page)
    expect(page.get_by_role("button", name="Eingaben wiederherstellen")).to_have_count(0)


def test_who_signs_out_leaves_nothing_on_a_shared_computer(pages: Pages, clerk: Any) -> None:
    page = contact(pages.open(clerk))
    page.locator("textarea").fill(TEXT)
    wait_until(lambda: kept(page) == 1, what="the kept input")
    page.get_by_text("Kim Muster").click()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")
    assert kept(page) == 0


def test_impatient_people_send_once(pages: Pages, clerk: Any) -> None:
    """The answer is held back, so that the second click meets a form on its way."""
    page = contact(pages.open(clerk))
    for field in page.locator("main form input[type=text], main form input[type=email]").all():
        if not field.input_value():
            field.fill("kim.muster@schule.example")
    page.locator("textarea").fill(TEXT)
    held: list[Route] = []
    page.route("**/contact/", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    button = page.locator("main form button").last
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    for _click in range(2):  # by mouse: a locator would wait for the page to load
        page.mouse.click(box["x"] + 10, box["y"] + 10)
        wait_until(lambda: pump(page) or held, what="the first request")
    page.wait_for_timeout(500)
    assert len(held) == 1
    held[0].continue_()
    wait_until(lambda: pump(page) or ContactMessage.objects.count() == 1, what="the message")


def pump(page: Page) -> None:
    """Lets the browser's events come in while the test waits."""
    page.wait_for_timeout(50)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "address",
    ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/", "/nirgends/", "/accounts/inactive/"],
)
def test_pages_for_everybody_have_no_axe_finding(
    pages: Pages, transactional_db: None, address: str, scheme: str
) -> None:
    page = pages.open(color_scheme=scheme, viewport=PHONE)
    page.goto(address)
    assert axe_violations(page) == []


def test_errors_are_summed_up_first_and_lead_to_their_fields(pages: Pages, transactional_db: None) -> None:
    page = pages.open()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Anmelden").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(2)
    summary.get_by_role("link", name="E-Mail-Adresse").click()
    expect(page.get_by_label("E-Mail-Adresse")).to_be_focused()
    assert axe_violations(page) == []
