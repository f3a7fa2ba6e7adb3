"""How sites are connected and what schools work with, as dated rows."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.querysets import ReferenceQuerySet
from apps.schools.choices import PlatformState
from apps.schools.models.schools import School, Site
from apps.schools.querysets import SchoolDetailQuerySet, SiteDetailQuerySet


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
