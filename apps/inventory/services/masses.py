"""Many new devices on PostgreSQL: COPY into a typed staging table, then INSERT ... SELECT into devices, placements and
history. The same rows as `newcomers` writes through the ORM, which stays for SQLite. Part of the services.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.core import clock, money
from apps.inventory.choices import PLACED_STATUSES
from apps.inventory.models import Device

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.inventory.services.newcomers import Newcomer

STAGING = "inventory_staged_device"
STAGED = ("tag", "serial", "product_id", "kind_id", "ownership", "price", "bought_on", "use_until", "status",
          "school_id", "site_id", "room", "last_school_id", "condition", "bound_until", "bound_by", "disposal",
          "disposed_on", "proceeds", "note", "search_text")  # fmt: skip
"""Columns that differ from device to device; `id` and `since` come with them, all others are as in any new device."""
_NAMES = ", ".join(STAGED)
_SEQUENCE = "SELECT pg_get_serial_sequence('inventory_device', 'id')"
_MAKE = f"""
CREATE TEMPORARY TABLE {STAGING} ON COMMIT DROP AS
SELECT id, {_NAMES}, NULL::date AS since FROM inventory_device WITH NO DATA
"""  # noqa: S608 - columns of the model
_NUMBER = "ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{sequence}')"
_PLACEMENTS = f"""
INSERT INTO inventory_placement
    (device_id, school_id, site_id, room, since, until, countable, presentation, ownership, by_id)
SELECT staged.id, staged.school_id, staged.site_id, staged.room, staged.since, NULL, kind.countable, kind.presentation,
       staged.ownership, %s
FROM {STAGING} AS staged JOIN inventory_devicekind AS kind ON kind.id = staged.kind_id
WHERE staged.status = ANY(%s)
ORDER BY staged.id
"""  # noqa: S608 - the table's name is a constant


def is_possible() -> bool:
    return connection.vendor == "postgresql"


def insert_devices(entries: Sequence[Newcomer], *, by: User | None, reason: str) -> None:
    """Writes new devices, their placements, and their first history entries.

    Whoever calls has checked the days and holds the kinds' locks.
    """
    with connection.cursor() as cursor:
        empty_staging(cursor)
        with cursor.copy(f"COPY {STAGING} ({_NAMES}, since) FROM STDIN") as copy:
            for entry in entries:
                copy.write_row((*staged_values(entry), entry.day))
        insert_staged(cursor, by=by, reason=reason)


def insert_staged(cursor: Any, *, by: User | None, reason: str) -> None:
    """From the staging table into devices, placements and history."""
    same = _same_for_all()
    _insert(cursor, "inventory_device", same)
    cursor.execute(_PLACEMENTS, [by.pk if by else None, [str(status) for status in PLACED_STATUSES]])
    _insert_history(cursor, same, by=by, reason=reason)


def empty_staging(cursor: Any) -> None:
    """One table for all batches of a transaction; its keys come from the devices' own sequence."""
    cursor.execute("SELECT to_regclass(%s)", [f"pg_temp.{STAGING}"])
    if cursor.fetchone()[0] is not None:
        cursor.execute(f"TRUNCATE {STAGING}")
        return
    cursor.execute(_SEQUENCE)
    sequence = cursor.fetchone()[0]
    cursor.execute(_MAKE)
    cursor.execute(_NUMBER.format(table=STAGING, sequence=sequence))


def staged_values(entry: Newcomer) -> tuple[Any, ...]:
    """The columns of STAGED, as PostgreSQL keeps them."""
    facts = entry.facts
    known = facts.get
    school, site, last_school = known("school"), known("site"), known("last_school")
    return (
        known("tag", ""),
        known("serial", ""),
        facts["product"].pk,
        facts["kind"].pk,
        str(facts["ownership"]),
        _cents(known("price")),
        known("bought_on"),
        known("use_until"),
        str(facts["status"]),
        school.pk if school else None,
        site.pk if site else None,
        known("room", ""),
        last_school.pk if last_school else None,
        str(known("condition", "")),
        known("bound_until"),
        known("bound_by", ""),
        str(known("disposal", "")),
        known("disposed_on"),
        _cents(known("proceeds")),
        known("note", ""),
        entry.search_text,
    )


def _cents(amount: Decimal | None) -> int | None:
    return None if amount is None else money.to_cents(amount)


def _same_for_all() -> dict[str, Any]:
    """Column -> what any new device has there."""
    device, fields = Device(), [field for field in Device._meta.concrete_fields if field.column not in {"id", *STAGED}]
    return {str(field.column): field.get_db_prep_save(field.pre_save(device, True), connection) for field in fields}


def _insert(cursor: Any, table: str, same: dict[str, Any]) -> None:
    more = "".join(f", {column}" for column in same)
    cursor.execute(
        f"INSERT INTO {table} (id, {_NAMES}{more}) SELECT id, {_NAMES}{', %s' * len(same)} FROM {STAGING} ORDER BY id",  # noqa: S608 - columns of the model
        list(same.values()),
    )


def _insert_history(cursor: Any, same: dict[str, Any], *, by: User | None, reason: str) -> None:
    history: Any = Device.history.model
    kept = {field.column for field in history._meta.concrete_fields}
    names = ", ".join(name for name in ("id", *STAGED) if name in kept)
    told = {name: value for name, value in same.items() if name in kept} | {
        "history_date": clock.now(),
        "history_type": "+",
        "history_user_id": by.pk if by else None,
        "history_change_reason": reason or None,
    }
    cursor.execute(
        f"INSERT INTO {history._meta.db_table} ({names}, {', '.join(told)})"  # noqa: S608 - columns of the model
        f" SELECT {names}{', %s' * len(told)} FROM {STAGING} ORDER BY id",
        list(told.values()),
    )
