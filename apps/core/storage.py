"""Uploaded files on disk; one that did not fit leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.outages import is_disk_full


class PortalStorage(FileSystemStorage):
    """Django's, but half-written files are removed, and a full disk is said in a sentence (`DomainError`)."""

    def _save(self, name: str, content: Any) -> str:
        before = Path(self.path(name)).exists()
        try:
            return str(super()._save(name, content))
        except OSError as error:
            if not before:
                Path(self.path(name)).unlink(missing_ok=True)
            if is_disk_full(error):
                raise DomainError(
                    _("There is no room left on the server for this file. Please tell the system administration.")
                ) from error
            raise
