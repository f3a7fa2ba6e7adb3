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
from apps.schools.querysets import serves_all

if TYPE_CHECKING:
    from apps.accounts.models import User

KINDS = (PDF, JPEG, PNG)
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
"""Of one device, of those that the person sees, so that nobody takes its page for a file store."""
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
            _ensure_room(attachment.device, by)
            attachment.file.save(f"file{kind.extensions[0]}", file, save=False)
            save_by(attachment, by=by)
    except BaseException:
        name = attachment.file.name
        if name:
            default_storage.delete(name)
        raise
    return attachment


def _ensure_room(device: Device, by: User) -> None:
    """What a school added before takes no room from the next one, which does not see it and cannot remove it."""
    number = device.attachments.visible_to(by).count()
    if number < MOST_FILES:
        return
    sentence = (
        _too_many_at_office(device)
        if serves_all(by)
        else _(
            "Your school has %(number)s files with this device already, and there can be no more. Please remove one"
            " that is no longer needed, or ask the school office."
        )
    )
    raise DomainError(sentence % {"number": number, "most": MOST_FILES}, field="file")


def _too_many_at_office(device: Device) -> str:
    sentence = (
        _(
            "The device has %(number)s files already, those of former schools counted; from %(most)s on no other is"
            " added. Please remove one that is no longer needed."
        )
        if device.attachments.of_earlier_schools(device).exists()
        else _(
            "The device has %(number)s files already; from %(most)s on no other is added. Please remove one that is no"
            " longer needed."
        )
    )
    return str(sentence)


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
