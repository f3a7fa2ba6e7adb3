"""Where the money comes from: programmes, grants and budgets. All amounts in euros (`CentsField`)."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import ZERO, CentsField
from apps.funding.amounts import appropriated, available
from apps.funding.choices import ExpenditureType
from apps.funding.querysets import (
    MoneyQuerySet,
)


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
