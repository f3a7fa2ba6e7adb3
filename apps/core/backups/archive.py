"""The archive: a dump of the database, the uploaded files, and a manifest with the checksum of each.

The dump is made first and the files are copied after it: a row may then have more files than it needs, never fewer,
except for those whose work ended meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from apps.core import clock
from apps.core.backups.dumps import BackupError, dump_database, holds_data, name_of_database, restore_database

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
FILES = "files"
CHUNK = 1 << 20


def make_backup(folder: Path) -> Path:
    """Writes `mep-portal-<moment>.tar.gz` into a folder, readable for its owner only, and returns its path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mep-portal-", dir=folder) as name:
            stage = Path(name)
            dump_database(stage / DUMP)
            _copy_files(Path(settings.MEDIA_ROOT), stage / FILES)
            (stage / MANIFEST).write_text(json.dumps(_manifest(stage), indent=1, sort_keys=True), encoding="utf-8")
            return _pack(stage, folder)
    except OSError as error:
        raise BackupError(f"The backup could not be written to {folder}: {error.strerror}.") from error


def restore_backup(archive: Path, *, replace: bool = False) -> dict[str, Any]:
    """Puts database and files back and returns the manifest. Everything is checked before anything is changed.

    A database that holds tables, or files that are there, are only overwritten when told so (`replace`).
    """
    with _unpacked(archive) as stage:
        manifest = _read_manifest(stage)
        _ensure_whole(stage, manifest)
        _ensure_fits(manifest)
        _ensure_empty(replace=replace)
        restore_database(stage / DUMP)
        _put_files(stage / FILES)
    return manifest


def is_older(manifest: dict[str, Any]) -> bool:
    """Whether this version of the portal has migrations that the backup has not seen."""
    return bool(set(_migrations_of_code()) - set(manifest["migrations"]))


# Making


def _copy_files(source: Path, target: Path) -> None:
    """Copies what is there; a file that is removed meanwhile is no longer needed."""
    target.mkdir()
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(path, copy)


def _manifest(stage: Path) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_at": clock.now().isoformat(timespec="seconds"),
        "city": settings.CITY_NAME,
        "database": connection.vendor,
        "migrations": _applied_migrations(),
        "contents": {name: _checksum(stage / name) for name in _names(stage)},
    }


def _pack(stage: Path, folder: Path) -> Path:
    moment = timezone.localtime(clock.now()).strftime("%Y-%m-%d-%H%M%S")
    target, part = folder / f"mep-portal-{moment}.tar.gz", stage / "archive.part"
    names = [MANIFEST, *_names(stage)]
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as output, tarfile.open(fileobj=output, mode="w:gz", compresslevel=6) as archive:
        for name in names:
            archive.add(stage / name, arcname=name, recursive=False)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    return target


# Restoring


@contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    """The archive's content in a folder beside the portal's files, removed afterwards."""
    root = Path(settings.MEDIA_ROOT).parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=root) as name:
            with tarfile.open(archive, mode="r:gz") as packed:
                _unpack(packed, Path(name))
            yield Path(name)
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{archive.name} is no whole backup: {error}. Nothing was changed.") from error
    except OSError as error:
        raise BackupError(f"{archive} could not be restored: {error.strerror or error}.") from error


def _unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Files and folders only, and only inside. Python before 3.11.4, as Debian 12 has it, knows no filters."""
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
        return
    for member in packed.getmembers():
        is_inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not is_inside or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name} is no file of a backup")
    packed.extractall(folder)  # noqa: S202 - its members were looked at


def _read_manifest(stage: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((stage / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise BackupError("This is no backup of the portal: it has no readable manifest.") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"This backup has the format {manifest.get('format')}; this version reads {FORMAT}.")
    return manifest


def _ensure_whole(stage: Path, manifest: dict[str, Any]) -> None:
    """Each file is there with its checksum, and no other one."""
    expected, found = manifest["contents"], set(_names(stage))
    for name in sorted(found ^ expected.keys()):
        raise BackupError(f"The backup is damaged: {name} is {'not' if name in expected else 'not meant to be'} in it.")
    for name, checksum in expected.items():
        if _checksum(stage / name) != checksum:
            raise BackupError(f"The backup is damaged: {name} has another checksum. Nothing was changed.")


def _ensure_fits(manifest: dict[str, Any]) -> None:
    if manifest["database"] != connection.vendor:
        raise BackupError(f"This backup is of {manifest['database']} and cannot be restored into {connection.vendor}.")
    unknown = sorted(set(manifest["migrations"]) - set(_migrations_of_code()))
    if unknown:
        raise BackupError(
            f"This backup comes from a newer version of the portal ({unknown[0]} is not known here). "
            "Restore it with that version."
        )


def _ensure_empty(*, replace: bool) -> None:
    if replace:
        return
    if holds_data():
        raise BackupError(
            f"The database {name_of_database()} holds data. "
            "Restore into an empty database, or add --replace to overwrite data and files."
        )
    root = Path(settings.MEDIA_ROOT)
    if root.is_dir() and any(path.is_file() for path in root.rglob("*")):
        raise BackupError(f"The folder {root} holds files. Empty it, or add --replace to overwrite data and files.")


def _put_files(source: Path) -> None:
    """Takes the files' place in two renames; the old ones go last."""
    source.mkdir(exist_ok=True)
    root = Path(settings.MEDIA_ROOT)
    before = source.parent / "before"
    if root.exists():
        root.rename(before)
    source.rename(root)


# Small parts


def _names(stage: Path) -> list[str]:
    """What an archive holds besides its manifest: the dump and the files."""
    paths = (path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
    return sorted(name for name in paths if name == DUMP or name.startswith(f"{FILES}/"))


def _checksum(path: Path) -> str:
    checksum = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(CHUNK):
            checksum.update(chunk)
    return checksum.hexdigest()


def _applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationLoader(connection).applied_migrations)


def _migrations_of_code() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
