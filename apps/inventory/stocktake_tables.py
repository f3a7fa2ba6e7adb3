"""Tables and filters of the stocktake."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import formats
from apps.core.filters import PortalFilterSet
from apps.core.tables import DateColumn, LinkColumn, NumberColumn, PortalTable, StateColumn, TextColumn
from apps.core.templatetags.portal import state_badge
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import Stocktake, StocktakeItem
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.inventory.stocktake_selectors import GONE, ON_LOAN, Words, away, gone, gone_words, lent
from apps.schools.models import School


class StocktakeTable(PortalTable):
    started_at = LinkColumn(verbose_name=_("Begun on"))
    school = TextColumn(verbose_name=_("School"))
    part = TextColumn(verbose_name=_("Site and room"), accessor="pk", empty_values=())
    state = StateColumn(choices=StocktakeState, verbose_name=_("State"))
    expected = NumberColumn(verbose_name=_("Expected"))
    found = NumberColumn(verbose_name=_("Found"))
    closed_at = DateColumn(verbose_name=_("Closed on"), empty_values=())

    class Meta(PortalTable.Meta):
        model = Stocktake
        fields = ("started_at", "school", "part", "state", "expected", "found", "closed_at")
        sequence = fields
        sortable = ("started_at",)
        cards = ("school", "state", "found")

    def render_started_at(self, value: Any) -> str:
        return formats.day(value)

    def render_part(self, record: Stocktake) -> Any:
        words = [str(record.site)] if record.site else []
        words += [_("room %(room)s") % {"room": record.room}] if record.room else []
        return ", ".join(words) or _("whole school")

    def render_closed_at(self, value: Any) -> str:
        return formats.day(value) if value else "–"


class StocktakeFilters(PortalFilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=StocktakeState.choices)
    school = django_filters.ModelChoiceFilter(label=_("School"), queryset=School.objects.none(), to_field_name="number")

    class Meta:
        model = Stocktake
        fields = ("state", "school")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["school"].queryset = School.objects.visible_to(self.request.user)


class ItemTable(PortalTable):
    """What was found or not. The table is given `words`, which know what the person may read."""

    code = TextColumn(verbose_name=pgettext_lazy("of a device", "Number"))
    product = TextColumn(verbose_name=_("Product"), accessor="pk", empty_values=())
    outcome = StateColumn(choices=Outcome, verbose_name=_("Result"))
    place = TextColumn(verbose_name=_("Should stand"), accessor="pk", empty_values=())
    found_in = TextColumn(verbose_name=_("Was found"), accessor="pk", empty_values=())
    settlement = TextColumn(verbose_name=_("Settled"), empty_values=())

    class Meta(PortalTable.Meta):
        model = StocktakeItem
        fields = ("code", "product", "outcome", "place", "found_in", "settlement")
        sequence = fields
        sortable = ("code",)
        cards = ("outcome", "place", "settlement")

    words: Words | None = None

    def _words(self) -> Words:
        if self.words is None:
            self.words = Words(self.request.user, [row.record for row in self.paginated_rows])
        return self.words

    def render_code(self, record: StocktakeItem) -> Any:
        if record.device is None or not self._words().shows(record):
            return record.code
        return format_html('<a class="kern-link" href="{}">{}</a>', record.device.get_absolute_url(), record.code)

    def render_outcome(self, record: StocktakeItem) -> Any:
        return state_badge(_result(record))

    def value_outcome(self, record: StocktakeItem) -> str:
        return str(_result(record).label)

    def render_product(self, record: StocktakeItem) -> Any:
        return str(record.device.product) if record.device and self._words().shows(record) else "–"

    def render_place(self, record: StocktakeItem) -> Any:
        if record.outcome == Outcome.UNKNOWN:
            return "–"
        if record.outcome == Outcome.ELSEWHERE:
            return self._words().belongs(record)
        return place_words(record.site, record.room) or formats.missing()

    def render_found_in(self, record: StocktakeItem) -> Any:
        if record.found_at is None:
            return "–"
        when = formats.moment(record.found_at)
        return ", ".join(part for part in (place_words(record.found_site, record.found_room), when) if part)

    def render_settlement(self, record: StocktakeItem) -> Any:
        return settlement_words(record)


def _result(item: Any) -> DeviceStatus | Outcome:
    """What is looked for is found or not; of what is elsewhere it is said what became of it."""
    if item.is_lent:
        return DeviceStatus.ON_LOAN
    return DeviceStatus(item.gone_as) if item.gone_as else Outcome(item.outcome)


def place_words(site: Any, room: str) -> str:
    """Site and room in words; "" where neither is known."""
    words = [str(site)] if site else []
    words += [str(_("room %(room)s") % {"room": room})] if room else []
    return ", ".join(words)


def settlement_words(item: StocktakeItem) -> Any:
    """How a finding was settled, with the reason; what was found needs nothing, the rest is still open."""
    if item.is_lent:
        return _("on loan, nothing to settle")
    if words := gone_words(item):
        return words
    if not item.settlement:
        return "–" if item.outcome == Outcome.FOUND else _("still open")
    label = str(Settlement(item.settlement).label)
    return f"{label}: {item.reason}" if item.reason else label


def _outcomes() -> list[tuple[str, Any]]:
    return [*Outcome.choices, (ON_LOAN, DeviceStatus.ON_LOAN.label), (GONE, _("reported as lost, stolen or retired"))]


class ItemFilters(PortalFilterSet):
    outcome = django_filters.ChoiceFilter(label=_("Result"), choices=_outcomes, method="filter_outcome")
    settled = django_filters.ChoiceFilter(
        label=_("Settled"), choices=[("no", _("still open")), ("yes", _("settled"))], method="filter_settled"
    )
    room = django_filters.CharFilter(label=_("Room"), method="filter_room")
    code = django_filters.CharFilter(label=pgettext_lazy("of a device", "Number"), lookup_expr="icontains")

    class Meta:
        model = StocktakeItem
        fields = ("outcome", "settled", "room", "code")

    def filter_outcome(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        if value == ON_LOAN:
            return rows.filter(lent())
        if value == GONE:
            return rows.filter(gone())
        found = rows.filter(outcome=value)
        return found.exclude(away()) if value == Outcome.MISSING else found

    def filter_settled(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        still = rows.filter(settlement="").exclude(outcome=Outcome.FOUND).exclude(gone())
        return still if value == "no" else rows.exclude(pk__in=still.values("pk"))

    def filter_room(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(room__iexact=value) | rows.filter(found_room__iexact=value)
