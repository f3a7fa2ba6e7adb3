"""Programmes and grant notices: whose money it is, for what and until when. All amounts in euros (`CentsField`)."""

from __future__ import annotations

import datetime
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.funding.earmarking import earmarked_until
from apps.funding.querysets import MoneyQuerySet, NoticeQuerySet

MOST_YEARS_BOUND = 30
SHARE = [MinValueValidator(Decimal("0.0001")), MaxValueValidator(Decimal(1))]


class FundingProgramme(models.Model):
    """A programme that pays grants. What is not known stays empty; `source` and `checked_on` say how sure it is.

    Rate, limit and periods are what a new grant notice begins with; the notice itself decides.
    """

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=160)
    legal_basis = models.CharField(_("legal basis"), max_length=200, blank=True)
    rate = models.DecimalField(
        _("usual funding rate"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=SHARE,
        help_text=_("Share of the eligible expenditure, 0.9 for 90 percent."),
    )
    limit_per_device = CentsField(
        _("limit per device"), null=True, blank=True, help_text=_("The grant pays at most so much for a device, gross.")
    )
    eligible = models.TextField(_("what is eligible"), blank=True)
    not_eligible = models.TextField(_("what is not eligible"), blank=True)
    begins_on = models.DateField(_("begin of the programme"), null=True, blank=True)
    implementation_until = models.DateField(_("implementation until"), null=True, blank=True)
    earmarking_years = models.PositiveSmallIntegerField(
        _("earmarking in years"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_YEARS_BOUND)],
        help_text=_("It ends with the end of this calendar year after the implementation period ends."),
    )
    requires_media_concept = models.BooleanField(_("asks for the school's media concept"), default=False)
    source = models.CharField(_("source"), max_length=200, blank=True)
    checked_on = models.DateField(_("source checked on"), null=True, blank=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("funding programme")
        verbose_name_plural = _("funding programmes")
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(rate__isnull=True) | Q(rate__gt=0, rate__lte=1), name="funding_programme_rate_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(limit_per_device__isnull=True) | Q(limit_per_device__gt=0),
                name="funding_programme_limit_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A grant notice (Zuwendungsbescheid): so much money, at this rate of the eligible expenditure."""

    programme = models.ForeignKey(
        FundingProgramme, verbose_name=_("funding programme"), on_delete=models.PROTECT, related_name="grants"
    )
    file_reference = models.CharField(_("file reference"), max_length=80, unique=True)
    lucom_number = models.CharField(
        _("Lucom number"), max_length=40, blank=True, help_text=_("The number of the online form; drawdowns name it.")
    )
    notice_on = models.DateField(_("date of the notice"))
    amount = CentsField(_("amount"))
    rate = models.DecimalField(
        _("funding rate"),
        max_digits=5,
        decimal_places=4,
        validators=SHARE,
        help_text=_("Share of the eligible expenditure, 0.9 for 90 percent."),
    )
    limit_per_device = CentsField(
        _("limit per device"), null=True, blank=True, help_text=_("The grant pays at most so much for a device, gross.")
    )
    implementation_from = models.DateField(_("implementation from"), null=True, blank=True)
    implementation_until = models.DateField(_("implementation until"), null=True, blank=True)
    earmarking_years = models.PositiveSmallIntegerField(
        _("earmarking in years"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_YEARS_BOUND)],
        help_text=_("It ends with the end of this calendar year after the implementation period ends."),
    )
    proof_due_on = models.DateField(_("proof of use due on"), null=True, blank=True)
    contact = models.CharField(
        _("contact for the proof of use"), max_length=160, blank=True, help_text=_("An office and a telephone number.")
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
            models.CheckConstraint(
                condition=Q(limit_per_device__isnull=True) | Q(limit_per_device__gt=0),
                name="funding_grant_limit_positive",
            ),
            models.CheckConstraint(
                condition=Q(implementation_from__isnull=True)
                | Q(implementation_until__isnull=True)
                | Q(implementation_from__lte=F("implementation_until")),
                name="funding_grant_implementation_ends",
                violation_error_message=_("The implementation ends after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.file_reference}"

    @property
    def earmarked_until(self) -> datetime.date | None:
        """The last day on which what it paid for is bound; see `earmarking.earmarked_until`."""
        return earmarked_until(self.implementation_until, self.earmarking_years)


class GrantChange(models.Model):
    """A change notice (Änderungsbescheid). Append-only; `before` and `after`: field -> value as text."""

    grant = models.ForeignKey(Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="changes")
    notice_on = models.DateField(_("date of the notice"))
    file_reference = models.CharField(_("file reference"), max_length=80, blank=True)
    before = models.JSONField(_("values before"), default=dict)
    after = models.JSONField(_("new values"), default=dict)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change notice")
        verbose_name_plural = _("change notices")
        ordering = ("grant", "notice_on", "pk")

    def __str__(self) -> str:
        return f"{self.grant}, {self.notice_on}"
