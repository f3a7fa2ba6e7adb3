"""The media development plan, its dated targets, and the stored figures."""

import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.querysets import ReferenceQuerySet
from apps.quotas.expressions import BELOW_TARGET, DIFFERENCE, PERCENT
from apps.quotas.querysets import QuotaFigureQuerySet
from apps.schools.models import School, SchoolType


class MediaDevelopmentPlan(models.Model):
    """A plan (MEP) from its first to its last day.

    `targets_version` rises with every change of a target; `figures_state` becomes another one with every write of
    stored figures, so that what was read of them can be told from what holds.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    targets_version = models.PositiveBigIntegerField(_("version of its targets"), default=1, editable=False)
    figures_state = models.UUIDField(_("state of its figures"), default=uuid.uuid4, editable=False)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["targets_version", "figures_state"])

    class Meta:
        verbose_name = _("media development plan")
        verbose_name_plural = _("media development plans")
        ordering = ("-starts_on", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="quotas_plan_ends_after_start",
                violation_error_message=_("A plan ends after it began."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class TargetGroup(models.Model):
    """School types of a plan that share a target."""

    plan = models.ForeignKey(
        MediaDevelopmentPlan, verbose_name=_("plan"), on_delete=models.CASCADE, related_name="target_groups"
    )
    name = models.CharField(_("name"), max_length=80)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("target group")
        verbose_name_plural = _("target groups")
        ordering = ("plan", "name")
        constraints = [models.UniqueConstraint(fields=["plan", "name"], name="quotas_group_name_once")]

    def __str__(self) -> str:
        return self.name


class TargetGroupMember(models.Model):
    """One school type in one group of a plan; each type at most once per plan."""

    plan = models.ForeignKey(MediaDevelopmentPlan, on_delete=models.CASCADE, related_name="+", editable=False)
    group = models.ForeignKey(
        TargetGroup, verbose_name=_("target group"), on_delete=models.CASCADE, related_name="members"
    )
    school_type = models.ForeignKey(
        SchoolType, verbose_name=_("school type"), on_delete=models.PROTECT, related_name="+"
    )

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("school type of a target group")
        verbose_name_plural = _("school types of target groups")
        ordering = ("group", "school_type")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "school_type"],
                name="quotas_type_in_one_group",
                violation_error_message=_("This school type has a target in this plan already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.school_type}"


class Target(models.Model):
    """From `valid_from` on: one device for so many pupils in a target group."""

    group = models.ForeignKey(
        TargetGroup, verbose_name=_("target group"), on_delete=models.CASCADE, related_name="targets"
    )
    valid_from = models.DateField(_("valid from"))
    pupils_per_device = models.DecimalField(
        _("pupils per device"), max_digits=5, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ("group", "valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["group", "valid_from"],
                name="quotas_one_target_per_day",
                violation_error_message=_("There is a target for this day already."),
            ),
            models.CheckConstraint(condition=Q(pupils_per_device__gt=0), name="quotas_target_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.group}: 1 : {self.pupils_per_device}"


class QuotaFigure(models.Model):
    """Numerators and denominators of one school on one day; never a percentage.

    `inputs_version` and `targets_version` are those that the row was computed from: the row is stale when
    the school's or the plan's version differs. Pupils are NULL when no count holds on the day.
    """

    plan = models.ForeignKey(
        MediaDevelopmentPlan,
        verbose_name=_("plan"),
        on_delete=models.CASCADE,
        related_name="figures",
        db_index=False,  # the unique constraint begins with it
    )
    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="quota_figures")
    day = models.DateField(_("day"))
    counted = models.BooleanField(_("counts for the city"))
    devices = models.PositiveIntegerField(_("devices"))
    parent_financed = models.PositiveIntegerField(_("parent-financed devices"))
    presentation_devices = models.PositiveIntegerField(_("presentation devices"))
    pupils = models.PositiveIntegerField(_("pupils"), null=True)
    weighted_pupils = models.DecimalField(_("weighted pupils"), max_digits=10, decimal_places=2, null=True)
    counted_on = models.DateField(_("counted on"), null=True)
    rounded = models.BooleanField(_("rounded to 5"), null=True)
    target_pupils_per_device = models.DecimalField(
        _("target: pupils per device"), max_digits=5, decimal_places=2, null=True
    )
    target_devices = models.PositiveIntegerField(_("target: devices"), null=True)
    inputs_version = models.PositiveBigIntegerField()
    targets_version = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField(_("computed at"))

    objects = QuotaFigureQuerySet.as_manager()

    class Meta:
        verbose_name = _("quota figure")
        verbose_name_plural = _("quota figures")
        ordering = ("plan", "day", "school")
        constraints = [models.UniqueConstraint(fields=["plan", "school", "day"], name="quotas_one_figure_per_day")]
        indexes = [
            models.Index(fields=["plan", "day"], name="quotas_figure_plan_day"),
            models.Index("plan", "day", DIFFERENCE, condition=Q(counted=True), name="quotas_figure_difference"),
            models.Index(
                "plan", "day", PERCENT, condition=Q(counted=True) & BELOW_TARGET, name="quotas_figure_below_target"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.day}"


class ComputedDay(models.Model):
    """A stored day of a plan on which every school's figure stands on at least this version of the plan's targets.

    Together with `School.computed_version` it tells what is due without a look at the figures themselves.
    """

    plan = models.ForeignKey(MediaDevelopmentPlan, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    targets_version = models.PositiveBigIntegerField()

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("computed day")
        verbose_name_plural = _("computed days")
        constraints = [models.UniqueConstraint(fields=["plan", "day"], name="quotas_computed_day_once")]

    def __str__(self) -> str:
        return f"{self.plan} {self.day}"
