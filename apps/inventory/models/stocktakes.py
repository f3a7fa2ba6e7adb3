"""Stocktakes: which devices were expected at a school, what was scanned, and what became of each difference."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import formats
from apps.inventory.choices import DeviceStatus
from apps.inventory.models.devices import Device
from apps.inventory.querysets import StocktakePartQuerySet, StocktakeQuerySet
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.schools.models import School, Site

CODE_LENGTH = 80


class Stocktake(models.Model):
    """One count of a school, or of one of its sites or rooms. At most one of a school runs at a time."""

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="stocktakes")
    site = models.ForeignKey(
        Site, verbose_name=_("site"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    room = models.CharField(_("room"), max_length=60, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=StocktakeState, default=StocktakeState.OPEN)
    started_at = models.DateTimeField(_("begun at"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("begun by"), on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("closed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = StocktakeQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("stocktake")
        verbose_name_plural = _("stocktakes")
        ordering = ("-started_at", "-pk")
        indexes = [models.Index(fields=["-started_at", "-id"], name="inventory_stocktake_recent")]
        constraints = [
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(state="open"),
                name="inventory_one_open_stocktake",
                violation_error_message=_("A stocktake of this school is running already."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="open", closed_at__isnull=True)
                    | (~Q(state="open") & Q(closed_at__isnull=False, closed_by__isnull=False))
                ),
                name="inventory_stocktake_closed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place}, {formats.day(self.started_at)}"

    def get_absolute_url(self) -> str:
        return reverse("inventory:stocktake", args=[self.pk])

    @property
    def place(self) -> str:
        """School, site and room in words."""
        room = _("room %(room)s") % {"room": self.room} if self.room else ""
        return ", ".join(str(part) for part in (self.school, self.site, room) if part)

    @property
    def is_open(self) -> bool:
        return self.state == StocktakeState.OPEN


class StocktakeItem(models.Model):
    """One device of a stocktake, or one number that belongs to no device.

    `code`, `school`, `site`, `room` and `status` are as the portal had them when the stocktake began, or for what
    was not expected when it was scanned; `found_*` says where it really stood.
    """

    stocktake = models.ForeignKey(Stocktake, on_delete=models.CASCADE, related_name="items")
    device = models.ForeignKey(
        Device, verbose_name=_("device"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(_("number"), max_length=CODE_LENGTH)
    expected = models.BooleanField(_("expected"))
    school = models.ForeignKey(School, verbose_name=_("school"), null=True, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, verbose_name=_("site"), null=True, on_delete=models.SET_NULL, related_name="+")
    room = models.CharField(_("room"), max_length=60, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=DeviceStatus, blank=True)
    outcome = models.CharField(_("result"), max_length=16, choices=Outcome)
    found_site = models.ForeignKey(
        Site, verbose_name=_("found at site"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    found_room = models.CharField(_("found in room"), max_length=60, blank=True)
    found_at = models.DateTimeField(_("found at"), null=True)
    found_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("found by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    settlement = models.CharField(_("settled"), max_length=16, choices=Settlement, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("settled by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(_("reason"), blank=True)

    objects = StocktakePartQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("device of a stocktake")
        verbose_name_plural = _("devices of a stocktake")
        ordering = ("code",)
        indexes = [
            models.Index(fields=["stocktake", "outcome", "settlement", "code"], name="inventory_stocktake_findings"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["stocktake", "code"], name="inventory_stocktake_code_once"),
            models.UniqueConstraint(
                fields=["stocktake", "device"],
                condition=Q(device__isnull=False),
                name="inventory_stocktake_device_once",
            ),
            models.CheckConstraint(
                condition=Q(settlement="", settled_at__isnull=True) | (~Q(settlement="") & Q(settled_at__isnull=False)),
                name="inventory_stocktake_settled_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_settled(self) -> bool:
        return self.outcome == Outcome.FOUND or bool(self.settlement)

    @property
    def is_lent(self) -> bool:
        """On loan since before the stocktake: nobody looks for it here. The same as `querysets.lent_items`."""
        away = self.outcome == Outcome.MISSING and self.settlement == Settlement.AWAY
        return away and self.status == DeviceStatus.ON_LOAN


class StocktakeScan(models.Model):
    """One scan, as it was sent: append-only. The phone makes the key, so that a scan sent twice counts once."""

    id = models.UUIDField(primary_key=True)
    stocktake = models.ForeignKey(Stocktake, on_delete=models.CASCADE, related_name="scans")
    item = models.ForeignKey(StocktakeItem, on_delete=models.CASCADE, related_name="scans")
    code = models.CharField(_("scanned"), max_length=CODE_LENGTH)
    site = models.ForeignKey(Site, null=True, on_delete=models.SET_NULL, related_name="+")
    room = models.CharField(_("room"), max_length=60, blank=True)
    outcome = models.CharField(_("result"), max_length=16, choices=Outcome)
    repeated = models.BooleanField(_("scanned before"))
    scanned_at = models.DateTimeField(_("scanned at"))
    received_at = models.DateTimeField(_("received at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = StocktakePartQuerySet.as_manager()

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")
        ordering = ("-scanned_at", "pk")
        indexes = [models.Index(fields=["stocktake", "by", "-scanned_at"], name="inventory_stocktake_scans")]

    def __str__(self) -> str:
        return self.code
