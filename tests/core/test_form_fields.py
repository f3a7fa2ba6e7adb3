"""Numbers, money and dates as German offices type them."""

import datetime
import re
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import override

from apps.core.form_fields import (
    EuroField,
    GermanDateField,
    GermanDateTimeField,
    GermanDecimalField,
    GermanIntegerField,
    parse_number,
)
from apps.core.form_layout import KernFormHelper
from apps.inventory.models import DeviceKind


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0", "0"),
        ("12", "12"),
        ("1.234", "1234"),
        ("1.234.567", "1234567"),
        ("12.5", "12.5"),
        ("1.2345", "1.2345"),
        ("1234,5", "1234.5"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u202f234,56\u00a0€", "1234.56"),
        ("71,2 %", "71.2"),
        ("-3,5", "-3.5"),
        ("−3,5", "-3.5"),
        ("+3,5", "3.5"),
        (",5", "0.5"),
    ],
)
def test_german_numbers_are_read(typed: str, number: str) -> None:
    assert parse_number(typed, decimal_mark=",") == Decimal(number)


@pytest.mark.parametrize(("typed", "number"), [("1,234", "1234"), ("1.234", "1.234"), ("1,5", "1.5")])
def test_english_pages_group_with_commas(typed: str, number: str) -> None:
    with override("en"):
        assert parse_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "abc",
        "1,2,3",
        "1.23.456,7",
        "12,34.567,8",
        "1e5",
        "NaN",
        "Infinity",
        "--1",
        "1-",
        "½",
        "1_000",
        "_1",
        "١٢",
        "١.٠٠٠",
        "१२,५",
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(typed)}$"):
        parse_number(typed, decimal_mark=",")


def test_euros_have_two_places_and_show_in_german() -> None:
    field = EuroField()
    assert field.clean("1.234,5") == Decimal("1234.50")
    assert str(field.clean("7")) == "7.00"
    assert field.prepare_value(Decimal("1234.5")) == "1.234,50"
    assert field.prepare_value("1.234,5 zu viel") == "1.234,5 zu viel"
    assert field.unit == "€"
    assert isinstance(field.widget, forms.TextInput)
    assert not isinstance(field.widget, forms.NumberInput)


@pytest.mark.parametrize(("typed", "code"), [("1,005", "max_decimal_places"), ("viel", "invalid"), ("", "required")])
def test_euros_refuse(typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EuroField().clean(typed)
    assert caught.value.error_list[0].code == code


def test_number_widgets_of_others_give_way() -> None:
    """The admin hands number inputs to integer columns; they would refuse "1.234,56"."""
    assert EuroField(widget=forms.NumberInput).widget.input_type == "text"
    assert GermanIntegerField(widget=forms.NumberInput()).widget.input_type == "text"
    assert GermanDecimalField(widget=forms.HiddenInput).widget.input_type == "hidden"


def test_limits_still_hold() -> None:
    field = GermanDecimalField(min_value=Decimal(1), max_value=Decimal(10), decimal_places=1)
    assert field.clean("9,5") == Decimal("9.5")
    for typed in ("0,5", "10,5", "1,25"):
        with pytest.raises(ValidationError):
            field.clean(typed)


def test_whole_numbers() -> None:
    field = GermanIntegerField(min_value=1)
    assert field.clean("1.234") == 1234
    assert field.clean("7,0") == 7
    assert field.prepare_value(1234) == "1.234"
    assert GermanIntegerField(required=False).clean("") is None
    for typed in ("1,5", "zwei", "0"):
        with pytest.raises(ValidationError):
            field.clean(typed)


def test_an_unchanged_amount_is_no_change() -> None:
    class PriceForm(forms.Form):
        price = EuroField()
        pieces = GermanIntegerField()

    form = PriceForm({"price": "1.234,50", "pieces": "1.000"}, initial={"price": Decimal("1234.50"), "pieces": 1000})
    assert form.is_valid()
    assert form.changed_data == []


@pytest.mark.parametrize("typed", ["1.3.2026", "01.03.2026", "01.03.26", "2026-03-01"])
def test_days(typed: str) -> None:
    assert GermanDateField().clean(typed) == datetime.date(2026, 3, 1)


def test_the_browsers_own_date_input_gets_its_format() -> None:
    class DayForm(forms.Form):
        day = GermanDateField(initial=datetime.date(2026, 3, 1))

    html = str(DayForm()["day"])
    assert 'type="date"' in html
    assert 'value="2026-03-01"' in html


@pytest.mark.parametrize("typed", ["31.2.2026", "2026/03/01", "morgen"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        GermanDateField().clean(typed)


@pytest.mark.parametrize("typed", ["2026-03-01T14:30", "1.3.2026 14:30", "1.3.2026, 14:30"])
def test_moments_are_local(typed: str) -> None:
    moment = GermanDateTimeField().clean(typed)
    assert moment.isoformat() == "2026-03-01T14:30:00+01:00"


def test_an_empty_choice_says_what_to_do_unless_it_says_more() -> None:
    class ChoiceForm(forms.Form):
        code = forms.ChoiceField(choices=[("", "---------"), ("a", "A")])
        kind = forms.ModelChoiceField(DeviceKind.objects.none())
        place = forms.ModelChoiceField(DeviceKind.objects.none(), empty_label="ins Lager")

    form = ChoiceForm()
    KernFormHelper(form)

    with override("de"):
        assert [str(word) for _code, word in form.fields["code"].choices] == ["Bitte wählen", "A"]
        assert str(form.fields["kind"].empty_label) == "Bitte wählen"
    assert form.fields["place"].empty_label == "ins Lager"
