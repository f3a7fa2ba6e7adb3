"""Tables of figures. The rows are read in one go, so every column may sort."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.tables import (
    DateColumn,
    LinkColumn,
    NumberColumn,
    PercentColumn,
    PortalColumn,
    PortalTable,
    RatioColumn,
    TextColumn,
)
from apps.core.templatetags.portal import badge
from apps.quotas import wording
from apps.quotas.calculations import TWO_PLACES
from apps.quotas.figures import Figure


class RowsColumn(NumberColumn):
    """A count of devices that leads to the devices behind it."""

    def __init__(self, *args: Any, counts: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts

    def render(self, value: int, record: Figure, table: PortalTable) -> Any:  # type: ignore[override]
        shown = formats.number(value)
        if not wording.may_follow(record, table.request.user):
            return shown
        return format_html('<a class="kern-link" href="{}">{}</a>', wording.rows_address(record, self.counts), shown)


class QuotaColumn(PercentColumn):
    """Percent; exported with two places."""

    def value(self, value: Decimal) -> Decimal:
        return value.quantize(TWO_PLACES)


class NColumn(RatioColumn):
    """The n of 1 : n; exported as a number with two places."""

    def value(self, value: Decimal) -> Decimal:
        return value.quantize(TWO_PLACES)


class TargetColumn(NColumn):
    """The n of a target; a whole one stands as it was set."""

    def render(self, value: Any) -> str:
        return formats.target_ratio(value)


class DistanceColumn(PortalColumn):
    """Above or below the target, in words and devices; exported as a number."""

    def render(self, value: int) -> SafeString:
        if value < 0:
            return badge(wording.missing_devices(-value), "warning")
        return badge(wording.more_devices(value) if value else str(_("reached")), "success")

    def value(self, value: int) -> int:
        return value


def _school_page(part: str = "") -> Callable[[Figure], str]:
    """For `linkify`, which passes a row only to what calls it `record`."""
    return lambda record: wording.school_address(record, part)


class FigureTable(PortalTable):
    """What figures of schools and of school types share."""

    devices = RowsColumn(accessor="numbers__devices", counts="pupils", verbose_name=_("Devices"))
    pupils = NumberColumn(accessor="numbers__pupils", verbose_name=_("Pupil number"))
    percent = QuotaColumn(verbose_name=_("Quota"))
    ratio = NColumn(accessor="numbers__pupils_per_device", verbose_name=_("Pupils per device"))
    target = TargetColumn(accessor="numbers__target_pupils_per_device", verbose_name=_("Target"))
    difference = DistanceColumn(accessor="numbers__difference", verbose_name=_("Against target"))
    parent_financed = RowsColumn(
        accessor="numbers__parent_financed", counts="parent_financed", verbose_name=_("Parent-financed")
    )
    presentation = RowsColumn(
        accessor="numbers__presentation_devices", counts="presentation", verbose_name=_("Presentation")
    )


_COLUMNS = ("devices", "pupils", "percent", "ratio", "target", "difference", "parent_financed", "presentation")


class SchoolTypeFigureTable(FigureTable):
    name = LinkColumn(linkify=lambda record, table: table.address_of(record), verbose_name=_("School type"))
    schools = NumberColumn(
        accessor="numbers__schools", linkify=lambda record, table: table.address_of(record), verbose_name=_("Schools")
    )
    pupils = NumberColumn(
        accessor="numbers__pupils",
        linkify=lambda record, table: table.address_of(record),
        verbose_name=_("Pupil number"),
    )
    target = NColumn(
        accessor="numbers__target_pupils_per_device",
        linkify=lambda record, table: table.address_of(record),
        verbose_name=_("Target"),
    )

    class Meta(PortalTable.Meta):
        sequence = ("name", "schools", *_COLUMNS)
        cards = ("percent", "ratio", "difference")

    def __init__(self, *args: Any, addresses: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.addresses = addresses

    def address_of(self, figure: Figure) -> str:
        return self.addresses[figure.key]


class SchoolFigureTable(FigureTable):
    name = LinkColumn(linkify=_school_page(), order_by="school__sort_key", verbose_name=_("School"))
    pupils = NumberColumn(
        accessor="numbers__pupils",
        linkify=_school_page("counts"),
        verbose_name=_("Pupil number"),
    )
    target = NColumn(
        accessor="numbers__target_pupils_per_device",
        linkify=_school_page("panel-quota"),
        verbose_name=_("Target"),
    )

    class Meta(PortalTable.Meta):
        sequence = ("name", *_COLUMNS)
        sortable = sequence
        cards = ("percent", "ratio", "difference")


class SchoolFigureExportTable(SchoolFigureTable):
    """More columns than a page has room for."""

    key = TextColumn(verbose_name=_("School number"))
    school_type = TextColumn(accessor="school__school_type__name", verbose_name=_("School type"))
    weighted_pupils = NumberColumn(accessor="numbers__weighted_pupils", places=2, verbose_name=_("Weighted pupils"))
    counted_on = DateColumn(accessor="numbers__counted_on", verbose_name=_("Counted on"))
    target_devices = NumberColumn(accessor="numbers__target_devices", verbose_name=_("Target: devices"))

    class Meta(SchoolFigureTable.Meta):
        sequence = (
            *("key", "name", "school_type", "devices", "pupils", "weighted_pupils", "counted_on", "percent", "ratio"),
            *("target", "target_devices", "difference", "parent_financed", "presentation"),
        )
