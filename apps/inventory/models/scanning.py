"""Deliveries on their way in: what was scanned, and what serial numbers of a product look like."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import formats
from apps.core.money import CentsField
from apps.core.querysets import ReferenceQuerySet
from apps.inventory.choices import Ownership, ScanState
from apps.inventory.models.catalogue import Kit, Product
from apps.inventory.models.devices import Device
from apps.inventory.querysets import ScanQuerySet, ScanSessionQuerySet
from apps.inventory.serials import LONGEST, validate_pattern
from apps.schools.models import School, Site


class SerialPattern(models.Model):
    """What serial numbers of a product, or of all products of a manufacturer, look like; the product's comes first."""

    product = models.OneToOneField(
        Product,
        verbose_name=_("product"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="serial_pattern",
        help_text=_("Leave it empty for all products of a manufacturer."),
    )
    manufacturer = models.CharField(
        _("manufacturer"),
        max_length=80,
        blank=True,
        help_text=_("As in the list of products. Leave it empty for a single product."),
    )
    pattern = models.CharField(
        _("pattern"),
        max_length=200,
        validators=[validate_pattern],
        help_text=_("A regular expression for the whole number, e.g. [A-Z0-9]{12}."),
    )
    example = models.CharField(
        _("example"), max_length=LONGEST, help_text=_("Shown to people whose scan does not match.")
    )

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("pattern of serial numbers")
        verbose_name_plural = _("patterns of serial numbers")
        ordering = ("manufacturer", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=True) & ~Q(manufacturer="") | Q(product__isnull=False, manufacturer=""),
                name="inventory_pattern_for_one",
                violation_error_message=_("Please name either a product or a manufacturer."),
            ),
            models.UniqueConstraint(
                fields=["manufacturer"],
                condition=~Q(manufacturer=""),
                name="inventory_pattern_once",
                violation_error_message=_("There is a pattern for this manufacturer already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product or self.manufacturer}: {self.pattern}"


class ScanSession(models.Model):
    """A delivery of devices alike whose serial numbers are being scanned. `revision` rises with each change of it.

    `token` is that of the form that began it, so that a second sending begins nothing. `price` is per device.
    Of a `kit`, `product` is the first device. `kit_parts` is what one of it is made of, as it was when the delivery
    began: [product id, quantity, whether its serial numbers are scanned] for each part that is a device. `accessories`
    are its other parts at that moment, in words, as each `KitSet` keeps them.
    """

    token = models.UUIDField(_("token of the form"), unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=16, choices=ScanState, default=ScanState.OPEN)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="+")
    kit = models.ForeignKey(
        Kit, verbose_name=_("kit"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kit_parts = models.JSONField(_("parts of a kit"), default=list, blank=True, editable=False)
    accessories = models.TextField(_("accessories"), blank=True, editable=False)
    expected = models.PositiveIntegerField(
        _("expected quantity"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    school = models.ForeignKey(
        School, verbose_name=_("school"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    site = models.ForeignKey(
        Site, verbose_name=_("site"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    room = models.CharField(_("room"), max_length=60, blank=True)
    since = models.DateField(_("stands there since"), null=True, blank=True)
    ownership = models.CharField(_("ownership"), max_length=16, choices=Ownership, default=Ownership.BOUGHT)
    price = CentsField(_("acquisition cost"), null=True, blank=True)
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    started_at = models.DateTimeField(_("begun at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = ScanSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("scanned delivery")
        verbose_name_plural = _("scanned deliveries")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["by"], condition=Q(state="open"), name="inventory_open_scans")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | ~Q(state="open") & Q(ended_at__isnull=False),
                name="inventory_scan_session_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}, {formats.moment(self.started_at)}"

    def get_absolute_url(self) -> str:
        return reverse("inventory:scan", args=[self.pk])

    @property
    def what(self) -> Kit | Product:
        return self.kit or self.product


class Scan(models.Model):
    """One serial number of a delivery. `key` is the client's, so that a scan that is sent again counts once.

    What was removed keeps its row: the same sending, arriving late, does not bring it back. `place` says for which
    device of which kit the number is (`scan_places`). A device of a kit that bears no number has an empty `serial`.
    """

    session = models.ForeignKey(
        ScanSession, verbose_name=_("scanned delivery"), on_delete=models.CASCADE, related_name="scans"
    )
    key = models.UUIDField(_("key"), editable=False)
    serial = models.CharField(_("serial number"), max_length=80, blank=True)
    place = models.PositiveIntegerField(_("place among the kits"), null=True, blank=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("scanned at"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)
    device = models.OneToOneField(
        Device, verbose_name=_("device"), null=True, blank=True, on_delete=models.SET_NULL, related_name="scan"
    )

    objects = ScanQuerySet.as_manager()

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["serial"], name="inventory_scan_serial")]
        constraints = [
            models.UniqueConstraint(fields=["session", "key"], name="inventory_scan_sent_once"),
            models.UniqueConstraint(
                fields=["session", "serial"],
                condition=Q(removed_at__isnull=True) & ~Q(serial=""),
                name="inventory_scan_serial_once",
            ),
            models.UniqueConstraint(
                fields=["session", "place"],
                condition=Q(removed_at__isnull=True),
                name="inventory_scan_place_once",
            ),
        ]

    def __str__(self) -> str:
        return self.serial
