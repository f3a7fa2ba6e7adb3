"""What the pages about a device's life ask, refuse and show; and the admin's way to the same services."""

import pytest
from django.urls import reverse

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.device_history import SHOWN
from apps.inventory.models import Device
from tests import factories
from tests.inventory.test_services import DAY
from tests.inventory.test_services_life import ALL_DISPOSALS, KEEPERS, bound, in_status, person

pytestmark = pytest.mark.django_db

FREE = {"in_stock", "in_use", "in_repair", "lost", "stolen"}


@pytest.fixture
def school():
    return factories.SchoolFactory()


def page(device, slug="detail"):
    return reverse(f"inventory:{slug}", args=[device.tag])


@pytest.mark.parametrize("role", KEEPERS)
@pytest.mark.parametrize("status", ["in_stock", "in_use", "on_loan", "in_repair", "lost", "stolen", "retired"])
def test_the_portal_lets_a_bound_device_go_by_the_approving_office_only(client, school, status, role):
    device = bound(in_status(status, school))
    client.force_login(person(role, school))
    seen = role != "coordinator" or status != "in_stock"
    slug = "disposal" if status == "retired" else "retire"
    for disposal in (way for way in ALL_DISPOSALS if way):
        data = {"reason": "alt", "disposal": disposal, "binding_reason": "Ersatz da", "on": today().isoformat()}
        response = client.post(page(device, slug), data)
        if not seen:
            assert response.status_code == 404
            continue
        allowed = role == "office_approver" and status in FREE | {"retired"}
        device.refresh_from_db()
        assert (device.status, device.disposal) == (("retired", disposal) if allowed else (status, ""))
        if allowed:
            break
        assert response.url == device.get_absolute_url()
    if seen and role != "office_approver" and status in FREE | {"retired"}:
        shown = client.get(page(device)).content.decode()
        assert "zweckgebunden bis" in shown  # the refusal as a message
        assert page(device, slug) not in shown


def test_the_reason_against_the_binding_is_asked_where_there_is_one(client, school):
    client.force_login(factories.ApproverFactory())
    free, tied = factories.DeviceFactory(school=school), bound(factories.DeviceFactory(school=school))
    assert "binding_reason" not in client.get(page(free, "retire")).context["form"].fields
    response = client.post(page(tied, "retire"), {"reason": "alt", "on": today().isoformat()})
    assert list(response.context["form"].errors) == ["binding_reason"]
    assert Device.objects.get(pk=tied.pk).status == "in_use"


@pytest.mark.parametrize("slug", ["lost", "stolen"])
def test_loss_of_a_bound_device_warns_before_and_after(client, school, slug):
    client.force_login(factories.ClerkFactory())
    device, warning = bound(factories.DeviceFactory(school=school)), "Ersatz für den gleichen Zweck"
    assert warning in client.get(page(device, slug)).content.decode()
    assert warning not in client.get(page(device)).content.decode()
    client.post(page(device, slug), {"reason": "", "on": today().isoformat()})
    assert warning in client.get(page(device)).content.decode()
    free = factories.DeviceFactory(school=school)
    assert warning not in client.get(page(free, slug)).content.decode()


def test_the_office_binds_on_the_devices_page(client, school):
    device, clerk = factories.DeviceFactory(school=school), factories.ClerkFactory()
    client.force_login(clerk)
    until = today() + 99 * DAY
    client.post(page(device, "binding"), {"until": until.isoformat(), "file_reference": "48.03-1"})
    assert f"{until:%d.%m.%Y}" in client.get(page(device)).content.decode()
    earlier = client.post(page(device, "binding"), {"until": "", "file_reference": "", "reason": "weg"})
    assert list(earlier.context["form"].errors) == ["until"]
    assert Device.objects.get().bound_until == until


def test_leased_devices_go_back_and_are_not_sold(client, school):
    device = factories.DeviceFactory(school=school, ownership="leased")
    client.force_login(factories.ClerkFactory())
    form = client.get(page(device, "retire")).context["form"]
    assert [value for value, _label in form.fields["disposal"].choices] == ["", "returned"]
    assert "proceeds" not in form.fields
    client.post(page(device, "retire"), {"reason": "Ende", "disposal": "returned", "on": today().isoformat()})
    assert "an den Eigentümer zurückgegeben" in client.get(page(device)).content.decode()


def test_a_long_history_is_shown_in_part_until_everything_is_asked_for(client, school):
    device, clerk = factories.DeviceFactory(school=school), factories.ClerkFactory()
    for number in range(SHOWN + 2):
        services.change_condition(device=device, by=clerk, condition=("good", "worn")[number % 2])
    client.force_login(clerk)
    short = client.get(page(device)).context
    everything = client.get(page(device), {"history": "all"}).context
    assert (len(short["history"]), short["history_goes_on"]) == (SHOWN, True)
    assert (len(everything["history"]), everything["history_goes_on"]) == (SHOWN + 3, False)
    assert everything["history"][-1].created


@pytest.mark.parametrize("role", ["office_clerk", "office_approver", "it_support", "coordinator", "auditor", "admin"])
def test_the_admin_binds_and_unbinds_by_the_same_rules(client, school, role):
    device = bound(factories.DeviceFactory(school=school))
    until = device.bound_until
    client.force_login(person(role, school))
    address = reverse("admin:inventory_device_change", args=[device.pk])
    data = {"serial": "", "price": "", "note": "", "placements-TOTAL_FORMS": 0, "placements-INITIAL_FORMS": 0,
            "status": "retired", "disposal": "sold", "bound_until": "", "bound_by": "",
            "binding_reason": "Bescheid geändert"}  # fmt: skip

    client.post(address, data)

    device.refresh_from_db()
    assert device.bound_until == (None if role == "office_approver" else until)
    assert (device.status, device.disposal) == ("in_use", "")
    longer = {**data, "bound_until": (today() + 400 * DAY).isoformat(), "bound_by": "48.03-9"}
    client.post(address, longer)
    device.refresh_from_db()
    assert device.bound_by == ("48.03-9" if role in ("office_clerk", "office_approver") else "48.03-7")


def test_the_admin_says_why_a_binding_stays(client, school):
    device = bound(factories.DeviceFactory(school=school))
    client.force_login(factories.ClerkFactory())
    data = {"serial": "", "price": "", "note": "", "placements-TOTAL_FORMS": 0, "placements-INITIAL_FORMS": 0,
            "bound_until": "", "bound_by": ""}  # fmt: skip
    response = client.post(reverse("admin:inventory_device_change", args=[device.pk]), data, follow=True)
    assert "wer im Amt genehmigt" in next(str(message) for message in response.context["messages"])


def test_the_list_shows_bound_devices_or_the_others(client, school):
    tied, over = bound(factories.DeviceFactory(school=school)), bound(factories.DeviceFactory(school=school), days=-1)
    free = factories.DeviceFactory(school=school)
    client.force_login(factories.ClerkFactory())

    def shown(value):
        table = client.get(reverse("inventory:list"), {"binding": value}).context["table"]
        return {row.record.tag for row in table.paginated_rows}

    assert (shown("bound"), shown("free")) == ({tied.tag}, {over.tag, free.tag})
    assert shown("") == {tied.tag, over.tag, free.tag}


def test_the_page_of_a_sold_device_leads_to_no_step(client, school):
    clerk = factories.ClerkFactory()
    client.force_login(clerk)
    retired, sold = (factories.DeviceFactory(school=school) for _number in range(2))
    services.retire_device(device=retired, by=clerk, reason="alt")
    services.retire_device(device=sold, by=clerk, reason="alt", disposal="sold")
    for device, primary in ((retired, True), (sold, False)):
        page = client.get(device.get_absolute_url())
        assert (page.context["main_action"] is not None) == primary
        assert "Ins Lager nehmen" in page.content.decode()


def test_a_bound_device_that_has_left_is_not_said_to_stay(client, school):
    device = bound(factories.DeviceFactory(school=school))
    client.force_login(factories.ApproverFactory())
    sentence = "wird es nicht ausgesondert, verkauft oder abgegeben"
    assert sentence in client.get(page(device)).content.decode()
    services.retire_device(
        device=device, reason="alt", disposal="sold", binding_reason="Ersatz da", by=factories.ApproverFactory()
    )
    assert sentence not in client.get(page(device)).content.decode()


@pytest.mark.parametrize(
    ("role", "tells"), [("coordinator", True), ("office_clerk", False), ("office_approver", False)]
)
def test_only_schools_are_asked_to_tell_the_office_of_a_bound_loss(client, school, role, tells):
    device = bound(in_status("lost", school))
    client.force_login(person(role, school))
    page_of_lost = client.get(page(device)).content.decode()
    assert "für den gleichen Zweck ersetzt" in page_of_lost
    assert ("sagen Sie dem Amt" in page_of_lost) == tells


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("coordinator", "Kein Gerät Ihrer Schulen"),
        ("office_clerk", "Kein Gerät mit dieser Nummer"),
        ("it_support", "Kein Gerät mit dieser Nummer"),
        ("head", "Kein Gerät mit dieser Nummer"),
    ],
)
def test_a_label_of_no_device_is_told_in_words_that_fit_the_reader(client, school, role, words):
    client.force_login(person(role, school))
    answer = client.get("/d/HAM-999999")
    assert (answer.status_code, words in answer.content.decode()) == (404, True)
    assert ("Schulen" in answer.content.decode().partition("<main")[2].partition("</main")[0]) == (
        role == "coordinator"
    )


def test_the_pages_about_the_past_name_the_day_from_which_a_move_holds(client, school):
    clerk, day = factories.ClerkFactory(), today() - 4 * DAY
    device = factories.DeviceFactory(school=school, since=today() - 9 * DAY, by=clerk)
    services.move_device(device=device, school=factories.SchoolFactory(), by=clerk, on=day)
    client.force_login(clerk)

    for address in (page(device), reverse("admin:inventory_device_history", args=[device.pk])):
        assert client.get(address).content.decode().count(f"gilt ab {day:%d.%m.%Y}") == 1
