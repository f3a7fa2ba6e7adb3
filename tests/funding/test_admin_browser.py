"""The office's pages in a real browser: the keyboard alone, the figures while typing, axe and small screens."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.funding import services
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models import Budget, EquipmentApplication, ReasonTemplate
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, DeviceFactory, ProductFactory, SchoolFactory
from tests.funding.desk import QUEUE, desk_of, state_of
from tests.funding.factories import BudgetFactory, coordinator_of, decide, make_application
from tests.quotas.factories import count_pupils, make_plan
from tests.support.browser import Pages, axe_violations

pytestmark = pytest.mark.django_db(transaction=True)
S = ApplicationState
D = Decimal
PAGE_WAYS = [(1280, "dark"), (390, "light")]
STEP_WAYS = [(1280, "light"), (390, "dark")]


@pytest.fixture
def approver() -> User:
    return ApproverFactory(name="Amir Albers")


@pytest.fixture
def budget() -> Budget:
    return BudgetFactory(name="Schul-IT", appropriation=D("10000.00"))


def an_application(title: str, *quantities: int) -> EquipmentApplication:
    school = SchoolFactory(short_name=f"Schule {title}")
    count_pupils(school, 100, "2025-10-15")
    by = coordinator_of(school)
    lines = [LineInput(ProductFactory(gross_price=D("100.00")).pk, quantity) for quantity in quantities]
    return services.submit(application=services.create_draft(by=by, school=school, title=title, lines=lines), by=by)


def press_until(page: Page, selector: str, *, key: str = "Tab", limit: int = 120) -> None:
    """Goes on by keyboard until the wanted element has the focus; a trap or an unreachable element fails."""
    wanted = page.locator(selector).first
    for _step in range(limit):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached with {key}")


def step(name: str) -> str:
    return f"button[name=step][value={name}]"


def test_a_decision_with_the_keyboard_alone(pages: Pages, approver: User, budget: Budget) -> None:
    make_plan("2026-01-01", "2030-12-31")
    template = ReasonTemplate.objects.create(kind=ReasonKind.APPROVE, name="A erste", text="Mehr im nächsten Jahr.")
    first, second = an_application("Tablets", 8, 2), an_application("Beamer", 1)
    page = pages.open(approver)
    page.goto(QUEUE)
    press_until(page, f"a[href^='{desk_of(first)}']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tablets")

    press_until(page, "#id_budget")
    page.keyboard.type("Schul")
    expect(page.locator("#desk-figures")).to_contain_text("9.000,00\u202f€")
    press_until(page, f"#id_line-{first.lines.first().pk}-approved_quantity")
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    expect(page.locator("#desk-figures")).to_contain_text("9.500,00\u202f€")
    expect(page.locator("#desk-status")).to_contain_text("Zu genehmigen: 500,00\u202f€.")
    expect(page.locator(f"#line-{first.lines.first().pk}-sum")).to_have_text("300,00\u202f€")
    press_until(page, "#id_reason_template")
    page.keyboard.press("ArrowDown")
    press_until(page, "[data-into=id_reason]")
    page.keyboard.press("Enter")
    expect(page.locator("#id_reason")).to_be_focused()
    expect(page.locator("#id_reason")).to_have_value(template.text)
    press_until(page, step("check_approve"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bitte prüfen Sie vor dem Absenden")
    assert state_of(first) == S.SUBMITTED
    press_until(page, step("approve"))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Beamer")
    expect(page.get_by_role("status").first).to_contain_text("Das ist der nächste.")
    assert (state_of(first), state_of(second)) == (S.PARTIALLY_APPROVED, S.SUBMITTED)
    budget.refresh_from_db()
    assert budget.committed == D("500.00")


def test_two_keystrokes_decide_where_nothing_is_to_be_changed(pages: Pages, approver: User, budget: Budget) -> None:
    """From the second decision on: the budget of the last one is chosen already, and Ctrl and Enter check."""
    first, second, third = (an_application(title, 1) for title in ("Tablets", "Beamer", "Displays"))
    page = pages.open(approver)
    heading = page.get_by_role("heading", level=1)
    page.goto(desk_of(first))
    press_until(page, "#id_budget")
    page.keyboard.type("Schul")
    for title in ("Tablets", "Beamer", "Displays"):
        expect(heading).to_have_text(title)
        page.keyboard.press("Control+Enter")
        expect(page.locator(step("approve"))).to_be_focused()
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Kein weiterer Antrag wartet.")
    assert {state_of(row) for row in (first, second, third)} == {S.APPROVED}


def test_enter_in_a_field_leads_to_the_check(pages: Pages, budget: Budget) -> None:
    """Of a clerk to that of the proposal."""
    application = an_application("Tablets", 3)
    page = pages.open(ClerkFactory())
    page.goto(desk_of(application))
    page.select_option("#id_budget", str(budget.pk))
    press_until(page, f"#id_line-{application.lines.get().pk}-approved_quantity")
    page.keyboard.press("Enter")
    expect(page.locator(step("propose"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Anträge")
    assert application.proposal.amount == D("300.00")


def test_several_with_the_keyboard_alone(pages: Pages, approver: User, budget: Budget) -> None:
    first, second = an_application("Tablets", 8), an_application("Beamer", 1)
    page = pages.open(approver)
    page.goto(QUEUE)
    press_until(page, "select[name=action]")
    page.keyboard.type("Auswahl gen")
    press_until(page, "#action-toggle")
    page.keyboard.press("Space")
    press_until(page, "button[name=index]", key="Shift+Tab")
    page.keyboard.press("Enter")
    press_until(page, "#id_budget")
    page.keyboard.type("Schul")
    press_until(page, step("preview"))
    page.keyboard.press("Enter")
    press_until(page, "a[href*='show=']")
    page.keyboard.press("Enter")
    expect(page.locator("#bulk-mail")).to_have_text("Die Mail zu „Beamer“")
    press_until(page, step("confirm"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2 Anträge genehmigt")).to_be_visible()
    assert {state_of(first), state_of(second)} == {S.APPROVED}


def test_the_way_back_from_several_asks_for_nothing_and_loses_nothing(
    pages: Pages, approver: User, budget: Budget
) -> None:
    """Back and forth over every page, with a reload of each: Chromium shows a page of its own where it would ask."""
    first, second = an_application("Tablets", 8), an_application("Beamer", 1)
    page = pages.open(approver)
    page.goto(f"{QUEUE}bulk/approve/?ids={first.pk},{second.pk}")
    form, heading = page.locator("#id_reason"), page.get_by_role("heading", level=1)
    form.fill("Gute Idee.")
    page.click(step("preview"))
    expect(page.locator("[data-error-summary]")).to_be_visible()
    page.reload()
    expect(form).to_have_value("Gute Idee.")
    page.select_option("#id_budget", str(budget.pk))
    page.click(step("preview"))
    expect(page.locator(step("confirm"))).to_be_visible()
    page.go_back()
    expect(form).to_have_value("Gute Idee.")
    page.go_back()
    expect(form).to_have_value("Gute Idee.")
    page.go_forward()
    page.go_forward()
    page.click(step("confirm"))
    expect(heading).to_have_text("Ergebnis")
    page.reload()
    expect(page.get_by_role("heading", name="2 Anträge genehmigt")).to_be_visible()
    page.get_by_role("link", name="Tablets").click()
    page.go_back()
    expect(heading).to_have_text("Ergebnis")
    page.go_back()
    expect(heading).to_have_text("Mehrere Anträge genehmigen")
    expect(page.locator(step("confirm"))).to_have_count(0)
    assert {state_of(first), state_of(second)} == {S.APPROVED}


def test_quantities_go_back_without_a_reload(pages: Pages, approver: User, budget: Budget) -> None:
    application = an_application("Tablets", 8, 2)
    page = pages.open(approver)
    page.goto(desk_of(application))
    fields = [page.locator(f"#id_line-{line.pk}-approved_quantity") for line in application.lines.order_by("pk")]
    for field in fields:
        field.fill("0")
    page.fill("#id_reason", "Bleibt stehen.")
    page.get_by_role("button", name="Alle Anzahlen wie beantragt").click()
    expect(fields[0]).to_have_value("8")
    expect(fields[1]).to_have_value("2")
    expect(page.locator("#id_reason")).to_have_value("Bleibt stehen.")
    expect(page.locator("#desk-figures")).to_contain_text("Zu genehmigen: 1.000,00\u202f€")


def test_it_works_without_script(pages: Pages, approver: User, budget: Budget) -> None:
    application = an_application("Tablets", 8)
    page = pages.open(approver, java_script_enabled=False)
    page.goto(desk_of(application))
    page.select_option("#id_budget", str(budget.pk))
    page.click(step("recalculate"))
    expect(page.locator("#desk-figures")).to_contain_text("9.200,00\u202f€")
    page.click(step("check_approve"))
    page.click(step("approve"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Anträge")
    assert state_of(application) == S.APPROVED
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tablets")
    expect(page.locator(step("approve"))).to_have_count(0)


def test_the_budgets_stay_in_view(pages: Pages, approver: User, budget: Budget) -> None:
    application = an_application("Tablets", *range(1, 9))
    page = pages.open(approver, viewport={"width": 1280, "height": 800})
    page.goto(desk_of(application))
    page.get_by_role("heading", name="Entscheidung").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Wirkung auf die Budgets")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Gerätequote der Schule")).to_be_in_viewport()


def addresses(approver: User, budget: Budget) -> dict[str, str]:
    """Every page of the office with something on it."""
    make_plan("2026-01-01", "2030-12-31")
    waiting, decided = an_application("Tablets", 8, 2), an_application("Beamer", 1)
    DeviceFactory(school=waiting.school)
    services.return_with_question(application=waiting, by=ClerkFactory(), question="Wofür?")
    services.submit(application=waiting, by=coordinator_of(waiting.school))
    services.reserve(application=waiting, budget=budget, by=approver)
    services.approve(application=decided, by=approver, decisions=decide(decided, budget))
    grant = BudgetFactory(from_grant=True).grant
    template = ReasonTemplate.objects.create(kind=ReasonKind.REJECT, name="Kurz", text="Kein Bedarf.")
    admin = "/admin/funding"
    return {
        "queue": QUEUE,
        "empty": f"{QUEUE}?q=nichts",
        "desk": desk_of(waiting),
        "decided": desk_of(decided),
        "history": desk_of(waiting).replace("change", "history"),
        "bulk": f"{admin}/equipmentapplication/bulk/approve/?ids={waiting.pk},{decided.pk}",
        "bulk reject": f"{admin}/equipmentapplication/bulk/reject/?ids={waiting.pk}",
        "budgets": f"{admin}/budget/",
        "budget": f"{admin}/budget/{budget.pk}/change/",
        "budget add": f"{admin}/budget/add/",
        "overrun": f"{admin}/budget/{budget.pk}/overrun/",
        "grants": f"{admin}/grant/",
        "grant": f"{admin}/grant/{grant.pk}/change/",
        "programmes": f"{admin}/fundingprogramme/",
        "ledger": f"{admin}/ledgerentry/",
        "changes": f"{admin}/applicationstatuschange/",
        "templates": f"{admin}/reasontemplate/",
        "template": f"{admin}/reasontemplate/{template.pk}/change/",
    }


def faults_of(page: Page, name: str, width: int) -> list[str]:
    """What axe finds, and whether the page is wider than the screen."""
    found = [f"{name}: {violation}" for violation in axe_violations(page)]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*found, f"{name}: {wide} pixels wide"] if wide > width else found


@pytest.mark.parametrize(("width", "scheme"), PAGE_WAYS)
def test_no_page_has_a_fault(pages: Pages, approver: User, budget: Budget, width: int, scheme: Any) -> None:
    page = pages.open(approver, viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = []
    for name, address in addresses(approver, budget).items():
        assert page.goto(address).status == 200
        found += faults_of(page, name, width)
    assert found == []


@pytest.mark.parametrize(("width", "scheme"), STEP_WAYS)
def test_no_step_has_a_fault(pages: Pages, approver: User, budget: Budget, width: int, scheme: Any) -> None:
    """Errors, confirmation, preview, outcome, and what the one reads who comes second."""
    make_plan("2026-01-01", "2030-12-31")
    application, other = an_application("Tablets", 8, 2), an_application("Beamer", 1)
    page = pages.open(approver, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(desk_of(application))
    page.click(step("check_approve"))
    expect(page.locator("[data-error-summary]")).to_be_focused()
    found = faults_of(page, "errors", width)
    page.select_option("#id_budget", str(budget.pk))
    page.locator("details[data-choice=reject] summary").click()
    page.get_by_text("Budget bewusst überschreiten").click()
    page.get_by_text("Anderes Budget für diese Position").first.click()
    found += faults_of(page, "all open", width)
    page.click(step("check_approve"))
    found += faults_of(page, "confirmation", width)
    services.reject(application=application, by=ClerkFactory(), reason="Nein.")
    page.click(step("approve"))
    found += faults_of(page, "second", width)
    page.goto(f"/admin/funding/equipmentapplication/bulk/approve/?ids={application.pk},{other.pk}")
    page.select_option("#id_budget", str(budget.pk))
    page.click(step("preview"))
    found += faults_of(page, "preview", width)
    page.click(step("confirm"))
    found += faults_of(page, "outcome", width)
    assert found == []


def test_clerk_and_auditor_have_no_fault_either(pages: Pages, approver: User, budget: Budget) -> None:
    open_pages = addresses(approver, budget)
    readable = ("queue", "desk", "decided", "budgets", "budget", "ledger", "changes", "history")
    found = []
    for person in (ClerkFactory(), AuditorFactory()):
        page = pages.open(person)
        for name in readable:
            assert page.goto(open_pages[name]).status == 200
            found += faults_of(page, name, 1280)
    assert found == []


def test_an_application_by_oneself_has_no_fault(pages: Pages, budget: Budget) -> None:
    application = make_application()
    by = application.submitted_by
    by.role = "office_approver"
    by.save()
    page = pages.open(by)
    page.goto(desk_of(application))
    expect(page.get_by_text("Eine andere Person genehmigt ihn.")).to_be_visible()
    assert faults_of(page, "own", 1280) == []
