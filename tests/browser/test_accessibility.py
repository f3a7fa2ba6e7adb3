"""No barrier that axe finds on any page: each address of the access matrix, in light and dark, wide and narrow.

The list of pages comes from the matrix, so that a new address is looked at without being named here.
"""

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.template.loader import render_to_string
from playwright.sync_api import Page, expect

from apps.accounts.choices import Role
from apps.core import clock
from tests.access.admin_pages import ADMIN_PAGES
from tests.access.lines import COLUMNS, NOBODY, Line, read
from tests.access.pages import PAGES
from tests.access.visits import visits
from tests.access.world import World, make_world
from tests.support.browser import WCAG, Pages

pytestmark = pytest.mark.django_db(transaction=True)

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
COLOURS = ["color-contrast", "link-in-text-block"]
NO_PAGES = {
    "core:live": "JSON for operators",
    "core:ready": "JSON for operators",
    "schools:suggest": "a part of a form, which shows it",
    "inventory:stocktake_worker": "a script",
    "inventory:stocktake_result": "a file",
    "inventory:attachment": "a file",
    "inventory:receipt": "a file to print",
    "inventory:receipts": "a file to print",
    "inventory:return_receipt": "a file to print",
    "funding:concept": "a file",
    "admin:funding_budget_carry_over_csv": "a file",
    "admin:funding_budget_carry_over_pdf": "a file",
    "admin:funding_drawdown_pdf": "a file",
    "admin:funding_drawdown_xlsx": "a file",
    "admin:funding_proofofuse_pdf": "a file",
    "admin:funding_proofofuse_xlsx": "a file",
    "admin:funding_proofofuse_vouchers_csv": "a file",
    "admin:funding_proofofuse_devices_csv": "a file",
    "admin:jsi18n": "a script",
    "admin:core_importrun_progress": "a part of a page, which shows it",
}
OPENED_BY: tuple[Role | None, ...] = (
    NOBODY,
    Role.OFFICE_APPROVER,
    Role.COORDINATOR,
    Role.ADMIN,
    Role.IT_SUPPORT,
    Role.OFFICE_CLERK,
    Role.HEAD,
    Role.AUDITOR,
    Role.SCHOOL_STAFF,
)
"""Who opens a page: the first who may, because who may do most finds the most on it."""
BY_EVERYBODY = {"summaries:start", "schools:detail", "inventory:detail", "tickets:detail", "funding:detail"}


@dataclass(frozen=True)
class Look:
    """One page and who opens it."""

    line: Line
    role: Role | None

    @property
    def is_admin(self) -> bool:
        return self.line.address.startswith("admin:")


def looks() -> Iterator[Look]:
    """Every page once by whom it is made for, pages that differ by role by all, the admin's forms as read-only, too."""
    for line in read(PAGES) + read(ADMIN_PAGES, prefix="admin:"):
        if line.address in NO_PAGES or line.export:
            continue
        allowed = [role for role in OPENED_BY if line.cells[role][0] == "200"]
        seen_by = set(allowed if line.address in BY_EVERYBODY else allowed[:1])
        if line.address.endswith("_change") and Role.AUDITOR in allowed:
            seen_by.add(Role.AUDITOR)
        yield from (Look(line, role) for role in seen_by)


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role or "nobody")
def test_pages(role: Role | None, world: World, pages: Pages) -> None:
    page = pages.open(None if role is None else world.people[role], viewport=DESK, color_scheme="light")
    faults: list[str] = []
    for look in (look for look in looks() if look.role == role):
        path = next(visits(look.line, role, world)).path(world, role)
        response = page.goto(path)
        assert response is not None
        assert response.status == 200, f"{path}: {response.status}"
        faults += [f"{path} {fault}" for fault in findings(page)]
    assert faults == [], "\n".join(faults)


def findings(page: Page) -> list[str]:
    """Everything in light and wide, the colours in dark, all again on a phone in dark, and sideways scrolling."""
    page.evaluate(AXE_SCRIPT)
    found = [f"light {fault}" for fault in axe(page, WCAG)] + too_wide(page, DESK)
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.getAnimations().forEach((running) => running.finish())")
    found += [f"dark {fault}" for fault in axe(page, COLOURS)]
    page.set_viewport_size(PHONE)
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found += [f"phone {fault}" for fault in axe(page, WCAG)]
    page.set_viewport_size(SMALLEST)
    found += too_wide(page, SMALLEST)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    return found


def too_wide(page: Page, size: dict[str, int]) -> list[str]:
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"at {size['width']} px it is {width} px wide"] if width > size["width"] else []


def axe(page: Page, rules: list[str]) -> list[str]:
    """What axe finds: rule, element, help. Without preload: its own copy of stylesheets would break the policy."""
    options = {"runOnly": rules, "preload": False, "resultTypes": ["violations"]}
    violations = page.evaluate(f"axe.run({json.dumps(options)}).then(found => found.violations)")
    return [f"{rule['id']}: {node['html'][:200]} ({rule['help']})" for rule in violations for node in rule["nodes"]]


# What only shows after something was done, and pages that no address names


Step = Callable[[Page, World], None]


def _filled_desk(page: Page, world: World) -> None:
    page.goto(f"/admin/funding/equipmentapplication/{world.row('submitted').pk}/change/")
    page.locator("#id_budget").select_option(str(world.row("budget").pk))


def _check_of_approval(page: Page, world: World) -> None:
    _filled_desk(page, world)
    page.get_by_role("button", name="Genehmigung prüfen").click()


def _desk_with_errors(page: Page, world: World) -> None:
    page.goto(f"/admin/funding/equipmentapplication/{world.row('submitted').pk}/change/")
    page.locator("#id_budget").select_option("")
    page.get_by_label("Anzahl genehmigen").fill("viele")
    page.get_by_role("button", name="Genehmigung prüfen").click()


def _several(name: str, *, with_budget: bool) -> Step:
    def step(page: Page, world: World) -> None:
        page.goto(f"/admin/funding/equipmentapplication/bulk/{name}/?ids={world.row('submitted').pk}")
        if with_budget:
            page.locator("#id_budget").select_option(str(world.row("budget").pk))
        page.locator("button[name=step][value=preview]").click()

    return step


def _draft_with_errors(page: Page, world: World) -> None:
    page.goto("/applications/new/")
    page.get_by_role("button", name="Prüfen und einreichen").click()


def _school_on_a_day(page: Page, _world: World) -> None:
    page.goto(f"/schools/100001/?day={clock.today() - datetime.timedelta(days=1):%Y-%m-%d}")
    expect(page.get_by_text("Die Schule am")).to_be_visible()


def _sent_empty(path: str) -> Step:
    """A form that was sent as it was, without the browser's own checks."""

    def step(page: Page, world: World) -> None:
        page.goto(path)
        page.evaluate("document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })")
        page.locator("main form[method=post] button:not([type=button])").last.click()

    return step


def _add_form_of_admin(page: Page, world: World) -> None:
    page.goto("/admin/schools/school/add/")
    page.evaluate("document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })")
    page.locator("input[name=_save]").click()


def _opened(path: str) -> Step:
    return lambda page, world: page.goto(path) and None


STATES: dict[str, tuple[Role | None, Step]] = {
    "what does not exist": (NOBODY, _opened("/nirgends/")),
    "what lies outside the scope": (Role.COORDINATOR, _opened("/schools/100002/")),
    "what the role does not allow": (Role.COORDINATOR, _opened("/summary/")),
    "the admin for people without it": (Role.HEAD, _opened("/admin/")),
    "what does not exist in the admin": (Role.OFFICE_CLERK, _opened("/admin/schools/school/999999/change/")),
    "sign-in with errors": (NOBODY, _sent_empty("/accounts/login/")),
    "contact with errors": (NOBODY, _sent_empty("/contact/")),
    "devices with errors": (Role.IT_SUPPORT, _sent_empty("/inventory/add/")),
    "ticket with errors": (Role.SCHOOL_STAFF, _sent_empty("/tickets/new/")),
    "draft with errors": (Role.COORDINATOR, _draft_with_errors),
    "list without a hit": (Role.HEAD, _opened("/inventory/?q=gibtesnicht&status=lost")),
    "figures of a day that is none": (Role.HEAD, _opened("/quotas/?day=gestern")),
    "a school on an earlier day": (Role.COORDINATOR, _school_on_a_day),
    "desk with errors": (Role.OFFICE_APPROVER, _desk_with_errors),
    "check of an approval": (Role.OFFICE_APPROVER, _check_of_approval),
    "preview of several": (Role.OFFICE_APPROVER, _several("approve", with_budget=True)),
    "outcome of several": (Role.OFFICE_APPROVER, _several("reserve", with_budget=True)),
    "several with errors": (Role.OFFICE_APPROVER, _several("reject", with_budget=False)),
    "add form of the admin with errors": (Role.ADMIN, _add_form_of_admin),
}
"""What is looked at -> who, and how they come there."""


def test_states(world: World, pages: Pages) -> None:
    faults: list[str] = []
    for state, (role, step) in STATES.items():
        page = pages.open(None if role is None else world.people[role], viewport=DESK, color_scheme="light")
        try:
            step(page, world)
            if state.endswith("with errors"):
                expect(page.locator("[role=alert], .errornote").first).to_be_visible()
            faults += [f"{state}: {fault}" for fault in findings(page)]
        except Exception as error:
            error.add_note(f"while looking at: {state}")
            raise
        page.context.close()
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("template", ["400.html", "403_csrf.html", "429.html", "500.html"])
def test_pages_about_errors(template: str, transactional_db: None, pages: Pages) -> None:
    """These come when something breaks; here the browser gets them for an address of its own."""
    page = pages.open(viewport=DESK, color_scheme="light")
    body = render_to_string(template, {"is_demo": True, "city_name": "Stadt Hamm"})
    page.route("**/broken/", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
    page.goto("/broken/")
    faults = findings(page)
    assert faults == [], "\n".join(faults)
