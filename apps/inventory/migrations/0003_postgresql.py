"""What only PostgreSQL can do: no overlapping placements of a device, and a fast search inside words.

On SQLite the service alone keeps placements apart. The extensions stay when this is reversed: others may use them.
"""

from django.db import migrations

FORWARDS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    ALTER TABLE inventory_placement ADD CONSTRAINT inventory_placements_do_not_overlap
    EXCLUDE USING gist (device_id WITH =, daterange(since, until, '[)') WITH &&)
    """,
    "CREATE INDEX inventory_device_search ON inventory_device USING gin (search_text gin_trgm_ops)",
)
BACKWARDS = (
    "DROP INDEX inventory_device_search",
    "ALTER TABLE inventory_placement DROP CONSTRAINT inventory_placements_do_not_overlap",
)


def _on_postgresql(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_running_numbers")]

    operations = [migrations.RunPython(_on_postgresql(FORWARDS), _on_postgresql(BACKWARDS))]
