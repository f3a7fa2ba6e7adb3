"""Lookups that Django does not bring along."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import CharField, Lookup


@CharField.register_lookup
class AnyOf(Lookup):  # type: ignore[type-arg]  # generic for type checkers only
    """`tag__any_of=[...]`: as `__in` with a list of texts, but one parameter whatever its length.

    Thousands of parameters take longer to write, send and read than the rows to find.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*parameters, list(self.rhs)]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, json.dumps(list(self.rhs))]  # noqa: S608 - a column
