"""A first set of wordings, so that the office does not start with an empty list. It edits or deletes them freely."""

from django.db import migrations

FIRST = [
    (
        "approve",
        "Bestand deckt einen Teil",
        "Ein Teil des Bedarfs lässt sich mit vorhandenen Geräten decken. Deshalb genehmigen wir eine kleinere Anzahl.",
    ),
    (
        "approve",
        "Mittel reichen nicht für alles",
        "Die Mittel dieses Haushaltsjahres reichen nicht für alle beantragten Geräte. Den Rest können Sie für das nächste Haushaltsjahr neu beantragen.",
    ),
    (
        "return",
        "Begründung fehlt",
        "Bitte beschreiben Sie, wofür Sie die Geräte im Unterricht einsetzen wollen.",
    ),
    (
        "return",
        "Anzahl klären",
        "Bitte erläutern Sie, wie Sie auf die beantragte Anzahl kommen.",
    ),
    (
        "return",
        "Ersetzte Geräte nennen",
        "Bitte nennen Sie die Inventarnummern der Geräte, die ersetzt werden sollen.",
    ),
    (
        "reject",
        "Ziel ist erreicht",
        "Ihre Schule erreicht das Ziel des Medienentwicklungsplans bereits. Andere Schulen liegen noch darunter und werden zuerst ausgestattet.",
    ),
    (
        "reject",
        "Keine Mittel in diesem Jahr",
        "In diesem Haushaltsjahr stehen dafür keine Mittel mehr bereit. Sie können den Antrag für das nächste Haushaltsjahr neu stellen.",
    ),
]


def write(apps, schema_editor):
    template = apps.get_model("funding", "ReasonTemplate")
    template.objects.bulk_create([template(kind=kind, name=name, text=text) for kind, name, text in FIRST])


def remove(apps, schema_editor):
    """Takes away the first set only; what the office wrote goes with the table."""
    template = apps.get_model("funding", "ReasonTemplate")
    for kind, name, _text in FIRST:
        template.objects.filter(kind=kind, name=name).delete()


class Migration(migrations.Migration):
    dependencies = [("funding", "0002_reason_template")]

    operations = [migrations.RunPython(write, remove)]
