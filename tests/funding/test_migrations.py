"""Steps of the data that came later: what stood there before is kept, on the way back, too."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.funding import services
from apps.funding.models import DeliveredItem, ScannedReceipt
from apps.inventory.models import ScanSession
from tests.factories import ClerkFactory
from tests.funding.purchases import approved, lines_for, lines_of, placed_order, scan_in
from tests.funding.test_kit_receipts import World


def migrate(*target: str) -> Any:
    """To one migration of the money, or with none to the last of all; returns the models as they were then."""
    executor = MigrationExecutor(connection)
    targets = [("funding", name) for name in target] or executor.loader.graph.leaf_nodes()
    return executor.migrate(targets).apps


@pytest.mark.django_db(transaction=True)
def test_scanned_receipts_of_one_line_become_those_of_several_and_back() -> None:
    world, by = World(), ClerkFactory()
    single = placed_order(*lines_for(approved()))
    session = services.begin_scan(order_line=lines_of(single)[0], by=by, token=uuid.uuid4())
    scan_in(lines_of(single)[0], 1)
    kits = world.order()
    world.take_in(kits, 4)
    known = list(ScannedReceipt.objects.order_by("pk").values_list("pk", "order"))
    first, second = lines_of(single)[0].pk, lines_of(kits)[0].pk

    old = migrate("0021_virements_out_of_supplements")
    receipts = old.get_model("funding", "ScannedReceipt").objects.order_by("pk")
    assert list(receipts.values_list("order_line", flat=True)) == [first, first, second]
    items = old.get_model("funding", "DeliveredItem").objects.filter(order_line__order=kits.pk).order_by("pk")
    assert [scan is not None for scan in items.values_list("scan_session", flat=True)] == [True, False, False, False]

    migrate()

    assert list(ScannedReceipt.objects.order_by("pk").values_list("pk", "order")) == known
    rows = ScannedReceipt.objects.order_by("pk").values_list("lines__order_line", "lines__per_kit", "note_number")
    assert list(rows) == [(first, 1, ""), (first, 1, ""), (second, 1, "")]
    assert DeliveredItem.objects.count() == 5
    assert ScanSession.objects.get(pk=session.pk).receipt.order == single
