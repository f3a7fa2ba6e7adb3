from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0021_virements_out_of_supplements"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="oddities",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
