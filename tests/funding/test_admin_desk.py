"""The decision screen: what it shows, each decision, and everything that must not happen on it."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.funding import services
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    Budget,
    EquipmentApplication,
    LedgerEntry,
    ReplacedDevice,
    Reservation,
)
from tests.factories import (
    ApproverFactory,
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceFactory,
    ProductFactory,
    SchoolFactory,
    UserFactory,
)
from tests.funding.desk import buttons_of, desk_of, quantity, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, GrantFactory, ProgrammeFactory, make_application
from tests.funding.portal import client_of, texts
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


# What it shows


def test_it_shows_need_lines_what_they_replace_and_the_course(office: Client) -> None:
    school = SchoolFactory(short_name="Ahornschule")
    by = CoordinatorFactory(name="Cem Celik", schools=[school])
    product = ProductFactory(manufacturer="Muster", model="Tab 10", gross_price=D("449.00"))
    lines = [LineInput(product.pk, 12, reason="Jahrgang 5", replaces="alte Tablets", replaces_quantity=2)]
    draft = services.create_draft(by=by, school=school, title="Tablets", reason="Siehe Medienkonzept.", lines=lines)
    for bought_on in (datetime.date(2015, 1, 1), None):
        device = DeviceFactory(product=product, school=school, bought_on=bought_on, by=ClerkFactory())
        ReplacedDevice.objects.create(line=draft.lines.get(), device=device)
    application = services.submit(application=draft, by=by)
    services.return_with_question(application=application, by=ClerkFactory(name="Karla Klein"), question="Wofür?")
    services.answer(application=application, by=by, text="Für drei Klassen.")
    services.submit(application=application, by=by)

    text = texts(office.get(desk_of(application)))

    for expected in (
        "Ahornschule , Grundschule",
        "Eingereicht",
        "Siehe Medienkonzept.",
        "1. Muster Tab 10 Tablet",
        "Beantragt 12 Einzelpreis 449,00 € Summe beantragt 5.388,00 €",
        "Wofür Jahrgang 5",
        "2 Geräte: alte Tablets",
        "Alter nicht bekannt",
        "Nachricht Für drei Klassen. Cem Celik",
        "Nachricht Wofür? Karla Klein",
        "Sozialindex: keine Angabe.",
    ):
        assert expected in text
    assert text.index("Für drei Klassen.") < text.index("Wofür? Karla Klein"), "the newest stands on top"
    assert text.count("Wofür?") == 1, "a question is not said twice"


def test_the_quota_before_and_after_stands_against_its_target(office: Client) -> None:
    """4 of 100 pupils; with 10 of the 20 asked for 14; the target of 1 : 5 are 20 devices."""
    make_plan("2026-01-01", "2030-12-31")
    application = make_application(lines=[("100.00", 20)])
    count_pupils(application.school, 100, "2025-10-15")
    for _number in range(4):
        DeviceFactory(school=application.school)
    page = office.get(desk_of(application))
    assert "Heute 4,0 % · 1 : 25,0 Mit der Genehmigung 24,0 % · 1 : 4,2 Ziel 20,0 % · 1 : 5" in texts(page)
    assert "Das wären 4 Geräte über dem Ziel." in texts(page)
    page = send(office, desk_of(application), "recalculate", **{quantity(application): 10})
    assert "Mit der Genehmigung 14,0 % · 1 : 7,1" in texts(page)
    assert "Zum Ziel würden dann noch 6 Geräte fehlen." in texts(page)


def test_recalculating_shows_each_budget_before_and_after(office: Client, budget: Budget) -> None:
    """3 × 333.33 euros are 999.99; 90 percent rounded down are 899.99, the own share takes 100.00."""
    application = make_application(lines=[("333.33", 3), ("50.00", 4)])
    grant = BudgetFactory(name="DigitalPakt", from_grant=True, appropriation=D("1000.00"))
    services.reserve(application=make_application(), budget=budget, by=ClerkFactory())
    second = list(application.lines.order_by("pk"))[1]
    typed = {"budget": grant.pk, "own_share_budget": budget.pk, f"line-{second.pk}-budget": budget.pk}
    page = send(office, desk_of(application), "recalculate", **typed, **{quantity(application, 1): "2"})
    text = texts(page)
    assert "Zu genehmigen: 1.099,99 € von beantragten 1.199,99 €." in text
    assert "DigitalPakt 2026 Heute verfügbar 1.000,00 € Dieser Antrag − 899,99 € Danach verfügbar 100,01 €" in text
    assert (
        "Schul-IT 2026 Heute verfügbar 10.000,00 € Dieser Antrag − 200,00 € Danach verfügbar 9.800,00 € "
        "Insgesamt vorgemerkt: 1.000,00 €" in text
    )
    assert "Summe der Genehmigung: 100,00 €" in text
    assert written()[2] == 0


def test_the_page_itself_asks_for_the_figures_only(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("500.00", 2)])
    data = typed_in(office.get(desk_of(application))) | {"budget": str(budget.pk), quantity(application): "1"}
    answer = office.post(desk_of(application), data | {"step": "recalculate"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    text = texts(answer)
    assert "Danach verfügbar 9.500,00 €" in text
    assert text.endswith("500,00 € Zu genehmigen: 500,00 €. Schul-IT 2026: danach 9.500,00 € verfügbar. ")


def test_whoever_asked_gets_figures_only_for_what_is_on_the_page(budget: Budget) -> None:
    """Who drafted it neither approves nor proposes and has no fields for quantities: a sum would find no place."""
    clerk, application = ClerkFactory(), make_application(lines=[("500.00", 2)])
    EquipmentApplication.objects.filter(pk=application.pk).update(created_by=clerk)
    office = client_of(clerk)
    page = office.get(desk_of(application)).content.decode()
    data = typed_in(office.get(desk_of(application))) | {"budget": str(budget.pk), "step": "recalculate"}
    answer = office.post(desk_of(application), data, headers={"HX-Request": "true"}).content.decode()
    prefix = quantity(application).removesuffix("-approved_quantity")
    assert (f'id="{prefix}-sum"' in page, f'id="{prefix}-sum"' in answer) == (False, False)
    assert "Danach verfügbar" in answer


def test_what_cannot_be_read_yet_does_not_break_the_figures(office: Client, budget: Budget) -> None:
    application = make_application(lines=[("500.00", 2)])
    for typed in ("", "viele", "-1", "99", "1,5"):
        page = send(office, desk_of(application), "recalculate", budget=budget.pk, **{quantity(application): typed})
        assert "Zu genehmigen: 1.000,00 € von beantragten 1.000,00 €." in texts(page)
        assert typed_in(page)[quantity(application)] == typed


def test_budgets_that_are_not_enough_or_missing_are_said_in_words(office: Client) -> None:
    application = make_application(lines=[("500.00", 2)])
    small = BudgetFactory(name="Klein", appropriation=D("300.00"), virement_group="DK 7")
    grant = BudgetFactory(name="DigitalPakt", from_grant=True)
    assert "Für 1.000,00 € ist noch kein Budget gewählt." in texts(office.get(desk_of(application)))
    page = send(office, desk_of(application), "recalculate", budget=small.pk)
    assert (
        "Reicht nicht: Es fehlen 700,00 €. Budget wählen, das Geld abgibt, und eine Umschichtung vorschlagen"
        " Überschreitung vorschlagen" in texts(page)
    )
    assert f'href="{reverse("admin:funding_budget_overrun", args=[small.pk])}"' in page.content.decode()
    page = send(client_of(ClerkFactory()), desk_of(application), "recalculate", budget=small.pk)
    assert "eine Umschichtung vorschlagen" in texts(page)
    assert "Überschreitung vorschlagen" not in texts(page)
    page = send(office, desk_of(application), "recalculate", budget=grant.pk)
    assert "Für den Eigenanteil von 100,00 € ist noch kein Budget gewählt." in texts(page)


def test_only_budgets_of_this_year_are_offered(office: Client, budget: Budget, settings: Any) -> None:
    BudgetFactory(name="Vorjahr", fiscal_year=budget.fiscal_year - 1)
    text = texts(office.get(desk_of(make_application())))
    assert "Schul-IT 2026 (10.000,00 €)" in text
    assert "Vorjahr" not in text


# Who may do what

STEPS = {
    Role.OFFICE_CLERK: {"reserve", "check_return", "check_reject"},
    Role.OFFICE_APPROVER: {"reserve", "check_return", "check_reject", "check_approve"},
    Role.AUDITOR: set(),
}


@pytest.mark.parametrize(("role", "steps"), STEPS.items())
def test_buttons_are_those_of_the_role(role: Role, steps: set[str], budget: Budget) -> None:
    application = make_application()
    ApproverFactory(name="Bea Brandt")
    page = client_of(UserFactory(role=role)).get(desk_of(application))
    offered = {button.removeprefix("step=") for button in buttons_of(page)}
    assert offered & {"reserve", "check_approve", "check_return", "check_reject"} == steps
    assert ("Diese Personen können es: Bea Brandt" in texts(page)) == (role == Role.OFFICE_CLERK)


ALLOWED = {
    "reserve": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "cancel_reservation": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "check_return": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "return": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "check_reject": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "reject": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "check_approve": {Role.OFFICE_APPROVER},
    "approve": {Role.OFFICE_APPROVER},
}


@pytest.mark.parametrize("step", ALLOWED)
@pytest.mark.parametrize("role", Role.values)
def test_each_step_by_each_role(step: str, role: str, budget: Budget) -> None:
    """Sent by hand, without looking at the page."""
    application = make_application()
    before = written()
    data = {
        "step": step,
        "revision": application.revision,
        "budget": budget.pk,
        "question": "Wofür?",
        "rejection": "Kein Bedarf.",
        quantity(application): "2",
    }
    user = UserFactory(role=role, schools=[application.school])
    answer = client_of(user).post(desk_of(application), data)
    if role in ALLOWED[step]:
        assert answer.status_code in (200, 302)
        assert (state_of(application) != S.SUBMITTED) == (step in {"return", "reject", "approve"})
    else:
        assert answer.status_code == (403 if user.is_staff else 302)
        assert (state_of(application), written()) == (S.SUBMITTED, before)
        assert not Reservation.objects.exists()


def test_whoever_applied_is_told_that_somebody_else_approves(budget: Budget) -> None:
    """A coordinator who has moved to the office meanwhile."""
    application = make_application()
    by = application.submitted_by
    by.role = Role.OFFICE_APPROVER
    by.save()
    office = client_of(by)
    page = office.get(desk_of(application))
    assert "Sie haben diesen Antrag selbst entworfen oder eingereicht." in texts(page)
    assert "step=check_approve" not in buttons_of(page)
    data = {"step": "approve", "revision": application.revision, "budget": budget.pk}
    answer = office.post(desk_of(application), data, follow=True)
    assert "Bitte lassen Sie eine andere Person entscheiden." in texts(answer)
    assert (state_of(application), LedgerEntry.objects.count()) == (S.SUBMITTED, 0)


@pytest.mark.parametrize("step", ["", "delete", "check_", "insert_", "insert_title", "approve2"])
def test_steps_that_do_not_exist_are_refused(office: Client, step: str) -> None:
    application = make_application()
    assert office.post(desk_of(application), {"step": step}).status_code == 400


def test_a_form_without_token_is_refused(approver: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(approver)
    application = make_application()
    answer = strict.post(desk_of(application), {"step": "reject", "rejection": "Kein Bedarf."})
    assert (answer.status_code, state_of(application)) == (403, S.SUBMITTED)


# The auditor


def test_the_auditor_reads_everything_and_finds_no_button(budget: Budget) -> None:
    office = client_of(AuditorFactory())
    for state in S:
        application = make_application(state, budget=budget if state in (S.APPROVED, S.PARTIALLY_APPROVED) else None)
        page = office.get(desk_of(application))
        assert page.status_code == 200
        assert buttons_of(page) == []
        assert str(state.label).lower() in texts(page).lower()


def test_the_history_names_every_change_of_state(office: Client, budget: Budget, approver: User) -> None:
    application = make_application(S.APPROVED, budget=budget)
    page = client_of(AuditorFactory()).get(f"{desk_of(application).removesuffix('change/')}history/")
    assert "Status: eingereicht → genehmigt" in texts(page)
    assert "Status: Entwurf → eingereicht" in texts(page)


def test_a_desk_takes_as_many_queries_for_30_lines_as_for_3(
    office: Client, budget: Budget, django_assert_max_num_queries: Any
) -> None:
    counts = []
    for lines in (3, 30):
        application = make_application(lines=[("1.00", 1)] * lines)
        office.get(desk_of(application))
        with django_assert_max_num_queries(60) as queries:
            office.get(desk_of(application))
        counts.append(len(queries))
        services.reject(application=application, by=ApproverFactory(), reason="Nein.")
    assert counts[0] == counts[1]


def test_the_history_tells_of_each_line(budget: Budget) -> None:
    application = make_application(S.PARTIALLY_APPROVED, budget=budget, lines=[("500.00", 2)])
    text = texts(client_of(AuditorFactory()).get(f"{desk_of(application).removesuffix('change/')}history/"))
    assert "Position 1" in text
    assert "Genehmigte Anzahl: keine Angabe → 1" in text
    assert "Anzahl: 2" in text
    assert "Application" not in text


def test_the_desk_warns_that_the_chosen_money_asks_for_a_concept(office: Client) -> None:
    programme = ProgrammeFactory(requires_media_concept=True)
    asking = BudgetFactory(grant=GrantFactory(programme=programme, rate=Decimal(1)))
    application = make_application()
    sentence = f"„{asking}“ verlangt das Medienkonzept der Schule, und es liegt keines vor"
    assert sentence not in texts(office.get(desk_of(application)))

    typed = send(office, desk_of(application), "recalculate", budget=asking.pk)
    refused = send(office, desk_of(application), "check_approve", budget=asking.pk)

    assert sentence in texts(typed)
    assert "ist Geld eines Programms, das das Medienkonzept der Schule verlangt" in texts(refused)
