"""Kits in the draft of an application: a line for each part, in what is empty and below, changed like any other."""

from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.funding.models import EquipmentApplication
from apps.inventory.models import Kit, Product
from tests.factories import CoordinatorFactory, ProductFactory, SchoolFactory
from tests.funding.portal import client_of, form_data, texts

pytestmark = pytest.mark.django_db
NEW = reverse("funding:create")


@pytest.fixture
def client() -> Client:
    return client_of(CoordinatorFactory(schools=[SchoolFactory()]))


@pytest.fixture
def parts() -> list[Product]:
    return [
        ProductFactory(manufacturer="Muster", model=model, gross_price=Decimal(price))
        for model, price in (("Tab 10", "400.00"), ("Stift", "39.50"))
    ]


@pytest.fixture
def kit(parts: list[Product]) -> Kit:
    kit = Kit.objects.create(name="Tablet mit Stiften")
    for product, quantity in zip(parts, (1, 2), strict=True):
        kit.parts.create(product=product, quantity=quantity)
    return kit


def lines_of(page: HttpResponse) -> list[tuple[str, str, str]]:
    forms = page.context["draft"].line_forms
    return [tuple(str(form[name].value() or "") for name in ("product", "quantity", "reason")) for form in forms]


def test_its_parts_become_lines_in_the_empty_one_and_below(client: Client, kit: Kit, parts: list[Product]) -> None:
    page = client.get(NEW)
    assert "Tablet mit Stiften, 479,00 €" in texts(page)
    other = ProductFactory(gross_price=Decimal("10.00"))
    typed = [{"product": other.pk, "quantity": "3", "reason": "Ersatz"}, {"product": "", "quantity": "1"}]

    page = client.post(NEW, form_data(page, typed, action="add_kit", kit=kit.pk, kit_quantity="25"))

    said = "Gehört zum Set „Tablet mit Stiften“"
    assert page.status_code == 200
    assert lines_of(page) == [
        (str(other.pk), "3", "Ersatz"), (str(parts[0].pk), "25", said), (str(parts[1].pk), "50", said),
    ]  # fmt: skip
    assert not EquipmentApplication.objects.exists()

    rows = [dict(zip(("product", "quantity", "reason"), line, strict=True)) for line in lines_of(page)]
    client.post(NEW, form_data(page, rows, action="save"))
    application = EquipmentApplication.objects.get()
    assert list(application.lines.order_by("pk").values_list("product", "quantity")) == [
        (other.pk, 3), (parts[0].pk, 25), (parts[1].pk, 50),
    ]  # fmt: skip


def test_a_removed_line_takes_no_part_of_it(client: Client, kit: Kit, parts: list[Product]) -> None:
    page = client.get(NEW)
    removed = [{"product": "", "quantity": "1", "DELETE": "on"}]
    page = client.post(NEW, form_data(page, removed, action="add_kit", kit=kit.pk, kit_quantity="2"))
    kept = [form for form in page.context["draft"].line_forms if not form["DELETE"].value()]
    assert [form["product"].value() for form in kept] == [str(part.pk) for part in parts]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [({}, "Bitte wählen Sie ein Set."), ({"kit": "0"}, "Bitte wählen Sie ein Set."),
     ({"kit_quantity": "0"}, "mindestens 1"), ({"kit_quantity": "viele"}, "eine ganze Zahl")],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(
    client: Client, kit: Kit, parts: list[Product], sent: dict[str, str], sentence: str
) -> None:
    page = client.get(NEW)
    chosen = {"kit": str(kit.pk) if sent and "kit" not in sent else "", "kit_quantity": "1"} | sent
    typed = [{"product": parts[0].pk, "quantity": "7"}]
    page = client.post(NEW, form_data(page, typed, action="add_kit", **chosen))
    assert page.status_code == 422
    assert sentence in texts(page)
    assert lines_of(page) == [(str(parts[0].pk), "7", "")]


def test_more_lines_than_fit_are_refused(client: Client, kit: Kit, parts: list[Product]) -> None:
    typed = [{"product": parts[0].pk, "quantity": "1"}] * 49
    page = client.post(NEW, form_data(client.get(NEW), typed, action="add_kit", kit=kit.pk, kit_quantity="1"))
    assert page.status_code == 422
    assert "Für seine Positionen ist kein Platz." in texts(page)


def test_a_kit_with_a_part_that_cannot_be_applied_for_is_not_offered(
    client: Client, kit: Kit, parts: list[Product]
) -> None:
    Product.objects.filter(pk=parts[1].pk).update(is_active=False)
    assert "Tablet mit Stiften" not in texts(client.get(NEW))
    assert "Ein Set hinzufügen" not in texts(client.get(NEW))
