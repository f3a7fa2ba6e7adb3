"""Which devices there are, and where each stood when."""

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.core.querysets import ReferenceQuerySet
from apps.inventory.choices import DeviceStatus, Ownership
from apps.inventory.querysets import AddRequestQuerySet, DeviceQuerySet, PlacementQuerySet
from apps.schools.models import School, Site

tag_validator = RegexValidator(r"^[A-Z0-9][A-Z0-9-]*$", _("Use capital letters, digits and hyphens."))


class DeviceKind(models.Model):
    """Kind of device. `countable`: pupils' devices of this kind count for the quota from now on.

    Placements keep what they counted as; a change here goes through `services.change_kind_counting`.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    countable = models.BooleanField(_("counts for pupils"), default=False)
    presentation = models.BooleanField(_("presentation device"), default=False)
    years_of_use = models.PositiveSmallIntegerField(_("years of use"), validators=[MinValueValidator(1)])
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("device kind")
        verbose_name_plural = _("device kinds")
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(countable=True, presentation=True),
                name="inventory_kind_counts_once",
                violation_error_message=_("A kind is either a pupils' device or a presentation device."),
            ),
            models.CheckConstraint(condition=Q(years_of_use__gte=1), name="inventory_kind_years_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A product of the catalogue with its present gross price in euros."""

    kind = models.ForeignKey(DeviceKind, verbose_name=_("kind"), on_delete=models.PROTECT, related_name="products")
    manufacturer = models.CharField(_("manufacturer"), max_length=80)
    model = models.CharField(_("model"), max_length=120)
    gross_price = CentsField(_("gross price"))
    is_active = models.BooleanField(_("can be applied for"), default=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("manufacturer", "model")
        constraints = [
            models.UniqueConstraint(
                fields=["manufacturer", "model"],
                name="inventory_product_once",
                violation_error_message=_("This product is in the catalogue already."),
            ),
            models.CheckConstraint(
                condition=Q(gross_price__gte=0),
                name="inventory_product_price_not_negative",
                violation_error_message=_("A price is not negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.model}"


class Device(models.Model):
    """One device. `school`, `site`, `room` and `status` are copies that only the placement service writes."""

    tag = models.CharField(_("inventory number"), max_length=32, unique=True, validators=[tag_validator])
    serial = models.CharField(_("serial number"), max_length=80, blank=True)
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="devices")
    kind = models.ForeignKey(DeviceKind, verbose_name=_("kind"), on_delete=models.PROTECT, related_name="devices")
    ownership = models.CharField(_("ownership"), max_length=16, choices=Ownership, default=Ownership.BOUGHT)
    price = CentsField(_("acquisition cost"), null=True, blank=True)
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=DeviceStatus, default=DeviceStatus.IN_STOCK)
    school = models.ForeignKey(
        School, verbose_name=_("school"), null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    site = models.ForeignKey(
        Site, verbose_name=_("site"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    room = models.CharField(_("room"), max_length=60, blank=True)
    last_school = models.ForeignKey(
        School,
        verbose_name=_("stood last at"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Where it stood when it was lost, stolen or retired."),
    )
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    search_text = models.TextField(editable=False)

    objects = DeviceQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["search_text"])

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("tag",)
        indexes = [
            models.Index(fields=["school", "status"], name="inventory_device_school"),
            models.Index(fields=["status", "tag"], name="inventory_device_status"),
            models.Index(fields=["bought_on", "tag"], name="inventory_device_bought"),
            models.Index(fields=["serial"], name="inventory_device_serial"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["serial"],
                condition=~Q(serial=""),
                name="inventory_serial_once",
                violation_error_message=_("There is a device with this serial number already."),
            ),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0),
                name="inventory_price_not_negative",
                violation_error_message=_("A price is not negative."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(status__in=["in_use", "on_loan", "in_repair"], school__isnull=False)
                    | (~Q(status__in=["in_use", "on_loan", "in_repair"]) & Q(school__isnull=True))
                ),
                name="inventory_placed_devices_have_a_school",
                violation_error_message=_("A device in use stands at a school; any other has none."),
            ),
        ]

    def __str__(self) -> str:
        return self.tag

    def get_absolute_url(self) -> str:
        return reverse("inventory:detail", args=[self.tag])


class Placement(models.Model):
    """Where a device stood from `since` (included) to `until` (excluded), and what it counted as there."""

    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="placements")
    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="placements")
    site = models.ForeignKey(
        Site, verbose_name=_("site"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    room = models.CharField(_("room"), max_length=60, blank=True)
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True)
    countable = models.BooleanField(_("counts for pupils"))
    presentation = models.BooleanField(_("presentation device"))
    ownership = models.CharField(_("ownership"), max_length=16, choices=Ownership)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ("device", "since")
        indexes = [
            models.Index(
                fields=["school"],
                condition=Q(until__isnull=True, countable=True),
                name="inventory_open_countable",
            ),
            models.Index(
                fields=["school", "since", "until"],
                include=["countable", "presentation", "ownership"],
                name="inventory_placement_course",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(until__isnull=True), name="inventory_one_open_placement"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="inventory_placement_lasts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device} @ {self.school}"


class TagSequence(models.Model):
    """The running inventory number of a prefix. Its row is locked while new numbers are given out."""

    prefix = models.CharField(_("prefix"), max_length=16, primary_key=True)
    last = models.PositiveIntegerField(_("last number"), default=0)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("running inventory number")
        verbose_name_plural = _("running inventory numbers")

    def __str__(self) -> str:
        return f"{self.prefix}-{self.last:06d}"


class AddRequest(models.Model):
    """One sending of the form that adds devices, so that a second sending adds nothing."""

    token = models.UUIDField(_("token of the form"), primary_key=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    tags = models.JSONField(_("inventory numbers"), default=list)

    objects = AddRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("sending of a form")
        verbose_name_plural = _("sendings of forms")
        ordering = ("-at",)

    def __str__(self) -> str:
        return str(self.token)
