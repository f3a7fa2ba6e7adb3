"""What can be bought: device kinds, products with their prices, and kits of several products."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import formats
from apps.core.money import CentsField
from apps.core.querysets import ReferenceQuerySet
from apps.inventory.querysets import ProductQuerySet


class DeviceKind(models.Model):
    """Kind of device. `countable`: pupils' devices of this kind count for the quota from now on.

    Placements keep what they counted as; a change here goes through `services.change_kind_counting`.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    countable = models.BooleanField(_("counts for pupils"), default=False)
    presentation = models.BooleanField(_("presentation device"), default=False)
    lent_to_pupils = models.BooleanField(
        _("pupils may borrow it, too"),
        default=False,
        help_text=_("For kinds that do not count for pupils, such as document cameras. Those that do are always lent."),
    )
    years_of_use = models.PositiveSmallIntegerField(
        _("years of use"), validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    tracked_singly = models.BooleanField(
        _("each one is a device"),
        default=True,
        help_text=_("Not for accessories that nobody counts, such as cases and pens."),
    )
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

    @property
    def is_for_pupils(self) -> bool:
        """Whether pupils may borrow devices of this kind."""
        return self.countable or self.lent_to_pupils


class Product(models.Model):
    """A product of the catalogue. What it costs stands in `ProductPrice` alone; `gross_price` reads it."""

    kind = models.ForeignKey(DeviceKind, verbose_name=_("kind"), on_delete=models.PROTECT, related_name="products")
    manufacturer = models.CharField(_("manufacturer"), max_length=80)
    model = models.CharField(_("model"), max_length=120)
    warranty_months = models.PositiveSmallIntegerField(
        _("warranty in months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    years_of_use = models.PositiveSmallIntegerField(
        _("years of use"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Empty: as its kind."),
    )
    is_active = models.BooleanField(_("can be applied for"), default=True)

    objects = ProductQuerySet.as_manager()
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
        ]

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.model}"

    @property
    def gross_price(self) -> Decimal | None:
        """What it costs today in euros; None while the price list has no price of it.

        Rows of `priced()` know it, any other asks the database each time: read lists with `priced()`.
        """
        if "price_of_day" in self.__dict__:
            price: Decimal | None = self.__dict__["price_of_day"]
            return price
        return Product.objects.priced().filter(pk=self.pk).values_list("price_of_day", flat=True).first()


class ProductPrice(models.Model):
    """What a product costs from a day on, until the day of the next price."""

    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="prices")
    gross_price = CentsField(_("gross price"))
    valid_from = models.DateField(_("valid from"))

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ("product", "-valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "valid_from"],
                name="inventory_one_price_a_day",
                violation_error_message=_("There is a price from this day on already. Please change that one."),
            ),
            models.CheckConstraint(
                condition=Q(gross_price__gte=0),
                name="inventory_product_price_not_negative",
                violation_error_message=_("A price is not negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}, {formats.day(self.valid_from)}"


class Kit(models.Model):
    """Products that are bought and handed out as one, such as a tablet with case and pen."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    is_active = models.BooleanField(_("can be chosen"), default=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("kit")
        verbose_name_plural = _("kits")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class KitPart(models.Model):
    """How many of a product are in one kit."""

    kit = models.ForeignKey(Kit, verbose_name=_("kit"), on_delete=models.CASCADE, related_name="parts")
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveSmallIntegerField(
        _("quantity"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    has_serial = models.BooleanField(
        _("serial number is scanned"),
        default=False,
        help_text=_("When a delivery is scanned in: after that of the first device, which is always scanned."),
    )

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("part of a kit")
        verbose_name_plural = _("parts of a kit")
        ordering = ("kit", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["kit", "product"],
                name="inventory_part_of_kit_once",
                violation_error_message=_("This product is in the kit already. Please change its quantity."),
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="inventory_part_of_kit_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"


class KitSet(models.Model):
    """One kit as it was taken in: its devices name it. `accessories` are its parts that are no devices, in words."""

    kit = models.ForeignKey(Kit, verbose_name=_("kit"), on_delete=models.PROTECT, related_name="sets")
    accessories = models.TextField(_("accessories"), blank=True)
    created_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("taken-in kit")
        verbose_name_plural = _("taken-in kits")

    def __str__(self) -> str:
        return str(self.kit)
