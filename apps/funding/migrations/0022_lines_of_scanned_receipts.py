"""What is scanned in may fill several order lines, e.g. those of a kit: new tables and columns, empty at first."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0021_virements_out_of_supplements"),
        ("inventory", "0024_present_devices_by_kind"),
    ]

    operations = [
        migrations.AlterField(
            model_name="scannedreceipt",
            name="order_line",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="funding.orderline",
                verbose_name="line",
            ),
        ),
        migrations.AddField(
            model_name="scannedreceipt",
            name="order",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scanned_receipts",
                to="funding.order",
                verbose_name="order",
            ),
        ),
        migrations.AddField(
            model_name="scannedreceipt",
            name="kit",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.kit",
                verbose_name="kit",
            ),
        ),
        migrations.CreateModel(
            name="ScannedLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("per_kit", models.PositiveSmallIntegerField(default=1, verbose_name="pieces per kit")),
                (
                    "order_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scanned",
                        to="funding.orderline",
                        verbose_name="line",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="funding.scannedreceipt",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a scanned receipt",
                "verbose_name_plural": "lines of scanned receipts",
                "ordering": ("receipt", "order_line"),
            },
        ),
        migrations.AddConstraint(
            model_name="scannedline",
            constraint=models.UniqueConstraint(fields=("receipt", "order_line"), name="funding_line_once_per_receipt"),
        ),
        migrations.AddConstraint(
            model_name="scannedline",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_kit__gte", 1)), name="funding_scanned_line_per_kit_positive"
            ),
        ),
        migrations.AlterField(
            model_name="delivereditem",
            name="scan_session",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="delivered_items",
                to="inventory.scansession",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivereditem",
            constraint=models.UniqueConstraint(
                fields=("scan_session", "order_line"), name="funding_item_once_per_scanning"
            ),
        ),
    ]
