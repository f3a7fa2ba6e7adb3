"""What is pencilled in, which budgets pay a line, and the entries that move a budget. All amounts in euros."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.money import CentsField
from apps.funding.amounts import ledger_effect
from apps.funding.choices import LedgerKind
from apps.funding.models.applications import ApplicationLine, EquipmentApplication
from apps.funding.models.budgets import Budget
from apps.funding.models.papers import InvoiceLine
from apps.funding.models.purchasing import OrderLine
from apps.funding.querysets import (
    AllocationQuerySet,
    LedgerQuerySet,
    ReservationQuerySet,
)
from apps.schools.models import School


class Reservation(models.Model):
    """A submitted application pencilled into a budget (Vormerkung): shown, not subtracted."""

    application = models.OneToOneField(EquipmentApplication, on_delete=models.CASCADE, related_name="reservation")
    budget = models.ForeignKey(Budget, verbose_name=_("budget"), on_delete=models.PROTECT, related_name="reservations")
    amount = CentsField(_("amount"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        ordering = ("budget", "pk")

    def __str__(self) -> str:
        return f"{self.application} → {self.budget}"


class ApprovalProposal(models.Model):
    """What one person proposes to approve where a second one must (Vier-Augen-Prinzip); its money is not committed.

    `decisions`: a list of the fields of `calculations.LineDecision`. It stands for one `revision` of the application.
    """

    application = models.OneToOneField(EquipmentApplication, on_delete=models.CASCADE, related_name="proposal")
    revision = models.PositiveIntegerField()
    decisions = models.JSONField(_("decisions"))
    amount = CentsField(_("amount"))
    reason = models.TextField(_("reason"), blank=True)
    overrun_reason = models.CharField(_("reason for going over the budget"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposed approval")
        verbose_name_plural = _("proposed approvals")
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return str(self.application)


class LineAllocation(models.Model):
    """Which budget pays how much of an approved line; the parts of a line add up to its approved sum."""

    line = models.ForeignKey(ApplicationLine, on_delete=models.PROTECT, related_name="allocations")
    budget = models.ForeignKey(Budget, verbose_name=_("budget"), on_delete=models.PROTECT, related_name="allocations")
    amount = CentsField(_("amount"))

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        ordering = ("line", "pk")
        constraints = [
            models.UniqueConstraint(fields=["line", "budget"], name="funding_one_allocation_per_budget"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="funding_allocation_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.line} → {self.budget}"


class LedgerEntry(models.Model):
    """Append-only: what happened to the money of a budget. Corrected by counter-entries, never edited."""

    budget = models.ForeignKey(Budget, verbose_name=_("budget"), on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=16, choices=LedgerKind)
    amount = CentsField(_("amount"))
    line = models.ForeignKey(
        ApplicationLine,
        verbose_name=pgettext_lazy("of an application", "line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
    )
    order_line = models.ForeignKey(
        OrderLine,
        verbose_name=pgettext_lazy("of an order", "line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
    )
    invoice_line = models.ForeignKey(
        InvoiceLine,
        verbose_name=pgettext_lazy("of an invoice", "line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ("budget", "at", "pk")
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="funding_entry_not_zero"),
            models.CheckConstraint(condition=Q(kind__in=LedgerKind.values), name="funding_entry_known_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"

    @property
    def school(self) -> School | None:
        """For whom the money is: the application's school, or that of what the office bought on its own."""
        if self.line is not None:
            return self.line.application.school
        return None if self.order_line is None else self.order_line.school

    @property
    def effect(self) -> tuple[Decimal, Decimal]:
        """What it adds to (committed, spent) of its budget, in euros."""
        return ledger_effect(self.kind, self.amount)
