"""The preview of a change of many devices tells the truth: what becomes of each, and what else ends."""

import pytest

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.choices import BulkAction
from apps.inventory.models import Device
from tests import factories
from tests.inventory.bulk import shown
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


def test_the_preview_begins_at_its_content(client, clerk, devices):
    change = services.choose_devices(ids=[devices[0].pk], query="", by=clerk)
    answer = client.post(change.get_absolute_url(), {"action": "note", "note": "Neu"})
    assert answer.url == f"{change.get_absolute_url()}#main"
