"""What was scanned in before filled one order line: it becomes the only line of its receipt."""

from typing import Any

from django.db import migrations
from django.db.models import Min, OuterRef, Subquery


def keep_lines(apps: Any, _schema_editor: Any) -> None:
    receipts = apps.get_model("funding", "ScannedReceipt").objects
    lines = apps.get_model("funding", "ScannedLine").objects
    found = receipts.filter(order_line__isnull=False).order_by("pk").values_list("pk", "order_line")
    lines.bulk_create([lines.model(receipt_id=pk, order_line_id=line) for pk, line in found], batch_size=500)
    orders = apps.get_model("funding", "OrderLine").objects.filter(pk=OuterRef("order_line"))
    receipts.update(order=Subquery(orders.values("order")[:1]))


def first_lines(apps: Any, _schema_editor: Any) -> None:
    """The way back knows one line of each receipt and one item of each scanning: those of a kit's first line."""
    first = apps.get_model("funding", "ScannedLine").objects.filter(receipt=OuterRef("pk")).order_by("order_line")
    apps.get_model("funding", "ScannedReceipt").objects.update(order_line=Subquery(first.values("order_line")[:1]))
    items = apps.get_model("funding", "DeliveredItem").objects.filter(scan_session__isnull=False).order_by()
    kept = list(items.values("scan_session").annotate(first=Min("pk")).values_list("first", flat=True))
    items.exclude(pk__in=kept).update(scan_session=None)


class Migration(migrations.Migration):
    dependencies = [("funding", "0022_lines_of_scanned_receipts")]

    operations = [
        migrations.RunPython(keep_lines, first_lines),
    ]
