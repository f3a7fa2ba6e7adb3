"""The admin: what moves a figure goes through services, devices are mostly read."""

from decimal import Decimal

import pytest
from django.urls import reverse

from apps.core.clock import today
from apps.inventory.models import Device, DeviceKind, Product
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


def change_page(row) -> str:
    return reverse(f"admin:inventory_{row._meta.model_name}_change", args=[row.pk])


def kind_data(kind, **facts):
    data = {"name": kind.name, "years_of_use": kind.years_of_use, "source": kind.source, "counts_from": ""}
    data |= {name: "on" for name in ("countable", "presentation", "tracked_singly") if getattr(kind, name)}
    return {name: value for name, value in (data | facts).items() if value is not None}


def prices(new, product=None) -> dict[str, str]:
    """The price list of a product's form: what is on file, and a new price from today on."""
    rows = list(product.prices.order_by("-valid_from")) if product else []
    data = {"prices-TOTAL_FORMS": len(rows) + 1, "prices-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        data |= {f"prices-{number}-id": row.pk, f"prices-{number}-gross_price": f"{row.gross_price}".replace(".", ","),
                 f"prices-{number}-valid_from": row.valid_from.isoformat()}  # fmt: skip
    return data | {f"prices-{len(rows)}-gross_price": new, f"prices-{len(rows)}-valid_from": today().isoformat()}


def test_a_kind_stops_counting_from_the_chosen_day_on(client):
    kind, clerk = factories.DeviceKindFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=factories.SchoolFactory(), since=today() - 5 * DAY)
    client.force_login(clerk)

    response = client.post(
        change_page(kind),
        kind_data(kind, countable=None, years_of_use=4, counts_from=(today() - 2 * DAY).isoformat()),
    )

    assert response.status_code == 302
    kind.refresh_from_db()
    assert (kind.countable, kind.years_of_use) == (False, 4)
    assert list(device.placements.order_by("since").values_list("countable", "until")) == [
        (True, today() - 2 * DAY), (False, None),
    ]  # fmt: skip
    assert {entry.history_user for entry in kind.history.all()[:2]} == {clerk}


def test_a_kind_is_opened_for_loans_to_pupils(client):
    kind, clerk = factories.DeviceKindFactory(printer=True), factories.ClerkFactory()
    client.force_login(clerk)
    client.post(change_page(kind), kind_data(kind, lent_to_pupils="on"))
    kind.refresh_from_db()
    assert (kind.countable, kind.is_for_pupils, kind.history.first().history_user) == (False, True, clerk)


def test_a_day_too_early_is_refused_and_nothing_is_written(client):
    kind = factories.DeviceKindFactory()
    factories.DeviceFactory(school=factories.SchoolFactory(), since=today())
    client.force_login(factories.ClerkFactory())

    response = client.post(
        change_page(kind),
        kind_data(kind, countable=None, years_of_use=4, counts_from=(today() - DAY).isoformat()),
        follow=True,
    )

    assert f"{today():%d.%m.%Y}" in next(str(message) for message in response.context["messages"])
    kind.refresh_from_db()
    assert (kind.countable, kind.years_of_use) == (True, 5)


def test_a_new_kind_and_a_new_product_are_added(client):
    client.force_login(factories.ApproverFactory())

    client.post(reverse("admin:inventory_devicekind_add"),
                {"code": "scanner", "name": "Scanner", "years_of_use": 5, "source": ""})  # fmt: skip
    kind = DeviceKind.objects.get(code="scanner")
    client.post(reverse("admin:inventory_product_add"),
                {"kind": kind.pk, "manufacturer": "Muster", "model": "S1", **prices("1.299,90")})  # fmt: skip

    product = Product.objects.get(kind=kind)
    assert (product.gross_price, product.is_active) == (Decimal("1299.90"), False)


def test_a_renamed_product_is_found_by_its_new_name_and_a_new_price_changes_no_device(client):
    device = factories.DeviceFactory(price=Decimal("449.00"))
    product = device.product
    client.force_login(factories.ClerkFactory())

    client.post(change_page(product), {"kind": product.kind_id, "manufacturer": "Neuwerk", "model": product.model,
                                       "is_active": "on", **prices("500,00", product)})  # fmt: skip

    device.refresh_from_db()
    assert "neuwerk" in device.search_text
    assert device.price == Decimal("449.00")
    product.refresh_from_db()
    assert product.gross_price == Decimal("500.00")


def test_facts_of_a_device_can_be_corrected_and_nothing_else(client):
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school)
    client.force_login(clerk)

    client.post(change_page(device), {"serial": "neu1", "price": "12,50", "note": "n", "status": "retired",
                                      "placements-TOTAL_FORMS": 0, "placements-INITIAL_FORMS": 0})  # fmt: skip

    device.refresh_from_db()
    assert (device.serial, device.price, device.status, device.school) == ("NEU1", Decimal("12.50"), "in_use", school)
    assert device.history.first().history_user == clerk
    assert "neu1" in device.search_text
    assert client.get(reverse("admin:inventory_device_add")).status_code == 403
    assert client.post(reverse("admin:inventory_device_delete", args=[device.pk])).status_code == 403


def test_a_taken_serial_number_is_refused(client):
    device, _other = factories.DeviceFactory(serial="A"), factories.DeviceFactory(serial="B")
    client.force_login(factories.ClerkFactory())

    response = client.post(change_page(device), {"serial": "b", "price": "", "note": "", "placements-TOTAL_FORMS": 0,
                                                 "placements-INITIAL_FORMS": 0}, follow=True)  # fmt: skip

    assert "B" in next(str(message) for message in response.context["messages"])
    device.refresh_from_db()
    assert device.serial == "A"


def test_the_auditor_sees_everything_and_changes_nothing(client):
    device = factories.DeviceFactory(school=factories.SchoolFactory(), since=today() - DAY)
    client.force_login(factories.AuditorFactory())

    for row in (device, device.product, device.kind):
        assert client.get(change_page(row)).status_code == 200
        assert client.post(change_page(row), {}).status_code == 403
    assert Device.objects.get().status == "in_use"


def test_the_change_list_of_devices_is_searched_like_the_portal(client):
    found = factories.DeviceFactory(school=factories.SchoolFactory(short_name="Übergang"))
    factories.DeviceFactory()
    client.force_login(factories.ClerkFactory())

    response = client.get(reverse("admin:inventory_device_changelist"), {"q": "ÜBERG"})

    assert list(response.context["cl"].result_list) == [found]


def test_prices_in_the_catalogue_have_their_unit(client):
    product = factories.ProductFactory(gross_price=Decimal("1489.00"))
    for person, words in (
        (factories.AuditorFactory(), "1.489,00\u202f€"),
        (factories.ClerkFactory(), "Bruttopreis in €"),
    ):
        client.force_login(person)
        assert words in client.get(change_page(product)).content.decode()
