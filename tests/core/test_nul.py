"""A NUL in an address or a form: a clear answer, on PostgreSQL too, which refuses to compare it."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from apps.accounts.choices import Role
from apps.inventory.codes import read_code
from apps.schools.models import School
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def found(request: HttpRequest) -> HttpResponse:
    return HttpResponse(School.objects.filter(number=request.POST.get("number", "")).count())


urlpatterns = [path("found/", found), path("", include("mepportal.urls"))]


@pytest.mark.parametrize(
    "address",
    [
        "/schools/%00/",
        "/inventory/%00/",
        "/inventory/?q=%00",
        "/d/%00",
        "/quotas/?school_type=%00",
        "/schools/suggest/?school=%00",
        "/admin/core/importrun/?q=a%00b",
    ],
)
def test_nothing_is_found_at_an_address_with_a_nul(client: Client, address: str) -> None:
    client.force_login(UserFactory(role=Role.ADMIN))

    answer = client.get(address)

    assert answer.status_code == 404
    assert "Diese Seite gibt es nicht" in answer.content.decode()


def test_an_encoded_percent_sign_is_none(client: Client) -> None:
    client.force_login(UserFactory(role=Role.ADMIN))
    assert client.get("/inventory/?q=%2500").status_code == 200


@pytest.mark.postgres_only
@pytest.mark.urls("tests.core.test_nul")
def test_a_nul_in_a_form_that_no_field_refused_is_a_request_that_cannot_be_read(client: Client) -> None:
    answer = client.post("/found/", {"number": "\x00"})
    assert answer.status_code == 400
    assert "Diese Anfrage war nicht lesbar" in answer.content.decode()


def test_a_scanned_address_hides_no_nul() -> None:
    assert read_code("http://testserver/d/HAM-1%00") == "HAM-1"
