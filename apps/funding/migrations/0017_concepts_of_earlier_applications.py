"""Gives applications of before the media concept that their school had when they were handed in."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def keep_concepts(apps: Any, _schema_editor: Any) -> None:
    applications = apps.get_model("funding", "EquipmentApplication").objects
    concepts = apps.get_model("funding", "MediaConcept").objects
    newest = concepts.filter(school=OuterRef("school"), at__lte=OuterRef("submitted_at")).order_by("-dated_on", "-pk")
    rows = applications.filter(submitted_at__isnull=False, concept__isnull=True)
    rows.exclude(state__in=["draft", "withdrawn"]).update(concept=Subquery(newest.values("pk")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("funding", "0016_concept_of_an_application"),
    ]

    operations = [
        migrations.RunPython(keep_concepts, migrations.RunPython.noop),
    ]
