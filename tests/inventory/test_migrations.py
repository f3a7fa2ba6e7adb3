"""The kinds that every portal starts with, and the way back."""

import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.inventory.models import DeviceKind


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


def migrate(*target: str) -> Any:
    """To one migration of the inventory, or with none to the last of all; returns the models as they were then."""
    executor = MigrationExecutor(connection)
    targets = [("inventory", name) for name in target] or executor.loader.graph.leaf_nodes()
    return executor.migrate(targets).apps


@pytest.mark.django_db(transaction=True)
def test_the_migrations_go_back_and_forth_and_single_prices_become_lists_with_their_past():
    """One way through all of them: each step renders the models of all apps anew, which takes its time."""
    migrate("0011_price_lists_and_kits")
    old = MigrationExecutor(connection).loader.project_state([("inventory", "0011_price_lists_and_kits")]).apps
    product, history = old.get_model("inventory", "Product"), old.get_model("inventory", "HistoricalProduct")
    kind = old.get_model("inventory", "DeviceKind").objects.create(code="x", name="X", years_of_use=5)
    row = product.objects.create(kind=kind, manufacturer="M", model="1", gross_price=Decimal("12.00"))
    bare = product.objects.create(kind=kind, manufacturer="M", model="2", gross_price=Decimal("5.00"))
    for day, price, sign in ((1, "10.00", "+"), (2, "10.00", "~"), (3, "12.00", "~")):
        moment = datetime.datetime(2025, 3, day, 12, tzinfo=datetime.UTC)
        history.objects.create(
            id=row.pk, kind_id=kind.pk, manufacturer="M", model="1", gross_price=Decimal(price), is_active=True,
            history_date=moment, history_type=sign,
        )  # fmt: skip

    lists = migrate("0013_one_home_for_prices")

    always = import_module("apps.inventory.migrations.0012_prices_of_products").ALWAYS
    prices = lists.get_model("inventory", "ProductPrice").objects.order_by("valid_from")
    assert list(prices.filter(product=row.pk).values_list("valid_from", "gross_price")) == [
        (always, Decimal("10.00")), (datetime.date(2025, 3, 3), Decimal("12.00")),
    ]  # fmt: skip
    assert list(prices.filter(product=bare.pk).values_list("valid_from", "gross_price")) == [(always, Decimal("5.00"))]

    migrate("0011_price_lists_and_kits")
    assert set(product.objects.values_list("model", "gross_price")) == {("1", Decimal("12.00")), ("2", Decimal("5.00"))}
    for rows in (product, history, type(kind)):
        rows.objects.all().delete()

    migrate("0002_running_numbers")
    assert not DeviceKind.objects.exists()
    migrate()
    assert DeviceKind.objects.count() == 11
