"""What is officially counted and found about schools, by day or year."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.querysets import ReferenceQuerySet
from apps.schools.models.schools import School, SchoolType
from apps.schools.querysets import SchoolDetailQuerySet

school_year_validator = RegexValidator(r"^20\d\d/\d\d$", _("Enter a school year such as 2024/25."))


class PupilWeight(models.Model):
    """How much a pupil of a school type counts from a day on (part-time pupils of vocational colleges)."""

    school_type = models.ForeignKey(
        SchoolType, verbose_name=_("school type"), on_delete=models.CASCADE, related_name="weights"
    )
    valid_from = models.DateField(_("valid from"))
    weight = models.DecimalField(
        _("weight"),
        max_digits=4,
        decimal_places=2,
        default=Decimal("1.00"),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal("9.99"))],
    )
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("pupil weight")
        verbose_name_plural = _("pupil weights")
        ordering = ("school_type", "valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["school_type", "valid_from"],
                name="schools_one_weight_per_day",
                violation_error_message=_("There is a weight for this school type and day already."),
            ),
            models.CheckConstraint(condition=Q(weight__gt=0), name="schools_weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.school_type}: {self.weight}"


class PupilCount(models.Model):
    """Official pupil count of a school on a counting day. Counts from this day until the next count."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="pupil_counts")
    school_year = models.CharField(_("school year"), max_length=7, validators=[school_year_validator])
    counted_on = models.DateField(_("counted on"))
    pupils = models.PositiveIntegerField(_("pupils"))
    rounded = models.BooleanField(_("rounded to 5"), default=False)
    generated = models.BooleanField(_("generated for the demo"), default=False)
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = SchoolDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("pupil count")
        verbose_name_plural = _("pupil counts")
        ordering = ("school", "-counted_on")
        constraints = [
            models.UniqueConstraint(
                fields=["school", "counted_on"],
                name="schools_one_count_per_day",
                violation_error_message=_("There is a count for this school and day already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.school_year}"


class SocialIndex(models.Model):
    """School social index of a school year, 1 to 9; no rank. Special needs and vocational schools have none."""

    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="social_indices"
    )
    school_year = models.CharField(_("school year"), max_length=7, validators=[school_year_validator])
    level = models.PositiveSmallIntegerField(_("level"), validators=[MinValueValidator(1), MaxValueValidator(9)])

    objects = SchoolDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("social index")
        verbose_name_plural = _("social indices")
        ordering = ("school", "-school_year")
        constraints = [
            models.UniqueConstraint(
                fields=["school", "school_year"],
                name="schools_one_index_per_year",
                violation_error_message=_("There is a social index for this school year already."),
            ),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=9), name="schools_index_1_to_9"),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.school_year}: {self.level}"
