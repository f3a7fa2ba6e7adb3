"""Numbers, money and moments as people read them, in the active language.

A narrow no-break space (U+202F) stands before units and after a minus sign (U+2212), no-break spaces (U+00A0) around
the colon of a ratio.
Values are rounded half-up here, for display only.
"""

import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils import formats, timezone
from django.utils.translation import gettext as _

THIN_SPACE = "\u202f"
COLON = "\u00a0:\u00a0"
MINUS = "\u2212"
Number = Decimal | int | float | str


def to_decimal(value: object) -> Decimal | None:
    """The value as a finite Decimal; None for None, "" and what is no number."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def missing() -> str:
    """What stands where a value is not known: never 0, never an empty cell."""
    return _("not known")


def number(value: object, places: int = 0) -> str:
    """ "16.912", "− 3"; `places` decimals, always as many."""
    decimal = to_decimal(value)
    if decimal is None:
        return missing()
    quantized = decimal.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    digits = formats.number_format(abs(quantized), decimal_pos=places, force_grouping=True)
    return f"{MINUS}{THIN_SPACE}{digits}" if quantized < 0 else digits


def with_unit(value: object, unit: str, places: int = 0) -> str:
    """ "24,5 kg"."""
    return missing() if to_decimal(value) is None else f"{number(value, places)}{THIN_SPACE}{unit}"


def euro(value: object, places: int = 2) -> str:
    """ "1.234,56 €", "− 0,01 €"."""
    return with_unit(value, "€", places)


def percent(value: object, places: int = 1) -> str:
    """ "71,2 %" from 71.23 (percent points, not a share of one)."""
    return with_unit(value, "%", places)


def ratio(value: object, places: int = 1) -> str:
    """ "1 : 1,4" from 1.4, "1 : 5,0" from 5: what is computed keeps its decimals."""
    return missing() if to_decimal(value) is None else f"1{COLON}{number(value, places)}"


def target_ratio(value: object) -> str:
    """ "1 : 5" from 5, "1 : 4,5" from 4.5: what somebody has set stands as it was set."""
    decimal = to_decimal(value)
    return ratio(value, 0 if decimal is not None and decimal == decimal.to_integral_value() else 1)


def less(value: object) -> str:
    """ "− 1.234,56 €" from 1234.56: what is taken off."""
    decimal = to_decimal(value)
    return euro(value if not decimal else -decimal)


def day(value: datetime.date | None) -> str:
    """ "22.11.2026"; a moment is shown as its day in the portal's time zone."""
    if value is None:
        return missing()
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return formats.date_format(value, "SHORT_DATE_FORMAT")


def moment(value: datetime.datetime | None) -> str:
    """ "22.11.2026, 10:42" in the portal's time zone."""
    if value is None:
        return missing()
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')}, {formats.time_format(local, 'H:i')}"
