"""What is typed stays within what days and years can be reckoned with."""

import datetime

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

from apps.core.form_fields import GermanDateField, GermanDateTimeField


def bounded_by(field: models.Field) -> list[int]:  # type: ignore[type-arg]  # of any value
    return [rule.limit_value for rule in field.validators if isinstance(rule, MaxValueValidator)]


def test_each_small_number_that_is_typed_has_an_upper_bound_of_its_own() -> None:
    """SQLite keeps any number, and a database's own bound of 32,767 years is none."""
    typed = {
        f"{model.__name__}.{field.name}": min(bounded_by(field), default=32767)
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and not model.__name__.startswith("Historical")
        for field in model._meta.concrete_fields
        if isinstance(field, models.PositiveSmallIntegerField) and field.editable and not field.primary_key
    }
    assert len(typed) > 8
    assert [name for name, limit in typed.items() if limit > 2199 and name != "ScannedLine.per_kit"] == []


@pytest.mark.parametrize(("typed", "is_read"), [("31.12.1899", 0), ("1.1.1900", 1), ("31.12.2199", 1), ("1.1.2200", 0)])
def test_a_day_is_of_a_year_to_reckon_with(typed: str, is_read: int) -> None:
    for field, text in ((GermanDateField(), typed), (GermanDateTimeField(), f"{typed} 12:00")):
        if is_read:
            assert field.clean(text).year in {1900, 2199}
            continue
        with pytest.raises(ValidationError) as refused:
            field.clean(text)
        assert refused.value.messages == ["Bitte geben Sie einen Tag in den Jahren 1900 bis 2199 an."]


def test_without_a_day_nothing_is_refused() -> None:
    assert GermanDateField(required=False).clean("") is None
    assert GermanDateField().clean("1.3.26") == datetime.date(2026, 3, 1)
