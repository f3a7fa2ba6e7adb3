"""Many new devices on PostgreSQL: one COPY into a typed staging table, then INSERT ... SELECT into devices, placements
and history. The same rows as `batches` writes through the ORM, which stays for SQLite. Part of the services.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.core import clock
from apps.core.copying import saved_values
from apps.inventory.choices import PLACED_STATUSES
from apps.inventory.models import Device

if TYPE_CHECKING:
    from apps.accounts.models import User

STAGING = "inventory_staged_device"
_MAKE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS {STAGING} (LIKE inventory_device, since date NOT NULL) ON COMMIT DROP
"""
_IDS = """
SELECT nextval(pg_get_serial_sequence('inventory_device', 'id')) FROM generate_series(1, %s)
"""
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


def insert_devices(entries: Sequence[tuple[Device, datetime.date]], *, by: User | None, reason: str) -> None:
    """Writes new devices with the day from which each stands so, their placements, and their first history entries.

    Sets their keys. Whoever calls has checked the days and holds the kinds' locks.
    """
    fields: Sequence[Any] = Device._meta.concrete_fields
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [len(entries)])
        for (device, _day), (key,) in zip(entries, cursor.fetchall(), strict=True):
            device.pk = key
        cursor.execute(_MAKE)
        cursor.execute(f"TRUNCATE {STAGING}")
        names, values = ", ".join(field.column for field in fields), saved_values(fields)
        with cursor.copy(f"COPY {STAGING} ({names}, since) FROM STDIN") as copy:
            for device, day in entries:
                copy.write_row([*values(device), day])
        cursor.execute(f"INSERT INTO inventory_device ({names}) SELECT {names} FROM {STAGING} ORDER BY id")  # noqa: S608 - columns of the model
        cursor.execute(_PLACEMENTS, [by.pk if by else None, [str(status) for status in PLACED_STATUSES]])
        _write_history(cursor, by=by, reason=reason)
    for device, _day in entries:
        device._state.adding, device._state.db = False, connection.alias


def _write_history(cursor: Any, *, by: User | None, reason: str) -> None:
    history: Any = Device.history.model
    kept = {field.column for field in history._meta.concrete_fields}
    names = ", ".join(str(field.column) for field in Device._meta.concrete_fields if field.column in kept)
    cursor.execute(
        f"INSERT INTO {history._meta.db_table}"  # noqa: S608 - columns of the model
        f" ({names}, history_date, history_type, history_user_id, history_change_reason)"
        f" SELECT {names}, %s, '+', %s, %s FROM {STAGING} ORDER BY id",
        [clock.now(), by.pk if by else None, reason or None],
    )
