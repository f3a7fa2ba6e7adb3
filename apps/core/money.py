"""Money: whole cents in the database, `Decimal` with two places in Python.

SQLite would compare decimals as floats; integers compare and sum exactly on both databases.
Rounding is half-up and happens here only.
"""

from collections.abc import Iterable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HIGHEST = Decimal("999999999.99")
"""The largest amount of one field in euros: far above a city's budgets, and sums of a million such still fit."""


def to_cents(amount: Decimal) -> int:
    """Whole cents of an amount in euros; ValueError when it holds fractions of a cent."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of cents")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """Euros with two places."""
    return Decimal(cents).scaleb(-2).quantize(CENT)


def rounded(amount: Decimal) -> Decimal:
    """Euros rounded half-up to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def share_rounded_down(amount: Decimal, rate: Decimal) -> Decimal:
    """The part `rate` (0 to 1) of an amount, rounded down to the cent: a grant never exceeds its rate."""
    return (amount * rate).quantize(CENT, rounding=ROUND_DOWN)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum with two places; 0.00 for none."""
    return sum(amounts, ZERO).quantize(CENT)


def ensure_storable(amount: Decimal | None) -> None:
    """Refuses amounts beyond HIGHEST; raises `ValidationError`."""
    if amount is not None and abs(amount) > HIGHEST:
        raise ValidationError(_("This amount is too large. Enter at most 999,999,999.99 euros."), code="too_large")


class CentsField(models.BigIntegerField):
    """Euros as `Decimal` in Python, whole cents (bigint) in the database.

    Filters, sums and F-expressions work on `Decimal` euros: `Sum("price")` gives euros.
    Arithmetic with literals inside the database is in cents; use `to_cents`.
    """

    _pyi_private_get_type: Decimal  # type: ignore[assignment]  # what type checkers read of a field: euros, not cents
    _pyi_private_set_type: Decimal | Combinable  # type: ignore[assignment]  # never float

    description = _("Amount in euros")

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: int | None, *_args: Any) -> Decimal | None:
        return None if value is None else from_cents(int(value))

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or value == "":
            return None
        try:
            amount = Decimal(value) if not isinstance(value, float) else None
        except (ArithmeticError, ValueError, TypeError):
            amount = None
        if amount is None or not amount.is_finite():
            raise ValidationError(_("Enter an amount in euros, for example 1,234.56."), code="invalid")
        return amount.quantize(CENT) if amount == amount.quantize(CENT) else amount

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value is not None and value != value.quantize(CENT):
            raise ValidationError(_("Enter at most two decimal places."), code="max_decimal_places")
        ensure_storable(value)

    @property
    def validators(self) -> list[Any]:
        """Without the integers' ranges, which do not fit euros."""
        return list(self._validators)  # type: ignore[attr-defined]  # set by Field

    def get_prep_value(self, value: Any) -> int | None:
        if value is None:
            return None
        if hasattr(value, "resolve_expression"):
            return value  # type: ignore[no-any-return]  # expressions pass through untouched
        if isinstance(value, float):
            raise TypeError("Money is never a float")
        return to_cents(Decimal(value))

    def formfield(self, **kwargs: Any) -> Any:
        from apps.core.form_fields import EuroField

        return models.Field.formfield(self, **{"form_class": EuroField, **kwargs})

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)
