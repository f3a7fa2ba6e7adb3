"""Orders at suppliers, their lines and contracts. All amounts in euros gross (`CentsField`)."""

from __future__ import annotations

import datetime
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.core.transitions import StatusChange
from apps.funding.amounts import line_cost
from apps.funding.choices import OrderState
from apps.funding.models.applications import ApplicationLine
from apps.funding.models.budgets import Budget
from apps.funding.querysets import ContractQuerySet, MoneyQuerySet
from apps.inventory.models import Product
from apps.schools.models import School


class Supplier(models.Model):
    """A company that the city buys from."""

    name = models.CharField(_("name"), max_length=160, unique=True)
    customer_number = models.CharField(_("our customer number"), max_length=60, blank=True)
    contact = models.CharField(_("contact"), max_length=200, blank=True)
    is_active = models.BooleanField(_("we order here"), default=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class FrameworkContract(models.Model):
    """A framework contract (Rahmenvertrag) that orders call from."""

    supplier = models.ForeignKey(
        Supplier, verbose_name=_("supplier"), on_delete=models.PROTECT, related_name="contracts"
    )
    reference = models.CharField(_("reference"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    volume = CentsField(
        _("volume"),
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"), _("Please enter a volume above zero, or none."))],
        help_text=_("At most so many euros gross altogether."),
    )

    objects = ContractQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("framework contract")
        verbose_name_plural = _("framework contracts")
        ordering = ("supplier", "-valid_from", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__lte=F("valid_until")),
                name="funding_contract_ends",
                violation_error_message=_("The contract ends after it begins."),
            ),
            models.CheckConstraint(
                condition=Q(volume__isnull=True) | Q(volume__gt=0),
                name="funding_contract_volume_positive",
                violation_error_message=_("Please enter a volume above zero, or none."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def holds_on(self, day: datetime.date) -> bool:
        """Whether it has begun and not ended."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class OrderNumber(models.Model):
    """The last running number of the orders of a year; its row is locked while the next one is taken."""

    year = models.PositiveSmallIntegerField(_("year"), primary_key=True)
    last = models.PositiveIntegerField(_("last number"), default=0)

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("running number of orders")
        verbose_name_plural = _("running numbers of orders")

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Order(models.Model):
    """An order at one supplier for several schools. `number` is its own ("B-2026-0007"), given when it is made.

    `proposed_by`: who asked to commit money beyond what is approved; then `placed_by` is the one who approved that.

    The award record: `procedure` is copied from the threshold that held on `placed_on`; `estimated_net` in euros net.
    """

    number = models.CharField(_("order number"), max_length=20, unique=True, editable=False)
    form_key = models.UUIDField(null=True, unique=True, editable=False)
    supplier = models.ForeignKey(Supplier, verbose_name=_("supplier"), on_delete=models.PROTECT, related_name="orders")
    contract = models.ForeignKey(
        FrameworkContract,
        verbose_name=_("framework contract"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="orders",
    )
    state = models.CharField(_("state"), max_length=20, choices=OrderState, default=OrderState.DRAFT, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    note = models.TextField(_("note"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("proposed by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("placed by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    placed_on = models.DateField(_("placed on"), null=True, editable=False)
    estimated_net = CentsField(_("estimated sum (net)"), null=True, blank=True)
    procedure = models.CharField(_("award procedure"), max_length=120, blank=True)
    award_reason = models.TextField(_("reason of the award"), blank=True)
    no_price_reason = models.CharField(_("why a line costs nothing"), max_length=300, blank=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["revision", "form_key"])

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "proposed", "cancelled"])
                | Q(placed_on__isnull=False, placed_by__isnull=False),
                name="funding_order_placed",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True)
                | Q(placed_by__isnull=True)
                | (~Q(placed_by=F("proposed_by")) & ~Q(placed_by=F("created_by"))),
                name="funding_order_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """So many pieces for one school out of one budget (and one for the own share).

    `application_line` None: the office buys on its own, e.g. cabling; then the approval of the order commits the money.
    `delivered` is a copy of the deliveries, written with each.
    """

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="lines")
    application_line = models.ForeignKey(
        ApplicationLine,
        verbose_name=_("line of the application"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="order_lines",
    )
    school = models.ForeignKey(
        School, verbose_name=_("school"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    description = models.CharField(_("description"), max_length=200, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    unit_price = CentsField(_("unit price"))
    budget = models.ForeignKey(Budget, verbose_name=_("budget"), on_delete=models.PROTECT, related_name="order_lines")
    own_share_budget = models.ForeignKey(
        Budget,
        verbose_name=_("budget of the own share"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="own_share_order_lines",
    )
    delivered = models.PositiveIntegerField(_("delivered"), default=0, editable=False)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = pgettext_lazy("of an order", "line")
        verbose_name_plural = pgettext_lazy("of an order", "lines")
        ordering = ("order", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1),
                name="funding_order_line_quantity_positive",
                violation_error_message=_("Enter a quantity of at least 1."),
            ),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="funding_order_line_price_not_negative"),
            models.CheckConstraint(
                condition=Q(delivered__lte=F("quantity")),
                name="funding_order_line_not_over_delivered",
                violation_error_message=_("More would be delivered than was ordered."),
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=False) | ~Q(description=""),
                name="funding_order_line_names_something",
                violation_error_message=_("Please choose a product or describe what is ordered."),
            ),
            models.UniqueConstraint(
                fields=["order", "application_line"],
                name="funding_application_line_once_per_order",
                violation_error_message=_("This line of an application stands in the order already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product or self.description}"

    @property
    def amount(self) -> Decimal:
        """Euros gross of the ordered quantity."""
        return line_cost(self.unit_price, self.quantity)


class OrderStatusChange(StatusChange):
    """How an order came to its state. `beyond`: what was approved with it beyond what was approved (see services)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="status_changes")
    beyond = models.JSONField(null=True, editable=False)

    objects = MoneyQuerySet.as_manager()

    class Meta(StatusChange.Meta):
        verbose_name = _("status change of an order")
        verbose_name_plural = _("status changes of orders")

    def __str__(self) -> str:
        return f"{self.order}: {self.to_state}"
