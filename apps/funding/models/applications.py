"""Applications for equipment: what a school asks for, what is said about it, and how its state changed."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from apps.core import clock
from apps.core.money import ZERO, CentsField
from apps.core.transitions import StatusChange
from apps.funding.amounts import line_cost
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models.rounds import ApplicationRound, MediaConcept
from apps.funding.querysets import (
    ApplicationPartQuerySet,
    ApplicationQuerySet,
    ReasonTemplateQuerySet,
    ReplacedDeviceQuerySet,
)
from apps.inventory.models import Device, Product
from apps.schools.models import School


class EquipmentApplication(models.Model):
    """What a school needs (Bedarfsmeldung). `revision` rises with every save: a second tab cannot overwrite.

    `form_key` is that of the form which drafted it: a form that is sent twice makes one row. `concept`: with which it
    was handed in or approved. `submitted_at` and `submitted_by` are the first time, however often it came back.
    """

    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="equipment_applications"
    )
    round = models.ForeignKey(
        ApplicationRound,
        verbose_name=_("round"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="applications",
    )
    concept = models.ForeignKey(
        MediaConcept,
        verbose_name=_("media concept"),
        null=True,
        on_delete=models.PROTECT,
        related_name="applications",
        editable=False,
    )
    is_late = models.BooleanField(_("submitted after the round closed"), default=False, editable=False)
    title = models.CharField(_("title"), max_length=120)
    reason = models.TextField(_("reason"), blank=True)
    state = models.CharField(
        _("state"), max_length=32, choices=ApplicationState, default=ApplicationState.DRAFT, editable=False
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    form_key = models.UUIDField(null=True, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("drafted by"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(_("drafted at"), auto_now_add=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("submitted by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)

    objects = ApplicationQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["revision", "form_key"])

    class Meta:
        verbose_name = _("equipment application")
        verbose_name_plural = _("equipment applications")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["state", "submitted_at"], name="funding_application_queue")]

    def __str__(self) -> str:
        return f"{self.title} (#{self.pk})"

    @property
    def waiting_days(self) -> int | None:
        """Days since it was handed in; None for a draft."""
        if self.submitted_at is None:
            return None
        return (clock.today() - timezone.localtime(self.submitted_at).date()).days


class ApplicationLine(models.Model):
    """One product of an application. `unit_price` is frozen when it is submitted, in euros gross."""

    application = models.ForeignKey(EquipmentApplication, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    unit_price = CentsField(_("unit price"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    replaces_quantity = models.PositiveIntegerField(_("replaces how many"), default=0)
    replaces = models.CharField(_("replaces"), max_length=200, blank=True)
    extra_cost = CentsField(
        _("costs beyond the approval"),
        default=ZERO,
        editable=False,
        help_text=_("Committed in addition because the order costs more than was approved."),
    )
    approved_quantity = models.PositiveIntegerField(_("approved quantity"), null=True, editable=False)
    given_up = models.PositiveIntegerField(
        _("given up"), default=0, editable=False, help_text=_("Approved pieces that are not bought after all.")
    )
    decision_note = models.CharField(_("note on the decision"), max_length=300, blank=True, editable=False)

    objects = ApplicationPartQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = pgettext_lazy("of an application", "line")
        verbose_name_plural = _("lines")
        ordering = ("application", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1),
                name="funding_line_quantity_positive",
                violation_error_message=_("Enter a quantity of at least 1."),
            ),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="funding_line_price_not_negative"),
            models.CheckConstraint(
                condition=Q(approved_quantity__isnull=True) | Q(approved_quantity__lte=F("quantity")),
                name="funding_line_not_more_than_asked",
                violation_error_message=_("You cannot approve more than was applied for."),
            ),
            models.CheckConstraint(condition=Q(extra_cost__gte=0), name="funding_line_extra_not_negative"),
            models.CheckConstraint(
                condition=Q(given_up=0) | Q(given_up__lte=F("approved_quantity")),
                name="funding_line_given_up_of_approved",
            ),
            models.CheckConstraint(
                condition=Q(replaces_quantity__lte=F("quantity")),
                name="funding_line_replaces_at_most_quantity",
                violation_error_message=_("A line cannot replace more devices than it asks for."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"

    @property
    def amount(self) -> Decimal:
        """Euros for the quantity applied for."""
        return line_cost(self.unit_price, self.quantity)

    @property
    def approved_amount(self) -> Decimal | None:
        """Euros for the quantity approved; None while nothing is decided."""
        return None if self.approved_quantity is None else line_cost(self.unit_price, self.approved_quantity)


class ReplacedDevice(models.Model):
    """A device of the school that a line replaces once it is delivered."""

    line = models.ForeignKey(ApplicationLine, on_delete=models.CASCADE, related_name="replaced_devices")
    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.PROTECT, related_name="+")

    objects = ReplacedDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("replaced device")
        verbose_name_plural = _("replaced devices")
        constraints = [models.UniqueConstraint(fields=["line", "device"], name="funding_device_replaced_once_per_line")]

    def __str__(self) -> str:
        return str(self.device)


class ApplicationStatusChange(StatusChange):
    """How an application came to its state.

    `proposed_by`: the first of two people of an approval (`by` is the second); its proposal itself is gone by then.
    `overrun`: by how much the two went over budgets on purpose, in euros. `overruns`: budget by budget, with its freeze
    (see `overruns.py`); None of what was decided before that was kept.
    """

    application = models.ForeignKey(EquipmentApplication, on_delete=models.CASCADE, related_name="status_changes")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("proposed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed at"), null=True)
    overrun = CentsField(_("beyond the budget"), default=ZERO)
    overrun_reason = models.CharField(_("reason for going over the budget"), max_length=300, blank=True)
    overruns = models.JSONField(null=True, editable=False)

    objects = ApplicationPartQuerySet.as_manager()

    class Meta(StatusChange.Meta):
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        constraints = [
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True, proposed_at__isnull=True)
                | (Q(proposed_at__isnull=False) & ~Q(proposed_by=F("by"))),
                name="funding_change_proposed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(overrun=0) | (Q(overrun__gt=0, proposed_by__isnull=False) & ~Q(overrun_reason="")),
                name="funding_change_overrun_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application}: {self.to_state}"


class ApplicationMessage(models.Model):
    """Question of the office or answer of the school."""

    application = models.ForeignKey(EquipmentApplication, on_delete=models.CASCADE, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    text = models.TextField(_("text"))

    objects = ApplicationPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.text[:60]


class ReasonTemplate(models.Model):
    """A ready-made wording that the office starts a question or a reason from; what is sent is its own text."""

    kind = models.CharField(_("used"), max_length=16, choices=ReasonKind)
    name = models.CharField(_("short name"), max_length=80, help_text=_("As it stands in the list of templates."))
    text = models.TextField(_("text"))

    objects = ReasonTemplateQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reason template")
        verbose_name_plural = _("reason templates")
        ordering = ("kind", "name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name"],
                name="funding_reason_name_once",
                violation_error_message=_("There is a template of that name already."),
            ),
            models.CheckConstraint(condition=Q(kind__in=ReasonKind.values), name="funding_reason_known_kind"),
        ]

    def __str__(self) -> str:
        return self.name
