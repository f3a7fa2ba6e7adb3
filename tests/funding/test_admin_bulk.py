"""Several applications at once: the numbers of the preview, and that what happens is what was shown."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from post_office.models import Email

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.funding import services
from apps.funding.admin.chosen import LIMIT
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models import Budget, EquipmentApplication, LedgerEntry, ReasonTemplate, Reservation
from tests.factories import ApproverFactory, ClerkFactory, DeviceFactory, SchoolFactory, UserFactory
from tests.funding.desk import QUEUE, buttons_of, desk_of, send, state_of, typed_in, written
from tests.funding.factories import BudgetFactory, decide, make_application
from tests.funding.portal import client_of, texts
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
S = ApplicationState
D = Decimal


@pytest.fixture
def client() -> Client:
    return client_of(ApproverFactory())


def bulk(action: str, *applications: EquipmentApplication) -> str:
    ids = ",".join(str(row.pk) for row in applications)
    return f"{reverse('admin:funding_equipmentapplication_bulk', args=[action])}?ids={ids}"


def three(*prices: str) -> list[EquipmentApplication]:
    return [make_application(title=f"Antrag {price}", lines=[(price, 1)]) for price in prices]


def test_the_list_leads_to_a_page_of_its_own(client: Client) -> None:
    first, second, _third = three("1.00", "2.00", "3.00")
    data = {"action": "approve_selected", "_selected_action": [first.pk, second.pk], "index": 0}
    answer = client.post(f"{QUEUE}?q=Antrag", data)
    assert answer.status_code == 302
    page = client.get(answer.url)
    assert [row.application for row in page.context["rows"]] == [first, second]
    assert page.context["list_url"] == f"{QUEUE}?q=Antrag"
    assert state_of(first) == S.SUBMITTED


def test_the_preview_adds_up_and_says_what_would_not_fit(client: Client) -> None:
    """1,000 euros: 600 fit, 500 do not any more, 400 do; the grant pays 90 percent of each."""
    applications = three("600.00", "500.00", "400.00")
    grant = BudgetFactory(name="DigitalPakt", from_grant=True, appropriation=D("900.00"))
    own = BudgetFactory(name="Eigenanteile", appropriation=D("1000.00"))
    before = written()
    page = send(client, bulk("approve", *applications), "preview", budget=grant.pk, own_share_budget=own.pk)
    text = texts(page)
    assert "Die Mittel reichen für 2 von 3 Anträgen." in text
    assert "DigitalPakt 2026 Heute verfügbar 900,00 € Diese Anträge − 900,00 € Danach verfügbar 0,00 €" in text
    assert "Eigenanteile 2026 Heute verfügbar 1.000,00 € Diese Anträge − 100,00 € Danach verfügbar 900,00 €" in text
    assert "Summe 600,00 € DigitalPakt 2026 900,00 € → 360,00 € Eigenanteile 2026 1.000,00 € → 940,00 €" in text
    assert "DigitalPakt 2026 360,00 € verfügbar, 450,00 € nötig" in text
    assert "Die Mittel reichen nicht: Dieser Antrag wird ausgelassen." in text
    assert "Summe 400,00 € DigitalPakt 2026 360,00 € → 0,00 €" in text
    assert written() == before


def test_nothing_possible_offers_no_button(client: Client) -> None:
    address = bulk("approve", *three("600.00", "500.00"))
    page = send(client, address, "preview", budget=BudgetFactory(appropriation=D("10.00")).pk)
    assert "Die Mittel reichen für keinen dieser Anträge. Bitte wählen Sie ein anderes Budget." in texts(page)
    assert ("step=confirm" in buttons_of(page), "step=edit" in buttons_of(page)) == (False, True)
    page = send(client, bulk("reject", make_application(S.REJECTED)), "preview", reason="Nein.")
    assert "Keiner dieser Anträge kann entschieden werden. Warum, steht in der Liste." in texts(page)
    assert "step=confirm" not in buttons_of(page)


def test_what_happens_is_what_was_shown(client: Client) -> None:
    first, second, third = three("600.00", "500.00", "400.00")
    budget = BudgetFactory(name="Schul-IT", appropriation=D("1000.00"))
    address = bulk("approve", first, second, third)
    page = send(client, address, "preview", budget=budget.pk, reason="Alles Gute.")
    answer = send(client, address, "confirm", page)
    text = texts(answer)
    assert [state_of(row) for row in (first, second, third)] == [S.APPROVED, S.SUBMITTED, S.APPROVED]
    assert "2 Anträge genehmigt" in text
    assert "1 Antrag bleibt, wie er war" in text
    assert "sind 400,00 € verfügbar, nötig sind 500,00 €" in text
    assert "Schul-IT 2026 0,00 € verfügbar" in text
    budget.refresh_from_db()
    assert (budget.committed, LedgerEntry.objects.count(), Email.objects.count()) == (D("1000.00"), 2, 2)
    assert first.status_changes.last().reason == "Alles Gute."


def test_the_second_application_of_a_school_starts_where_the_first_ends(client: Client) -> None:
    make_plan("2026-01-01", "2030-12-31")
    school = SchoolFactory()
    count_pupils(school, 100, "2025-10-15")
    for _number in range(4):
        DeviceFactory(school=school)
    first = make_application(school=school, lines=[("1.00", 6)])
    second = make_application(school=school, lines=[("1.00", 10)])
    page = send(client, bulk("approve", first, second), "preview", budget=BudgetFactory().pk)
    text = texts(page)
    assert "Quote der Schule 4,0 % → 10,0 %, Ziel 20,0 %" in text
    assert "Quote der Schule 10,0 % → 20,0 %, Ziel 20,0 %" in text


def test_the_mail_shown_is_the_mail_sent(client: Client) -> None:
    first, second = three("600.00", "500.00")
    address = bulk("approve", first, second)
    page = send(client, address, "preview", budget=BudgetFactory().pk, reason="Alles Gute.")
    (shown,) = page.context["letters"]
    (other,) = client.get(f"{address}&preview=approve&show={second.pk}").context["letters"]
    assert Email.objects.count() == 0
    send(client, address, "confirm", page)
    sent = list(Email.objects.order_by("pk"))
    assert [(mail.to, mail.subject, mail.message) for mail in sent] == [
        ([letter.to], letter.subject, letter.body) for letter in (shown, other)
    ]


def test_what_cannot_be_decided_is_named_and_left_out(client: Client) -> None:
    """One is decided already, one the approver has drafted."""
    decided, free, own = make_application(S.REJECTED), make_application(), make_application()
    approver = User.objects.get(pk=client.session["_auth_user_id"])
    EquipmentApplication.objects.filter(pk=own.pk).update(created_by=approver)
    address = bulk("approve", decided, free, own)
    page = send(client, address, "preview", budget=BudgetFactory().pk)
    assert "Wird ausgelassen: Der Status ist jetzt „abgelehnt“." in texts(page)
    assert "Wird ausgelassen: Sie haben ihn selbst entworfen oder eingereicht" in texts(page)
    answer = send(client, address, "confirm", page)
    assert [row.application.pk for row in answer.context["done"]] == [free.pk]
    assert {row.application.pk for row in answer.context["refused"]} == {decided.pk, own.pk}
    assert [state_of(row) for row in (decided, free, own)] == [S.REJECTED, S.APPROVED, S.SUBMITTED]


def test_confirming_twice_books_once(client: Client) -> None:
    applications = three("1.00", "2.00")
    address = bulk("approve", *applications)
    page = send(client, address, "preview", budget=BudgetFactory().pk)
    send(client, address, "confirm", page)
    after = written()
    answer = send(client, address, "confirm", page)
    assert (len(answer.context["done"]), len(answer.context["refused"])) == (0, 2)
    assert written() == after


@pytest.mark.parametrize(
    ("action", "typed", "sentence"),
    [
        ("approve", {}, "Budget: Bitte wählen Sie ein Budget."),
        ("approve", {"budget": "grant"}, "Bitte wählen Sie das Budget für den Eigenanteil"),
        ("approve", {"budget": "0"}, "Budget:"),
        ("reserve", {}, "Budget: Bitte wählen Sie ein Budget."),
        ("return", {"reason": " "}, "Bitte schreiben Sie, was Sie wissen möchten."),
        ("reject", {}, "Bitte nennen Sie der Schule einen Grund."),
    ],
)
@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_what_is_missing_is_said_and_nothing_happens(
    client: Client, action: str, typed: dict[str, str], sentence: str, step: str
) -> None:
    applications = three("1.00", "2.00")
    grant = BudgetFactory(from_grant=True)
    before = written()
    data = typed | ({"budget": str(grant.pk)} if typed.get("budget") == "grant" else {})
    page = send(client, bulk(action, *applications), step, **data)
    assert sentence in texts(page)
    assert (written(), Reservation.objects.count()) == (before, 0)


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [("return", S.RETURNED, "2 Anträge zurückgegeben"), ("reject", S.REJECTED, "2 Anträge abgelehnt")],
)
def test_one_text_for_several(action: str, state: str, words: str) -> None:
    client = client_of(ClerkFactory())
    applications = three("1.00", "2.00")
    address = bulk(action, *applications)
    kind = ReasonKind.RETURN if action == "return" else ReasonKind.REJECT
    template = ReasonTemplate.objects.create(kind=kind, name="Kurz", text="Bitte Medienkonzept lesen.")
    page = send(client, address, "insert", template=template.pk)
    assert page.context["errors"] == []
    page = send(client, address, "preview", page)
    (letter,) = page.context["letters"]
    answer = send(client, address, "confirm", page)
    assert words in texts(answer)
    assert {state_of(row) for row in applications} == {state}
    assert Email.objects.first().message == letter.body
    assert "Bitte Medienkonzept lesen." in letter.body


def test_pencilling_in_several() -> None:
    client, budget = client_of(ClerkFactory()), BudgetFactory()
    first, second = three("1.00", "2.00")
    gone = make_application(S.WITHDRAWN)
    answer = send(client, bulk("reserve", first, second, gone), "preview", budget=budget.pk)
    assert "2 Anträge vorgemerkt" in texts(answer)
    assert list(Reservation.objects.order_by("application").values_list("application", "amount")) == [
        (first.pk, D("1.00")),
        (second.pk, D("2.00")),
    ]
    assert [row.application.pk for row in answer.context["refused"]] == [gone.pk]


@pytest.mark.parametrize("action", ["approve", "return", "reject"])
def test_every_page_is_there_to_get_and_holds_what_was_typed(client: Client, action: str) -> None:
    """The way back and a reload ask for pages again: none of them may write, and none may have lost anything."""
    applications = three("1.00", "2.00")
    address = bulk(action, *applications)
    typed = {"reason": "Gute Idee."} | ({"budget": str(BudgetFactory().pk)} if action == "approve" else {})
    before = written()
    checked = client.post(address, typed | {"step": "preview"})
    assert (checked.status_code, checked.url) == (302, f"{address}&preview={action}")
    page = client.get(checked.url)
    assert "step=confirm" in buttons_of(page)
    assert typed_in(client.get(address)).items() >= typed.items(), "the form behind the preview"
    edited = client.post(checked.url, typed_in(page) | {"step": "edit", "reason": "Sehr gute Idee."})
    assert edited.url == address
    assert typed_in(client.get(address))["reason"] == "Sehr gute Idee."
    assert written() == before
    done = client.post(checked.url, typed_in(page) | {"step": "confirm"})
    assert done.url == f"{address}&outcome={action}"
    after = written()
    assert [len(client.get(done.url).context["done"]) for _reload in range(2)] == [2, 2]
    assert "step=confirm" not in buttons_of(client.get(checked.url)), "used up"
    assert written() == after


def test_what_was_typed_belongs_to_its_selection(client: Client) -> None:
    first, second = three("1.00", "2.00")
    send(client, bulk("reject", first, second), "preview", reason="Nein.")
    assert typed_in(client.get(bulk("reject", first)))["reason"] == ""
    assert typed_in(client.get(bulk("return", first, second)))["reason"] == ""


def test_the_newest_ten_are_kept(client: Client) -> None:
    applications = [make_application() for _number in range(11)]
    for application in applications:
        send(client, desk_of(application), "fill", reason=f"Zu {application.pk}")
    kept = [typed_in(client.get(desk_of(application)))["reason"] for application in applications]
    assert kept == ["", *(f"Zu {application.pk}" for application in applications[1:])]


MAY = {
    "approve": {Role.OFFICE_APPROVER},
    "reserve": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "return": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "reject": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
}


@pytest.mark.parametrize("action", MAY)
@pytest.mark.parametrize("role", Role.values)
def test_each_action_by_each_role(action: str, role: str) -> None:
    application = make_application()
    user = UserFactory(role=role, schools=[application.school])
    client = client_of(user)
    address, seen = bulk(action, application), f"{application.pk}:{application.revision}"
    data = {"step": "confirm", "budget": str(BudgetFactory().pk), "reason": "Nein.", "seen": seen}
    looked, done = client.get(address), client.post(address, data)
    if role in MAY[action]:
        assert (looked.status_code, done.url) == (200, f"{address}&outcome={action}")
    else:
        refused = 403 if user.is_staff else 302
        assert (looked.status_code, done.status_code, done.get("Location")) == (
            refused,
            refused,
            looked.get("Location"),
        )
    untouched = state_of(application) == S.SUBMITTED and not Reservation.objects.exists()
    assert untouched == (role not in MAY[action])


@pytest.mark.parametrize("ids", ["", "abc", "999999", "1;2", "-1", "draft", "foreign"])
def test_ids_from_elsewhere_do_not_exist(client: Client, ids: str) -> None:
    known = {
        "draft": lambda: make_application(S.DRAFT).pk,
        "foreign": lambda: make_application(school=SchoolFactory(foreign=True)).pk,
    }
    free = make_application()
    key = known[ids]() if ids in known else ids
    address = reverse("admin:funding_equipmentapplication_bulk", args=["reject"])
    query = {"ids": f"{free.pk},{key}" if key else ""}
    assert client.get(address, query).status_code == 404
    data = {"step": "confirm", "reason": "Nein."}
    assert client.post(address, data, query_params=query).status_code == 404
    assert state_of(free) == S.SUBMITTED


def test_an_action_that_does_not_exist_is_404(client: Client) -> None:
    assert client.get(bulk("delete", make_application())).status_code == 404


def test_more_than_the_limit_is_refused_before_anything(client: Client) -> None:
    assert LIMIT == 100
    row = make_application()
    EquipmentApplication.objects.bulk_create(
        EquipmentApplication(
            school=row.school,
            title="Noch einer",
            state=S.SUBMITTED,
            created_by=row.created_by,
            submitted_at=row.submitted_at,
        )
        for _number in range(LIMIT)
    )
    data = {"action": "reject_selected", "_selected_action": [row.pk], "select_across": "1", "index": 0}
    answer = client.post(QUEUE, data)
    assert answer.url == QUEUE
    assert "Bitte wählen Sie höchstens 100 Anträge auf einmal." in texts(client.get(QUEUE))


def preview_queries(client: Client, budget: Budget, applications: list[EquipmentApplication]) -> int:
    data = {"step": "preview", "budget": str(budget.pk), "reason": ""}
    answer = client.post(bulk("approve", *applications), data)
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(answer.url).context["rows"]) == len(applications)
    return len(queries)


def test_the_preview_takes_as_many_queries_for_50_as_for_5(client: Client) -> None:
    make_plan("2026-01-01", "2030-12-31")
    school, budget = SchoolFactory(), BudgetFactory(appropriation=D("100000.00"))
    applications = [make_application(school=school) for _number in range(50)]
    preview_queries(client, budget, applications[:2])
    assert preview_queries(client, budget, applications[:5]) == preview_queries(client, budget, applications)


def test_money_that_went_between_preview_and_confirmation(client: Client) -> None:
    first, second = three("600.00", "300.00")
    budget = BudgetFactory(appropriation=D("1000.00"))
    address = bulk("approve", first, second)
    page = send(client, address, "preview", budget=budget.pk)
    assert "Die Mittel reichen für 2 von 2 Anträgen." in texts(page)
    other = make_application(lines=[("500.00", 1)])
    services.approve(application=other, by=ApproverFactory(), decisions=decide(other, budget))
    answer: Any = send(client, address, "confirm", page)
    assert [row.application.pk for row in answer.context["done"]] == [second.pk]
    assert "sind 500,00 € verfügbar, nötig sind 600,00 €" in texts(answer)


def test_the_outcome_leads_to_each_desk(client: Client) -> None:
    (application,) = three("1.00")
    address = bulk("approve", application)
    page = send(client, address, "preview", budget=BudgetFactory().pk)
    answer: HttpResponse = send(client, address, "confirm", page)
    assert f'href="{desk_of(application)}"' in answer.content.decode()


def test_no_mail_is_offered_where_none_goes_out() -> None:
    clerk, applications = client_of(ClerkFactory()), (make_application(), make_application())
    typed = {"budget": BudgetFactory().pk}
    proposed = send(clerk, bulk("propose", *applications), "preview", **typed)
    assert ("Anträge" in texts(proposed), "Diese Mail zeigen" in texts(proposed)) == (True, False)
    approved = send(client_of(ApproverFactory()), bulk("approve", *applications), "preview", **typed)
    assert "Diese Mail zeigen" in texts(approved)
