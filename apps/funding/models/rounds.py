"""Rounds in which schools apply, and the media concepts that a programme may ask for."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.funding.models.grants import FundingProgramme
from apps.funding.querysets import ConceptQuerySet, RoundQuerySet
from apps.schools.models import School


class ApplicationRound(models.Model):
    """From when until when schools apply. Who is late may still submit and is marked."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    programme = models.ForeignKey(
        FundingProgramme,
        verbose_name=_("funding programme"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rounds",
        help_text=_("Empty where the round is for all money."),
    )
    opens_on = models.DateField(_("opens on"))
    closes_on = models.DateField(_("closes on"), help_text=_("The last day on which an application is in time."))
    requires_media_concept = models.BooleanField(_("asks for the school's media concept"), default=False)
    remind_days = models.PositiveSmallIntegerField(
        _("reminder so many days before"),
        default=14,
        validators=[MaxValueValidator(365)],
        help_text=_("0: no reminder."),
    )
    reminded_on = models.DateField(_("reminded on"), null=True, editable=False)
    note = models.TextField(_("note for the schools"), blank=True)

    objects = RoundQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["reminded_on"])

    class Meta:
        verbose_name = _("round of applications")
        verbose_name_plural = _("rounds of applications")
        ordering = ("-closes_on", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("closes_on")),
                name="funding_round_ends",
                violation_error_message=_("The round closes after it opens."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def asks_for_concept(self) -> bool:
        """Whether a school needs a media concept: by the round itself or by the programme it is for."""
        return self.requires_media_concept or (self.programme is not None and self.programme.requires_media_concept)

    def is_open(self, day: datetime.date) -> bool:
        """Whether who submits on that day is in time."""
        return self.opens_on <= day <= self.closes_on

    def is_over(self, day: datetime.date) -> bool:
        """Whether who submits on that day is late."""
        return day > self.closes_on


class MediaConcept(models.Model):
    """A school's media concept as a file. `content_type` is what its bytes say; it is only ever downloaded."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="concepts")
    dated_on = models.DateField(_("date of the concept"))
    name = models.CharField(_("file name"), max_length=120)
    content_type = models.CharField(_("kind of file"), max_length=32)
    size = models.PositiveIntegerField(_("size in bytes"))
    file = models.FileField(upload_to="concepts/%Y/", editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = ConceptQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["file"])

    class Meta:
        verbose_name = _("media concept")
        verbose_name_plural = _("media concepts")
        ordering = ("-dated_on", "-pk")

    def __str__(self) -> str:
        return self.name
