"""Schools and what is officially known about them."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.querysets import ReferenceQuerySet
from apps.schools.choices import LegalForm, OperatingState, PlatformState
from apps.schools.querysets import MembershipQuerySet, SchoolDetailQuerySet, SchoolQuerySet, SiteDetailQuerySet

school_year_validator = RegexValidator(r"^20\d\d/\d\d$", _("Enter a school year such as 2024/25."))
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


class FibreLine(models.Model):
    """From this day on a site has fibre of this bandwidth, until the next line."""

    site = models.ForeignKey(Site, verbose_name=_("site"), on_delete=models.CASCADE, related_name="fibre_lines")
    since = models.DateField(_("fibre since"))
    mbits = models.PositiveIntegerField(_("bandwidth in Mbit/s"), validators=[MinValueValidator(1)])

    objects = SiteDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("fibre line")
        verbose_name_plural = _("fibre lines")
        ordering = ("site", "-since")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "since"],
                name="schools_one_fibre_line_per_day",
                violation_error_message=_("There is a fibre line for this site and day already."),
            ),
            models.CheckConstraint(condition=Q(mbits__gt=0), name="schools_fibre_has_bandwidth"),
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.mbits} Mbit/s"


class RoomNetwork(models.Model):
    """How many rooms of a site have LAN and Wi-Fi, as counted on a day; valid until the next count."""

    site = models.ForeignKey(Site, verbose_name=_("site"), on_delete=models.CASCADE, related_name="room_networks")
    counted_on = models.DateField(_("counted on"))
    rooms = models.PositiveIntegerField(_("rooms"))
    rooms_with_lan = models.PositiveIntegerField(_("rooms with LAN"))
    rooms_with_wifi = models.PositiveIntegerField(_("rooms with Wi-Fi"))

    objects = SiteDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rooms with network")
        verbose_name_plural = _("rooms with network")
        ordering = ("site", "-counted_on")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "counted_on"],
                name="schools_one_room_count_per_day",
                violation_error_message=_("There is a count of rooms for this site and day already."),
            ),
            models.CheckConstraint(
                condition=Q(rooms_with_lan__lte=F("rooms"), rooms_with_wifi__lte=F("rooms")),
                name="schools_rooms_with_network",
                violation_error_message=_("There cannot be more rooms with network than rooms."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.rooms}"


class Platform(models.Model):
    """A platform that schools work on, such as IServ."""

    name = models.CharField(_("name"), max_length=40, unique=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("platform")
        verbose_name_plural = _("platforms")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PlatformStatus(models.Model):
    """From this day on a school is that far with a platform, until the next status."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="platforms")
    platform = models.ForeignKey(
        Platform, verbose_name=_("platform"), on_delete=models.PROTECT, related_name="statuses"
    )
    state = models.CharField(_("state"), max_length=16, choices=PlatformState, default=PlatformState.IN_USE)
    since = models.DateField(_("since"))

    objects = SchoolDetailQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("platform of a school")
        verbose_name_plural = _("platforms of schools")
        ordering = ("school", "platform__name", "-since")
        constraints = [
            models.UniqueConstraint(
                fields=["school", "platform", "since"],
                name="schools_one_platform_status_per_day",
                violation_error_message=_("There is a state for this school, platform and day already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.school}: {self.platform}"


class ItStaffing(models.Model):
    """IT staff for the schools in a calendar year, in full-time posts (VZÄ)."""

    year = models.PositiveSmallIntegerField(
        _("year"), unique=True, validators=[MinValueValidator(2000), MaxValueValidator(2100)]
    )
    full_time_posts = models.DecimalField(
        _("full-time posts"), max_digits=6, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("IT staff of a year")
        verbose_name_plural = _("IT staff per year")
        ordering = ("-year",)
        constraints = [models.CheckConstraint(condition=Q(full_time_posts__gte=0), name="schools_posts_not_negative")]

    def __str__(self) -> str:
        return f"{self.year}: {self.full_time_posts}"
