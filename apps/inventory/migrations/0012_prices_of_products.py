"""Price lists out of the single prices, with their changes as the history of the products tells them.

The oldest known price holds from 1990 on, so that no day is without one. Backwards the newest price is the price again.
"""

import datetime

from django.db import migrations
from django.utils import timezone

ALWAYS = datetime.date(1990, 1, 1)


def into_lists(apps, schema_editor):
    product_model = apps.get_model("inventory", "Product")
    history = apps.get_model("inventory", "HistoricalProduct")
    price_model = apps.get_model("inventory", "ProductPrice")
    for product in product_model.objects.order_by("pk"):
        days = {}
        told = history.objects.filter(id=product.pk).exclude(history_type="-").order_by("history_date", "history_id")
        last = None
        for price, moment in told.values_list("gross_price", "history_date"):
            if price != last:
                days[timezone.localtime(moment).date() if days else ALWAYS] = price
                last = price
        if last != product.gross_price:
            days[timezone.localdate() if days else ALWAYS] = product.gross_price
        price_model.objects.bulk_create(
            price_model(product=product, gross_price=price, valid_from=day) for day, price in days.items()
        )


def into_products(apps, schema_editor):
    product_model = apps.get_model("inventory", "Product")
    price_model = apps.get_model("inventory", "ProductPrice")
    today = timezone.localdate()
    for product in product_model.objects.order_by("pk"):
        prices = price_model.objects.filter(product=product)
        newest = prices.filter(valid_from__lte=today).order_by("-valid_from").first() or prices.first()
        product_model.objects.filter(pk=product.pk).update(gross_price=newest.gross_price if newest else 0)
    price_model.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0011_price_lists_and_kits")]

    operations = [migrations.RunPython(into_lists, into_products)]
