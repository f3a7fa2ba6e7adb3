from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0030_what_orders_went_beyond"),
    ]

    operations = [
        migrations.AddField(
            model_name="applicationstatuschange",
            name="overruns",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
