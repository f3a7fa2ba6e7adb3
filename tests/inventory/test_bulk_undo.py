"""A change of many devices set back: what goes back, what stays, and the list of exactly what was changed."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.choices import Role
from apps.core import clock, formats
from apps.core.clock import today
from apps.core.errors import StaleError
from apps.core.models import Job
from apps.inventory import services
from apps.inventory.choices import BulkAction, BulkState
from apps.inventory.models import BulkChange, BulkItem, Device
from apps.inventory.services import bulk
from apps.inventory.tasks import forget_changes
from apps.inventory.undoing import facts_of
from apps.schools.models import Membership, School
from tests import factories
from tests.inventory.bulk import confirmed, shown
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db
SINCE = "Es wurde seitdem geändert und bleibt, wie es ist."


def facts(devices):
    return [facts_of(Device.objects.get(pk=device.pk)) for device in devices]


def undone(change, by):
    return confirmed(services.begin_undo(token=change.token, by=by), by)


def test_what_was_lost_in_the_depot_gets_no_school_by_it(clerk, target):
    device = services.report_lost(device=factories.DeviceFactory(), by=clerk)
    change = confirmed(shown([device], clerk, BulkAction.MOVE, school=target.pk), clerk)
    assert change.result["changed"] == 1
    undone(change, clerk)
    device.refresh_from_db()
    assert (device.status, device.school, device.last_school) == ("lost", None, None)


def test_what_is_old_is_forgotten_unless_it_was_undone_lately(clerk, devices):
    long_ago = clock.now() - bulk.KEPT - DAY

    def change_of(device, **values):
        change = confirmed(shown([device], clerk, BulkAction.ROOM, room="5"), clerk)
        BulkChange.objects.filter(pk=change.pk).update(**values)
        return change

    new, old, undone_lately, undone_long_ago = (
        change_of(device, **values) for device, values in zip(devices, ({}, *[{"at": long_ago}] * 3), strict=True)
    )
    lately, before = undone(undone_lately, clerk), undone(undone_long_ago, clerk)
    BulkChange.objects.filter(pk=before.pk).update(at=long_ago)
    waiting = change_of(devices[0], at=long_ago, state=BulkState.WAITING)

    forget_changes()

    assert set(BulkChange.objects.all()) == {new, undone_lately, lately, waiting}
    assert not BulkItem.objects.filter(change__in=[old.pk, undone_long_ago.pk]).exists()


@pytest.mark.parametrize(
    ("action", "values"),
    [
        (BulkAction.MOVE, {"room": "2"}),
        (BulkAction.ROOM, {"room": "3"}),
        (BulkAction.STOCK, {}),
        (BulkAction.REPAIR, {"reason": "Akku"}),
        (BulkAction.LOST, {}),
        (BulkAction.STOLEN, {}),
        (BulkAction.NOTE, {"note": "Leihgabe"}),
        (BulkAction.OWNERSHIP, {"ownership": "leased"}),
        (BulkAction.KIND, {}),
    ],
)
def test_what_a_change_did_goes_back(clerk, target, devices, action, values):
    if action == BulkAction.MOVE:
        values = {**values, "school": target.pk}
    if action == BulkAction.KIND:
        values = {"kind": factories.DeviceKindFactory(projector=True).pk}
    Device.objects.filter(pk=devices[0].pk).update(note="alt")
    if action in (BulkAction.MOVE, BulkAction.ROOM, BulkAction.STOCK, BulkAction.LOST):
        values = {**values, "on": (today() - 3 * DAY).isoformat()}
    before = facts(devices)
    change = confirmed(shown(devices, clerk, action, **values), clerk)
    assert change.result["changed"] == 4
    assert facts(devices) != before

    done = undone(change, clerk)

    assert (done.state, done.result["changed"], done.result["refused"]) == (BulkState.DONE, 4, [])
    assert facts(devices) == before
    device = Device.objects.get(pk=devices[1].pk)
    assert device.history.first().history_change_reason.startswith("Gemeinsame Änderung vom ")
    assert device.history.first().history_change_reason.endswith(f"rückgängig gemacht: {action.label}")
    assert device.history.first().history_user == clerk
    assert placements(device) == [(device.school_id, "1", today() - 9 * DAY, None)]


def placements(device):
    return list(device.placements.order_by("since").values_list("school", "room", "since", "until"))


def test_after_an_undo_a_step_may_be_dated_before_the_change_and_past_figures_stay(clerk, school, target, devices):
    day, before = today() - 3 * DAY, placements(devices[0])
    change = confirmed(shown(devices, clerk, BulkAction.MOVE, school=target.pk, on=day.isoformat()), clerk)
    versions = versions_of(school, target)

    undone(change, clerk)

    assert placements(devices[0]) == before == [(school.pk, "1", today() - 9 * DAY, None)]
    assert all(new > old for new, old in zip(versions_of(school, target), versions, strict=True))
    services.move_device(device=devices[0], school=school, room="4", on=day - DAY, by=clerk)
    assert placements(devices[0]) == [
        (school.pk, "1", today() - 9 * DAY, day - DAY), (school.pk, "4", day - DAY, None)
    ]  # fmt: skip
    assert list(devices[1].history.values_list("school", flat=True)) == [school.pk, target.pk, school.pk]


def versions_of(*schools):
    return [School.objects.get(pk=school.pk).inputs_version for school in schools]


def test_what_counts_otherwise_since_the_day_of_the_change_begins_anew_there(clerk, school, target, devices):
    day = today() - 3 * DAY
    change = confirmed(shown(devices[:1], clerk, BulkAction.MOVE, school=target.pk, on=day.isoformat()), clerk)
    kind = devices[0].kind
    services.change_kind_counting(kind=kind, countable=False, presentation=False, on=day, by=clerk)

    undone(change, clerk)

    rows = devices[0].placements.order_by("since").values_list("school", "since", "until", "countable")
    assert list(rows) == [(school.pk, today() - 9 * DAY, day, True), (school.pk, day, None, False)]


def test_what_counts_otherwise_since_a_later_day_stays_and_says_where_to_put_it_right(clerk, school, target, devices):
    day = today() - 3 * DAY
    change = confirmed(shown(devices[:1], clerk, BulkAction.MOVE, school=target.pk, on=day.isoformat()), clerk)
    services.change_kind_counting(kind=devices[0].kind, countable=False, presentation=False, on=today(), by=clerk)

    plan = services.plan_of(services.begin_undo(token=change.token, by=clerk), clerk)

    sentence = (
        f"Am {formats.day(today())} hat sich noch etwas geändert, deshalb kann es nicht schon vom {formats.day(day)} an"
        f" wieder wie vorher sein. Bitte ändern Sie es auf der Seite des Geräts, frühestens zum {formats.day(today())}."
    )
    assert plan.refusals == [(sentence, 1, ["A-1"])]


def test_what_was_found_at_a_school_is_lost_again_where_it_stood_last(clerk, school, target, devices):
    services.report_lost(device=devices[0], by=clerk)
    change = confirmed(shown(devices[:1], clerk, BulkAction.MOVE, school=target.pk), clerk)

    undone(change, clerk)

    row = Device.objects.get(pk=devices[0].pk)
    assert (row.status, row.school, row.last_school) == ("lost", None, school)


def test_what_was_retired_with_its_whereabouts_is_so_again(clerk, devices):
    services.retire_device(device=devices[0], by=clerk, reason="alt", disposal="sold", proceeds="12.50")
    change = confirmed(shown(devices[:1], clerk, BulkAction.STOCK), clerk)

    undone(change, clerk)

    row = Device.objects.get(pk=devices[0].pk)
    assert (row.status, row.disposal, row.disposed_on, str(row.proceeds)) == ("retired", "sold", today(), "12.50")


def test_what_was_changed_since_is_named_and_left_alone(clerk, school, target, devices):
    change = confirmed(shown(devices, clerk, BulkAction.MOVE, school=target.pk, room="2"), clerk)
    services.move_device(device=devices[1], school=target, room="9", by=clerk)

    undo = services.begin_undo(token=change.token, by=clerk)
    plan = services.plan_of(undo, clerk)
    services.send_to_repair(device=devices[2], by=clerk)
    done = confirmed(undo, clerk)

    assert [device.tag for device in plan.devices] == ["A-1", "A-3", "A-4"]
    assert [(row.before, row.after) for row in plan.rows] == [("Neue Schule, 2", "Overbergschule, 1")] * 3
    assert done.result["refused"] == [[SINCE, 2, ["A-2", "A-3"]]]
    assert [row["room"] for row in facts(devices)] == ["1", "9", "2", "1"]


def test_what_the_workflow_has_no_way_back_for_stays_and_says_so(clerk, devices):
    change = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt"), clerk)

    plan = services.plan_of(services.begin_undo(token=change.token, by=clerk), clerk)

    sentence = (
        "Von „ausgesondert“ führt kein Schritt zurück zu „in Gebrauch“. Bitte wählen Sie den nächsten Schritt auf der"
        " Seite des Geräts."
    )
    assert [(reason, number) for reason, number, _tags in plan.refusals] == [(sentence, 4)]


def test_what_a_grant_binds_meanwhile_is_not_given_back_to_its_owner(clerk, devices):
    change = confirmed(shown(devices, clerk, BulkAction.OWNERSHIP, ownership="donated"), clerk)
    Device.objects.filter(pk=devices[0].pk).update(bound_until=today() + DAY, bound_by="48.03-1")

    done = undone(change, clerk)

    assert (done.result["changed"], done.result["refused"][0][2]) == (3, ["A-1"])
    assert done.result["refused"][0][0].startswith("Eine Förderung bindet es bis zum ")


def test_the_scope_is_that_of_the_moment_and_only_ones_own_change_is_undone(school, target, devices):
    coordinator = factories.CoordinatorFactory(schools=[school, target])
    change = confirmed(shown(devices, coordinator, BulkAction.MOVE, school=target.pk), coordinator)
    Membership.objects.filter(user=coordinator, school=school).delete()
    coordinator = type(coordinator).objects.get(pk=coordinator.pk)

    undo = services.begin_undo(token=change.token, by=coordinator)

    assert services.plan_of(undo, coordinator).refusals == [
        ("Es stand vorher an keiner Ihrer Schulen.", 4, ["A-1", "A-2", "A-3", "A-4"])
    ]
    assert confirmed(undo, coordinator).result["changed"] == 0
    with pytest.raises(StaleError, match="nichts, was rückgängig"):
        services.begin_undo(token=undo.token, by=coordinator)


def test_who_may_no_longer_do_it_may_not_undo_it(clerk, devices):
    change = confirmed(shown(devices, clerk, BulkAction.STOCK), clerk)
    type(clerk).objects.filter(pk=clerk.pk).update(role=Role.COORDINATOR)

    with pytest.raises(PermissionDenied):
        services.begin_undo(token=change.token, by=type(clerk).objects.get(pk=clerk.pk))


def test_begun_twice_it_is_one_and_nothing_is_undone_twice(clerk, devices):
    change = confirmed(shown(devices, clerk, BulkAction.NOTE, note="x"), clerk)

    first, second = (services.begin_undo(token=change.token, by=clerk) for _number in range(2))
    done = confirmed(first, clerk)

    assert first == second
    assert services.begin_undo(token=change.token, by=clerk) == done
    assert confirmed(second, clerk).result == done.result
    assert {device.history.count() for device in devices} == {3}


def test_many_are_set_back_by_the_worker(clerk, devices, monkeypatch):
    change = confirmed(shown(devices, clerk, BulkAction.NOTE, note="x"), clerk)
    monkeypatch.setattr(bulk, "AT_ONCE", 3)

    undo = undone(change, clerk)
    assert (undo.state, undo.job.total) == (BulkState.WAITING, 4)
    services.run_waiting()

    undo.refresh_from_db()
    assert (undo.state, undo.result["changed"], Job.objects.get().state) == (BulkState.DONE, 4, "done")
    assert set(Device.objects.values_list("note", flat=True)) == {""}


# The pages


def test_from_the_outcome_to_the_list_and_back(client, clerk, school, target, devices):
    other = factories.DeviceFactory(school=target)
    change = confirmed(shown(devices[:3], clerk, BulkAction.LOST), clerk)

    page = client.get(change.get_absolute_url())
    assert "Liste der 3 geänderten Geräte" in page.content.decode()
    listed = client.get(page.context["changed_url"])
    assert [row.record.tag for row in listed.context["table"].page] == ["A-1", "A-2", "A-3"]
    assert "Gemeinsam geändert" in listed.content.decode()
    assert other.tag not in listed.content.decode()

    begun = client.post(change.get_absolute_url(), {"undo": "yes"})
    undo = BulkChange.objects.get(undoes=change)
    assert begun.headers["Location"] == f"{undo.get_absolute_url()}#main"
    preview = client.get(undo.get_absolute_url()).content.decode()
    assert "3 Geräte zurücksetzen" in preview
    assert "3 Geräte würden zurückgesetzt" in preview
    assert "Das würde jetzt geschehen:" in preview
    assert "würden geändert" not in preview
    assert "Gemeinsame Änderung rückgängig machen" in preview
    assert "Angaben ändern" not in preview
    assert "<dt>Wird rückgängig gemacht</dt><dd>Als verloren melden</dd>" in preview
    assert Device.objects.filter(status="lost").count() == 3

    client.post(undo.get_absolute_url(), {"confirm": undo.revision})
    outcome = client.get(undo.get_absolute_url()).content.decode()
    assert "3 Geräte sind wieder wie vorher." in outcome
    assert "Liste der 3 zurückgesetzten Geräte" in outcome
    assert "Geänderte Geräte" not in outcome
    assert "<dt>Rückgängig gemacht</dt>" in outcome
    former = client.get(change.get_absolute_url()).content.decode()
    written = formats.moment(datetime.datetime.fromisoformat(BulkChange.objects.get(pk=undo.pk).result["written_at"]))
    assert f"3 Geräte waren geändert, rückgängig gemacht am {written} von {clerk}." in former
    assert "kern-alert--success" not in former
    assert "Was rückgängig gemacht wurde" in former
    assert 'name="undo"' not in former
    assert {row["status"] for row in facts(devices)} == {"in_use"}


def test_the_outcome_says_how_many_of_them_were_undone(client, clerk, school, devices):
    change = confirmed(shown(devices, clerk, BulkAction.ROOM, room="2"), clerk)
    services.move_device(device=devices[1], school=school, room="9", by=clerk)
    undo = undone(change, clerk)

    page = client.get(change.get_absolute_url()).content.decode()

    assert undo.result["changed"] == 3
    moment = formats.moment(datetime.datetime.fromisoformat(undo.result["written_at"]))
    assert f"4 Geräte waren geändert, bei 3 davon rückgängig gemacht am {moment} von {clerk}." in page


def test_an_undo_that_set_nothing_back_may_be_tried_again(client, clerk, school, target, devices):
    change = confirmed(shown(devices[:1], clerk, BulkAction.MOVE, school=target.pk), clerk)
    moved = Device.objects.get(pk=devices[0].pk)
    services.move_device(device=moved, school=target, room="9", by=clerk)
    first = undone(change, clerk)
    assert (first.state, first.result["changed"]) == (BulkState.DONE, 0)
    assert 'name="undo"' in client.get(change.get_absolute_url()).content.decode()
    moved.refresh_from_db()
    services.move_device(device=moved, school=target, room="", by=clerk)

    again = undone(change, clerk)

    assert (again.pk == first.pk, again.result["changed"]) == (False, 1)
    assert services.begin_undo(token=change.token, by=clerk) == again


def test_the_preview_of_an_undo_that_sets_nothing_back_says_so(client, clerk, devices):
    services.lend_device(device=devices[0], by=clerk)
    change = confirmed(shown(devices[:1], clerk, BulkAction.LOST), clerk)
    page = client.get(services.begin_undo(token=change.token, by=clerk).get_absolute_url()).content.decode()
    assert "Von diesen Geräten lässt sich keines zurücksetzen." in page
    assert "Das würde jetzt geschehen:" not in page


def test_the_list_of_a_foreign_change_shows_nothing_of_it(client, clerk, devices):
    other = factories.ClerkFactory()
    change = confirmed(shown(devices[:1], other, BulkAction.NOTE, note="x"), other)
    page = client.get("/inventory/", {"together": str(change.token), "status": "all"})
    assert [row.record.tag for row in page.context["table"].page] == []
    said = page.content.decode()
    assert "Diese Liste zeigt, was jemand auf einmal geändert hat. Nur diese Person sieht sie, 30 Tage lang." in said
    everything, label = page.context["table"].empty_action
    assert (label, f'href="{everything}"' in said) == ("Alle anzeigen", True)
    assert [row.record.tag for row in client.get(f"/inventory/{everything}").context["table"].page][:1] == ["A-1"]
    assert "Nehmen Sie die ersten auf" not in said
    assert "nimmt eine ganze Liste auf" not in said


def test_an_undo_is_not_turned_into_another_change(client, clerk, devices):
    change = confirmed(shown(devices, clerk, BulkAction.NOTE, note="x"), clerk)
    undo = services.begin_undo(token=change.token, by=clerk)

    client.post(undo.get_absolute_url(), {"action": "note", "note": "y"})
    assert client.get(undo.get_absolute_url(), {"action": "note"}).context["plan"].devices

    undo.refresh_from_db()
    assert (undo.values, undo.revision) == ({}, 1)
