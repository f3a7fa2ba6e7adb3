"""The portal's commands in processes of their own, on databases of their own."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.support.workers import process_environment

_numbers = itertools.count(1)
SECONDS = 300
"""A database is migrated within a minute, beside other runs within a few."""


def manage(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py ...` on the test's database, or another one by DATABASE_URL."""
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env=process_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def done(*arguments: str | Path, **environment: str) -> str:
    """The output of a command that must succeed."""
    result = manage(*arguments, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """The address of an empty database beside the test's own."""
    name = f"restored_{os.getpid()}_{next(_numbers)}"
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
