"""What keeps the adding of devices free of gaps and of doubles."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.querysets import ReferenceQuerySet
from apps.inventory.querysets import OwnQuerySet


class TagSequence(models.Model):
    """The running inventory number of a prefix. Its row is locked while new numbers are given out."""

    prefix = models.CharField(_("prefix"), max_length=16, primary_key=True)
    last = models.PositiveIntegerField(_("last number"), default=0)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("running inventory number")
        verbose_name_plural = _("running inventory numbers")

    def __str__(self) -> str:
        return f"{self.prefix}-{self.last:06d}"


class AddRequest(models.Model):
    """One sending of the form that adds devices, so that a second sending adds nothing."""

    token = models.UUIDField(_("token of the form"), primary_key=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    tags = models.JSONField(_("inventory numbers"), default=list)

    objects = OwnQuerySet.as_manager()

    class Meta:
        verbose_name = _("sending of a form")
        verbose_name_plural = _("sendings of forms")
        ordering = ("-at",)

    def __str__(self) -> str:
        return formats.moment(self.at)
