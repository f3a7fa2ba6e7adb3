"""Each device that is on loan gets the loan that was not written down until now; nothing is known about its borrower."""

import secrets

from django.db import migrations
from django.utils import timezone

ALPHABET = "23456789BCDFGHJKMNPQRTVWXZ"


def create(apps, schema_editor):
    loan = apps.get_model("inventory", "Loan")
    record = apps.get_model("inventory", "HistoricalLoan")
    change = apps.get_model("inventory", "LoanChange")
    now = timezone.now()
    numbers = set()
    for device in apps.get_model("inventory", "Device").objects.filter(status="on_loan").order_by("pk").iterator():
        number = ""
        while not number or number in numbers:
            drawn = "".join(secrets.choice(ALPHABET) for _place in range(6))
            number = f"L-{drawn[:3]}-{drawn[3:]}"
        numbers.add(number)
        since = timezone.localtime(now).date()
        row = loan.objects.create(
            number=number, device=device, school_id=device.school_id, state="out", since=since, value=device.price
        )
        facts = {field.attname: getattr(row, field.attname) for field in loan._meta.concrete_fields}
        record.objects.create(history_date=now, history_type="+", **facts)
        change.objects.create(loan=row, step="hand_out", from_state="", to_state="out")


def remove(apps, schema_editor):
    """The tables go with the step before."""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0015_loans")]

    operations = [migrations.RunPython(create, remove)]
