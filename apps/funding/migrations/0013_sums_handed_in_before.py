"""Adds up the proofs of use that were handed in before their sums were kept beside their figures."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import migrations


def keep_sums(apps: Any, _schema_editor: Any) -> None:
    proofs = apps.get_model("funding", "ProofOfUse").objects
    for key in proofs.filter(figures__isnull=False, sums__isnull=True).values_list("pk", flat=True):
        proof = proofs.get(pk=key)
        proof.sums = {name: str(amount) for name, amount in sums_of(proof.figures).items()}
        proof.save(update_fields=["sums"])


def sums_of(figures: Mapping[str, Any]) -> dict[str, Decimal]:
    """As `proof_keeping.sums_of` did on the day of this migration; of the oldest, the plan was that of the budgets."""
    vouchers, devices = figures["vouchers"], figures["devices"]
    plan, money = figures.get("plan"), figures.get("money")
    eligible, granted = _total(vouchers, "eligible"), _total(vouchers, "granted")
    sums = {
        "planned": Decimal(plan["eligible"]) if plan else _total(figures["positions"], "planned"),
        "spent": _total(vouchers, "amount"),
        "eligible": eligible,
        "granted": granted,
        "own_share": eligible - granted,
        "vouchers": Decimal(len(vouchers)),
        "devices": Decimal(len(devices)),
        "cost_of_devices": _total(devices, "cost"),
    }
    return sums | {name: Decimal(money[name]) for name in ("drawn", "received")} if money else sums


def _total(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal("0.00"))


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0012_sums_of_proofs"),
    ]

    operations = [
        migrations.RunPython(keep_sums, migrations.RunPython.noop),
    ]
