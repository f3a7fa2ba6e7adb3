"""One word per thing, whole sentences at fields, options that begin alike; on pages of packages, too."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.utils.translation import gettext, override

from apps.core.filters import PortalFilterSet
from apps.core.form_fields import GermanDecimalField
from apps.funding.filters import ApplicationFilters
from apps.inventory.filters import DeviceFilters
from apps.schools.filters import SchoolFilters
from apps.tickets.filters import TicketFilters
from tests.factories import ApproverFactory

CATALOGUE = settings.BASE_DIR / "mepportal/locale/de/LC_MESSAGES/django.po"
FIELDS = [
    (forms.CharField(), "", "Bitte füllen Sie dieses Feld aus."),
    (forms.CharField(max_length=3), "vier", "Bitte kürzen Sie auf höchstens 3 Zeichen; es sind 4."),
    (forms.CharField(min_length=3), "zu", "Bitte geben Sie mindestens 3 Zeichen ein; es sind 2."),
    (forms.IntegerField(max_value=5), "6", "Bitte geben Sie höchstens 5 ein."),
    (forms.IntegerField(min_value=5), "4", "Bitte geben Sie mindestens 5 ein."),
    (forms.IntegerField(), "x", "Bitte geben Sie eine ganze Zahl ein."),
    (GermanDecimalField(min_value=Decimal("0.01")), "0", "Bitte geben Sie mindestens 0,01 ein."),
    (GermanDecimalField(max_value=Decimal(5000)), "5001", "Bitte geben Sie höchstens 5.000 ein."),
    (forms.DateField(), "31.2.", "Bitte geben Sie ein Datum ein, zum Beispiel 1.3.2026."),
    (
        forms.MultipleChoiceField(choices=[("a", "A")]),
        ["b"],
        "„b“ steht nicht (mehr) zur Auswahl. Bitte wählen Sie einen Eintrag der Liste.",
    ),
    (forms.FileField(), None, "Bitte füllen Sie dieses Feld aus."),
]


@pytest.mark.parametrize(("field", "typed", "sentence"), FIELDS)
def test_fields_say_how_to_mend_it(field: forms.Field, typed: Any, sentence: str) -> None:
    with override("de"), pytest.raises(ValidationError) as refused:
        field.clean(typed)
    assert refused.value.messages == [sentence]


def test_nothing_is_saved_in_two_words() -> None:
    """Django's admin says "Sichern"; the portal's own buttons say "Speichern"."""
    with override("de"):
        words = [gettext(msgid) for msgid in ("Save", "Save and add another", "Save and continue editing")]
    assert words == ["Speichern", "Speichern und weiteren Eintrag hinzufügen", "Speichern und weiter bearbeiten"]


def test_one_word_per_thing() -> None:
    """Words that were used beside the one that the navigation and the summary use."""
    whole = re.sub(r'"\n"', "", CATALOGUE.read_text())
    german = [line for line in whole.splitlines() if line.startswith("msgstr")]
    others = ("Störung", "Meldung ", "Meldungen", "ausgezahlt", "Ausgezahlt", "Sichern", "sichern")
    others += ("Lieferant", "Bezahlt am", "bezahlt am", "Bezahlt aus", " gezahlt am", "Gezahlt", "förderfähig")
    assert [
        line for line in german if any(word in line for word in others) and "diese Meldung stehen" not in line
    ] == []


def test_the_catalogue_says_what_it_is() -> None:
    """Nothing of the generator's boilerplate."""
    head = CATALOGUE.read_text().partition("#: ")[0]
    assert head.startswith("# German texts of the MEP portal.\n")
    assert '"Language: de\\n"' in head
    for leftover in ("fuzzy", "PACKAGE", "YEAR", "EMAIL@ADDRESS", "LANGUAGE", "DESCRIPTIVE"):
        assert leftover not in head


@pytest.mark.django_db
@pytest.mark.parametrize("filters", [ApplicationFilters, DeviceFilters, SchoolFilters, TicketFilters])
def test_labels_and_options_of_filters_begin_with_a_capital_letter(filters: type[PortalFilterSet]) -> None:
    request = RequestFactory().get("/")
    request.user = ApproverFactory()
    with override("de"):
        words = []
        for field in filters({}, request=request).form.fields.values():
            words += [str(field.label), *(str(word) for _code, word in getattr(field.widget, "choices", ()))]
    assert [word for word in words if not word[:1].isupper() and word[:1].isalpha()] == []
    assert len(words) > 10
