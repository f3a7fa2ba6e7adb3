"""What the city sets with a date: limits and weights, and the steps of its procurement rules."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.funding.choices import RuleKind
from apps.funding.querysets import MoneyQuerySet


class DatedRule(models.Model):
    """One value from a day on; empty: the rule is off from then. `source` says where it comes from."""

    kind = models.CharField(_("rule"), max_length=32, choices=RuleKind)
    valid_from = models.DateField(_("valid from"))
    value = models.DecimalField(
        _("value"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Empty: the rule does not apply from this day on."),
    )
    source = models.CharField(_("source"), max_length=200)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule with a date")
        verbose_name_plural = _("rules with a date")
        ordering = ("kind", "-valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "valid_from"],
                name="funding_rule_once_a_day",
                violation_error_message=_("This rule has a value from that day on already."),
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0),
                name="funding_rule_not_negative",
                violation_error_message=_("The value is not negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.valid_from})"


class AwardThreshold(models.Model):
    """How the city awards a contract up to an estimated sum (net). Empty `up_to`: whatever the sum.

    Since 1 January 2026 the state sets no limits for municipalities (§ 75a GO NRW); a city may set its own.
    """

    valid_from = models.DateField(_("valid from"))
    up_to = CentsField(_("up to (net)"), null=True, blank=True, help_text=_("Empty: for every sum above the others."))
    procedure = models.CharField(_("procedure"), max_length=120)
    source = models.CharField(_("source"), max_length=200)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("award threshold")
        verbose_name_plural = _("award thresholds")
        ordering = ("-valid_from", "up_to", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["valid_from", "up_to"],
                name="funding_threshold_once",
                violation_error_message=_("There is a step for this sum from that day on already."),
            ),
            models.UniqueConstraint(
                fields=["valid_from"],
                condition=Q(up_to__isnull=True),
                name="funding_threshold_without_limit_once",
                violation_error_message=_("There is a step without a limit from that day on already."),
            ),
            models.CheckConstraint(condition=Q(up_to__isnull=True) | Q(up_to__gt=0), name="funding_threshold_positive"),
        ]

    def __str__(self) -> str:
        return self.procedure
