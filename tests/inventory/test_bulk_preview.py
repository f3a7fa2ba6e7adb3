"""The preview of a change of many devices tells the truth: what becomes of each, and what else ends."""

import pytest

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.choices import BulkAction
from apps.inventory.models import Device
from tests import factories
from tests.inventory.bulk import confirmed, shown
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("action", [BulkAction.LOST, BulkAction.STOLEN])
def test_the_preview_of_a_loss_says_which_loans_end_and_what_is_bound(client, clerk, devices, action):
    services.lend_device(device=devices[0], by=clerk)
    Device.objects.filter(pk=devices[1].pk).update(bound_until=today() + DAY, bound_by="48.03-1")
    change = shown(devices, clerk, action)

    plan = services.plan_of(change, clerk)
    page = client.get(change.get_absolute_url()).content.decode()

    assert (plan.ends_loans, [device.tag for device in plan.bound]) == (1, ["A-2"])
    assert "1 laufende Leihe endet" in page
    assert "A-2: " in page
    assert "48.03-1" in page
    other = shown(devices, clerk, "note", note="x").get_absolute_url()
    assert "laufende Leihe" not in client.get(other).content.decode()


@pytest.mark.parametrize(
    ("action", "values", "before", "after"),
    [
        (BulkAction.NOTE, {"note": "Neu."}, "Alt.", "Alt.\nNeu."),
        (BulkAction.OWNERSHIP, {"ownership": "leased"}, "gekauft", "geleast"),
        (BulkAction.REPAIR, {"reason": "Akku"}, "in Gebrauch", "in Reparatur"),
        (BulkAction.RETIRE, {"reason": "alt"}, "in Gebrauch", "ausgesondert"),
        (BulkAction.STOCK, {}, "Overbergschule, 1", "im Lager"),
    ],
)
def test_the_preview_sets_like_against_like(clerk, school, devices, action, values, before, after):
    Device.objects.update(note="Alt.")
    plan = services.plan_of(shown(devices[:1], clerk, action, **values), clerk)
    assert [(row.before, row.after) for row in plan.rows] == [(before, after)]


def test_the_preview_names_a_missing_note_and_no_day_that_the_change_does_not_have(client, clerk, devices):
    change = shown(devices[:2], clerk, BulkAction.NOTE, note="Neu.")
    page = client.get(change.get_absolute_url()).content.decode()
    assert page.count("keine Notiz") == 2
    assert "Ab diesem Tag" not in page
    moved = shown(devices[:1], clerk, BulkAction.STOCK, on=today().isoformat())
    assert "Ab diesem Tag" in client.get(moved.get_absolute_url()).content.decode()


def test_what_stays_behind_of_a_kit_is_named_before_a_move(client, clerk, school):
    kit = factories.KitFactory(parts=[(factories.ProductFactory(), 1), (factories.ProductFactory(), 1)])
    one, other = services.add_kits(kit=kit, quantity=1, school=school, by=clerk)
    target = factories.SchoolFactory()

    change = shown([one], clerk, BulkAction.MOVE, school=target.pk)
    page = client.get(change.get_absolute_url()).content.decode()
    assert services.plan_of(change, clerk).left_behind == [other.tag]
    assert "1 Gerät derselben Sets bleibt zurück" in page
    assert services.plan_of(shown([one, other], clerk, BulkAction.MOVE, school=target.pk), clerk).left_behind == []
    assert services.plan_of(shown([one], clerk, BulkAction.MOVE, school=school.pk, room="9"), clerk).left_behind == []
    assert services.plan_of(shown([one], clerk, "note", note="x"), clerk).left_behind == []
    single = client.get(f"/inventory/{one.tag}/move/").content.decode()
    assert (
        f'Geräte desselben Sets, die bleiben, wo sie sind: <a class="kern-link" href="/inventory/{other.tag}/"'
        in single
    )


def test_what_stands_at_the_school_already_keeps_its_room_where_none_is_asked_for(clerk, school, target, devices):
    coming = factories.DeviceFactory(tag="B-1", school=target, room="9")
    change = shown([*devices, coming], clerk, BulkAction.MOVE, school=school.pk, room="")
    plan = services.plan_of(change, clerk)
    assert [(row.device.tag, row.before, row.after) for row in plan.rows] == [
        ("B-1", "Neue Schule, 9", "Overbergschule")
    ]
    assert plan.refusals == [("Es ist bereits so.", 4, ["A-1", "A-2", "A-3", "A-4"])]
    confirmed(change, clerk)
    assert set(Device.objects.values_list("tag", "room")) == {*((row.tag, "1") for row in devices), ("B-1", "")}


def test_a_device_of_the_school_without_site_comes_to_its_only_one_and_keeps_its_room(clerk, school, devices):
    site = factories.SiteFactory(school=school)
    confirmed(shown(devices[:1], clerk, BulkAction.MOVE, school=school.pk, room=""), clerk)
    moved = Device.objects.get(pk=devices[0].pk)
    assert (moved.site, moved.room) == (site, "1")


@pytest.mark.parametrize("action", [BulkAction.LOST, BulkAction.STOLEN])
def test_the_preview_says_what_cannot_be_set_back_with_one_click(client, clerk, devices, action):
    services.lend_device(device=devices[0], by=clerk)
    services.send_to_repair(device=devices[1], by=clerk)
    change = shown(devices, clerk, action)

    page = client.get(change.get_absolute_url()).content.decode()

    assert "2 Geräte lassen sich danach nicht mit einem Klick zurücksetzen" in page
    assert "Status jetzt: verliehen, in Reparatur." in page
    confirmed(change, clerk)
    undo = services.plan_of(services.begin_undo(token=change.token, by=clerk), clerk)
    assert ([device.tag for device in undo.devices], undo.number_refused) == (["A-3", "A-4"], 2)
    plain = shown(devices[2:], clerk, BulkAction.ROOM, room="7")
    assert "mit einem Klick" not in client.get(plain.get_absolute_url()).content.decode()


def test_a_preview_in_which_nothing_happens_promises_nothing(client, clerk, devices):
    change = shown(devices, clerk, BulkAction.ROOM, room="1")
    page = client.get(change.get_absolute_url()).content.decode()
    assert "Das würde jetzt geschehen:" not in page
    assert "Von diesen Geräten würde sich keines ändern." in page


def test_the_preview_begins_at_its_content(client, clerk, devices):
    change = services.choose_devices(ids=[devices[0].pk], query="", by=clerk)
    answer = client.post(change.get_absolute_url(), {"action": "note", "note": "Neu"})
    assert answer.url == f"{change.get_absolute_url()}#main"
