"""Virements stood among the supplements: each confirmed one is told apart, in the budgets and in their past."""

from typing import Any

from django.db import migrations
from django.db.models import F


def tell_apart(apps: Any, _schema_editor: Any) -> None:
    _move(apps, 1)


def put_together(apps: Any, _schema_editor: Any) -> None:
    _move(apps, -1)


def _move(apps: Any, sign: int) -> None:
    budgets = apps.get_model("funding", "Budget").objects
    past = apps.get_model("funding", "HistoricalBudget").objects
    changes = apps.get_model("funding", "BudgetChange").objects.filter(kind="virement", state="confirmed")
    for change in changes.order_by("pk"):
        cents = sign * int(change.amount * 100)
        for budget, moved in ((change.budget_id, -cents), (change.counterpart_id, cents)):
            both = {"virement": F("virement") + moved, "supplement": F("supplement") - moved}
            budgets.filter(pk=budget).update(**both)
            # The record of the change itself was written just before the change was marked as decided.
            before = past.filter(id=budget, history_date__lte=change.decided_at)
            first = before.order_by("-history_date", "-history_id").values_list("history_date", flat=True).first()
            if first is not None:
                past.filter(id=budget, history_date__gte=first).update(**both)


class Migration(migrations.Migration):
    dependencies = [("funding", "0020_virements_of_budgets")]

    operations = [migrations.RunPython(tell_apart, put_together)]
