"""Schools with their types, sites and people."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.querysets import ReferenceQuerySet
from apps.schools.choices import LegalForm, OperatingState
from apps.schools.querysets import MembershipQuerySet, SchoolDetailQuerySet, SchoolQuerySet

school_number_validator = RegexValidator(r"^\d{6}$", _("A school number has six digits."))


class SchoolAuthority(models.Model):
    """Body that maintains schools (Schulträger). `is_own` marks the city that runs this portal."""

    number = models.CharField(_("number"), max_length=10, unique=True)
    name = models.CharField(_("name"), max_length=160)
    is_own = models.BooleanField(_("own school authority"), default=False)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("school authority")
        verbose_name_plural = _("school authorities")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class SchoolType(models.Model):
    """Official school type (Schulform) with its two-character key; some keys are offices or seminars."""

    key = models.CharField(_("key"), max_length=2, primary_key=True)
    name = models.CharField(_("name"), max_length=80)
    is_school = models.BooleanField(_("is a school"), default=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("school type")
        verbose_name_plural = _("school types")
        ordering = ("key",)

    def __str__(self) -> str:
        return self.name


class School(models.Model):
    """One school as the official data know it. Addresses stand on its sites."""

    number = models.CharField(_("school number"), max_length=6, unique=True, validators=[school_number_validator])
    school_type = models.ForeignKey(
        SchoolType, verbose_name=_("school type"), on_delete=models.PROTECT, related_name="schools"
    )
    authority = models.ForeignKey(
        SchoolAuthority, verbose_name=_("school authority"), on_delete=models.PROTECT, related_name="schools"
    )
    short_name = models.CharField(_("short name"), max_length=80)
    official_name = models.CharField(_("official name"), max_length=160)
    legal_form = models.CharField(_("legal form"), max_length=1, choices=LegalForm, default=LegalForm.PUBLIC)
    municipality_key = models.CharField(_("municipality key"), max_length=8, blank=True)
    operating_state = models.CharField(
        _("operating state"), max_length=1, choices=OperatingState, default=OperatingState.OPEN
    )
    opened_on = models.DateField(_("opened on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True, help_text=_("First day without lessons."))
    startchancen = models.BooleanField(_("Startchancen school"), default=False)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    homepage = models.URLField(_("homepage"), max_length=200, blank=True)
    inputs_version = models.PositiveBigIntegerField(_("version of its figures' inputs"), default=1, editable=False)
    computed_version = models.PositiveBigIntegerField(
        _("version that its stored figures stand on"), default=0, editable=False
    )
    sort_key = models.CharField(max_length=160, editable=False, db_index=True)
    search_text = models.TextField(editable=False)

    objects = SchoolQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["inputs_version", "computed_version", "sort_key", "search_text"])

    class Meta:
        verbose_name = _("school")
        verbose_name_plural = _("schools")
        ordering = ("sort_key", "pk")
        indexes = [
            models.Index(
                fields=["id"], condition=Q(computed_version__lt=F("inputs_version")), name="schools_school_due"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_on__isnull=True) | Q(closed_on__isnull=True) | Q(closed_on__gt=F("opened_on")),
                name="schools_closed_after_opened",
                violation_error_message=_("A school closes after it opened."),
            )
        ]

    def __str__(self) -> str:
        return self.short_name

    def get_absolute_url(self) -> str:
        return reverse("schools:detail", args=[self.number])


class Site(models.Model):
    """Place where a school teaches (Schulstandort); one of them is the main site."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(_("name"), max_length=80)
    is_main = models.BooleanField(_("main site"), default=False)
    street = models.CharField(_("street and number"), max_length=120, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=5, blank=True)
    city = models.CharField(_("town"), max_length=80, blank=True)
    easting = models.IntegerField(_("easting (EPSG:25832)"), null=True, blank=True)
    northing = models.IntegerField(_("northing (EPSG:25832)"), null=True, blank=True)

    objects = SchoolDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ("school", "-is_main", "name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(is_main=True),
                name="schools_one_main_site",
                violation_error_message=_("A school has one main site."),
            ),
            models.UniqueConstraint(
                fields=["school", "name"],
                name="schools_site_name_once",
                violation_error_message=_("This school has a site of that name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return ", ".join(part for part in (self.street, f"{self.postal_code} {self.city}".strip()) if part)


class Membership(models.Model):
    """This person serves this school; one person may serve several."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="memberships"
    )
    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="memberships")

    objects = MembershipQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("school", "user")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "school"],
                name="schools_membership_once",
                violation_error_message=_("This person serves this school already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.school}"
