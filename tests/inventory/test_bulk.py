"""Many devices at once: the choice, the one write, and what came of it."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import now, today
from apps.core.errors import DomainError, StaleError
from apps.core.models import Job
from apps.inventory import services, views
from apps.inventory.bulk import permission_of
from apps.inventory.choices import BulkAction, BulkState, DeviceStatus
from apps.inventory.models import BulkChange, Device
from apps.inventory.services import bulk
from apps.schools.models import School
from tests import factories
from tests.inventory.bulk import confirmed, shown
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db
CHOOSE = "/inventory/bulk/"


def standing(device):
    row = Device.objects.get(pk=device.pk)
    return row.status, row.school and row.school.number, row.room


@pytest.mark.parametrize(
    ("action", "values", "status", "room"),
    [
        (BulkAction.MOVE, {"room": "2"}, "in_use", "2"),
        (BulkAction.ROOM, {"room": "3"}, "in_use", "3"),
        (BulkAction.STOCK, {}, "in_stock", ""),
        (BulkAction.REPAIR, {"reason": "Akku"}, "in_repair", "1"),
        (BulkAction.RETIRE, {"reason": "alt"}, "retired", ""),
        (BulkAction.LOST, {}, "lost", ""),
        (BulkAction.STOLEN, {}, "stolen", ""),
    ],
)
def test_each_step_does_to_many_what_its_own_page_does_to_one(
    clerk, school, target, devices, action, values, status, room
):
    if action == BulkAction.MOVE:
        values = {**values, "school": target.pk}
    single, *many = devices
    steps = {
        "move": lambda: services.move_device(device=single, school=target, room="2", by=clerk),
        "room": lambda: services.move_device(device=single, school=school, room="3", by=clerk),
        "stock": lambda: services.take_to_stock(device=single, by=clerk),
        "repair": lambda: services.send_to_repair(device=single, by=clerk, reason="Akku"),
        "retire": lambda: services.retire_device(device=single, by=clerk, reason="alt"),
        "lost": lambda: services.report_lost(device=single, by=clerk),
        "stolen": lambda: services.report_stolen(device=single, by=clerk),
    }
    steps[action.value]()

    done = confirmed(shown(many, clerk, action, **values), clerk)

    assert (done.state, done.result["changed"], done.result["refused"]) == (BulkState.DONE, 3, [])
    assert {standing(device) for device in devices} == {standing(single)}
    assert standing(single)[0] == status
    assert standing(single)[2] == room
    facts = {
        (
            tuple(device.placements.order_by("since").values_list("school", "room", "since", "until", "countable")),
            Device.objects.get(pk=device.pk).last_school_id,
            device.history.first().history_change_reason,
            device.history.first().history_user,
            Device.objects.get(pk=device.pk).search_text.replace(device.tag.lower(), ""),
        )
        for device in devices
    }
    assert len(facts) == 1


@pytest.mark.parametrize(("action", "words"), [("lost", "Verloren am "), ("stolen", "Gestohlen am ")])
def test_the_day_of_a_loss_of_many_stands_in_the_history_as_that_of_one(clerk, devices, action, words):
    day = today() - 2 * DAY
    single, *many = devices
    report = {"lost": services.report_lost, "stolen": services.report_stolen}[action]
    report(device=single, by=clerk, on=day, reason="Bei der Inventur")

    confirmed(shown(many, clerk, action, reason="Bei der Inventur", on=day.isoformat()), clerk)

    said = {device.history.first().history_change_reason for device in devices}
    assert said == {f"{words}{day:%d.%m.%Y}: Bei der Inventur"}


def test_corrections_of_many(clerk, devices):
    kind = factories.DeviceKindFactory(projector=True)
    Device.objects.filter(pk=devices[0].pk).update(note="alt")

    confirmed(shown(devices, clerk, BulkAction.NOTE, note="Leihgabe"), clerk)
    confirmed(shown(devices, clerk, BulkAction.OWNERSHIP, ownership="leased"), clerk)
    confirmed(shown(devices, clerk, BulkAction.KIND, kind=kind.pk), clerk)

    rows = list(Device.objects.order_by("tag"))
    assert [row.note for row in rows] == ["alt\nLeihgabe", "Leihgabe", "Leihgabe", "Leihgabe"]
    assert {(row.ownership, row.kind_id) for row in rows} == {("leased", kind.pk)}
    now_open = rows[0].placements.get(until__isnull=True)
    assert (now_open.ownership, now_open.presentation, now_open.since) == ("leased", True, today())


def test_versions_of_the_schools_are_raised_once(clerk, school, target, devices):
    before = {row.pk: row.inputs_version for row in School.objects.all()}

    confirmed(shown(devices, clerk, BulkAction.MOVE, school=target.pk), clerk)

    assert {row.pk: row.inputs_version - before[row.pk] for row in School.objects.all()} == {school.pk: 1, target.pk: 1}


def test_what_cannot_be_done_is_shown_with_its_reason_and_left_alone(clerk, school, target, devices):
    services.send_to_repair(device=devices[0], by=clerk)
    services.move_device(device=devices[1], school=target, by=clerk)
    change = shown(devices, clerk, BulkAction.MOVE, school=target.pk, on=(today() - DAY).isoformat())

    plan = services.plan_of(change, clerk)

    assert [device.tag for device in plan.devices] == ["A-3", "A-4"]
    assert plan.places == [("Overbergschule", 2)]
    assert [(row.before, row.after) for row in plan.rows] == [("Overbergschule, 1", "Neue Schule")] * 2
    assert sorted((reason, tags) for reason, _number, tags in plan.refusals) == [
        ("Das ist jetzt nicht möglich: Das Gerät ist „in Reparatur“.", ["A-1"]),
        ("Es ist bereits so.", ["A-2"]),
    ]
    done = confirmed(change, clerk)
    assert (done.result["changed"], sorted(tags[0] for _reason, _number, tags in done.result["refused"])) == (
        2,
        ["A-1", "A-2"],
    )
    assert standing(devices[0])[0] == DeviceStatus.IN_REPAIR


def test_a_day_before_the_last_change_is_refused_for_those_devices_only(clerk, target, devices):
    services.change_ownership(device=devices[0], ownership="leased", by=clerk, on=today() - 2 * DAY)

    plan = services.plan_of(
        shown(devices, clerk, BulkAction.MOVE, school=target.pk, on=(today() - 5 * DAY).isoformat()), clerk
    )

    assert [device.tag for device in plan.devices] == ["A-2", "A-3", "A-4"]
    assert "Am" in plan.refusals[0][0]
    assert plan.refusals[0][2] == ["A-1"]


def test_a_device_that_a_grant_binds_is_neither_retired_nor_given_away(clerk, devices):
    bound = {"bound_until": today() + DAY, "bound_by": "48.03-1"}
    Device.objects.filter(pk=devices[0].pk).update(**bound)

    for action, values in ((BulkAction.RETIRE, {"reason": "alt"}), (BulkAction.OWNERSHIP, {"ownership": "donated"})):
        plan = services.plan_of(shown(devices, clerk, action, **values), clerk)
        assert len(plan.devices) == 3
        assert plan.refusals[0][0].startswith("Eine Förderung bindet es bis zum")
        assert plan.refusals[0][2] == ["A-1"]
    done = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt"), clerk)
    assert (done.result["changed"], standing(devices[0])[0]) == (3, "in_use")


def test_what_changed_after_it_was_shown_is_not_done_unseen(clerk, target, devices):
    change = shown(devices, clerk, BulkAction.RETIRE, reason="alt")
    services.move_device(device=devices[2], school=target, by=clerk)

    done = confirmed(change, clerk)

    assert done.result["changed"] == 3
    assert done.result["refused"] == [
        ["Es wurde geändert, nachdem es gezeigt wurde. Bitte prüfen Sie es noch einmal.", 1, ["A-3"]]
    ]
    assert standing(devices[2]) == ("in_use", "120675", "")


def test_sent_twice_it_happens_once(clerk, devices):
    change = shown(devices, clerk, BulkAction.NOTE, note="einmal")

    first, second = confirmed(change, clerk), confirmed(change, clerk)

    assert first.result == second.result
    assert set(Device.objects.values_list("note", flat=True)) == {"einmal"}


def test_a_preview_of_another_window_is_not_confirmed(clerk, devices):
    change = shown(devices, clerk, BulkAction.NOTE, note="eins")
    services.show_change(token=change.token, action=BulkAction.RETIRE, values={"reason": "zwei"}, by=clerk)

    with pytest.raises(StaleError, match="anderen Fenster"):
        confirmed(change, clerk)

    assert set(Device.objects.values_list("status", "note")) == {("in_use", "")}


def test_permission_and_scope_are_those_of_the_single_steps(school, target, devices):
    coordinator = factories.CoordinatorFactory(schools=[school])
    foreign = factories.DeviceFactory(school=target)

    assert services.choose_devices(ids=[foreign.pk, devices[0].pk], query="", by=coordinator).ids == [devices[0].pk]
    with pytest.raises(DomainError, match="Kein Gerät"):
        services.choose_devices(ids=[foreign.pk], query="", by=coordinator)
    with pytest.raises(PermissionDenied):
        shown(devices, coordinator, BulkAction.STOCK)
    with pytest.raises(DomainError, match="keine Ihrer Schulen"):
        shown(devices, coordinator, BulkAction.MOVE, school=target.pk)
    other = factories.ClerkFactory()
    with pytest.raises(DomainError, match="nicht mehr da"):
        services.confirm_change(token=shown(devices, coordinator, "note", note="x").token, revision=1, by=other)


def test_what_moved_out_of_sight_since_the_choice_is_left_out(school, target, devices):
    coordinator = factories.CoordinatorFactory(schools=[school])
    change = shown(devices, coordinator, BulkAction.NOTE, note="x")
    services.move_device(device=devices[0], school=target, by=factories.ClerkFactory())

    assert services.plan_of(change, coordinator).gone == 1
    assert confirmed(change, coordinator).result["gone"] == 1
    assert Device.objects.get(pk=devices[0].pk).note == ""


def test_many_are_left_to_the_worker_which_does_them_once(clerk, devices, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    change = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt"), clerk)
    assert (change.state, change.job.total, standing(devices[0])[0]) == (BulkState.WAITING, 4, "in_use")

    assert (services.run_waiting(), services.run_waiting()) == (1, 0)

    change.refresh_from_db()
    assert (change.state, change.result["changed"], Job.objects.get().state) == (BulkState.DONE, 4, "done")
    assert {standing(device)[0] for device in devices} == {"retired"}


def test_the_page_says_how_far_the_worker_is_and_then_shows_the_outcome(client, clerk, devices, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    change = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt"), clerk)
    Job.objects.update(state="running", started_at=now(), beat_at=now(), done=3)

    page = client.get(change.get_absolute_url()).content.decode()
    part = client.get(change.get_absolute_url(), headers={"HX-Request": "true"})

    assert 'role="status"' in page
    for text in (page, part.content.decode()):
        assert '<progress value="3" max="4"' in text
        assert "3 von 4 erledigt" in text
    assert "<html" not in part.content.decode()
    assert "HX-Refresh" not in part.headers
    Job.objects.update(state="queued")
    services.run_waiting()
    assert client.get(change.get_absolute_url(), headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_write_whose_worker_died_changed_nothing_and_says_so(clerk, devices, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    change = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt"), clerk)
    Job.objects.update(state="broken_off")

    assert services.run_waiting() == 0

    change.refresh_from_db()
    assert (change.state, standing(devices[0])[0]) == (BulkState.FAILED, "in_use")
    assert change.result["error"].startswith("Die Verarbeitung wurde unterbrochen, bevor sie fertig war.")


def test_too_many_at_once_are_refused(clerk, devices, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 3)
    with pytest.raises(DomainError, match="zu viele Geräte"):
        services.choose_devices(ids=[device.pk for device in devices], query="", by=clerk)


def test_as_many_statements_for_twenty_devices_as_for_four(clerk, school, target):
    used = []
    for quantity in (4, 20):
        made = services.add_devices(
            product=factories.ProductFactory(), quantity=quantity, by=clerk, school=school, since=today() - 3 * DAY
        )
        change = shown(made, clerk, BulkAction.MOVE, school=target.pk)
        with CaptureQueriesContext(connection) as queries:
            confirmed(change, clerk)
        used.append(len(queries))
    assert used[0] == used[1]


# The pages


def test_from_the_list_to_the_outcome(client, clerk, school, target, devices):
    page = client.get("/inventory/", {"school": "120674"})
    assert 'formaction="/inventory/bulk/?school=120674"' in page.content.decode()

    chosen = client.post("/inventory/bulk/?school=120674", {"ids": [devices[0].pk, devices[1].pk, "x"]})
    address = chosen.headers["Location"]
    assert "2 Geräte sind ausgewählt." in client.get(address).content.decode()
    asked = client.get(address, {"action": "move"})
    assert [field.name for field in asked.context["form"]] == ["school", "room", "on", "action"]
    assert ">An eine Schule umsetzen</h2>" in asked.content.decode()
    wrong = client.post(address, {"action": "move", "school": "", "on": ""})
    assert "school" in wrong.context["form"].errors

    sent = client.post(address, {"action": "move", "school": "120675", "room": "R 7", "on": f"{today():%d.%m.%Y}"})
    assert sent.headers["Location"] == f"{address}#main"
    preview = client.get(address)
    assert "2 Geräte ändern" in preview.content.decode()
    assert "Neue Schule, R 7" in preview.content.decode()
    assert standing(devices[0])[1] == "120674"

    client.post(address, {"confirm": preview.context["change"].revision})
    result = client.get(address).content.decode()
    assert "2 Geräte sind geändert." in result
    assert "/inventory/?school=120674" in result
    assert standing(devices[0]) == ("in_use", "120675", "R 7")
    assert client.get(address, {"action": "retire"}).status_code == 200
    assert "2 Geräte sind geändert." in client.get(address, {"action": "retire"}).content.decode()


def test_all_results_of_a_filter_are_chosen_not_those_of_one_page_only(client, clerk, school, target):
    services.add_devices(product=factories.ProductFactory(), quantity=60, by=clerk, school=school)
    factories.DeviceFactory(school=target)
    page = client.get("/inventory/", {"school": "120674"}).content.decode()
    assert "Alle 60 Ergebnisse ändern oder umsetzen" in page

    client.post("/inventory/bulk/?school=120674", {"all": "1"})

    assert len(BulkChange.objects.get().ids) == 60


def test_more_results_than_can_be_changed_at_once_are_said_to_those_who_may_change(client, clerk, school, monkeypatch):
    services.add_devices(product=factories.ProductFactory(), quantity=60, by=clerk, school=school)
    monkeypatch.setattr(views, "MOST", 59)
    said = (
        "Mehr als 59 Geräte lassen sich nicht auf einmal ändern. Bitte grenzen Sie die Liste ein, zum Beispiel auf eine"
        " Schule."
    )
    page = client.get("/inventory/").content.decode()
    assert said in page
    assert "Ergebnisse ändern oder umsetzen" not in page
    monkeypatch.undo()
    monkeypatch.setattr("apps.core.tables.COUNT_LIMIT", 55)
    assert said.replace("59", "55") in client.get("/inventory/").content.decode()
    client.force_login(factories.AuditorFactory())
    assert "lassen sich nicht auf einmal" not in client.get("/inventory/").content.decode()


def test_a_foreign_change_is_404_and_readers_may_not_begin_one(client, clerk, devices):
    address = shown(devices, factories.ClerkFactory(), "note", note="x").get_absolute_url()
    assert client.get(address).status_code == 404

    client.force_login(factories.AuditorFactory())
    assert client.post(CHOOSE, {"ids": [devices[0].pk]}).status_code == 403
    assert "bulk" not in client.get("/inventory/").content.decode()


def test_every_action_has_the_permission_of_its_step():
    assert {action.value: permission_of(action) for action in BulkAction} == {
        "move": "inventory.move_device",
        "room": "inventory.move_device",
        "stock": "inventory.use_depot",
        "repair": "inventory.change_device",
        "repaired": "inventory.change_device",
        "retire": "inventory.retire_device",
        "lost": "inventory.change_device",
        "stolen": "inventory.change_device",
        "note": "inventory.change_device",
        "ownership": "inventory.change_device",
        "kind": "inventory.classify_device",
    }


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_the_same_moment_write_once(clerk, devices):
    change, results = shown(devices, clerk, BulkAction.NOTE, note="einmal"), []

    def send() -> None:
        try:
            results.append(confirmed(change, clerk).result["changed"])
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [4, 4]
    assert set(Device.objects.values_list("note", flat=True)) == {"einmal"}


@pytest.mark.parametrize("sites", [0, 1, 2])
def test_many_devices_stand_at_a_school_s_only_site(target, devices, sites):
    clerk, made = factories.ClerkFactory(), factories.SiteFactory.create_batch(sites, school=target)
    confirmed(shown(devices, clerk, BulkAction.MOVE, school=target.pk), clerk)
    expected = made[0] if sites == 1 else None
    assert {device.site for device in Device.objects.filter(school=target)} == {expected}
