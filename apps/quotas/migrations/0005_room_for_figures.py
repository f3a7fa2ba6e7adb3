"""On PostgreSQL a page of figures keeps room for new versions of its rows.

A school that is computed again gets new versions of all its figures. With room beside the old ones no index needs to
be written.
"""

from django.db import migrations


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE quotas_quotafigure SET (fillfactor = 70)")


def fill(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE quotas_quotafigure RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("quotas", "0004_state_of_figures")]

    operations = [migrations.RunPython(leave_room, fill)]
