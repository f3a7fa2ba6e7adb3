"""The kinds that every portal starts with, and the way back."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.inventory.models import DeviceKind

BEFORE = [("inventory", "0002_running_numbers")]


@pytest.mark.django_db
def test_the_kinds_are_there_with_what_they_count_as():
    import_module("apps.inventory.migrations.0004_device_kinds").create(apps, None)  # may have been emptied

    kinds = DeviceKind.objects.values_list("code", "countable", "presentation", "years_of_use")

    assert {code: facts for code, *facts in kinds} == {
        "tablet": [True, False, 5],
        "notebook": [True, False, 5],
        "desktop": [True, False, 6],
        "projector": [False, True, 7],
        "display": [False, True, 8],
        "access_point": [False, False, 7],
        "switch": [False, False, 8],
        "server": [False, False, 5],
        "charging_cart": [False, False, 10],
        "printer": [False, False, 6],
        "document_camera": [False, False, 7],
    }
    assert set(DeviceKind.objects.values_list("source", flat=True)) == {"Allgemeines Fachwissen, kein amtlicher Wert"}


@pytest.mark.django_db
def test_pupils_borrow_projectors_and_document_cameras_from_the_start():
    import_module("apps.inventory.migrations.0004_device_kinds").create(apps, None)  # may have been emptied
    import_module("apps.inventory.migrations.0023_what_pupils_borrow").allow(apps, None)

    theirs = {kind.code for kind in DeviceKind.objects.all() if kind.is_for_pupils}

    assert theirs == {"tablet", "notebook", "desktop", "projector", "document_camera"}


@pytest.mark.django_db(transaction=True)
def test_the_migrations_go_back_and_forth():
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    assert not DeviceKind.objects.exists()

    executor = MigrationExecutor(connection)
    executor.migrate(leaves)

    assert DeviceKind.objects.count() == 11
