"""The forms to add devices and to act on one: what they ask, refuse and do."""

import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.models import Device
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Overbergschule")


@pytest.fixture
def coordinator(school):
    return factories.CoordinatorFactory(schools=[school])


def add_data(**facts):
    return {"token": str(uuid.uuid4()), "product": factories.ProductFactory().pk, "quantity": "1",
            "ownership": "bought", **facts}  # fmt: skip


def test_a_coordinator_of_one_school_does_not_choose_it(client, school, coordinator):
    factories.SchoolFactory()
    client.force_login(coordinator)

    form = client.get(reverse("inventory:add")).context["form"]
    assert form["school"].is_hidden
    assert form["school"].value() == school.pk
    response = client.post(
        reverse("inventory:add"), add_data(school="120674", quantity="2", serials="a1\n\n a2 ", price="1.234,50")
    )
    assert response.status_code == 200, "a school is chosen by its key"
    data = add_data(school=school.pk, quantity="2", serials="a1\n\n a2 ", price="1.234,50")
    response = client.post(reverse("inventory:add"), data)

    first, second = Device.objects.order_by("tag")
    assert response.url == f"/inventory/?added={data['token']}&sort=-tag"
    assert [(row.serial, str(row.price), row.school) for row in (first, second)] == [
        ("A1", "1234.50", school), ("A2", "1234.50", school),
    ]  # fmt: skip


def test_the_list_after_adding_is_of_the_new_devices_alone(client, school, coordinator):
    client.force_login(coordinator)
    product = factories.ProductFactory()
    factories.DeviceFactory(product=product, school=school)
    for kit in (None, factories.KitFactory(parts=[(product, 1)])):
        what = {"product": product.pk} if kit is None else {"product": "", "kit": kit.pk}
        response = client.post(reverse("inventory:add"), add_data(school=school.pk, quantity="2", **what), follow=True)
        new = Device.objects.order_by("-pk")[:2]
        assert [row.record.tag for row in response.context["table"].rows] == [row.tag for row in new]

    other = factories.CoordinatorFactory(schools=[school])
    client.force_login(other)
    shown = client.get(response.redirect_chain[-1][0])
    assert [*shown.context["table"].rows] == []


def test_the_price_of_the_day_is_offered(client, school, coordinator):
    client.force_login(coordinator)
    product, other = factories.ProductFactory(gross_price=Decimal("1234.50")), factories.ProductFactory()
    other.prices.all().delete()
    page = client.get(reverse("inventory:add"), {"product": product.pk})
    assert page.context["form"]["price"].value() == "1.234,50"
    assert f'<option value="{product.pk}" selected data-price="1.234,50">' in page.content.decode()
    assert f'<option value="{other.pk}">' in page.content.decode()
    typed = client.get(reverse("inventory:add"), {"product": product.pk, "price": "9.50"})
    assert typed.context["form"]["price"].value() == "9,50"
    scan = client.get(reverse("inventory:scan_start")).content.decode()
    assert f'<option value="{product.pk}" data-price="1.234,50">' in scan


def test_sending_the_add_form_twice_adds_once(client, school, coordinator):
    client.force_login(coordinator)
    data = add_data(school=school.pk, quantity="3")

    answers = [client.post(reverse("inventory:add"), data) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
    assert Device.objects.count() == 3


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (lambda: {"serials": "TAKEN"}, "serials"),
        (lambda: {"quantity": "2", "tag": "X-1"}, "tag"),
        (lambda: {"tag": "ä"}, "tag"),
        (lambda: {"since": (today() + DAY).isoformat()}, "since"),
        (lambda: {"since": "1800-01-01"}, "since"),
        (lambda: {"bought_on": today().isoformat(), "since": (today() - DAY).isoformat()}, "since"),
        (lambda: {"bought_on": (today() + DAY).isoformat()}, "bought_on"),
        (lambda: {"quantity": "0"}, "quantity"),
        (lambda: {"quantity": "1", "serials": "a\nb"}, "serials"),
    ],
)
def test_what_the_service_refuses_stands_at_its_field(client, school, facts, field):
    factories.DeviceFactory(serial="TAKEN")
    client.force_login(factories.ClerkFactory())

    response = client.post(reverse("inventory:add"), add_data(school=school.pk, **facts()))

    assert list(response.context["form"].errors) == [field]
    assert Device.objects.count() == 1


def test_the_address_fills_in_the_add_form(client, school):
    product = factories.ProductFactory()
    client.force_login(factories.ClerkFactory())
    query = {"school": "120674", "product": product.pk, "quantity": "12", "price": "449.00"}

    form = client.get(reverse("inventory:add"), query).context["form"]

    assert (form["school"].value(), form["product"].value()) == (school.pk, product.pk)
    assert (form["quantity"].value(), form["price"].value()) == ("12", "449,00")


def test_the_office_may_add_into_the_depot_and_a_coordinator_may_not(client, coordinator):
    client.force_login(factories.ClerkFactory())
    assert client.post(reverse("inventory:add"), add_data()).status_code == 302
    assert Device.objects.get().status == "in_stock"

    client.force_login(coordinator)
    assert list(client.post(reverse("inventory:add"), add_data()).context["form"].errors) == ["school"]


@pytest.mark.parametrize(
    ("start", "slug", "facts", "status"),
    [
        ("in_use", "move", {"room": "R 9"}, "in_use"),
        ("in_use", "repair", {"reason": "Display"}, "in_repair"),
        ("in_repair", "repaired", {}, "in_use"),
        ("in_use", "lend", {"borrower": "pupil", "group": "7b", "due": "school_year", "condition": "good"}, "on_loan"),
        ("on_loan", "returned", {}, "in_use"),
        ("in_use", "stock", {}, "in_stock"),
        ("in_use", "lost", {"reason": ""}, "lost"),
        ("in_use", "stolen", {}, "stolen"),
        ("in_use", "retire", {"reason": "alt"}, "retired"),
        ("in_use", "ownership", {"ownership": "leased"}, "in_use"),
        ("in_use", "edit", {"serial": "neu 1", "price": "12,50"}, "in_use"),
    ],
)
def test_each_form_does_what_its_button_says(client, school, start, slug, facts, status):
    device = factories.DeviceFactory(school=school, since=today() - DAY)
    Device.objects.update(status=start)
    client.force_login(factories.ClerkFactory())
    page = reverse(f"inventory:{slug}", args=[device.tag])
    assert device.tag in client.get(page).content.decode()

    response = client.post(page, {"school": school.pk, "on": today().isoformat(), **facts})

    assert response.url == device.get_absolute_url()
    device.refresh_from_db()
    assert device.status == status
    assert "%" not in next(str(message) for message in client.get(response.url).context["messages"])


def test_the_kind_is_changed_by_the_office(client, school):
    device = factories.DeviceFactory(school=school, since=today() - DAY)
    kind = factories.DeviceKindFactory(projector=True)
    client.force_login(factories.ClerkFactory())

    client.post(reverse("inventory:kind", args=[device.tag]), {"kind": kind.pk, "on": today().isoformat()})

    assert Device.objects.get().kind == kind


def test_what_is_no_longer_possible_leads_back_and_says_so(client, school):
    device = factories.DeviceFactory(school=school)
    services.retire_device(device=device, by=factories.ClerkFactory(), reason="alt")
    client.force_login(factories.ClerkFactory())

    for method in (client.get, client.post):
        response = method(reverse("inventory:retire", args=[device.tag]))
        assert response.url == device.get_absolute_url()
        assert len(client.get(response.url).context["messages"]) == 1


def test_a_refused_action_stays_on_its_form(client, school):
    device = factories.DeviceFactory(school=school, since=today())
    client.force_login(factories.ClerkFactory())
    page = reverse("inventory:retire", args=[device.tag])

    early = client.post(page, {"reason": "alt", "on": (today() - DAY).isoformat()})
    without = client.post(page, {"reason": " ", "on": today().isoformat()})

    assert list(early.context["form"].errors) == ["on"]
    assert early.context["form"]["reason"].value() == "alt"
    assert list(without.context["form"].errors) == ["reason"]
    assert Device.objects.get().status == "in_use"


def test_a_coordinator_cannot_move_a_device_to_a_foreign_school(client, school, coordinator):
    device, foreign = factories.DeviceFactory(school=school), factories.SchoolFactory()
    client.force_login(coordinator)

    response = client.post(
        reverse("inventory:move", args=[device.tag]), {"school": foreign.pk, "on": today().isoformat()}
    )

    assert list(response.context["form"].errors) == ["school"]
    assert Device.objects.get().school == school


@pytest.mark.parametrize(("typed", "recorded"), [("R 1", ""), ("R 2", "R 2"), ("", "")])
def test_the_room_of_the_old_school_is_not_recorded_at_the_new_one(client, school, typed, recorded):
    device, other = factories.DeviceFactory(school=school, room="R 1"), factories.SchoolFactory()
    client.force_login(factories.ClerkFactory())
    page = reverse("inventory:move", args=[device.tag])
    filled_in = client.get(page).context["form"]["filled_in"].value()
    sent = {"school": other.pk, "room": typed, "filled_in": filled_in, "on": today().isoformat()}

    client.post(page, sent)

    device.refresh_from_db()
    assert (device.school, device.room) == (other, recorded)
    client.post(page, sent | {"school": other.pk, "room": "R 7", "filled_in": recorded})
    device.refresh_from_db()
    assert (device.school, device.room) == (other, "R 7")


def test_sites_are_offered_where_a_school_has_several(client, school, coordinator):
    factories.SiteFactory(school=school, is_main=True)
    client.force_login(coordinator)
    assert "site" not in client.get(reverse("inventory:add")).context["form"].fields
    branch = factories.SiteFactory(school=school, name="Zweigstelle")

    form = client.get(reverse("inventory:add")).context["form"]

    assert ("Zweigstelle") in [str(label) for _value, label in form.fields["site"].choices]
    client.post(reverse("inventory:add"), add_data(school=school.pk, site=branch.pk))
    assert Device.objects.get().site == branch
