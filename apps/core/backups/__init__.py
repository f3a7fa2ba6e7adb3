"""Backup and restore: database and files in one archive that proves itself."""

from apps.core.backups.archive import make_backup, restore_backup
from apps.core.backups.dumps import BackupError

__all__ = ["BackupError", "make_backup", "restore_backup"]
