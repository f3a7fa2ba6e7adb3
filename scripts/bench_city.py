"""Grows the demo city to one of 5,400 schools and 2 million devices, for measuring only; PostgreSQL alone.

Rows are made in the database by INSERT ... SELECT from numbers, the same at every run. Devices were bought over the
years since 2020; each seventh moved once, and of those that are old enough each second was retired. Indexes and
exclusion constraints are taken off meanwhile and put back, which checks every row; foreign keys hold because each
statement joins what it refers to. Histories stay empty, and stored figures are left to the portal's own job.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

FILLED = ("inventory_device", "inventory_placement")

# School n is like one of the demo's own schools, which are taken in turn.
_SCHOOLS = """
WITH model AS (
    SELECT school.*, row_number() OVER (ORDER BY school.number) - 1 AS place
    FROM schools_school school JOIN schools_schoolauthority authority ON authority.id = school.authority_id
    WHERE authority.is_own
)
INSERT INTO schools_school (number, school_type_id, authority_id, short_name, official_name, legal_form,
    municipality_key, operating_state, startchancen, email, phone, homepage, inputs_version, computed_version, sort_key,
    search_text)
SELECT (300000 + n)::text, school_type_id, authority_id, 'Schule ' || to_char(n, 'FM0000'),
       'Schule ' || to_char(n, 'FM0000') || ' der Stadt', legal_form, municipality_key,
       operating_state, FALSE, '', '', '', 1, 0, 'schule ' || to_char(n, 'FM0000'),
       (300000 + n)::text || ' schule ' || to_char(n, 'FM0000')
FROM generate_series(1, %s) AS n JOIN model ON model.place = n %% (SELECT count(*) FROM model)
"""
_SITES = """
INSERT INTO schools_site (school_id, name, is_main, street, postal_code, city, easting, northing)
SELECT id, 'Hauptstandort', TRUE, 'Schulstraße ' || id, '59065', 'Hamm',
       410000 + id * 37 %% 20000, 5720000 + id * 53 %% 20000
FROM schools_school WHERE number >= '300001' AND number <= %s
"""
_COUNTS = """
INSERT INTO schools_pupilcount (school_id, school_year, counted_on, pupils, rounded, generated, source)
SELECT id, year || '/' || to_char((year + 1) %% 100, 'FM00'), make_date(year, 10, 15),
       5 * (30 + id * 7919 %% 131 + (year + id) %% 9), TRUE, TRUE, 'generated for measuring'
FROM schools_school, generate_series(2019, 2025) AS year WHERE number >= '300001' AND number <= %s
"""
# Device n stands at the schools in turn, is one of the demo's products and was bought on a day since 2020.
_DEVICES = """
WITH school AS (
    SELECT id, row_number() OVER (ORDER BY number) - 1 AS place FROM schools_school
    WHERE number >= '300001' AND number <= %s
), product AS (
    SELECT product.*, row_number() OVER (ORDER BY product.id) - 1 AS place,
           (SELECT price.gross_price FROM inventory_productprice price WHERE price.product_id = product.id
            ORDER BY price.valid_from DESC LIMIT 1) AS gross_price
    FROM inventory_product product JOIN inventory_devicekind kind ON kind.id = product.kind_id AND kind.tracked_singly
), made AS (
    SELECT n, n::bigint * 7919 %% (CURRENT_DATE - DATE '2020-01-01' - 30) AS days FROM generate_series(1, %s) AS n
), device AS (
    SELECT 'B-' || to_char(n, 'FM0000000') AS tag, 'SN' || to_char(n * 7, 'FM00000000') AS serial,
           product.id AS product_id, product.kind_id, product.manufacturer || ' ' || product.model AS words,
           product.gross_price, CASE WHEN n %% 11 = 0 THEN 'parent_financed' ELSE 'bought' END AS ownership,
           DATE '2020-01-01' + days::int AS bought_on, n %% 2 = 0 AND days < 700 AS retired, school.id AS school_id
    FROM made
    JOIN school ON school.place = n %% (SELECT count(*) FROM school)
    JOIN product ON product.place = n / 3 %% (SELECT count(*) FROM product)
)
INSERT INTO inventory_device (tag, serial, product_id, kind_id, ownership, price, bought_on, status, school_id,
    room, note, condition, bound_by, disposal, created_at, search_text, last_school_id)
SELECT tag, serial, product_id, kind_id, ownership, gross_price, bought_on,
       CASE WHEN retired THEN 'retired' ELSE 'in_use' END, CASE WHEN retired THEN NULL ELSE school_id END,
       '', '', '', '', '', now(), lower(tag || ' ' || serial || ' ' || words), CASE WHEN retired THEN school_id END
FROM device ORDER BY tag
"""
# Each seventh device stood for its first 20 days at the school before its own; a retired one stood for four years.
_PLACEMENTS = """
WITH placed AS (
    SELECT device.id, coalesce(device.school_id, device.last_school_id) AS school_id, device.bought_on,
           device.status, device.ownership, kind.countable, kind.presentation, device.id %% 7 = 0 AS moved
    FROM inventory_device device JOIN inventory_devicekind kind ON kind.id = device.kind_id
    WHERE device.tag LIKE 'B-%%'
), earlier AS (
    SELECT id, coalesce(lag(id) OVER (ORDER BY number), max(id) OVER ()) AS before FROM schools_school
)
INSERT INTO inventory_placement (device_id, school_id, since, until, countable, presentation, ownership, room)
SELECT placed.id, earlier.before, bought_on, bought_on + 20, countable, presentation, ownership, ''
FROM placed JOIN earlier ON earlier.id = placed.school_id WHERE moved
UNION ALL
SELECT id, school_id, CASE WHEN moved THEN bought_on + 20 ELSE bought_on END,
       CASE WHEN status = 'retired' THEN bought_on + 1461 END, countable, presentation, ownership, ''
FROM placed
"""
_OWN_SCHOOLS = """
SELECT count(*) FROM schools_school school JOIN schools_schoolauthority authority ON authority.id = school.authority_id
WHERE authority.is_own
"""
_ALL_DEVICES = "SELECT count(*) FROM inventory_device"
_EXCLUSIONS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'x' AND conrelid::regclass::text = ANY(%s) ORDER BY conname
"""
_INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid::regclass::text = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY indexrelid
"""


def grow(schools: int, devices: int) -> None:
    """Adds own schools and devices until there are as many in all."""
    with connection.cursor() as cursor:
        with transaction.atomic(), _quickly(cursor):
            more = schools - _number(cursor, _OWN_SCHOOLS)
            last = str(300_000 + more)
            cursor.execute(_SCHOOLS, [more])
            cursor.execute(_SITES, [last])
            cursor.execute(_COUNTS, [last])
            cursor.execute(_DEVICES, [last, devices - _number(cursor, _ALL_DEVICES)])
            cursor.execute(_PLACEMENTS, [])
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _quickly(cursor: Any) -> Iterator[None]:
    """Without indexes, exclusion constraints and checks of foreign keys for the length of a block."""
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    again = []
    for listing in (_EXCLUSIONS, _INDEXES):
        cursor.execute(listing, [list(FILLED)])
        for take_off, put_back in cursor.fetchall():
            cursor.execute(take_off)
            again.append(put_back)
    yield
    for statement in again:
        cursor.execute(statement)


def _number(cursor: Any, statement: str) -> int:
    cursor.execute(statement)
    return int(cursor.fetchone()[0])


def database_bytes() -> int:
    """What the database takes on disk, without the write-ahead log."""
    with connection.cursor() as cursor:
        return _number(cursor, "SELECT pg_database_size(current_database())")
