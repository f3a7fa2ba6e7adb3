"""Which devices there are, and where each stood when."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.inventory.choices import PRESENT_STATUSES, Condition, DeviceStatus, Disposal, Ownership
from apps.inventory.models.catalogue import DeviceKind, KitSet, Product
from apps.inventory.querysets import DeviceQuerySet, PlacementQuerySet
from apps.schools.models import School, Site

tag_validator = RegexValidator(r"^[A-Z0-9][A-Z0-9-]*$", _("Use capital letters, digits and hyphens."))


class Device(models.Model):
    """One device. `school`, `site`, `room` and `status` are copies that only the placement service writes."""

    tag = models.CharField(_("inventory number"), max_length=32, unique=True, validators=[tag_validator])
    serial = models.CharField(_("serial number"), max_length=80, blank=True)
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="devices")
    kind = models.ForeignKey(DeviceKind, verbose_name=_("kind"), on_delete=models.PROTECT, related_name="devices")
    kit_set = models.ForeignKey(
        KitSet,
        verbose_name=_("kit"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="devices",
    )
    ownership = models.CharField(_("ownership"), max_length=16, choices=Ownership, default=Ownership.BOUGHT)
    price = CentsField(_("acquisition cost"), null=True, blank=True)
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    use_until = models.DateField(
        _("planned end of use"), null=True, blank=True, help_text=_("Empty: after the planned years of use.")
    )
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
    condition = models.CharField(_("condition"), max_length=16, choices=Condition, blank=True)
    bound_until = models.DateField(
        _("bound until"), null=True, blank=True, help_text=_("The last day on which a grant binds the device.")
    )
    bound_by = models.CharField(
        _("bound by"), max_length=120, blank=True, help_text=_("The file reference of the grant notice.")
    )
    disposal = models.CharField(_("whereabouts after retirement"), max_length=16, choices=Disposal, blank=True)
    disposed_on = models.DateField(_("left on"), null=True, blank=True)
    proceeds = CentsField(_("proceeds"), null=True, blank=True)
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
            models.Index(
                fields=["tag"], condition=Q(status__in=sorted(PRESENT_STATUSES)), name="inventory_device_present"
            ),
            models.Index(
                fields=["kind", "tag"],
                condition=Q(status__in=sorted(PRESENT_STATUSES)),
                include=["status", "school", "last_school"],
                name="inventory_device_kind",
            ),
            models.Index(
                fields=["bound_until", "tag"], condition=Q(bound_until__isnull=False), name="inventory_device_bound"
            ),
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
            models.CheckConstraint(
                condition=Q(bound_until__isnull=True, bound_by="") | (Q(bound_until__isnull=False) & ~Q(bound_by="")),
                name="inventory_binding_is_whole",
                violation_error_message=_("A binding names its last day and the file reference of the grant."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(disposal="", disposed_on__isnull=True, proceeds__isnull=True)
                    | (Q(status="retired", disposed_on__isnull=False) & ~Q(disposal=""))
                ),
                name="inventory_disposal_of_retired",
                violation_error_message=_("Only a retired device has left, and then on a day."),
            ),
            models.CheckConstraint(
                condition=Q(proceeds__isnull=True) | Q(proceeds__gte=0, disposal="sold"),
                name="inventory_proceeds_of_sold",
                violation_error_message=_("Only a sold device brings proceeds, and no negative ones."),
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
            models.Index(
                fields=["until"],
                include=["school", "since", "countable", "presentation", "ownership"],
                condition=Q(until__isnull=False),
                name="inventory_placement_left",
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
