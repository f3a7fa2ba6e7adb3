"""What the city sets with a date: limits and weights, and the steps of its procurement rules."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import clock, formats
from apps.core.money import CentsField
from apps.funding.choices import RULES_OF_TWO, RuleKind
from apps.funding.querysets import MoneyQuerySet, RuleQuerySet


class DatedRule(models.Model):
    """One value from a day on; empty: the rule is off from then. `source` says where it comes from.

    A kind of `RULES_OF_TWO` that somebody proposed in the portal holds once another person has confirmed it
    (KomHVO § 31). Rows without `proposed_by` came with the portal and need no confirmation. A proposal that was
    declined, or withdrawn by the proposer, stays with its reason and makes room for another one of its day.
    """

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
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("proposed by"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("confirmed by"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    declined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("declined by"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decline_reason = models.CharField(_("reason for declining"), max_length=300, blank=True, editable=False)

    objects = RuleQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule with a date")
        verbose_name_plural = _("rules with a date")
        ordering = ("kind", "-valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "valid_from"],
                condition=Q(declined_by__isnull=True),
                name="funding_rule_once_a_day",
                violation_error_message=_("This rule has a value from that day on already."),
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0),
                name="funding_rule_not_negative",
                violation_error_message=_("The value is not negative."),
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True)
                | Q(proposed_by__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="funding_rule_confirmed_by_another",
                violation_error_message=_("Another person confirms the rule."),
            ),
            models.CheckConstraint(
                condition=Q(declined_by__isnull=True)
                | Q(proposed_by__isnull=False, confirmed_by__isnull=True) & ~Q(decline_reason=""),
                name="funding_rule_declined_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({formats.day(self.valid_from)})"

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for another person and does not hold, whatever the day."""
        return self.proposed_by_id is not None and self.confirmed_by_id is None and not self.is_declined

    @property
    def is_declined(self) -> bool:
        """Whether another person said no, or the proposer took it back: it never holds."""
        return self.declined_by_id is not None

    @property
    def is_withdrawn(self) -> bool:
        """Whether the proposer took it back themselves."""
        return self.is_declined and self.declined_by_id == self.proposed_by_id

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed: its day lies ahead, and nobody's confirmation would be undone."""
        settled = self.kind in RULES_OF_TWO and not self.is_waiting
        return self.valid_from > clock.today() and not settled

    @property
    def content(self) -> str:
        """What a person confirms, in one line to compare."""
        value = "" if self.value is None else f"{self.value:.2f}"
        return f"{self.kind} {self.valid_from.isoformat()} {value} {self.source}"


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

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed: its day lies ahead."""
        return self.valid_from > clock.today()
