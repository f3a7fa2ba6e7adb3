"""A change of many devices at once, from the choice of the rows to the outcome."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.models import Job
from apps.inventory.choices import BulkAction, BulkState
from apps.inventory.models.devices import Device
from apps.inventory.querysets import OwnQuerySet


class BulkChange(models.Model):
    """Chosen devices (`ids`), what is to happen to them, what the preview showed (`seen`), and what came of it.

    `seen` holds for each device a mark of the facts that were shown. `revision` counts the previews, so that nobody
    confirms in one window what they changed in another. `result`: what `services.bulk` tells of the outcome. One that
    `undoes` another takes its action and its devices, and sets them back.
    """

    token = models.UUIDField(_("token"), primary_key=True, default=uuid.uuid4)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    query = models.TextField(_("filter of the list"), blank=True)
    ids = models.JSONField(_("chosen devices"), default=list)
    action = models.CharField(_("action"), max_length=16, choices=BulkAction, blank=True)
    values = models.JSONField(_("entries"), default=dict)
    seen = models.JSONField(_("what was shown"), default=dict)
    revision = models.PositiveIntegerField(_("preview"), default=0)
    state = models.CharField(_("state"), max_length=16, choices=BulkState, default=BulkState.CHOSEN)
    result = models.JSONField(_("outcome"), default=dict)
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    undoes = models.ForeignKey(
        "self", verbose_name=_("undoes"), null=True, blank=True, on_delete=models.CASCADE, related_name="undone_by"
    )

    objects = OwnQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of many devices")
        verbose_name_plural = _("changes of many devices")
        ordering = ("-at",)
        indexes = [models.Index(fields=["state", "at"], name="inventory_bulk_state")]

    def __str__(self) -> str:
        words = _("%(action)s (undone)") if self.undoes_id else "%(action)s"
        return f"{words % {'action': self.get_action_display()}}, {formats.moment(self.at)}"

    def get_absolute_url(self) -> str:
        return reverse("inventory:bulk_change", args=[self.token])

    def undoing(self, *, begun: bool = False) -> Self | None:
        """What set it back or is about to; `begun`: or is shown to somebody. One that set nothing back is none."""
        states = (BulkState.WAITING, BulkState.DONE, *((BulkState.SHOWN,) if begun else ()))
        return self.undone_by.filter(state__in=states).exclude(state=BulkState.DONE, result__changed=0).first()


class BulkItem(models.Model):
    """A device that such a change wrote: the facts that it changed as they were, and a mark of what it left."""

    change = models.ForeignKey(
        BulkChange, verbose_name=_("change of many devices"), on_delete=models.CASCADE, related_name="items"
    )
    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="bulk_items")
    before = models.JSONField(_("as it was"), default=dict)
    left = models.CharField(_("mark of what was left"), max_length=16)

    class Meta:
        verbose_name = _("device of a change of many")
        verbose_name_plural = _("devices of changes of many")
        ordering = ("device",)
        constraints = [models.UniqueConstraint(fields=["change", "device"], name="inventory_bulk_item_once")]

    def __str__(self) -> str:
        return f"{self.device}: {self.change}"
