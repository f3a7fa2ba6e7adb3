from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0017_kits_on_loan"),
        ("schools", "0005_schools_that_are_due"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("until__isnull", False)),
                fields=["until"],
                include=("school", "since", "countable", "presentation", "ownership"),
                name="inventory_placement_left",
            ),
        ),
    ]
