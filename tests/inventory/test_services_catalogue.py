"""The price of the day, warranties, years of use, and kits that are taken in as one."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import ageing, calculations, selectors, services
from apps.inventory.models import Device, KitSet, Placement, Product, ProductPrice
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


def accessory(model="Stift"):
    kind = factories.DeviceKindFactory(code="accessory", name="Zubehör", countable=False, tracked_singly=False)
    return factories.ProductFactory(kind=kind, manufacturer="Muster", model=model)


@pytest.fixture
def tablet():
    return factories.ProductFactory(manufacturer="Muster", model="Tablet")


@pytest.fixture
def kit(tablet):
    """Two tablets, a projector, two pens that nobody counts."""
    projector = factories.ProductFactory(kind=factories.DeviceKindFactory(projector=True))
    return factories.KitFactory(name="Set", parts=[(tablet, 2), (accessory(), 2), (projector, 1)])


@pytest.mark.parametrize(
    ("day", "price"),
    [(-100, None), (-11, None), (-10, "10.00"), (-6, "10.00"), (-5, "12.50"), (0, "12.50"), (3, "12.50"), (4, "15.00")],
)
def test_the_price_of_the_day_is_the_newest_that_holds(day, price):
    product = factories.ProductFactory(gross_price=None)
    office = factories.ClerkFactory()
    for days, amount in ((4, "15.00"), (-10, "10.00"), (-5, "12.50")):
        services.set_price(product=product, gross_price=Decimal(amount), by=office, valid_from=today() + days * DAY)

    expected = None if price is None else Decimal(price)
    assert Product.objects.priced(today() + day * DAY).get().price_of_day == expected
    assert selectors.prices_on([product.pk], today() + day * DAY) == ({} if price is None else {product.pk: expected})
    assert Product.objects.get().gross_price == Decimal("12.50")


def test_a_product_without_a_price_has_none_and_a_free_one_costs_nothing():
    assert factories.ProductFactory(gross_price=None).gross_price is None
    assert factories.ProductFactory(gross_price=Decimal("0.00")).gross_price == Decimal("0.00")
    assert Product().gross_price is None


def test_a_price_of_the_same_day_is_replaced_and_its_history_kept():
    product, office = factories.ProductFactory(gross_price=None), factories.ClerkFactory()
    services.set_price(product=product, gross_price=Decimal("10.00"), by=office)
    row = services.set_price(product=product, gross_price=Decimal("11.00"), by=office)
    assert product.prices.get().gross_price == Decimal("11.00")
    assert list(row.history.values_list("gross_price", "history_user")) == [
        (Decimal("11.00"), office.pk), (Decimal("10.00"), office.pk),
    ]  # fmt: skip
    with pytest.raises(PermissionDenied):
        services.set_price(product=product, gross_price=Decimal("1.00"), by=factories.CoordinatorFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        ProductPrice.objects.create(product=product, gross_price=Decimal("-1.00"), valid_from=today() - DAY)


@pytest.mark.parametrize("quantity", [1, 30])
def test_prices_of_many_products_are_read_at_once(django_assert_num_queries, quantity):
    for _ in range(quantity):
        factories.ProductFactory(gross_price=Decimal("7.00"))
    with django_assert_num_queries(1):
        assert {product.gross_price for product in Product.objects.priced()} == {Decimal("7.00")}


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-12-31", 24, "2026-12-31"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-11-15", 2, "2025-01-15"),
    ],
)
def test_a_warranty_ends_on_the_same_day_months_later(day, months, expected):
    bought = datetime.date.fromisoformat(day)
    assert calculations.warranty_ends(bought, months) == datetime.date.fromisoformat(expected)
    assert calculations.warranty_ends(None, months) is None
    assert calculations.warranty_ends(bought, None) is None


def test_a_products_own_years_of_use_go_before_those_of_its_kind():
    school, day = factories.SchoolFactory(), today()
    own = factories.ProductFactory(years_of_use=2)
    by_kind = factories.ProductFactory(kind=own.kind)
    for product in (own, by_kind):
        factories.DeviceFactory(product=product, school=school, bought_on=day.replace(day=1, year=day.year - 3))
    assert [ageing.years_of_use(device) for device in Device.objects.order_by("pk")] == [2, 5]
    (row,) = selectors.devices_by_kind(school)
    assert (row.number, row.overdue) == (2, 1)


def test_a_kit_is_taken_in_as_one(kit, tablet):
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    version = school.inputs_version

    devices = services.add_kits(
        kit=kit, quantity=2, by=clerk, school=school, serials=["a1", "a2", "a3"], prices={tablet.pk: Decimal("400.00")},
        since=today() - DAY, bought_on=today() - DAY,
    )  # fmt: skip

    assert [(row.product.model == "Tablet", row.serial, row.price) for row in devices[:4]] == [
        (True, "A1", Decimal("400.00")), (True, "A2", Decimal("400.00")), (True, "A3", Decimal("400.00")),
        (True, "", Decimal("400.00")),
    ]  # fmt: skip
    assert [row.price for row in devices[4:]] == [None, None]
    first, second = KitSet.objects.order_by("pk")
    assert first.accessories == "2 × Muster Stift"
    assert [row.kit_set for row in devices] == [first, first, second, second, first, second]
    assert Device.objects.count() == 6
    assert Placement.objects.on(today()).counted_as("pupils").count() == 4
    assert Placement.objects.on(today()).counted_as("presentation").count() == 2
    school.refresh_from_db()
    assert school.inputs_version > version
    assert devices[0].history.get().kit_set_id == first.pk
    assert set(selectors.kit_companions(devices[0], clerk)) == {devices[1], devices[4]}
    assert set(selectors.kit_companions(factories.DeviceFactory(), clerk)) == set()


def test_a_kit_takes_as_many_statements_whatever_its_number(kit):
    clerk, school = factories.ClerkFactory(), factories.SchoolFactory()
    used = []
    services.add_kits(kit=kit, quantity=1, by=clerk, school=school)  # begins the running numbers
    for quantity in (2, 12):  # SQLite takes more rows in several statements
        with CaptureQueriesContext(connection) as queries:
            services.add_kits(kit=kit, quantity=quantity, by=clerk, school=school)
        used.append(len(queries))
    assert used[0] == used[1]


def test_a_kit_changed_later_does_not_change_what_was_taken_in(kit):
    clerk = factories.ClerkFactory()
    device = services.add_kits(kit=kit, quantity=1, by=clerk)[0]
    kit.parts.filter(product__kind__tracked_singly=False).delete()
    device.refresh_from_db()
    assert device.kit_set.accessories == "2 × Muster Stift"


def test_a_kit_of_accessories_only_and_accessories_alone_are_no_devices():
    clerk, pen = factories.ClerkFactory(), accessory()
    with pytest.raises(DomainError) as no_device:
        services.add_kits(kit=factories.KitFactory(parts=[(pen, 1)]), quantity=1, by=clerk)
    with pytest.raises(DomainError, match="Zubehör") as alone:
        services.add_device(product=pen, by=clerk)
    assert (no_device.value.field, alone.value.field) == ("kit", "product")
    assert (Device.objects.count(), KitSet.objects.count()) == (0, 0)


def test_what_is_refused_takes_in_no_part(kit):
    factories.DeviceFactory(serial="TAKEN")
    with pytest.raises(DomainError) as refused, transaction.atomic():
        services.add_kits(kit=kit, quantity=1, by=factories.ClerkFactory(), serials=["taken"])
    assert refused.value.field == "serials"
    with pytest.raises(PermissionDenied):
        services.add_kits(kit=kit, quantity=1, by=factories.HeadFactory())
    assert (Device.objects.count(), KitSet.objects.count()) == (1, 0)


def test_the_form_takes_in_kits_once_and_the_page_shows_the_other_parts(client, kit):
    school = factories.SchoolFactory()
    coordinator = factories.CoordinatorFactory(schools=[school])
    client.force_login(coordinator)
    data = {"token": str(uuid.uuid4()), "kit": kit.pk, "quantity": "1", "ownership": "bought", "school": school.pk}

    answers = [client.post(reverse("inventory:add"), data) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    first, second, third = Device.objects.order_by("tag")
    page = client.get(first.get_absolute_url()).content.decode()
    assert "Gehört zum Set „Set“" in page
    assert second.tag in page
    assert third.tag in page
    assert "2 × Muster Stift" in page


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"product": "yes", "kit": "yes"}, "product"),
        ({}, "product"),
        ({"kit": "yes", "tag": "X-1"}, "tag"),
        ({"kit": "yes", "price": "10,00"}, "price"),
        ({"kit": "999"}, "kit"),
    ],
)
def test_the_form_takes_either_a_product_or_a_kit(client, kit, tablet, facts, field):
    client.force_login(factories.ClerkFactory())
    keys = {"product": tablet.pk, "kit": kit.pk}
    facts = {name: keys[name] if value == "yes" else value for name, value in facts.items()}
    data = {"token": str(uuid.uuid4()), "quantity": "1", "ownership": "bought", **facts}
    form = client.post(reverse("inventory:add"), data).context["form"]
    assert field in form.errors
    assert Device.objects.count() == 0


def test_kits_that_are_no_longer_used_and_accessories_are_not_offered(client, kit, tablet):
    client.force_login(factories.ClerkFactory())
    form = client.get(reverse("inventory:add")).context["form"]
    assert list(form.fields["kit"].queryset) == [kit]
    assert "Stift" not in {product.model for product in form.fields["product"].queryset}
    kit.is_active = False
    kit.save()
    form = client.get(reverse("inventory:add")).context["form"]
    assert "kit" not in form.fields
    assert form.fields["product"].required


def test_a_product_without_a_price_is_not_put_up_for_applications(client, tablet):
    client.force_login(factories.ClerkFactory())
    data = {"kind": tablet.kind_id, "manufacturer": "Neu", "model": "Neu", "is_active": "on",
            "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 0, "prices-0-gross_price": "",
            "prices-0-valid_from": today().isoformat()}  # fmt: skip
    page = client.post(reverse("admin:inventory_product_add"), data, follow=True)
    assert "einen Preis" in " ".join(str(message) for message in page.context["messages"])
    assert not Product.objects.filter(model="Neu").exists()


def test_the_admins_lists_show_the_price_of_the_day(client, kit, tablet):
    office = factories.ClerkFactory()
    services.set_price(product=tablet, gross_price=Decimal("500.00"), by=office, valid_from=today() + DAY)
    client.force_login(office)
    products = client.get(reverse("admin:inventory_product_changelist")).content.decode()
    assert "449,00" in products
    assert "500,00" not in products
    assert "2.245,00" in client.get(reverse("admin:inventory_kit_changelist")).content.decode()
    no_price = factories.ProductFactory(gross_price=None)
    kit.parts.create(product=no_price, quantity=1)
    assert "2.245,00" not in client.get(reverse("admin:inventory_kit_changelist")).content.decode()
