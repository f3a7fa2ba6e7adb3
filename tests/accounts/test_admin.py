"""People in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from post_office.models import Email

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.schools.models import Membership
from tests.factories import AdminFactory, AuditorFactory, ClerkFactory, CoordinatorFactory, SchoolFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"
NO_SCHOOLS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def edit(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])


@pytest.fixture
def admin(client: Client) -> Any:
    user = AdminFactory()
    client.force_login(user)
    return user


def test_a_person_is_made_with_role_and_schools_and_invited(client: Client, admin: Any) -> None:
    schools = [SchoolFactory(), SchoolFactory()]
    sent = {
        "name": "Kim Beispiel",
        "email": "Kim@schule.example",
        "role": "coordinator",
        "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-school": schools[0].pk,
        "memberships-1-school": schools[1].pk,
    }
    answer = client.post(f"{LIST}add/", sent, follow=True)

    person = User.objects.get(email="kim@schule.example")
    assert (person.name, person.role, person.has_usable_password()) == ("Kim Beispiel", Role.COORDINATOR, False)
    assert set(person.memberships.values_list("school", flat=True)) == {row.pk for row in schools}
    assert {record.history_user for record in [*person.history.all(), *Membership.history.all()]} == {admin}
    assert Email.objects.get().to == ["kim@schule.example"]
    assert "geht an kim@schule.example" in answer.content.decode()
    assert client.post(f"{LIST}add/", sent).status_code == 200
    assert (User.objects.count(), Email.objects.count()) == (2, 1)


def test_no_password_is_shown_or_asked_for(client: Client, admin: Any) -> None:
    person = CoordinatorFactory()
    for page in (LIST, f"{LIST}add/", edit(person), reverse("admin:accounts_user_history", args=[person.pk])):
        text = client.get(page).content.decode()
        assert person.password not in text
        assert 'type="password"' not in text


def test_a_person_is_deactivated_and_never_deleted(client: Client, admin: Any) -> None:
    person = CoordinatorFactory()
    guest = Client()
    guest.force_login(person)
    assert guest.get("/schools/").status_code == 200
    client.post(LIST, {"action": "deactivate", "_selected_action": [person.pk, admin.pk]})
    person.refresh_from_db()
    admin.refresh_from_db()

    assert (person.is_active, admin.is_active, person.history.first().history_user) == (False, True, admin)
    assert guest.get("/schools/").status_code == 302
    assert client.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 403
    sent = {"name": person.name, "email": person.email, "role": person.role, "is_active": "on", **NO_SCHOOLS}
    client.post(edit(person), sent)
    person.refresh_from_db()
    assert person.is_active


def test_administrators_cannot_change_their_own_role(client: Client, admin: Any) -> None:
    sent = {"name": admin.name, "email": admin.email, "role": "head", "is_active": "on", **NO_SCHOOLS}
    answer = client.post(edit(admin), sent, follow=True)

    assert "Sie können Ihre eigene Rolle nicht ändern" in answer.content.decode()
    assert User.objects.get(pk=admin.pk).role == Role.ADMIN


def test_links_for_new_passwords(client: Client, admin: Any) -> None:
    people = [CoordinatorFactory(), CoordinatorFactory(), CoordinatorFactory(is_active=False, name="Gesperrt")]
    chosen = [person.pk for person in people]
    answer = client.post(LIST, {"action": "send_password_link", "_selected_action": chosen}, follow=True)

    assert {mail.to[0] for mail in Email.objects.all()} == {people[0].email, people[1].email}
    assert "2 E-Mails sind unterwegs." in answer.content.decode()
    assert "Gesperrt darf sich zurzeit nicht anmelden" in answer.content.decode()


def test_the_auditor_reads_the_office_does_not_see_accounts(client: Client) -> None:
    person = CoordinatorFactory()
    client.force_login(AuditorFactory())
    assert (client.get(LIST).status_code, client.get(edit(person)).status_code) == (200, 200)
    assert client.post(edit(person), {"name": "X"}).status_code == 403
    client.force_login(ClerkFactory())
    assert (client.get(LIST).status_code, client.get(edit(person)).status_code) == (403, 403)
