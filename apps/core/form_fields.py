"""Form fields that read numbers, money and dates as people in German offices write them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.core.money import ensure_storable

FIRST_YEAR, LAST_YEAR = 1900, 2199
FOUR_PLACES = Decimal("0.0001")
_BLANKS = re.compile(r"[\s\u00a0\u202f'’]")
_GROUPED = {",": re.compile(r"\d{1,3}(?:\.\d{3})+", re.ASCII), ".": re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)}


def parse_number(text: str, *, decimal_mark: str | None = None) -> Decimal:
    """ "1.234,56", "1234,5", "1 234.56" or "1234.5" as Decimal; ValueError for anything else.

    Where both marks appear the last one is the decimal mark. A single mark is the language's decimal mark, except
    that the other mark before groups of three groups thousands: in German "1.234" is 1234 and "12.5" is 12.5.
    """
    mark = decimal_mark or ("," if (get_language() or "de").startswith("de") else ".")
    compact = _BLANKS.sub("", text).removesuffix("€").removesuffix("%")
    sign, digits = ("-", compact[1:]) if compact[:1] in ("-", "−", "–") else ("", compact.removeprefix("+"))
    if "," in digits and "." in digits:
        last = max(digits.rfind(","), digits.rfind("."))
        whole, fraction = digits[:last], digits[last + 1 :]
        group = "." if digits[last] == "," else ","
        if not _GROUPED[digits[last]].fullmatch(whole):
            raise ValueError(text)
        digits = f"{whole.replace(group, '')}.{fraction}"
    elif _GROUPED[mark].fullmatch(digits):
        digits = digits.replace(".", "").replace(",", "")
    else:
        digits = digits.replace(",", ".")
    if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", digits, re.ASCII):
        raise ValueError(text)
    try:
        return Decimal(sign + digits)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _text_widget(widget: Any, inputmode: str) -> Any:
    """Replaces number inputs, which refuse German numbers, by text inputs with the right keyboard."""
    kind = widget if isinstance(widget, type) else type(widget)
    if widget is None or issubclass(kind, forms.NumberInput):
        return forms.TextInput(attrs={"inputmode": inputmode, "autocomplete": "off"})
    return widget


class LocalLimits:
    """Limits in refusals are written as numbers are written elsewhere."""

    def run_validators(self, value: Any) -> None:
        try:
            super().run_validators(value)  # type: ignore[misc]
        except ValidationError as refused:
            for error in refused.error_list:
                if error.params and "limit_value" in error.params:
                    limit = formats.number_format(error.params["limit_value"], force_grouping=True)
                    error.params["limit_value"] = limit
            raise


class GermanDecimalField(LocalLimits, forms.DecimalField):
    """A decimal number, read by `parse_number`, shown with the language's decimal mark and groups.

    `unit` is shown inside the field. `decimal_places` also sets how many places are shown.
    """

    unit = ""
    default_error_messages = {"invalid": _("Enter a number, for example 1,234.5.")}

    def __init__(self, *, unit: str = "", widget: Any = None, **kwargs: Any) -> None:
        super().__init__(widget=_text_widget(widget, "decimal"), **kwargs)
        self.unit = unit or self.unit

    def to_python(self, value: Any) -> Decimal | None:
        if value in self.empty_values:
            return None
        if isinstance(value, Decimal):
            return value
        try:
            return parse_number(str(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            return formats.number_format(value, decimal_pos=self.decimal_places, force_grouping=True)
        return value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No min, max and step: they belong to number inputs."""
        return {}


class ShareField(GermanDecimalField):
    """A share above 0 and up to 1 with four places, typed and shown in percent: 0.9 reads "90"."""

    unit = "%"
    default_error_messages = {"invalid": _("Enter a percentage, for example 90 or 66.67.")}

    def to_python(self, value: Any) -> Decimal | None:
        number = super().to_python(value)
        return number if number is None or isinstance(value, Decimal) else number / 100

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None:
            return
        if not 0 < value <= 1:
            raise ValidationError(_("Enter more than 0 and at most 100 percent."), code="out_of_range")
        if value != value.quantize(FOUR_PLACES):
            raise ValidationError(_("Enter at most two decimal places."), code="max_decimal_places")

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value
        percent = value * 100
        places = max(-int(percent.normalize().as_tuple().exponent), 0)
        return formats.number_format(percent, decimal_pos=places)


class EuroField(GermanDecimalField):
    """Euros with two places."""

    unit = "€"
    default_error_messages = {"invalid": _("Enter an amount in euros, for example 1,234.56.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("decimal_places", 2)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Decimal | None:
        amount = super().clean(value)
        ensure_storable(amount)
        return None if amount is None else amount.quantize(Decimal("0.01"))


class GermanIntegerField(LocalLimits, forms.IntegerField):
    """A whole number; "1.234" is read as 1234."""

    unit = ""
    default_error_messages = {"invalid": _("Enter a whole number, for example 25.")}

    def __init__(self, *, unit: str = "", widget: Any = None, **kwargs: Any) -> None:
        super().__init__(widget=_text_widget(widget, "numeric"), **kwargs)
        self.unit = unit or self.unit

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            number = parse_number(str(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if number != number.to_integral_value():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(number)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return formats.number_format(value, decimal_pos=0, force_grouping=True)
        return value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class _YearLimits:
    """Refuses years with which no sum of days and years can be reckoned: a slip of the key, like 20226."""

    def validate(self, value: Any) -> None:
        super().validate(value)  # type: ignore[misc]  # of the field
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise forms.ValidationError(
                _("Please enter a day between the years %(first)s and %(last)s."),
                code="year",
                params={"first": str(FIRST_YEAR), "last": str(LAST_YEAR)},
            )


class GermanDateField(_YearLimits, forms.DateField):
    """A day: the browser's own date input; also reads 1.3.2026, 01.03.26 and 2026-03-01."""

    default_error_messages = {"invalid": _("Enter a date, for example 1.3.2026.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y"])
        kwargs.setdefault("widget", day_input())
        super().__init__(**kwargs)


def day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class GermanDateTimeField(_YearLimits, forms.DateTimeField):
    """A moment in the portal's time zone: the browser's own input; also reads 1.3.2026 14:30."""

    default_error_messages = {"invalid": _("Enter a date and a time, for example 1.3.2026 14:30.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M"])
        kwargs.setdefault("widget", forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}))
        super().__init__(**kwargs)
