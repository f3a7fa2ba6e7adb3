"""No amount is too large for the database: every money field says so first."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from apps.core.form_fields import EuroField
from apps.core.money import HIGHEST, CentsField

FIELDS = [
    field
    for model in apps.get_models()
    for field in model._meta.get_fields()
    if isinstance(field, CentsField) and not model.__name__.startswith("Historical")
]


def test_there_are_money_fields():
    assert len(FIELDS) >= 12


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.model.__name__}.{field.name}")
def test_every_money_field_takes_the_highest_and_refuses_more(field):
    assert field.clean(HIGHEST, None) == HIGHEST
    with pytest.raises(ValidationError, match="zu groß"):
        field.clean(HIGHEST + Decimal("0.01"), None)


@pytest.mark.parametrize("text", ["1.000.000.000,00", "99999999999999999999", "-99999999999999999999"])
def test_the_form_field_refuses_what_is_too_large(text):
    with pytest.raises(ValidationError, match="zu groß"):
        EuroField().clean(text)
    assert EuroField().clean("999.999.999,99") == HIGHEST
