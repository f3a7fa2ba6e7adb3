"""The list of imports: where to begin, and what it says while it is empty."""

import pytest
from django.urls import reverse

from apps.core.imports.sources import sources
from apps.core.models import ImportRun
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_empty_list_of_imports_says_how_to_begin_and_offers_each_kind_of_file(client):
    client.force_login(factories.ClerkFactory())

    page = client.get(reverse("admin:core_importrun_changelist")).content.decode()

    assert "Es wurde noch keine Datei importiert. Wählen Sie oben, was Sie importieren möchten." in page
    addresses = [reverse("admin:core_importrun_upload", args=[source.name]) for source in sources()]
    assert addresses
    assert [address for address in addresses if f'href="{address}"' in page] == addresses


def test_who_may_not_import_is_offered_nothing(client):
    client.force_login(factories.AuditorFactory())

    page = client.get(reverse("admin:core_importrun_changelist")).content.decode()

    assert "Es wurde noch keine Datei importiert.</p>" in page
    assert "/upload/" not in page


def test_the_list_of_imports_shows_them_and_a_filter_without_hits_does_not_call_it_empty(client):
    client.force_login(factories.AdminFactory())
    ImportRun.objects.create(source="counts", permission="schools.import_schools", file_name="Zahlen.csv")

    page = client.get(reverse("admin:core_importrun_changelist")).text
    filtered = client.get(reverse("admin:core_importrun_changelist"), {"state__exact": "failed"}).text

    assert "Zahlen.csv" in page
    assert "noch keine Datei importiert" not in page
    assert "Zahlen.csv" not in filtered
    assert "noch keine Datei importiert" not in filtered


@pytest.mark.parametrize("number", ["0", "999999", "abc", "1_2"])
def test_an_import_that_does_not_exist_is_not_found(client, number):
    client.force_login(factories.AdminFactory())

    assert client.get(reverse("admin:core_importrun_change", args=[number])).status_code == 404
