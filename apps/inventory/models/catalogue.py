"""What can be bought: device kinds and products."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.money import CentsField
from apps.core.querysets import ReferenceQuerySet


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
