"""Support tickets of the schools."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.transitions import StatusChange
from apps.inventory.models import Device
from apps.schools.models import School
from apps.tickets.choices import TicketState
from apps.tickets.querysets import TicketMessageQuerySet, TicketPartQuerySet, TicketQuerySet


class Ticket(models.Model):
    """What does not work, where, and who takes care of it."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="tickets")
    device = models.ForeignKey(
        Device,
        verbose_name=_("device"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="tickets",
    )
    room = models.CharField(_("room"), max_length=60, blank=True)
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("what happens"))
    state = models.CharField(_("state"), max_length=32, choices=TicketState, default=TicketState.NEW, editable=False)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reported by"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person responsible"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(_("reported at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("last change"), auto_now=True)
    search_text = models.TextField(editable=False)

    objects = TicketQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["search_text"])

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["state", "created_at"], name="tickets_ticket_state")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title=""),
                name="tickets_ticket_has_title",
                violation_error_message=_("Say in a few words what does not work."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} (#{self.pk})"


class TicketMessage(models.Model):
    """Answer to the reporter, or an internal note that the reporter never sees."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    text = models.TextField(_("text"))
    internal = models.BooleanField(_("internal note"), default=False)

    objects = TicketMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.text[:60]


class TicketStatusChange(StatusChange):
    """How a ticket came to its state."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="status_changes")

    objects = TicketPartQuerySet.as_manager()

    class Meta(StatusChange.Meta):
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")

    def __str__(self) -> str:
        return f"{self.ticket}: {self.to_state}"

    @property
    def to_label(self) -> str:
        return str(TicketState(self.to_state).label)
