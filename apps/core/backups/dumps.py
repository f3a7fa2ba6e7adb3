"""The database as one file and back: PostgreSQL's own programs, or SQLite's own backup."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection

POSTGRES_FOLDERS = "usr/lib/postgresql/*/bin"
VARIABLES = {
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "host": "PGHOST",
    "port": "PGPORT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
}
LOCK_SECONDS = 10


class BackupError(Exception):
    """A backup or restore that cannot be done; one sentence for the operator."""


def dump_database(target: Path) -> None:
    """Writes the whole database to a file, as of one moment, while others go on working."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
        return
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def restore_database(source: Path) -> None:
    """Puts a dump in the place of whatever the database holds: all of it or nothing."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(source)) as copy:
            _ensure_sound(copy)
            copy.backup(connection.connection)
        return
    statements = source.with_suffix(".sql")
    _run("pg_restore", "--no-owner", "--no-privileges", "--no-comments", f"--file={statements}", str(source))
    connection.close_pool()
    first = [
        f"SET lock_timeout = '{LOCK_SECONDS}s'",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
    ]
    steps = [part for statement in first for part in ("--command", statement)]
    settings = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    _run("psql", *settings, *steps, f"--file={statements}")


def holds_data() -> bool:
    """Whether the database has any table."""
    with connection.cursor() as cursor:
        return bool(connection.introspection.table_names(cursor))


def name_of_database() -> str:
    return str(connection.settings_dict["NAME"])


def _ensure_sound(copy: sqlite3.Connection) -> None:
    if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        raise BackupError("The dump is damaged: SQLite's own check refuses it. Nothing was changed.")


def _run(program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on the portal's database; its complaint becomes a `BackupError`."""
    done = subprocess.run(
        [str(_find(program)), *arguments],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        if "lock timeout" in reason:
            reason = "the portal is at work on the database; stop web, worker and beat first"
        raise BackupError(f"{program} failed: {reason[:600]}")


def _environment() -> Mapping[str, str]:
    """The connection's values for PostgreSQL's programs; as variables, so that no password is seen in a list."""
    given = connection.get_connection_params()
    return dict(os.environ) | {
        variable: str(given[name]) for name, variable in VARIABLES.items() if given.get(name) not in (None, "")
    }


def _find(program: str) -> Path:
    """The program of the server's own version, else of the next newer one: an older one cannot read it all."""
    with connection.cursor():
        server = connection.pg_version // 10000
    found = {version: path for path in _candidates(program) if (version := _version(path)) is not None}
    fitting = sorted(version for version in found if version >= server)
    if not fitting:
        have = f"only version {max(found)} is here" if found else "it is not installed"
        raise BackupError(
            f"{program} of PostgreSQL {server} is needed, and {have}: install postgresql-client-{server}."
        )
    return found[fitting[0]]


def _candidates(program: str) -> Sequence[Path]:
    on_path = shutil.which(program)
    installed = [folder / program for folder in sorted(Path("/").glob(POSTGRES_FOLDERS))]
    return [*([Path(on_path)] if on_path else []), *(path for path in installed if path.exists())]


def _version(path: Path) -> int | None:
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match[1]) if match else None
