"""Signing in by e-mail address, with the real flow through the client."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from post_office.models import Email

from apps.accounts.models import User
from tests.factories import PASSWORD, CoordinatorFactory

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Wolken-ziehen-2026"


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> None:
    """Rate limits live in the cache; each test begins with none used up. Mail goes into the queue, as it does live."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_signing_in_and_out(client: Client) -> None:
    person = CoordinatorFactory(email="kim@schule.example")
    answer = sign_in(client, "KIM@Schule.Example")
    assert (answer.headers["Location"], client.session["_auth_user_id"]) == ("/", str(person.pk))
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_the_page_that_was_wanted_opens_after_signing_in_but_no_foreign_one(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    form = {"login": "kim@schule.example", "password": PASSWORD}
    assert client.post("/accounts/login/", form | {"next": "/schools/"}).headers["Location"] == "/schools/"
    other = Client()
    assert other.post("/accounts/login/", form | {"next": "https://evil.example/"}).headers["Location"] == "/"


def test_wrong_password_and_unknown_address_look_alike(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    wrong = sign_in(client, "kim@schule.example", "falsch")
    unknown = sign_in(client, "niemand@schule.example", "falsch")
    pattern = r"E-Mail-Adresse und Passwort passen nicht[^<]*"
    sentences = [re.findall(pattern, page.content.decode()) for page in (wrong, unknown)]

    assert sentences[0]
    assert sentences[0] == sentences[1]
    assert not is_signed_in(client)


def test_five_wrong_passwords_lock_the_address_for_a_while(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    CoordinatorFactory(email="other@schule.example")
    for _ in range(5):
        assert sign_in(client, "kim@schule.example", "falsch").status_code == 200
    locked = sign_in(client, "kim@schule.example")

    assert "Zu viele" in locked.content.decode()
    assert not is_signed_in(client)
    assert "Zu viele" in sign_in(Client(), "KIM@schule.example", REMOTE_ADDR="10.0.0.9").content.decode()
    sign_in(client, "other@schule.example")
    assert is_signed_in(client)


def test_many_addresses_from_one_place_are_slowed_down_too(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    for number in range(10):
        sign_in(client, f"a{number}@schule.example", "falsch")

    assert "Zu viele" in sign_in(client, "kim@schule.example").content.decode()
    assert not is_signed_in(client)


def test_a_forgotten_password_is_set_anew_through_a_mail(client: Client) -> None:
    person = CoordinatorFactory(email="kim@schule.example")
    answer = client.post("/accounts/password/reset/", {"email": "kim@schule.example"}, follow=True)
    assert answer.status_code == 200
    mail = Email.objects.get()
    assert (mail.to, mail.subject) == (["kim@schule.example"], "Ihr neues Passwort für das MEP-Portal")
    match = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mail.message)
    assert match
    form = client.get(match[1], follow=True)
    short = client.post(form.request["PATH_INFO"], {"password1": "kurz", "password2": "kurz"})
    assert "12" in short.content.decode()
    client.post(form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.get(pk=person.pk).check_password(NEW_PASSWORD)
    sign_in(client, "kim@schule.example", NEW_PASSWORD)
    assert is_signed_in(client)
    used = Client().get(match[1], follow=True)
    assert "password1" not in used.content.decode()


def test_asking_for_a_new_password_tells_nobody_who_has_an_account(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    pages = [
        client.post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in ("kim@schule.example", "niemand@schule.example")
    ]

    assert pages[0].redirect_chain == pages[1].redirect_chain
    assert [mail.to for mail in Email.objects.order_by("pk")] == [["kim@schule.example"], ["niemand@schule.example"]]
    assert "/key/" not in Email.objects.order_by("pk")[1].message


def test_who_was_deactivated_cannot_sign_in_nor_get_a_link(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example", is_active=False)
    sign_in(client, "kim@schule.example")
    assert not is_signed_in(client)
    client.post("/accounts/password/reset/", {"email": "kim@schule.example"})
    assert not [mail for mail in Email.objects.all() if "/key/" in mail.message]


def test_nobody_signs_up(client: Client) -> None:
    before = User.objects.count()
    client.post(
        "/accounts/signup/", {"email": "neu@schule.example", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )

    assert User.objects.count() == before
    assert not is_signed_in(client)


def test_the_admin_uses_the_same_sign_in(client: Client) -> None:
    CoordinatorFactory(email="kim@schule.example")
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["Location"].startswith("/accounts/login/?next=")
    sign_in(client, "kim@schule.example")
    assert client.get("/admin/", follow=True).status_code == 403


def test_addresses_are_changed_by_the_administrator_only(client: Client) -> None:
    client.force_login(CoordinatorFactory())

    for page in ("email/", "confirm-email/", "login/code/confirm/"):
        assert client.get(f"/accounts/{page}").status_code == 404
