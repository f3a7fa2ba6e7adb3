from django.db import migrations, models


def copy(apps, schema_editor):
    """What is being scanned keeps the accessories that its kit has now, in the words of `selectors.accessories_of`."""
    sessions = apps.get_model("inventory", "ScanSession").objects
    parts = apps.get_model("inventory", "KitPart").objects.filter(product__kind__tracked_singly=False)
    for session in sessions.filter(state="open", kit__isnull=False):
        rows = parts.filter(kit=session.kit_id).select_related("product").order_by("pk")
        words = (f"{row.quantity} × {row.product.manufacturer} {row.product.model}" for row in rows)
        session.accessories = ", ".join(words)
        session.save(update_fields=["accessories"])


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0025_undo_bulk_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="scansession",
            name="accessories",
            field=models.TextField(blank=True, editable=False, verbose_name="accessories"),
            preserve_default=False,
        ),
        migrations.RunPython(copy, migrations.RunPython.noop, elidable=True),
    ]
