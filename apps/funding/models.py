"""Applications for equipment, and the money they are decided against. All amounts in euros (`CentsField`)."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from apps.core import clock
from apps.core.money import ZERO, CentsField
from apps.core.transitions import StatusChange
from apps.funding.amounts import appropriated, available, line_cost
from apps.funding.choices import ApplicationState, ExpenditureType, LedgerKind, ReasonKind
from apps.funding.querysets import (
    AllocationQuerySet,
    ApplicationPartQuerySet,
    ApplicationQuerySet,
    LedgerQuerySet,
    MoneyQuerySet,
    ReasonTemplateQuerySet,
    ReplacedDeviceQuerySet,
    ReservationQuerySet,
)
from apps.inventory.models import Device, Product
from apps.schools.models import School


class FundingProgramme(models.Model):
    """A programme that pays grants. Unknown rates stay empty (see `source`)."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=160)
    legal_basis = models.CharField(_("legal basis"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("funding programme")
        verbose_name_plural = _("funding programmes")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A grant notice (Zuwendungsbescheid): so much money, at this rate of the eligible expenditure."""

    programme = models.ForeignKey(
        FundingProgramme, verbose_name=_("funding programme"), on_delete=models.PROTECT, related_name="grants"
    )
    file_reference = models.CharField(_("file reference"), max_length=80, unique=True)
    notice_on = models.DateField(_("date of the notice"))
    amount = CentsField(_("amount"))
    rate = models.DecimalField(
        _("funding rate"),
        max_digits=5,
        decimal_places=4,
        validators=[MinValueValidator(Decimal("0.0001")), MaxValueValidator(Decimal(1))],
        help_text=_("Share of the eligible expenditure, 0.9 for 90 percent."),
    )

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ("-notice_on", "pk")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="funding_grant_not_negative"),
            models.CheckConstraint(condition=Q(rate__gt=0, rate__lte=1), name="funding_rate_0_to_1"),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.file_reference}"


class Budget(models.Model):
    """Money of one fiscal year for one purpose: municipal, or out of a grant.

    `committed` and `spent` are written together with each ledger entry and nowhere else. A freeze may come
    after commitments, so it is not in the constraint: the service refuses new ones.
    """

    name = models.CharField(_("name"), max_length=120)
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    measure_number = models.CharField(_("measure number"), max_length=40, blank=True)
    product = models.CharField(_("budget product"), max_length=40, blank=True)
    ledger_account = models.CharField(_("ledger account"), max_length=40, blank=True)
    expenditure_type = models.CharField(
        _("capital or operating"), max_length=16, choices=ExpenditureType, default=ExpenditureType.CAPITAL
    )
    grant = models.ForeignKey(
        Grant,
        verbose_name=_("grant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="budgets",
        help_text=_("Empty for municipal money."),
    )
    appropriation = CentsField(_("appropriation"))
    carried_over = CentsField(_("carried over"), default=ZERO)
    supplement = CentsField(_("supplement"), default=ZERO)
    freeze = CentsField(_("frozen"), default=ZERO)
    overrun_allowed = CentsField(_("allowed overrun"), default=ZERO, editable=False)
    committed = CentsField(_("committed"), default=ZERO, editable=False)
    spent = CentsField(_("spent"), default=ZERO, editable=False)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ("-fiscal_year", "name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["fiscal_year", "name"],
                name="funding_budget_name_once",
                violation_error_message=_("There is a budget of that name in this year already."),
            ),
            models.CheckConstraint(
                condition=Q(
                    committed__lte=F("appropriation")
                    + F("carried_over")
                    + F("supplement")
                    + F("overrun_allowed")
                    - F("spent")
                ),
                name="funding_budget_not_overspent",
                violation_error_message=_("The budget would be overspent."),
            ),
            models.CheckConstraint(
                condition=Q(
                    appropriation__gte=0,
                    carried_over__gte=0,
                    freeze__gte=0,
                    overrun_allowed__gte=0,
                    committed__gte=0,
                    spent__gte=0,
                ),
                name="funding_budget_not_negative",
                violation_error_message=_("These amounts are not negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fiscal_year}"

    @property
    def appropriated(self) -> Decimal:
        """Euros that the council gave; see `amounts.appropriated`."""
        return appropriated(self)

    @property
    def available(self) -> Decimal:
        """Euros that may still be committed; see `amounts.available`."""
        return available(self)

    @property
    def rate(self) -> Decimal | None:
        """The grant's share of a cost (0 to 1); None: municipal money."""
        return None if self.grant is None else self.grant.rate


class EquipmentApplication(models.Model):
    """What a school needs (Bedarfsmeldung). `revision` rises with every save: a second tab cannot overwrite.

    `form_key` is that of the form which drafted it: a form that is sent twice makes one row.
    """

    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="equipment_applications"
    )
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
    approved_quantity = models.PositiveIntegerField(_("approved quantity"), null=True, editable=False)
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
    """How an application came to its state."""

    application = models.ForeignKey(EquipmentApplication, on_delete=models.CASCADE, related_name="status_changes")

    objects = ApplicationPartQuerySet.as_manager()

    class Meta(StatusChange.Meta):
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")

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
