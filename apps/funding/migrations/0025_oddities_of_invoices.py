from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0024_orders_of_scanned_receipts"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="oddities",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
