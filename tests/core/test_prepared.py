"""Statements that a connection plans once."""

import pytest
from django.db import connection, transaction

from apps.core.prepared import execute_prepared

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
SUM = "SELECT SUM(number) FROM unnest($1::int[]) AS number WHERE number <> $2::int"


def sum_of(numbers: list[int], left_out: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        execute_prepared(cursor, SUM, [numbers, left_out])
        return cursor.fetchone()[0]


def planned() -> list[tuple[int, int]]:
    """How often each was run with the plan made once, and how often with one of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement ~ 'SUM.number'")
        return cursor.fetchall()


def test_a_statement_is_planned_once_for_all_values():
    connection.close_pool()
    assert [sum_of([1, 2, 3], 2), sum_of([4, 5], 0), sum_of([], 0)] == [4, 9, None]
    assert planned() == [(3, 0)]


def test_a_new_connection_plans_anew():
    assert sum_of([1, 2], 0) == 3
    connection.close()
    connection.close_pool()
    assert planned() == []
    assert sum_of([1, 2], 0) == 3
    assert planned() == [(1, 0)]


def test_a_statement_survives_that_its_transaction_is_undone():
    with transaction.atomic():
        assert sum_of([7], 0) == 7
        transaction.set_rollback(True)
    assert sum_of([8], 0) == 8
