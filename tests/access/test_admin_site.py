"""What the admin does not offer: pages of packages, a second way to change a password, a redirect past the scope."""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from apps.core.admin import ScopeMixin
from apps.schools.models import School
from tests.factories import PASSWORD, AdminFactory, ClerkFactory, SchoolFactory


def test_every_model_of_the_admin_is_the_portals_own_and_scoped() -> None:
    wrong = [str(model) for model, page in admin.site._registry.items() if not isinstance(page, ScopeMixin)]
    assert wrong == []


@pytest.mark.django_db
def test_no_address_leads_past_the_scope_to_a_row(client: Client) -> None:
    """Django's own "view on site" takes any row of any model and says where its page is."""
    foreign = SchoolFactory(foreign=True)
    client.force_login(ClerkFactory())
    kind = ContentType.objects.get_for_model(School).pk
    assert client.get(f"/admin/r/{kind}/{foreign.pk}/").status_code == 404


@pytest.mark.django_db
def test_nobody_tries_passwords_past_the_limit(client: Client) -> None:
    """Whoever is signed in cannot try those of others at the admin's own form."""
    clerk, other = ClerkFactory(), AdminFactory()
    client.force_login(clerk)
    client.post("/admin/login/", {"username": other.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(clerk.pk)


@pytest.mark.django_db
def test_passwords_are_changed_on_the_portals_own_page_only(client: Client) -> None:
    client.force_login(ClerkFactory())
    assert client.get("/admin/password_change/").status_code == 404


@pytest.mark.django_db
def test_the_way_to_a_rows_own_page_stays(client: Client) -> None:
    school = SchoolFactory()
    client.force_login(AdminFactory())
    page = client.get(reverse("admin:schools_school_change", args=[school.pk]))
    assert f'href="{school.get_absolute_url()}"' in page.text
