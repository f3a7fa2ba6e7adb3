"""Each scanned receipt has its order now, and the order lines that it fills stand in a table of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0023_earlier_scanned_receipts"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="scannedreceipt",
            options={
                "ordering": ("order", "pk"),
                "verbose_name": "scanned receipt",
                "verbose_name_plural": "scanned receipts",
            },
        ),
        migrations.RemoveField(model_name="scannedreceipt", name="order_line"),
        migrations.AlterField(
            model_name="scannedreceipt",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scanned_receipts",
                to="funding.order",
                verbose_name="order",
            ),
        ),
    ]
