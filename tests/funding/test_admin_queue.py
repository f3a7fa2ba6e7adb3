"""The queue: what the office sees of it, who may open it, and that it stays quick."""

import datetime
import re
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core import clock
from apps.funding import services
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from apps.schools.models import School, SocialIndex
from tests.factories import (
    ApproverFactory,
    AuditorFactory,
    ClerkFactory,
    DeviceFactory,
    DeviceKindFactory,
    ProductFactory,
    SchoolFactory,
    SchoolTypeFactory,
    UserFactory,
)
from tests.funding.desk import QUEUE, desk_of
from tests.funding.factories import BudgetFactory, coordinator_of, make_application
from tests.funding.portal import client_of, texts
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
S = ApplicationState
OFFICE = (Role.OFFICE_CLERK, Role.OFFICE_APPROVER)


def waited(application: EquipmentApplication, days: int) -> EquipmentApplication:
    """As if it had been handed in so many days ago."""
    EquipmentApplication.objects.filter(pk=application.pk).update(
        submitted_at=clock.now() - datetime.timedelta(days=days)
    )
    application.refresh_from_db()
    return application


def titles(response: HttpResponse) -> list[str]:
    return [row.title for row in response.context["cl"].result_list]


def cells(response: HttpResponse, column: str) -> list[str]:
    """The texts of a column, row by row."""
    found = re.findall(
        rf'<t[dh][^>]*class="field-{column}[^"]*"[^>]*>(.*?)</t[dh]>', response.content.decode(), re.DOTALL
    )
    plain = (re.sub(r"<[^>]+>", " ", cell).replace("\u202f", " ") for cell in found)
    return [" ".join(cell.split()) for cell in plain]


def test_what_was_handed_in_stands_there_the_longest_waiting_first() -> None:
    waited(make_application(title="Neu"), 1)
    waited(make_application(title="Alt"), 30)
    waited(make_application(title="Heute"), 0)
    for state in (S.DRAFT, S.RETURNED, S.REJECTED, S.WITHDRAWN, S.APPROVED):
        make_application(state, title=f"Anderer {state}")
    page = client_of(ClerkFactory()).get(QUEUE)
    assert titles(page) == ["Alt", "Neu", "Heute"]
    assert cells(page, "age") == ["30 Tage", "1 Tag", "heute"]


def test_drafts_stay_with_the_schools_and_the_auditor() -> None:
    make_application(S.DRAFT, title="Noch nicht fertig")
    for role in OFFICE:
        assert titles(client_of(UserFactory(role=role)).get(QUEUE, {"state": "all"})) == []
        assert titles(client_of(UserFactory(role=role)).get(QUEUE, {"state": "draft"})) == []
    assert titles(client_of(AuditorFactory()).get(QUEUE, {"state": "all"})) == ["Noch nicht fertig"]


def test_a_row_says_sum_quota_target_social_index_and_reservation() -> None:
    """20 of 200 pupils' devices are 10 percent; 30 more, which replace 10, make 20 percent: the target of 1 : 5."""
    make_plan("2026-01-01", "2030-12-31")
    school = SchoolFactory(short_name="Ahornschule")
    count_pupils(school, 200, "2025-10-15")
    kind = DeviceKindFactory()
    product, office = ProductFactory(kind=kind, gross_price=Decimal("450.00")), ClerkFactory()
    for _number in range(20):
        DeviceFactory(product=product, school=school, by=office)
    SocialIndex.objects.create(school=school, school_year="2023/24", level=9)
    SocialIndex.objects.create(school=school, school_year="2024/25", level=6)
    by = coordinator_of(school)
    draft = services.create_draft(
        by=by, school=school, title="Tablets", lines=[LineInput(product.pk, 30, replaces_quantity=10)]
    )
    application = services.submit(application=draft, by=by)
    services.reserve(application=application, budget=BudgetFactory(name="Schul-IT"), by=office)

    page = client_of(office).get(QUEUE)

    assert cells(page, "school_name") == ["Ahornschule Grundschule"]
    assert cells(page, "amount") == ["13.500,00 €"]
    assert cells(page, "quota") == ["10,0 % → 20,0 % Ziel 20,0 %"]
    assert cells(page, "social_index") == ["Stufe 6"]
    assert cells(page, "reserved") == ["Schul-IT 2026"]
    assert cells(page, "state_shown") == ["Eingereicht"]


def test_what_is_not_known_says_so() -> None:
    make_application()
    page = client_of(ClerkFactory()).get(QUEUE)
    assert (cells(page, "quota"), cells(page, "social_index")) == (["keine Angabe"], ["keine Angabe"])
    assert cells(page, "reserved") == ["nicht vorgemerkt"]


def test_nobody_can_sort_by_the_social_index() -> None:
    page = client_of(ClerkFactory()).get(QUEUE)
    assert list(page.context["cl"].sortable_by) == ["age", "school_name"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "muehle"}, ["Für die Mühlenschule"]),
        ({"q": "Mühlen beamer"}, []),
        ({"q": "BEAMER"}, ["Beamer"]),
        ({"school_type": "20"}, ["Beamer"]),
        ({"school_type": "nichts"}, []),
        ({"budget": "none"}, ["Beamer"]),
        ({"state": "returned"}, ["Zurückgegeben"]),
        ({"state": "all"}, ["Für die Mühlenschule", "Beamer", "Zurückgegeben"]),
        ({"year": "2019"}, []),
        ({"year": "keins"}, ["Für die Mühlenschule", "Beamer"]),
    ],
)
def test_filters_and_search(asked: dict[str, str], found: list[str]) -> None:
    mill = SchoolFactory(short_name="Mühlenschule")
    School.objects.filter(pk=mill.pk).update(search_text="muhlenschule muehle")
    grammar = SchoolFactory(school_type=SchoolTypeFactory(key="20", name="Gymnasium"))
    first = waited(make_application(title="Für die Mühlenschule", school=mill), 9)
    waited(make_application(title="Beamer", school=grammar), 5)
    waited(make_application(S.RETURNED, title="Zurückgegeben", school=mill), 1)
    services.reserve(application=first, budget=BudgetFactory(), by=ClerkFactory())
    assert titles(client_of(ClerkFactory()).get(QUEUE, asked)) == found


def test_the_filter_of_reservations_finds_by_budget() -> None:
    budget = BudgetFactory()
    reserved = make_application(title="Vorgemerkt")
    make_application(title="Frei")
    services.reserve(application=reserved, budget=budget, by=ClerkFactory())
    assert titles(client_of(ClerkFactory()).get(QUEUE, {"budget": budget.pk})) == ["Vorgemerkt"]


def test_an_empty_queue_says_why_and_what_to_do() -> None:
    make_application(S.REJECTED)
    client = client_of(ClerkFactory())
    assert "Kein Antrag wartet auf Entscheidung. Alle Anträge zeigen" in texts(client.get(QUEUE))
    assert "Kein Antrag passt zu diesen Filtern." in texts(client.get(QUEUE, {"q": "gibt es nicht"}))


OPENS = {
    None: 302,
    Role.SCHOOL_STAFF: 403,
    Role.COORDINATOR: 403,
    Role.OFFICE_CLERK: 200,
    Role.OFFICE_APPROVER: 200,
    Role.HEAD: 403,
    Role.IT_SUPPORT: 403,
    Role.AUDITOR: 200,
    Role.ADMIN: 403,
}
"""None: nobody is signed in."""


@pytest.mark.parametrize(("role", "status"), OPENS.items())
def test_who_opens_the_queue_and_a_desk(role: Role | None, status: int) -> None:
    application = make_application()
    user = None if role is None else UserFactory(role=role, schools=[application.school])
    client = client_of(user)
    history = reverse("admin:funding_equipmentapplication_history", args=[application.pk])
    for address in (QUEUE, desk_of(application), history):
        assert client.get(address, follow=user is not None).status_code == status


ACTIONS = {
    Role.OFFICE_CLERK: ["propose_selected", "reserve_selected", "return_selected", "reject_selected"],
    Role.OFFICE_APPROVER: [
        "approve_proposed_selected",
        "approve_selected",
        "propose_selected",
        "reserve_selected",
        "return_selected",
        "reject_selected",
    ],
    Role.AUDITOR: [],
}


@pytest.mark.parametrize(("role", "actions"), ACTIONS.items())
def test_which_actions_a_role_is_offered(role: Role, actions: list[str]) -> None:
    make_application()
    form = client_of(UserFactory(role=role)).get(QUEUE).context["action_form"]
    offered = [] if form is None else [name for name, _label in form.fields["action"].choices if name]
    assert offered == actions


def test_what_lies_outside_the_scope_does_not_exist() -> None:
    """Drafts, applications of another authority's schools, and ids that are none."""
    draft = make_application(S.DRAFT)
    foreign = make_application(school=SchoolFactory(foreign=True))
    client = client_of(ApproverFactory())
    assert titles(client.get(QUEUE, {"state": "all"})) == []
    for application in (draft, foreign):
        assert client.get(desk_of(application)).status_code == 404
        assert client.post(desk_of(application), {"step": "approve"}).status_code == 404
        history = reverse("admin:funding_equipmentapplication_history", args=[application.pk])
        assert client.get(history).status_code == 404
    for key in ("999999", "abc", "0"):
        assert client.get(reverse("admin:funding_equipmentapplication_change", args=[key])).status_code == 404


def test_nothing_is_added_or_deleted_here() -> None:
    application = make_application()
    client = client_of(ApproverFactory())
    assert client.get(reverse("admin:funding_equipmentapplication_add")).status_code == 403
    delete = reverse("admin:funding_equipmentapplication_delete", args=[application.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert EquipmentApplication.objects.filter(pk=application.pk).exists()
