"""The official school types (Schulformschlüssel of North Rhine-Westphalia), so that every portal has them."""

from django.db import migrations

SCHOOL_TYPES = (
    ("02", "Grundschule"),
    ("04", "Hauptschule"),
    ("06", "Volksschule"),
    ("08", "Förderschule"),
    ("10", "Realschule"),
    ("13", "Primus (Schulversuch)"),
    ("14", "Sekundarschule"),
    ("15", "Gesamtschule"),
    ("16", "Gemeinschaftsschule (Schulversuch)"),
    ("17", "Waldorfschule"),
    ("18", "Hiberniaschule"),
    ("19", "Freie Waldorfförderschule"),
    ("20", "Gymnasium"),
    ("25", "Weiterbildungskolleg"),
    ("30", "Berufskolleg"),
    ("83", "Schule für Kranke"),
    ("85", "Förderschule im Bereich der Realschule"),
    ("87", "Förderschule im Bereich des Gymnasiums"),
    ("88", "Förderschule im Bereich des Berufskollegs"),
)


def add_types(apps, schema_editor):
    school_type = apps.get_model("schools", "SchoolType")
    for key, name in SCHOOL_TYPES:
        school_type.objects.get_or_create(key=key, defaults={"name": name})


def remove_unused_types(apps, schema_editor):
    """Types that a school, weight or target already uses stay: removing them would take rows along."""
    school_type = apps.get_model("schools", "SchoolType")
    unused = school_type.objects.filter(key__in=[key for key, _name in SCHOOL_TYPES], schools=None, weights=None)
    unused.delete()


class Migration(migrations.Migration):
    dependencies = [("schools", "0001_initial")]

    operations = [migrations.RunPython(add_types, remove_unused_types)]
