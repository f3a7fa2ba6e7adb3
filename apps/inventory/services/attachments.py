"""Files of a device: kept, and removed for good. The history says who did which."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.history import delete_by, save_by
from apps.core.uploads import JPEG, PDF, PNG, recognised, safe_name
from apps.inventory.models import Attachment, Device
from apps.inventory.numbering import tidy
from apps.inventory.services.common import ensure_may, locked

if TYPE_CHECKING:
    from apps.accounts.models import User

KINDS = (PDF, JPEG, PNG)
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
"""Of one device, so that nobody takes its page for a file store."""
FOREIGN = _("Nobody of your schools added this file. If it has to go, please ask the school office.")


def add_attachment(*, device: Device, file: File, by: User, description: str = "") -> Attachment:
    """Keeps a PDF, JPEG or PNG of at most 10 MB with a device. What was refused leaves no file behind."""
    ensure_may(by, "inventory.change_device")
    kind = recognised(file, kinds=KINDS, most_bytes=MOST_BYTES)
    attachment = Attachment(
        name=safe_name(file.name or "", kind),
        description=tidy(description),
        content_type=kind.content_type,
        size=file.size,
        by=by,
    )
    try:
        with transaction.atomic():
            attachment.device = locked(device, by)
            if attachment.device.attachments.count() >= MOST_FILES:
                raise DomainError(
                    _("The device has %(number)s files already. Please remove one that is no longer needed.")
                    % {"number": MOST_FILES},
                    field="file",
                )
            attachment.file.save(f"file{kind.extensions[0]}", file, save=False)
            save_by(attachment, by=by)
    except BaseException:
        name = attachment.file.name
        if name:
            default_storage.delete(name)
        raise
    return attachment


@transaction.atomic
def remove_attachment(*, attachment: Attachment, by: User, reason: str = "") -> None:
    """Removes a file for good once the transaction is written; the history keeps its name.

    Schools remove what people of theirs added, the office removes any.
    """
    ensure_may(by, "inventory.change_device")
    device = locked(attachment.device, by)
    row = device.attachments.filter(pk=attachment.pk).first()
    if row is None:
        raise DomainError(_("The file was removed already. Please load the page again."))
    if not device.attachments.removable_by(by).filter(pk=row.pk).exists():
        raise DomainError(FOREIGN)
    name = row.file.name
    delete_by(row, by=by, reason=reason.strip())
    transaction.on_commit(partial(default_storage.delete, name), robust=True)
