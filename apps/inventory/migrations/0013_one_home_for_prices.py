"""The single price goes. Backwards it starts at 0, and the step before fills it in."""

from decimal import Decimal

from django.db import migrations

import apps.core.money


def _started(model: str) -> migrations.AlterField:
    field = apps.core.money.CentsField(default=Decimal("0.00"), verbose_name="gross price")
    return migrations.AlterField(model_name=model, name="gross_price", field=field)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0012_prices_of_products")]

    operations = [
        _started("product"),
        _started("historicalproduct"),
        migrations.RemoveField(model_name="historicalproduct", name="gross_price"),
        migrations.RemoveField(model_name="product", name="gross_price"),
    ]
