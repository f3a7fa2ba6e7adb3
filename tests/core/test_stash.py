"""Typed data after the end of a session: back for the same person at the same form, for nobody and nowhere else."""

import datetime
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.core import stash
from tests.factories import PASSWORD, CoordinatorFactory, SchoolFactory
from tests.funding.factories import make_application
from tests.funding.portal import client_of, form_data, messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return SchoolFactory()


@pytest.fixture
def person(school):
    return CoordinatorFactory(schools=[school])


@pytest.fixture
def address(school, person):
    return reverse("funding:edit", args=[make_application("draft", school=school, by=person).pk])


def sign_out(client: Client) -> None:
    """As when the session ran out: the cookie points nowhere."""
    client.cookies.pop(settings.SESSION_COOKIE_NAME)


def sign_in(client: Client, person, target: str):
    return client.post(f"{reverse('account_login')}?next={target}", {"login": person.email, "password": PASSWORD})


def send_signed_out(client: Client, address: str, **typed):
    """Loads the form, loses the session, sends the form."""
    data = form_data(client.get(address), **typed)
    sign_out(client)
    return data, client.post(address, data)


def test_typed_data_comes_back_after_signing_in(address, person):
    client = client_of(person)
    _data, answer = send_signed_out(client, address, title="Beim Schreiben abgemeldet")
    assert answer.url == f"{reverse('account_login')}?next={address}"
    asked = client.get(answer.url)
    assert messages_of(asked) == [
        "Ihre Sitzung war abgelaufen. Bitte melden Sie sich an: Ihre Eingaben bleiben zwei Stunden erhalten."
    ]
    assert sign_in(client, person, address).url == address
    for _reload in range(2):
        shown = client.get(address).content.decode()
        assert 'value="Beim Schreiben abgemeldet"' in shown
        assert "Ihre Eingaben sind wieder da" in shown


def test_once_saved_it_is_gone_and_discarding_works(address, person):
    client = client_of(person)
    data, _answer = send_signed_out(client, address, title="Beim Schreiben abgemeldet")
    sign_in(client, person, address)
    client.post(address, data | {"action": "save"})
    assert "Ihre Eingaben sind wieder da" not in client.get(address).content.decode()
    send_signed_out(client, address, title="Noch einmal")
    sign_in(client, person, address)
    client.post(address, {"action": "drop"})
    assert "Noch einmal" not in client.get(address).content.decode()


def test_a_form_that_saved_itself_is_done_with_too(address, person):
    client = client_of(person)
    data, _answer = send_signed_out(client, address, title="Beim Schreiben abgemeldet")
    sign_in(client, person, address)
    assert client.post(address, data, HTTP_X_AUTOSAVE="1").status_code == 200
    assert "Ihre Eingaben sind wieder da" not in client.get(address).content.decode()


def test_another_person_gets_nothing_even_at_the_same_school(address, person, school):
    colleague = CoordinatorFactory(schools=[school])
    client = client_of(person)
    send_signed_out(client, address, title="Nur meins")
    sign_in(client, colleague, address)
    assert "Nur meins" not in client.get(address).content.decode()
    assert stash.SESSION_KEY not in client.session or client.session[stash.SESSION_KEY] == {}


def test_a_foreign_person_does_not_even_see_the_form(address, person):
    foreign = CoordinatorFactory(schools=[SchoolFactory()])
    client = client_of(person)
    send_signed_out(client, address, title="Nur meins")
    sign_in(client, foreign, address)
    assert client.get(address).status_code == 404
    assert client.session[stash.SESSION_KEY] == {}


@pytest.mark.parametrize("proof", ["", "gefälscht", "OTk6"])
def test_without_proof_nothing_is_kept(address, proof):
    client = Client()
    answer = client.post(address, {"title": "untergeschoben", "stash": proof})
    assert answer.url == f"{reverse('account_login')}?next={address}"
    assert stash.SESSION_KEY not in client.session


def test_kept_data_is_bounded_in_size_number_and_time(address, person, monkeypatch):
    client = client_of(person)
    send_signed_out(client, address, reason="x" * (stash.MAX_CHARACTERS + 1))
    assert stash.SESSION_KEY not in client.session
    client.force_login(person)
    token = stash.stash_token(person)
    sign_out(client)
    for number in range(stash.MAX_FORMS + 2):
        client.post(f"{address}?n={number}", {"title": "t", "stash": token})
    assert len(client.session[stash.SESSION_KEY]) == stash.MAX_FORMS
    client.force_login(person)
    later = stash.clock.now() + datetime.timedelta(seconds=stash.KEEP_AGE + 1)
    monkeypatch.setattr(stash.clock, "now", lambda: later)
    assert "Ihre Eingaben sind wieder da" not in client.get(f"{address}?n=6").content.decode()


def test_a_form_saving_itself_while_signed_out_is_told_so(address, person):
    client = client_of(person)
    data = form_data(client.get(address))
    sign_out(client)
    answer = client.post(address, data, HTTP_X_AUTOSAVE="1")
    assert (answer.status_code, answer.json()["message"].split(":")[0]) == (401, "Nicht gespeichert")
    assert client.post(address, data, HTTP_HX_REQUEST="true").status_code == 401


def test_signing_in_again_in_a_second_tab_loses_nothing(address, person):
    """The first tab's security token is old then; the signed field proves that the form came from here."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    data = form_data(client.get(address), title="Alter Tab")
    answer = client.post(address, data | {"csrfmiddlewaretoken": "x" * 64})
    assert answer.url == address
    shown = client.get(address).content.decode()
    assert 'value="Alter Tab"' in shown
    refused = client.post(address, {"title": "Fremde Seite", "csrfmiddlewaretoken": "x" * 64})
    assert refused.status_code == 403
    foreign = data | {"stash": stash.stash_token(get_user_model()(pk=person.pk + 1))}
    assert client.post(address, foreign).status_code == 403


def test_the_answer_to_a_question_comes_back_too(school, person):
    application = make_application("returned", school=school, by=person)
    client = client_of(person)
    token = stash.stash_token(person)
    sign_out(client)
    address = reverse("funding:answer", args=[application.pk])
    assert client.post(address, {"text": "Für den Chor", "stash": token}).url.endswith(f"?next={address}")
    sign_in(client, person, address)
    shown = client.get(address).content.decode()
    assert "Für den Chor" in shown
    assert application.messages.count() == 1


def test_a_form_that_grew_old_leads_back_to_its_page_or_to_the_sign_in(person):
    browser = Client(enforce_csrf_checks=True)
    address = reverse("core:run_job", args=["quotas.recalculate_all"])
    assert f'href="{reverse("account_login")}?{urlencode({"next": address})}"' in browser.post(address).text
    browser.force_login(person)
    answer = browser.post(address)
    assert answer.status_code == 403
    assert f'href="{address}"' in answer.text
    assert "Zurück zur Seite" in answer.text
