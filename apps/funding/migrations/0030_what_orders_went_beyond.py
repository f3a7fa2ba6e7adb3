from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0029_freed_items"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderstatuschange",
            name="beyond",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
