"""The office's catalogue, and a look at devices. What moves a figure goes through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ReadOnlyInline, ScopedAdmin, ScopedInline
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDateField
from apps.core.import_admin import ImportButtonMixin
from apps.core.money import ZERO
from apps.inventory import services
from apps.inventory.device_history import holding_days
from apps.inventory.imports.devices import DevicesSource
from apps.inventory.models import (
    Device,
    DeviceKind,
    Kit,
    KitPart,
    LoanRules,
    Placement,
    Product,
    ProductPrice,
    SerialPattern,
)
from apps.inventory.serials import looks_right, validate_pattern
from apps.schools.models import School
from apps.schools.school_field import has_many


class DeviceKindForm(forms.ModelForm):
    """A kind, and from which day on it counts so."""

    counts_from = GermanDateField(
        label=_("Counts so from"),
        required=False,
        help_text=_(
            "Only when “counts for pupils” or “presentation device” changes. What lies before stays as it was."
        ),
    )

    class Meta:
        model = DeviceKind
        fields = (
            "code", "name", "countable", "presentation", "counts_from", "lent_to_pupils", "tracked_singly",
            "years_of_use", "source",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "counts_from" in self.fields:
            self.fields["counts_from"].initial = today


@admin.register(DeviceKind)
class DeviceKindAdmin(ScopedAdmin):
    form = DeviceKindForm
    list_display = (
        "name", "code", "countable", "presentation", "lent_to_pupils", "tracked_singly", "years_of_use", "source",
    )  # fmt: skip
    list_filter = ("countable", "presentation", "lent_to_pupils", "tracked_singly")
    search_fields = ("name", "code")
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: DeviceKind | None = None) -> tuple[str, ...]:
        """Imports and filters name kinds by their code, so it stays."""
        return ("code",) if obj is not None else ()

    def get_fields(self, request: HttpRequest, obj: DeviceKind | None = None) -> Any:
        fields = list(super().get_fields(request, obj))
        return fields if obj is not None else [name for name in fields if name != "counts_from"]

    def save_model(self, request: HttpRequest, obj: DeviceKind, form: Any, change: bool) -> None:
        """Saves names and years here; what the kind counts as, and since when, through the service."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        wanted = {"countable": obj.countable, "presentation": obj.presentation}
        before = DeviceKind.objects.get(pk=obj.pk)
        obj.countable, obj.presentation = before.countable, before.presentation
        if set(form.changed_data) - {"countable", "presentation", "counts_from"}:
            super().save_model(request, obj, form, change)
        services.change_kind_counting(kind=obj, by=request.user, on=form.cleaned_data.get("counts_from"), **wanted)
        obj.countable, obj.presentation = wanted["countable"], wanted["presentation"]


class ProductPriceInline(ScopedInline):
    """The price list. Prices stay: what holds until when is read from the next one's day."""

    model = ProductPrice
    fields = ("gross_price", "valid_from")
    ordering = ("-valid_from",)
    can_delete = False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        if db_field.name == "valid_from":
            return GermanDateField(label=_("Valid from"), initial=today)
        if db_field.name == "gross_price":
            kwargs["label"] = _("Gross price in €")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    readonly_fields = ("shown_price",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Who changes nothing reads amounts with their unit."""
        return ["shown_price", "valid_from"] if self._only_shows(request, obj) else [*self.fields]

    @admin.display(description=_("Gross price"))
    def shown_price(self, row: ProductPrice) -> str:
        return formats.euro(row.gross_price)

    def _only_shows(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new product is asked for its price."""
        return 0 if obj is not None else 1


@admin.register(Product)
class ProductAdmin(ScopedAdmin):
    list_display = ("model", "manufacturer", "kind", "price_today", "price_since", "warranty_months", "planned_years",
                    "is_active")  # fmt: skip
    list_filter = ("is_active", "kind")
    list_select_related = ("kind",)
    search_fields = ("manufacturer", "model")
    ordering = ("manufacturer", "model")
    fields = ("kind", "manufacturer", "model", "warranty_months", "years_of_use", "is_active")
    inlines = (ProductPriceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        prices = ProductPrice.objects.filter(product=OuterRef("pk"), valid_from__lte=today()).order_by("-valid_from")
        return rows.annotate(
            price_of_day=Subquery(prices.values("gross_price")[:1]),
            price_since_day=Subquery(prices.values("valid_from")[:1]),
        )

    @admin.display(description=_("price today"), ordering="price_of_day")
    def price_today(self, product: Product) -> str:
        return formats.euro(product.gross_price)

    @admin.display(description=_("valid from"), ordering="price_since_day")
    def price_since(self, product: Any) -> str:
        return formats.day(product.price_since_day)

    @admin.display(description=_("years of use"))
    def planned_years(self, product: Product) -> int:
        return product.years_of_use or product.kind.years_of_use

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """A renamed product is found by its new name. Prices of applications and devices stay as they were."""
        super().save_model(request, obj, form, change)
        if change and {"manufacturer", "model"} & set(form.changed_data):
            services.refresh_search_text(product=obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What can be applied for has a price."""
        super().save_related(request, form, formsets, change)
        product = form.instance
        if product.is_active and not product.prices.exists():
            raise DomainError(_("Please enter a price, or say that the product cannot be applied for."))


class KitPartInline(ScopedInline):
    model = KitPart
    fields = ("product", "quantity", "has_serial")
    ordering = ("pk",)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None else 2


@admin.register(Kit)
class KitAdmin(ScopedAdmin):
    """What was taken in keeps its parts, whatever changes here."""

    list_display = ("name", "contents", "price_today", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "parts__product__manufacturer", "parts__product__model")
    ordering = ("name",)
    fields = ("name", "is_active")
    inlines = (KitPartInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        parts = KitPart.objects.order_by("pk").prefetch_related(Prefetch("product", Product.objects.priced()))
        return super().get_queryset(request).prefetch_related(Prefetch("parts", parts))

    @admin.display(description=_("contents"))
    def contents(self, kit: Kit) -> str:
        return ", ".join(str(part) for part in kit.parts.all())

    @admin.display(description=_("price today"))
    def price_today(self, kit: Kit) -> str:
        """The sum of its parts; not known while one of them has no price."""
        prices = [(part.product.gross_price, part.quantity) for part in kit.parts.all()]
        known = [price * quantity for price, quantity in prices if price is not None]
        return formats.euro(sum(known, ZERO) if known and len(known) == len(prices) else None)


class SerialPatternForm(forms.ModelForm):
    """A pattern that its own example does not match is a slip of the pen."""

    class Meta:
        model = SerialPattern
        fields = ("product", "manufacturer", "pattern", "example")

    def clean_pattern(self) -> str:
        """Checked before the example is held against it."""
        pattern: str = self.cleaned_data["pattern"]
        validate_pattern(pattern)
        return pattern

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        pattern, example = cleaned.get("pattern"), cleaned.get("example")
        if pattern and example and not looks_right(example.upper(), pattern):
            self.add_error("example", _("The example does not match the pattern. Please correct one of them."))
        return cleaned


@admin.register(SerialPattern)
class SerialPatternAdmin(ScopedAdmin):
    form = SerialPatternForm
    list_display = ("__str__", "product", "manufacturer", "pattern", "example")
    list_select_related = ("product",)
    search_fields = ("manufacturer", "product__manufacturer", "product__model", "example")
    ordering = ("manufacturer", "pk")
    fields = ("product", "manufacturer", "pattern", "example")


@admin.register(LoanRules)
class LoanRulesAdmin(ScopedAdmin):
    """What the city has decided about loans; earlier rules stay and tell what held when."""

    list_display = ("valid_from", "names_allowed", "keep_months", "remind_days_before", "source")
    ordering = ("-valid_from",)
    fields = ("valid_from", "names_allowed", "keep_months", "remind_days_before", "source")


class PlacementInline(ReadOnlyInline):
    model = Placement
    fields = ("school", "site", "room", "since", "until", "countable", "presentation", "ownership", "by")
    ordering = ("-since",)
    verbose_name_plural = _("placements")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("school", "site", "by", "device")


class DeviceForm(forms.ModelForm):
    """A device, and why its binding ends earlier than so far."""

    binding_reason = forms.CharField(
        label=_("Reason for an earlier end of the binding"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only the approving office may end or shorten a binding that still runs, with a reason."),
    )

    class Meta:
        model = Device
        fields = ("serial", "price", "bought_on", "bound_until", "bound_by", "note")


@admin.register(Device)
class DeviceAdmin(ImportButtonMixin, ScopedAdmin):
    """Facts can be corrected here; devices are added, moved and retired in the portal, or come with a list."""

    import_sources = ((DevicesSource.name, _("Import devices")),)

    form = DeviceForm
    list_display = ("tag", "product", "kind", "serial", "status", "school", "bought_on", "bound_until")
    list_filter = (
        "status",
        "kind",
        "ownership",
        "condition",
        ("bound_until", admin.EmptyFieldListFilter),
        ("school", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("product", "kind", "school")
    sortable_by = ("tag", "status", "bought_on")
    search_fields = ("search_text",)
    ordering = ("tag",)
    fields = ("tag", "product", "kind", "status", "school", "site", "room", "ownership", "condition", "serial",
              "price", "bought_on", "bound_until", "bound_by", "binding_reason", "disposal", "disposed_on", "proceeds",
              "note", "created_at")  # fmt: skip
    readonly_fields = ("tag", "product", "kind", "status", "school", "site", "room", "ownership", "condition",
                       "disposal", "disposed_on", "proceeds", "created_at")  # fmt: skip
    inlines = (PlacementInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Where there are many schools, devices of one are found by searching its name or number."""
        filters = super().get_list_filter(request)
        return filters[:-1] if has_many(School.objects.visible_to(request.user)) else filters

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found: Any = queryset
        return found.search(search_term), False

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: Any, foreign_keys_are_objs: bool = True
    ) -> None:
        super().set_history_delta_changes(request, historical_records, foreign_keys_are_objs)
        days = holding_days(Device(pk=historical_records[0].id)) if historical_records else {}
        for record in historical_records:
            record.holds_from = days.get(record.history_id)

    def get_fields(self, request: HttpRequest, obj: Device | None = None) -> Any:
        asked = self.has_change_permission(request, obj)
        return [name for name in self.fields if asked or name != "binding_reason"]

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        services.change_details(
            device=obj,
            by=request.user,
            serial=obj.serial,
            price=obj.price,
            bought_on=obj.bought_on,
            use_until=obj.use_until,
            note=obj.note,
        )
        if {"bound_until", "bound_by"} & set(form.changed_data):
            services.bind_device(
                device=obj,
                until=obj.bound_until,
                file_reference=obj.bound_by,
                by=request.user,
                reason=form.cleaned_data["binding_reason"],
            )
