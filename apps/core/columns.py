"""Columns of tables: German formats, numbers to the right, raw values in exports; none compiles a template per cell."""

import datetime
from typing import Any

import django_tables2 as tables
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.templatetags.portal import state_badge


class PortalColumn(tables.Column):
    """A column that says how it exports: `value` gives the raw value; `numeric` aligns to the right."""

    numeric = False

    def value(self, value: Any) -> Any:
        return value


class TextColumn(PortalColumn):
    pass


class LinkColumn(PortalColumn):
    """The first column: a link to the row (`linkify=True` for get_absolute_url, or a (name, kwargs) pair)."""

    def __init__(self, *args: Any, linkify: Any = True, **kwargs: Any) -> None:
        super().__init__(*args, linkify=linkify, **kwargs)


class DateColumn(PortalColumn):
    """ "22.11.2026"."""

    numeric = True

    def render(self, value: datetime.date) -> str:
        return formats.day(value)

    def value(self, value: Any) -> Any:
        return timezone.localtime(value).date() if isinstance(value, datetime.datetime) else value


class DateTimeColumn(PortalColumn):
    """ "22.11.2026, 10:42"."""

    numeric = True

    def render(self, value: datetime.datetime) -> str:
        return formats.moment(value)


class NumberColumn(PortalColumn):
    """Whole numbers, or always `places` decimals; `unit` after each."""

    numeric = True

    def __init__(self, *args: Any, places: int = 0, unit: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places
        self.unit = unit

    def render(self, value: Any) -> str:
        if self.unit:
            return formats.with_unit(value, self.unit, self.places)
        return formats.number(value, self.places)


class MoneyColumn(NumberColumn):
    """ "1.234,56 €" from a Decimal in euros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, places=2, unit="€", **kwargs)


class PercentColumn(NumberColumn):
    """ "71,2 %" from percent points."""

    def __init__(self, *args: Any, places: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, places=places, unit="%", **kwargs)


class RatioColumn(PortalColumn):
    """ "1 : 1,4"; all cells with the same decimals."""

    numeric = True

    def render(self, value: Any) -> str:
        return formats.ratio(value)


class StateColumn(PortalColumn):
    """A state as badge; exports its word. `choices` is a StateChoices."""

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices
        self._badges: dict[Any, SafeString] = {}

    def render(self, value: Any) -> SafeString:
        """The same badge for the same state; each table has columns of its own."""
        if value not in self._badges:
            self._badges[value] = state_badge(value, self.choices)
        return self._badges[value]

    def value(self, value: Any) -> str:
        return str(self.choices(value).label)


class BooleanColumn(PortalColumn):
    """ "yes" or "no"."""

    def render(self, value: bool) -> str:
        return str(_("yes") if value else _("no"))

    def value(self, value: bool) -> str:
        return self.render(value)
