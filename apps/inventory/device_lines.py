"""Devices as lines of a CSV file, written by PostgreSQL itself: COPY of a query whose columns are formatted texts.

The same lines as `DeviceExportTable` makes row by row in Python, without a thing being made of each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Expression, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.functions import NullIf

from apps.inventory.choices import Condition, DeviceStatus, Disposal, Ownership

BLOCK = 500


class _Escaped(Func):
    """As `core.exports.escaped`; nothing for an empty text, which COPY would put in quotes.

    The number of the first character (0 for none) says of nearly all texts that there is nothing to look at.
    """

    template = (
        "CASE WHEN ascii(%(expressions)s) = 0 THEN NULL"
        " WHEN ascii(%(expressions)s) IN (9, 13, 39, 43, 45, 61, 64)"
        " AND left(ltrim(%(expressions)s, ''''), 1) IN ('=', '+', '-', '@', '\t', '\r')"
        " THEN '''' || %(expressions)s ELSE %(expressions)s END"
    )
    output_field = TextField()


class _Euros(Func):
    """Cents as "1234,50"; most prices are whole euros."""

    template = (
        "CASE WHEN mod(%(expressions)s, 100) = 0 THEN (%(expressions)s / 100)::text || ',00'"
        " ELSE (%(expressions)s / 100)::text || ',' || lpad(mod(%(expressions)s, 100)::text, 2, '0') END"
    )
    output_field = TextField()


def _words(field: str, choices: Any) -> Case:
    """The words of a stored choice in the active language; nothing where none is chosen."""
    known = [When(Q(**{field: choice.value}), then=Value(str(choice.label))) for choice in choices]
    return Case(*known, default=NullIf(F(field), Value("")), output_field=TextField())


def _columns() -> Mapping[str, Expression]:
    return {
        "tag": _Escaped("tag"),
        "manufacturer": _Escaped("product__manufacturer"),
        "model": _Escaped("product__model"),
        "kind": _Escaped("kind__name"),
        "kind_code": _Escaped("kind__code"),
        "serial": _Escaped("serial"),
        "status": _words("status", DeviceStatus),
        "school_number": _Escaped("school__number"),
        "school": _Escaped("school__short_name"),
        "site": _Escaped("site__name"),
        "room": _Escaped("room"),
        "last_school_number": _Escaped("last_school__number"),
        "last_school": _Escaped("last_school__short_name"),
        "ownership": _words("ownership", Ownership),
        "price": _Euros("price"),
        "bought_on": F("bought_on"),
        "use_until": F("use_until"),
        "condition": _words("condition", Condition),
        "bound_until": F("bound_until"),
        "bound_by": _Escaped("bound_by"),
        "disposal": _words("disposal", Disposal),
        "disposed_on": F("disposed_on"),
        "proceeds": _Euros("proceeds"),
        "note": _Escaped("note"),
    }


def knows(names: Iterable[str]) -> bool:
    return set(names) <= _columns().keys()


def copied(devices: QuerySet[Any], names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Some lines at a time and how many, one for each device, in the order of the query; memory stays small.

    PostgreSQL writes days as people here do while its style of dates is the German one.
    """
    columns = _columns()
    rows = devices.select_related(None).values_list(*(columns[name] for name in names))
    statement, parameters = rows.query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle TO German")
        # psycopg's own cursor: the one that Django puts around it to note statements takes no parameters here
        with cursor.cursor.copy(f"COPY ({statement}) TO STDOUT WITH (FORMAT csv, DELIMITER ';')", parameters) as copy:
            lines = (line[:-1] for line in copy)
            while block := list(islice(lines, BLOCK)):
                yield str(b"\r\n".join([*block, b""]), "utf-8"), len(block)
        cursor.execute("RESET datestyle")
