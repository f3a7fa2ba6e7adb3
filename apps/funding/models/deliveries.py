"""What comes of an order: deliveries, what was scanned in, and the devices that were bought."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.funding.choices import DeliveryKind
from apps.funding.models.purchasing import Order, OrderLine
from apps.funding.querysets import MoneyQuerySet
from apps.inventory.models import Device, Kit, ScanSession


class Delivery(models.Model):
    """A delivery note, or goods that go back. `form_key`: a form that is sent twice makes one."""

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="deliveries")
    form_key = models.UUIDField(null=True, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=DeliveryKind, default=DeliveryKind.RECEIPT)
    note_number = models.CharField(_("number of the delivery note"), max_length=60, blank=True)
    received_on = models.DateField(_("received or returned on"))
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-received_on", "-pk")

    def __str__(self) -> str:
        return f"{self.order}, {self.received_on}"


class DeliveredItem(models.Model):
    """So many pieces of an order line in a delivery. `scan_session`: where its devices were scanned."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="items")
    order_line = models.ForeignKey(
        OrderLine, verbose_name=pgettext_lazy("of an order", "line"), on_delete=models.PROTECT, related_name="items"
    )
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    scan_session = models.ForeignKey(
        ScanSession, null=True, on_delete=models.PROTECT, related_name="delivered_items", editable=False
    )

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivered item")
        verbose_name_plural = _("delivered items")
        ordering = ("delivery", "pk")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "order_line"], name="funding_item_once_per_delivery"),
            models.UniqueConstraint(fields=["scan_session", "order_line"], name="funding_item_once_per_scanning"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="funding_item_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line}"


class ScannedReceipt(models.Model):
    """Goods of an order that are being scanned in: devices of one of its lines, or kits, whose parts are lines of it.

    It becomes a `Delivery` when they are taken in. `kit`: what was to be scanned; the scanned delivery may be edited.
    """

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="scanned_receipts")
    scan_session = models.OneToOneField(ScanSession, on_delete=models.PROTECT, related_name="receipt")
    kit = models.ForeignKey(
        Kit, verbose_name=_("kit"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note_number = models.CharField(_("number of the delivery note"), max_length=60, blank=True)
    received_on = models.DateField(_("received or returned on"))

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("scanned receipt")
        verbose_name_plural = _("scanned receipts")
        ordering = ("order", "pk")

    def __str__(self) -> str:
        return str(self.scan_session)


class ScannedLine(models.Model):
    """An order line that a scanned receipt fills, and how many pieces of its product come `per_kit`.

    Lines of the same product and receipt share what comes, in their order. A receipt of single devices has one line.
    """

    receipt = models.ForeignKey(ScannedReceipt, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        OrderLine, verbose_name=pgettext_lazy("of an order", "line"), on_delete=models.PROTECT, related_name="scanned"
    )
    per_kit = models.PositiveSmallIntegerField(_("pieces per kit"), default=1)

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a scanned receipt")
        verbose_name_plural = _("lines of scanned receipts")
        ordering = ("receipt", "order_line")
        constraints = [
            models.UniqueConstraint(fields=["receipt", "order_line"], name="funding_line_once_per_receipt"),
            models.CheckConstraint(condition=Q(per_kit__gte=1), name="funding_scanned_line_per_kit_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.per_kit} × {self.order_line}"


class PurchasedDevice(models.Model):
    """Which order line a device was bought with: the thread from the grant notice to the device.

    `returned_on`: it went back to the supplier and counts for no proof of use.
    """

    device = models.OneToOneField(Device, verbose_name=_("device"), on_delete=models.PROTECT, related_name="purchase")
    order_line = models.ForeignKey(
        OrderLine, verbose_name=pgettext_lazy("of an order", "line"), on_delete=models.PROTECT, related_name="devices"
    )
    item = models.ForeignKey(DeliveredItem, on_delete=models.PROTECT, related_name="devices")
    returned_on = models.DateField(_("returned on"), null=True, blank=True)

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("purchased device")
        verbose_name_plural = _("purchased devices")
        ordering = ("order_line", "pk")

    def __str__(self) -> str:
        return str(self.device)
