"""Before the bounds: a fiscal year of two digits becomes that of this century, a volume of nothing becomes none.

A year that would meet a budget of the same name, or has three digits, stops the next step: only people know what it is.
"""

from typing import Any

from django.db import migrations
from django.db.models import F


def mend(apps: Any, _schema_editor: Any) -> None:
    budgets = apps.get_model("funding", "Budget").objects
    for row in budgets.filter(fiscal_year__lt=100).order_by("pk"):
        if not budgets.filter(fiscal_year=row.fiscal_year + 2000, name=row.name).exists():
            budgets.filter(pk=row.pk).update(fiscal_year=F("fiscal_year") + 2000)
    apps.get_model("funding", "FrameworkContract").objects.filter(volume__lte=0).update(volume=None)


class Migration(migrations.Migration):
    dependencies = [("funding", "0017_concepts_of_earlier_applications")]

    operations = [
        # What was mended stays: nothing says what stood there before.
        migrations.RunPython(mend, migrations.RunPython.noop),
    ]
