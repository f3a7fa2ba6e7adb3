"""On PostgreSQL the database itself refuses to change or delete ledger entries. TRUNCATE (tests) still works."""

from typing import Any

from django.db import migrations

REFUSE = """
CREATE FUNCTION funding_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: post a counter-entry'
        USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER funding_ledger_is_append_only BEFORE UPDATE OR DELETE ON funding_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION funding_ledger_is_append_only();
"""
ALLOW = """
DROP TRIGGER funding_ledger_is_append_only ON funding_ledgerentry;
DROP FUNCTION funding_ledger_is_append_only();
"""


def refuse_changes(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE)


def allow_changes(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ALLOW)


class Migration(migrations.Migration):
    dependencies = [("funding", "0003_first_reason_templates")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
