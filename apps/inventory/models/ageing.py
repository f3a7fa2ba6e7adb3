"""What was said to the office about the age of devices."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.querysets import ReferenceQuerySet


class AgeingNotice(models.Model):
    """The reminder of a day on which one is due: it goes out once, whoever runs the job and how often."""

    due_on = models.DateField(_("due on"), unique=True)
    sent_at = models.DateTimeField(_("sent at"), auto_now_add=True)
    result = models.JSONField(_("result"), default=dict)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder of what falls due")
        verbose_name_plural = _("reminders of what falls due")
        ordering = ("-due_on",)

    def __str__(self) -> str:
        return self.due_on.isoformat()
