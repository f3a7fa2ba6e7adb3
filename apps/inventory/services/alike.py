"""New devices of a staged list that differ in nothing but numbers, room, price and note. Part of the services.

On PostgreSQL the database itself gathers such rows. Whoever reads lists says of the first row of each shape what the
rules make of it; for all others the database takes these facts, and what is a row's own from what was shown before.
So no rule stands here twice. Rows with letters beyond ASCII are not taken: `core.text` alone says how they are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import QuerySet

from apps.core.text import search_text
from apps.inventory.numbering import next_tags
from apps.inventory.services import masses
from apps.inventory.services.newcomers import FEW, Newcomer, ensure_allowed

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.models import ImportRow

OWN = ("tag", "serial", "room", "price", "note")
"""What is a row's own: taken as it stands. Rules ask for it only where devices are told apart or stand nowhere."""
LEAST = 2
"""Fewer rows of a shape, on average, are not worth gathering."""
ROWS, SHAPES = "inventory_alike_row", "inventory_alike_shape"
_SHOWN = ", ".join(f"COALESCE(changes->'{name}'->>1, '') AS {name}" for name in OWN)
_GATHER = f"""
CREATE TEMPORARY TABLE {ROWS} ON COMMIT DROP AS
SELECT * FROM (
    SELECT id, line, {_SHOWN}, changes->'status'->>1 AS status,
           sha256(convert_to((data - %s::text[])::text || (changes - %s::text[])::text, 'UTF8')) AS shape
    FROM ({{staged}}) AS staged
) AS shown
WHERE (serial || room) !~ '[^ -~]' AND status <> 'on_loan'
"""  # noqa: S608 - names of this module; the rows come as a statement of the ORM
_IS_ON_FILE = f"""
SELECT EXISTS (SELECT FROM {ROWS} AS listed JOIN inventory_device AS device ON device.serial = listed.serial
               WHERE listed.serial <> '')
    OR EXISTS (SELECT FROM {ROWS} AS listed JOIN inventory_device AS device ON device.tag = listed.tag)
"""  # noqa: S608
_NUMBER = f"""
UPDATE {ROWS} AS listed SET tag = given.tag
FROM (SELECT id, row_number() OVER (ORDER BY line) AS place FROM {ROWS} WHERE tag = '') AS nameless
JOIN unnest(%s::text[]) WITH ORDINALITY AS given (tag, place) ON given.place = nameless.place
WHERE listed.id = nameless.id
"""  # noqa: S608
_COPIES = ", ".join(name for name in masses.STAGED if name not in {*OWN, "search_text"})
_MAKE_SHAPES = f"""
CREATE TEMPORARY TABLE {SHAPES} ON COMMIT DROP AS
SELECT id AS first, {_COPIES}, NULL::date AS since, ''::text AS product_words, ''::text AS school_words
FROM inventory_device WITH NO DATA
"""  # noqa: S608
_STAGE = f"""
INSERT INTO {masses.STAGING} (tag, serial, room, price, note, {_COPIES}, since, search_text)
SELECT listed.tag, listed.serial, listed.room, (NULLIF(listed.price, '')::numeric * 100)::bigint, listed.note,
       {_COPIES.replace("status", "known.status")}, known.since,
       concat_ws(' ', lower(listed.tag), NULLIF(lower(listed.serial), ''), known.product_words,
                 NULLIF(lower(listed.room), ''), NULLIF(known.school_words, ''))
FROM {ROWS} AS listed
JOIN (SELECT shape, min(id) AS first FROM {ROWS} GROUP BY shape) AS shapes ON shapes.shape = listed.shape
JOIN {SHAPES} AS known ON known.first = shapes.first
ORDER BY listed.line
"""  # noqa: S608


def is_possible() -> bool:
    return masses.is_possible()


def gather(staged: QuerySet[ImportRow]) -> list[int]:
    """Gathers the staged rows of new devices; returns the first of each shape, for `create_alike`.

    Empty where it is not worth it, and where a number is on file by now: then each row is to be read on its own.
    """
    statement, parameters = staged.order_by().values("id", "line", "data", "changes").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {ROWS}, {SHAPES}")
        cursor.execute(_GATHER.format(staged=statement), [list(OWN), list(OWN), *parameters])
        cursor.execute(f"ANALYZE {ROWS}")
        cursor.execute(_IS_ON_FILE)
        (is_on_file,) = cursor.fetchone()
        cursor.execute(f"SELECT min(id), count(*) FROM {ROWS} GROUP BY shape ORDER BY 1")  # noqa: S608
        shapes = cursor.fetchall()
    rows = sum(count for _first, count in shapes)
    return [] if is_on_file or rows < max(FEW, LEAST * len(shapes)) else [first for first, _count in shapes]


def create_alike(shapes: Mapping[int, Newcomer], *, by: User | None, reason: str) -> set[int]:
    """Writes the gathered devices; `shapes` says of the first row of each shape what it is to be.

    Returns the schools whose figures moved; raises `DomainError` as `newcomers.create_batch`.
    """
    ensure_allowed(list(shapes.values()), by=by)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {ROWS} WHERE tag = ''")  # noqa: S608
        cursor.execute(_NUMBER, [next_tags(cursor.fetchone()[0])])
        cursor.execute(_MAKE_SHAPES)
        with cursor.copy(f"COPY {SHAPES} FROM STDIN") as copy:
            for first, entry in shapes.items():
                copy.write_row(_shape(first, entry))
        masses.empty_staging(cursor)
        cursor.execute(_STAGE)
        masses.insert_staged(cursor, by=by, reason=reason)
    return {entry.facts["school"].pk for entry in shapes.values() if entry.facts["school"] is not None}


def without_gathered(staged: QuerySet[ImportRow]) -> QuerySet[ImportRow]:
    """The staged rows that `create_alike` has not written."""
    written = f"core_importrow.id IN (SELECT id FROM {ROWS})"  # noqa: S608 - a name of this module
    return staged.extra(where=[f"NOT {written}"])  # noqa: S610


def _shape(first: int, entry: Newcomer) -> list[Any]:
    columns = dict(zip(masses.STAGED, masses.staged_values(entry), strict=True))
    school = entry.facts["school"]
    words = (school.number, school.short_name) if school else ()
    kept = [value for name, value in columns.items() if name not in {*OWN, "search_text"}]
    return [first, *kept, entry.day, search_text(entry.facts["product"]), search_text(*words)]
