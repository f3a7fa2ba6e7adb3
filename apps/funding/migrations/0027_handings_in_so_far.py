"""What was handed in before each time was kept: of every proof the figures of its last one; earlier ones are gone."""

from typing import Any

from django.db import migrations


def keep_the_last(apps: Any, _schema_editor: Any) -> None:
    """Who and when stand in the past of the proof, also where it was reopened since."""
    handings_in = apps.get_model("funding", "ProofHandingIn").objects
    records = apps.get_model("funding", "HistoricalProofOfUse").objects.filter(state="handed_in")
    proofs = apps.get_model("funding", "ProofOfUse").objects.filter(figures__isnull=False)
    for proof in proofs.order_by("pk").iterator(chunk_size=20):
        of_proof = records.filter(id=proof.pk, handed_in_by__isnull=False)
        record = of_proof.order_by("-history_date", "-history_id").first()
        if record is None:
            continue
        first = of_proof.filter(handed_in_on=record.handed_in_on).order_by("history_date", "history_id").first()
        handings_in.create(
            proof=proof,
            at=first.history_date,
            by_id=record.handed_in_by_id,
            figures=proof.figures,
            sums=proof.sums or {},
        )


class Migration(migrations.Migration):
    dependencies = [("funding", "0026_handings_in_of_proofs")]

    operations = [migrations.RunPython(keep_the_last, migrations.RunPython.noop)]
