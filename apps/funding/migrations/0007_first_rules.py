"""Rules with a date to begin with; each names its source. The office changes them by adding a row with a later date."""

import datetime
from decimal import Decimal
from typing import Any

from django.db import migrations

FIRST = [
    ("vat_rate", datetime.date(2007, 1, 1), "19.00", "§ 12 Abs. 1 UStG"),
    ("vat_rate", datetime.date(2020, 7, 1), "16.00", "Zweites Corona-Steuerhilfegesetz vom 29.06.2020"),
    ("vat_rate", datetime.date(2021, 1, 1), "19.00", "§ 12 Abs. 1 UStG"),
    ("low_value_asset_limit", datetime.date(2019, 1, 1), "800.00", "§ 36 Abs. 3 KomHVO NRW"),
    ("weight_need", datetime.date(2020, 1, 1), "60.00", "Vorgabe des Portals, vom Amt zu prüfen"),
    ("weight_age", datetime.date(2020, 1, 1), "30.00", "Vorgabe des Portals, vom Amt zu prüfen"),
    ("weight_social_index", datetime.date(2020, 1, 1), "10.00", "Vorgabe des Portals, vom Amt zu prüfen"),
]


def add_rules(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("funding", "DatedRule").objects.bulk_create(
        apps.get_model("funding", "DatedRule")(kind=kind, valid_from=day, value=Decimal(value), source=source)
        for kind, day, value, source in FIRST
    )


def remove_rules(apps: Any, _schema_editor: Any) -> None:
    rules = apps.get_model("funding", "DatedRule").objects
    for kind, day, value, _source in FIRST:
        rules.filter(kind=kind, valid_from=day, value=Decimal(value)).delete()


class Migration(migrations.Migration):
    dependencies = [("funding", "0006_orders_papers_and_rules")]

    operations = [migrations.RunPython(add_rules, remove_rules)]
