"""The device kinds of a school authority. Years of use are planning values, to be changed in the administration."""

from django.db import migrations

SOURCE = "Allgemeines Fachwissen, kein amtlicher Wert"
PUPILS, PRESENTATION, OTHER = (True, False), (False, True), (False, False)
KINDS = [
    ("tablet", "Tablet", PUPILS, 5),
    ("notebook", "Notebook", PUPILS, 5),
    ("desktop", "Desktop-PC oder Thin Client", PUPILS, 6),
    ("projector", "Beamer", PRESENTATION, 7),
    ("display", "Interaktives Display oder Fernseher", PRESENTATION, 8),
    ("access_point", "Access Point", OTHER, 7),
    ("switch", "Switch", OTHER, 8),
    ("server", "Server", OTHER, 5),
    ("charging_cart", "Ladewagen oder Ladekoffer", OTHER, 10),
    ("printer", "Drucker oder Multifunktionsgerät", OTHER, 6),
    ("document_camera", "Dokumentenkamera", OTHER, 7),
]


def create(apps, schema_editor):
    kind = apps.get_model("inventory", "DeviceKind")
    for code, name, (countable, presentation), years in KINDS:
        facts = {
            "name": name,
            "countable": countable,
            "presentation": presentation,
            "years_of_use": years,
            "source": SOURCE,
        }
        kind.objects.get_or_create(code=code, defaults=facts)


def remove(apps, schema_editor):
    """Refused by the database while products or devices of these kinds exist."""
    apps.get_model("inventory", "DeviceKind").objects.filter(code__in=[code for code, *_ in KINDS]).delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_postgresql")]

    operations = [migrations.RunPython(create, remove)]
