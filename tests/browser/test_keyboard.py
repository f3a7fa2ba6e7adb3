"""The main job with the keyboard alone, with a focus that can be seen, and no page that holds it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.funding.models import Budget, EquipmentApplication
from apps.quotas.services import recalculate_stale
from tests.access.world import make_world
from tests.browser.city import City, make_city
from tests.factories import PASSWORD
from tests.support.browser import Pages

pytestmark = pytest.mark.django_db(transaction=True)
Name = str | re.Pattern[str]
DATE_STOPS = 5

FOCUS_SHOWS = """
() => {
  const element = document.activeElement;
  const look = () => [null, "::before", "::after"].map((part) => getComputedStyle(element, part))
    .map((style) => style.outline + style.boxShadow).join();
  const focused = look();
  element.blur();
  const plain = look();
  element.focus({preventScroll: true});
  return focused !== plain && document.activeElement === element;
}
"""
NEXT_STOP = """
() => {
  window.stops ??= new Map();
  const element = document.activeElement;
  if (element === document.body || element === null) return {number: -1};
  const known = window.stops.has(element);
  if (!known) window.stops.set(element, window.stops.size);
  const box = element.getBoundingClientRect();
  const styles = [null, "::before", "::after"].map((part) => getComputedStyle(element, part));
  return {
    number: window.stops.get(element),
    seen: box.width > 0 && box.height > 0 && styles[0].visibility === "visible",
    marked: styles.some((style) =>
      (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none"),
    html: element.outerHTML.slice(0, 160),
  };
}
"""
MISSED = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility({visibilityProperty: true})
    && !window.stops.has(element) && element.type !== "radio")
  .map((element) => element.outerHTML.slice(0, 160))
"""


def tab_to(page: Page, role: Any, name: Name, *, back: bool = False) -> None:
    """Tab until the element with this role and name has the focus, and the focus can be seen there."""
    reach(page, page.get_by_role(role, name=name, exact=True), back=back)


def reach(page: Page, wanted: Locator, *, presses: int = 80, back: bool = False) -> None:
    for _press in range(presses):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if wanted.evaluate_all("(found) => found.includes(document.activeElement)"):
            assert page.evaluate(FOCUS_SHOWS), f"The focus on {wanted} cannot be seen"
            return
    raise AssertionError(f"{presses} times Tab did not lead to {wanted} on {page.url}")


def fill_in(page: Page, name: Name, text: str) -> None:
    """What stands in the field is replaced."""
    tab_to(page, "textbox", name)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page: Page, role: Any, name: Name, key: str = "Enter") -> None:
    """Leaves the page, as links and buttons that send do."""
    tab_to(page, role, name)
    with page.expect_navigation():
        page.keyboard.press(key)


def choose(page: Page, name: Name, beginning: str) -> None:
    """Typing finds the option that begins so."""
    tab_to(page, "combobox", name)
    page.keyboard.type(beginning)


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


def test_from_the_need_to_the_new_quota(city: City, pages: Pages) -> None:
    school = pages.open()
    school.goto("/")
    fill_in(school, "E-Mail-Adresse", city.people["coordinator"].email)
    fill_in(school, "Passwort", PASSWORD)
    with school.expect_navigation():
        school.keyboard.press("Enter")
    submit(school)
    application = EquipmentApplication.objects.get()

    office = pages.open(city.people["office_approver"])
    return_with_question(office)
    answer(school)

    approve_twelve(office)
    application.refresh_from_db()
    assert (application.state, application.lines.get().approved_quantity) == ("partially_approved", 12)
    assert Budget.objects.get(pk=city.budget.pk).committed == 12 * city.product.gross_price

    take_in(pages.open(city.people["it_support"]))
    recalculate_stale()
    head = pages.open(city.people["head"])
    head.goto("/")
    expect(head.locator("main")).to_contain_text(re.compile(r"72\sGeräte\sfür\s300"))
    press(head, "link", "Digitale Ausstattung")
    expect(head.get_by_role("link", name="Tablets für Jahrgang 3")).to_be_visible()


def submit(school: Page) -> None:
    press(school, "link", "Antrag anlegen")
    fill_in(school, "Titel", "Tablets für Jahrgang 3")
    fill_in(school, re.compile("^Begründung"), "Wir liegen unter dem Ziel.")
    choose(school, "Produkt", "Muster")
    fill_in(school, "Anzahl", "16")
    press(school, "button", "Prüfen und einreichen", key="Space")
    press(school, "button", "Antrag einreichen")
    expect(school.locator("main")).to_contain_text("Eingereicht")


def return_with_question(office: Page) -> None:
    office.goto("/")
    press(office, "link", re.compile("^Antrag entscheiden"))
    reach(office, office.locator("summary", has_text="Mit Rückfrage zurückgeben"))
    office.keyboard.press("Enter")
    fill_in(office, "Frage an die Schule", "Reichen auch 12?")
    press(office, "button", "Rückfrage prüfen")
    press(office, "button", "Zurückgeben und Mail senden", key="Space")
    expect(office.locator(".portal-messages")).to_contain_text("Rückfrage")


def answer(school: Page) -> None:
    school.goto("/")
    press(school, "link", re.compile("^Rückfrage beantworten"))
    fill_in(school, "Ihre Antwort", "Ja, für den Anfang.")
    press(school, "button", "Antwort senden")
    press(school, "button", "Antrag erneut einreichen", key="Space")
    expect(school.locator("main")).to_contain_text("Eingereicht")


def approve_twelve(office: Page) -> None:
    office.goto("/")
    press(office, "link", re.compile("^Antrag entscheiden"))
    choose(office, "Budget", "Digitale")
    fill_in(office, re.compile("^Anzahl genehmigen"), "12")
    tab_to(office, "combobox", "Budget", back=True)
    fill_in(office, re.compile("^Begründung"), "Zunächst zwölf.")
    press(office, "button", "Genehmigung prüfen")
    press(office, "button", "Genehmigen und Mail senden", key="Space")
    expect(office.locator(".portal-messages")).to_contain_text("teilweise genehmigt")


def take_in(technician: Page) -> None:
    technician.goto("/")
    press(technician, "link", "Geräte aufnehmen")
    choose(technician, "Produkt", "Muster")
    fill_in(technician, re.compile("^Anzahl"), "12")
    choose(technician, re.compile("^Schule"), "Talschule")
    press(technician, "button", "Geräte aufnehmen")
    expect(technician.locator("main")).to_contain_text("12 Geräte")


@pytest.mark.parametrize(
    ("address", "link", "target"),
    [("/schools/", "Zum Inhalt springen", "#main"), ("/admin/", "Zum Hauptinhalt springen", "#content-start")],
)
def test_the_first_stop_leads_to_the_content(city: City, pages: Pages, address: str, link: str, target: str) -> None:
    page = pages.open(city.people["office_clerk"])
    page.goto(address)
    skip = page.get_by_role("link", name=link)
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.querySelector('{target}').contains(document.activeElement)")


TOURS: dict[str, list[str]] = {
    "coordinator": [
        "/",
        "/schools/100001/",
        "/inventory/",
        "/inventory/GERAET-OWN-1/",
        "/inventory/GERAET-OWN-1/move/",
        "/inventory/add/",
        "/applications/",
        "/applications/{draft}/edit/",
        "/applications/{returned}/",
        "/tickets/new/",
        "/tickets/{ticket_asked}/",
    ],
    "head": ["/summary/", "/quotas/", "/schools/", "/schools/network/"],
    "admin": ["/", "/jobs/", "/admin/core/importrun/"],
    "office_approver": [
        "/",
        "/admin/",
        "/admin/funding/equipmentapplication/",
        "/admin/funding/equipmentapplication/{submitted}/change/",
        "/admin/funding/budget/",
        "/admin/funding/budget/{budget}/change/",
        "/admin/schools/school/{school}/change/",
    ],
    None: ["/accounts/login/", "/contact/"],
}  # type: ignore[dict-item]  # None: nobody signed in


@pytest.mark.parametrize("role", TOURS, ids=lambda role: role or "nobody")
def test_no_page_holds_the_focus(role: str | None, transactional_db: None, pages: Pages) -> None:
    """Tab reaches everything that can be used, shows where it is, and comes back to the start."""
    world = make_world()
    keys = {kind: world.row(kind).pk for kind in ("draft", "returned", "submitted", "ticket_asked", "budget", "school")}
    page = pages.open(world.people[role] if role else None)  # type: ignore[index]  # roles are texts
    faults: list[str] = []
    for address in TOURS[role]:  # type: ignore[index]
        page.goto(address.format(**keys))
        faults += [f"{page.url}: {fault}" for fault in walk(page)]
    assert faults == [], "\n".join(faults)


def walk(page: Page, presses: int = 400) -> list[str]:
    """Tab from the start until the start comes again; what was not reached, not seen or not marked.

    A field of a date has several stops of its own, so that the same element may come a few times.
    """
    faults: list[str] = []
    last, repeated = -1, 0
    for _press in range(presses):
        page.keyboard.press("Tab")
        stop = page.evaluate(NEXT_STOP)
        repeated = repeated + 1 if stop["number"] == last else 0
        if repeated > DATE_STOPS:
            return [*faults, f"is not left: {stop['html']}"]
        if repeated:
            continue
        if stop["number"] < last:
            break
        last = stop["number"]
        faults += [f"cannot be seen: {stop['html']}"] if not stop["seen"] else []
        faults += [f"shows no focus: {stop['html']}"] if not stop["marked"] else []
    else:
        return [*faults, f"{presses} times Tab did not come back to the start"]
    if stop["number"] > 0:
        faults.append(f"goes round without the start: {stop['html']}")
    return faults + [f"is not reached: {html}" for html in page.evaluate(MISSED)]
