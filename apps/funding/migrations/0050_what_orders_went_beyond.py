from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0028_carry_overs_taken_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderstatuschange",
            name="beyond",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
