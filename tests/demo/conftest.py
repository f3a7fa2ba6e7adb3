"""The demonstration city, loaded once for all tests of this folder; the rows are taken back afterwards."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import override_settings


@pytest.fixture(scope="package")
def loaded(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the sign-ins of the loaded city."""
    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock():
        with override_settings(VAR_DIR=folder), transaction.atomic():
            call_command("load_demo", stdout=StringIO())
            _settle()
            yield folder
            transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")  # on PostgreSQL all later tests would read past the rows taken back


def _settle() -> None:
    """Checks what the load deferred once; each test would check it again, and without statistics row by row."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.check_constraints()


@pytest.fixture(autouse=True)
def _demo(loaded: Path) -> None:
    """Every test of this folder reads the loaded city."""
