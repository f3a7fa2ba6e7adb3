"""Accounts: made without a password, invited by mail, never deleted."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from post_office.models import Email

from apps.accounts import services
from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.errors import DomainError
from tests.factories import PASSWORD, AdminFactory, CoordinatorFactory

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Wolken-ziehen-2026"


def link(mail: Email) -> str:
    match = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mail.message)
    assert match
    return match[1]


def test_a_new_person_gets_a_link_and_sets_the_own_password(client: Client) -> None:
    admin = AdminFactory()
    person = services.create_person(email=" Kim@Schule.Example ", name="Kim Beispiel", role=Role.COORDINATOR, by=admin)

    assert (person.email, person.has_usable_password(), person.is_active) == ("kim@schule.example", False, True)
    assert person.history.get().history_user == admin
    mail = Email.objects.get()
    assert (mail.to, mail.subject) == (
        ["kim@schule.example"],
        "Ihr Zugang zum MEP-Portal: Bitte legen Sie Ihr Passwort fest",
    )
    assert "Guten Tag, Kim Beispiel," in mail.message
    assert "Ihre Rolle ist: IT-Koordination" in mail.message

    form = client.get(link(mail), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    client.post("/accounts/login/", {"login": "kim@schule.example", "password": NEW_PASSWORD})
    assert client.session["_auth_user_id"] == str(person.pk)
    again = Client().get(link(mail), follow=True)
    assert "password1" not in again.content.decode()


def test_an_address_belongs_to_one_person() -> None:
    CoordinatorFactory(email="kim@schule.example")
    with pytest.raises(DomainError, match="schon eine Person"):
        services.create_person(email="KIM@schule.example", name="K", role=Role.HEAD, by=None)

    assert (User.objects.count(), Email.objects.count()) == (1, 0)


def test_nobody_locks_themself_out() -> None:
    admin = AdminFactory()
    for field, value in (("role", Role.HEAD), ("is_active", False)):
        changed = User.objects.get(pk=admin.pk)
        setattr(changed, field, value)
        with pytest.raises(DomainError, match="eigene Rolle"):
            services.save_person(user=changed, by=admin)
    changed = User.objects.get(pk=admin.pk)
    changed.name = "Anders"
    services.save_person(user=changed, by=admin)

    admin.refresh_from_db()
    assert (admin.name, admin.role, admin.is_active) == ("Anders", Role.ADMIN, True)


def test_saving_keeps_the_password_and_the_former_address_no_longer_signs_in(client: Client) -> None:
    person = CoordinatorFactory(email="alt@schule.example")
    EmailAddress.objects.create(user=person, email="alt@schule.example", primary=True, verified=True)
    person.email = "Neu@Schule.example"
    services.save_person(user=person, by=AdminFactory())
    client.post("/accounts/login/", {"login": "alt@schule.example", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    client.post("/accounts/login/", {"login": "neu@schule.example", "password": PASSWORD})

    assert client.session["_auth_user_id"] == str(person.pk)


def test_who_may_not_sign_in_gets_no_link() -> None:
    with pytest.raises(DomainError, match="darf sich zurzeit nicht anmelden"):
        services.send_password_link(user=CoordinatorFactory(is_active=False))

    assert Email.objects.count() == 0


def test_history_keeps_no_password() -> None:
    person = services.create_person(email="kim@schule.example", name="Kim", role=Role.HEAD, by=None)

    assert not hasattr(person.history.get(), "password")
