"""Budgets and how they change: proposed by one person, confirmed by another. All amounts in euros (`CentsField`)."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import ZERO, CentsField
from apps.funding.amounts import appropriated, available
from apps.funding.choices import BudgetChangeKind, ExpenditureType, ProposalState
from apps.funding.models.grants import Grant
from apps.funding.querysets import MoneyQuerySet

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""The fiscal years that are taken: a year outside is a slip of the pen, such as 26 for 2026."""
_YEAR = _("Please enter the year with four digits, from 2000 to 2099.")


class Budget(models.Model):
    """Money of one fiscal year for one purpose: municipal, or out of a grant.

    `committed` and `spent` are written together with each ledger entry and nowhere else. A freeze may come
    after commitments, so it is not in the constraint: the service refuses new ones.
    """

    name = models.CharField(_("name"), max_length=120)
    fiscal_year = models.PositiveSmallIntegerField(
        _("fiscal year"),
        validators=[MinValueValidator(FIRST_YEAR, _YEAR), MaxValueValidator(LAST_YEAR, _YEAR)],
    )
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
    virement_group = models.CharField(
        _("virement group"),
        max_length=40,
        blank=True,
        help_text=_("Budgets of one group and year may help each other out (Deckungskreis)."),
    )
    appropriation = CentsField(_("appropriation"))
    carried_over = CentsField(_("carried over"), default=ZERO)
    carried_out = CentsField(_("carried into the next year"), default=ZERO, editable=False)
    supplement = CentsField(_("supplement"), default=ZERO)
    virement = CentsField(_("virements"), default=ZERO, editable=False)
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
                condition=Q(fiscal_year__gte=FIRST_YEAR, fiscal_year__lte=LAST_YEAR),
                name="funding_budget_year_plausible",
                violation_error_message=_YEAR,
            ),
            models.CheckConstraint(
                condition=Q(
                    committed__lte=F("appropriation")
                    + F("carried_over")
                    + F("supplement")
                    + F("virement")
                    + F("overrun_allowed")
                    - F("carried_out")
                    - F("spent")
                ),
                name="funding_budget_not_overspent",
                violation_error_message=_("The budget would be overspent."),
            ),
            models.CheckConstraint(
                condition=Q(
                    appropriation__gte=0,
                    carried_over__gte=0,
                    carried_out__gte=0,
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
    def added(self) -> list[tuple[Promise, Decimal]]:
        """What came to the appropriation and went of it, as (name, euros): with it all that may be committed."""
        return [
            (_("carried over"), self.carried_over),
            (_("supplement"), self.supplement),
            (_("virements"), self.virement),
            (_("carried into the next year"), -self.carried_out),
            (_("allowed overrun"), self.overrun_allowed),
        ]

    @property
    def available(self) -> Decimal:
        """Euros that may still be committed; see `amounts.available`."""
        return available(self)

    @property
    def rate(self) -> Decimal | None:
        """The grant's share of a cost (0 to 1); None: municipal money."""
        return None if self.grant is None else self.grant.rate

    @property
    def asks_for_concept(self) -> bool:
        """Whether whom it pays for needs a media concept: by the programme of its grant."""
        return self.grant is not None and self.grant.programme.requires_media_concept

    @property
    def limit_per_device(self) -> Decimal | None:
        """The most euros that the grant pays for a device; None: no limit, or municipal money."""
        return None if self.grant is None else self.grant.limit_per_device


class BudgetChange(models.Model):
    """A change of a budget (KomHVO practice: nobody changes a budget alone).

    `values`: field -> new value as text (amounts in euros with two places, a grant by its id); `before`: what stood
    there when it was proposed. `budget` is None until a new budget is confirmed. `counterpart`: the budget that a
    carry-over or virement gives to; `amount`: the euros that move there, negative where a carry-over is taken back.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=BudgetChangeKind)
    budget = models.ForeignKey(
        Budget, verbose_name=_("budget"), null=True, blank=True, on_delete=models.PROTECT, related_name="changes"
    )
    counterpart = models.ForeignKey(
        Budget, verbose_name=_("goes to"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount = CentsField(_("amount"), null=True, blank=True)
    values = models.JSONField(_("new values"), default=dict, blank=True)
    before = models.JSONField(_("values before"), default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    state = models.CharField(_("state"), max_length=16, choices=ProposalState, default=ProposalState.PROPOSED)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("proposed by"), on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed at"), auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_note = models.CharField(_("note on the decision"), max_length=300, blank=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("change of a budget")
        verbose_name_plural = _("changes of budgets")
        ordering = ("-proposed_at", "-pk")
        indexes = [
            models.Index(fields=["proposed_at"], condition=Q(state="proposed"), name="funding_changes_that_wait")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(state="confirmed") | ~Q(decided_by=F("proposed_by")),
                name="funding_budget_change_two_persons",
                violation_error_message=_("Another person confirms the change."),
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="funding_budget_change_decided",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0) | Q(kind="carry_over", amount__lt=0),
                name="funding_budget_change_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.budget or self.values.get('name', '')}"

    @property
    def what(self) -> str:
        """Its kind in words."""
        is_back = self.amount is not None and self.amount < 0
        return gettext("Carry-over taken back") if is_back else str(self.get_kind_display())

    @property
    def is_carried_over(self) -> bool:
        """Whether it moved money into the next year, which may be taken back."""
        is_confirmed = self.kind == BudgetChangeKind.CARRY_OVER and self.state == ProposalState.CONFIRMED
        return is_confirmed and self.amount is not None and self.amount > 0
