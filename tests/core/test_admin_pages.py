"""What all pages of the admin share: the order of the index, headings, amounts and dates as people read them."""

import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import AdminFactory, ApproverFactory, AuditorFactory, DeviceFactory, ProductFactory
from tests.funding.portal import texts

pytestmark = pytest.mark.django_db


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]  # a user
    return client


def test_what_is_needed_daily_stands_first() -> None:
    page = signed_in(ApproverFactory()).get(reverse("admin:index"))
    models = {app["app_label"]: [model["object_name"] for model in app["models"]] for app in page.context["app_list"]}
    assert list(models) == ["funding", "inventory", "schools", "quotas", "tickets", "core"]
    assert models["funding"][:3] == ["EquipmentApplication", "ApplicationRound", "Order"]
    assert models["schools"][0] == "School"
    apps = signed_in(AdminFactory()).get(reverse("admin:index")).context["app_list"]
    assert [app["app_label"] for app in apps][-2:] == ["accounts", "core"]


def test_no_model_is_left_to_the_alphabet() -> None:
    """A new model needs its place in its app's configuration."""
    from django.apps import apps
    from django.contrib import admin

    missing = [
        model.__name__
        for model in admin.site._registry
        if model.__name__ not in getattr(apps.get_app_config(model._meta.app_label), "admin_models", ())
    ]
    assert sorted(missing) == ["Ticket", "User"], "the only ones of their apps"


def test_lists_are_named_as_what_they_are_and_missing_is_said() -> None:
    page = texts(signed_in(ApproverFactory()).get(reverse("admin:tickets_ticket_changelist")))
    assert " Tickets " in page
    assert "auswählen" not in page


def test_amounts_and_dates_in_lists_and_for_those_who_only_read() -> None:
    product = ProductFactory(manufacturer="Muster", model="Tab 10", gross_price=Decimal("1234.56"))
    device = DeviceFactory(product=product, price=Decimal("1100.00"), bought_on=datetime.date(2026, 1, 15))
    auditor = signed_in(AuditorFactory())
    assert "Tab 10 Muster Tablet 1.234,56 €" in texts(auditor.get(reverse("admin:inventory_product_changelist")))
    shown = texts(auditor.get(reverse("admin:inventory_product_change", args=[product.pk])))
    assert "1.234,56 € 01.01.1990" in shown
    shown = texts(auditor.get(reverse("admin:inventory_device_change", args=[device.pk])))
    assert "1.100,00 €" in shown
    assert "15.01.2026" in shown
    assert "Januar" not in shown


@pytest.mark.django_db
def test_the_index_names_its_columns_in_plain_words(client: Client) -> None:
    client.force_login(AdminFactory())
    text = client.get(reverse("admin:index")).content.decode()
    for word in ("Bereich", "Hinzufügen", "Ändern oder ansehen"):
        assert f'<th scope="col">{word}</th>' in text
    assert "Modellname" not in text
