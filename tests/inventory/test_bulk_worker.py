"""Changes of many devices that the worker makes: how many it has before it, and what happens after it died."""

import pytest

from apps.core.clock import today
from apps.core.errors import StaleError
from apps.core.models import Job
from apps.inventory import services
from apps.inventory.choices import BulkAction, BulkState
from apps.inventory.models import BulkChange, Device
from apps.inventory.services import bulk
from tests.inventory.bulk import confirmed, shown

pytestmark = pytest.mark.django_db


def test_the_page_counts_as_many_devices_as_the_preview_promised(client, clerk, school, devices, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    services.report_lost(device=devices[0], by=clerk)
    change = shown(devices, clerk, BulkAction.REPAIR, reason="Akku")
    preview = client.get(change.get_absolute_url()).content.decode()
    assert "3 Geräte ändern" in preview
    assert 'name="promised" value="3"' in preview

    client.post(change.get_absolute_url(), {"confirm": change.revision, "promised": "3"})

    assert "3 Geräte werden geändert, alle oder keines." in client.get(change.get_absolute_url()).content.decode()
    services.run_waiting()
    change.refresh_from_db()
    assert (change.result["changed"], change.job.total) == (3, 3)


def test_what_was_broken_off_is_tried_again_with_the_same_devices_and_entries(client, clerk, devices, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    change = confirmed(shown(devices, clerk, BulkAction.RETIRE, reason="alt", on=today().isoformat()), clerk)
    Job.objects.update(state="broken_off")
    waits = client.get(change.get_absolute_url()).content.decode()
    assert "Die Verarbeitung wurde abgebrochen, und nichts wurde geändert." in waits
    assert "die Änderung läuft weiter" not in waits
    assert "beginnt gleich" not in waits
    services.run_waiting()
    assert "Noch einmal versuchen" in client.get(change.get_absolute_url()).content.decode()

    begun = client.post(change.get_absolute_url(), {"again": "yes"})

    again = BulkChange.objects.exclude(pk=change.pk).get()
    assert begun.headers["Location"] == f"{again.get_absolute_url()}#main"
    assert (again.ids, again.action, again.values) == (change.ids, change.action, change.values)
    assert "4 Geräte ändern" in client.get(again.get_absolute_url()).content.decode()
    confirmed(again, clerk)
    services.run_waiting()
    assert set(Device.objects.values_list("status", flat=True)) == {"retired"}
    with pytest.raises(StaleError):
        services.try_again(token=again.token, by=clerk)


def test_an_undoing_that_was_broken_off_is_tried_again(client, clerk, devices, monkeypatch):
    change = confirmed(shown(devices, clerk, BulkAction.NOTE, note="x"), clerk)
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    undo = confirmed(services.begin_undo(token=change.token, by=clerk), clerk)
    assert "4 Geräte werden zurückgesetzt, alle oder keines." in client.get(undo.get_absolute_url()).content.decode()
    Job.objects.update(state="broken_off")
    services.run_waiting()

    again = services.try_again(token=undo.token, by=clerk)

    assert (again.undoes, again.state, again == undo) == (change, BulkState.SHOWN, False)
