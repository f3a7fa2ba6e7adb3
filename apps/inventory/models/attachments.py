"""Files that belong to a device: a photo of the damage, the report to the police, the invoice."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.inventory.models.devices import Device
from apps.inventory.querysets import AttachmentQuerySet


class Attachment(models.Model):
    """One file. `content_type` is what its bytes say, never what its sender said; it is only ever downloaded."""

    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(_("file name"), max_length=120)
    description = models.CharField(_("what it shows"), max_length=200, blank=True)
    content_type = models.CharField(_("kind of file"), max_length=32)
    size = models.PositiveIntegerField(_("size in bytes"))
    file = models.FileField(upload_to="attachments/%Y/%m/", editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["file"])

    class Meta:
        verbose_name = _("file of a device")
        verbose_name_plural = _("files of devices")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return self.name
