"""Choosing a school by a list, or by typing where there are many."""

import pytest
from django import forms
from django.core.exceptions import ValidationError

from apps.schools import school_field as module
from apps.schools.models import School
from apps.schools.school_field import TypedSchoolField, school_field
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def schools():
    factories.SchoolFactory(number="100001", short_name="Birken")
    factories.SchoolFactory(number="100002", short_name="Ahornschule Nord")
    factories.SchoolFactory(number="100003", short_name="Ahornschule Süd")
    return School.objects.filter(number__in=["100001", "100002", "100003"])


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("100003", "100003"),
        ("Ahornschule Süd (100003)", "100003"),
        ("birken", "100001"),
        ("ahorn sud", "100003"),
        (" Süd ", "100003"),
        ("", None),
    ],
)
def test_a_school_is_found_by_its_number_its_name_or_a_part_of_it(schools, typed, number):
    found = TypedSchoolField(schools, required=False).clean(typed)

    assert (found and found.number) == number


def test_an_exact_name_wins_over_longer_ones_that_hold_it(schools):
    factories.SchoolFactory(number="100004", short_name="Birken am See")

    assert TypedSchoolField(School.objects.all()).clean("Birken").number == "100001"


def test_a_name_that_fits_several_names_them(schools):
    with pytest.raises(ValidationError) as refused:
        TypedSchoolField(schools).clean("Ahornschule")

    assert refused.value.messages == [
        "2 Schulen passen: Ahornschule Nord (100002); Ahornschule Süd (100003). Bitte geben Sie die Nummer einer ein."
    ]


def test_an_unknown_name_and_a_school_outside_the_choice_are_refused_alike(schools):
    foreign = factories.SchoolFactory(number="200001", short_name="Fremde")

    for typed in ("Gibtesnicht", foreign.number, foreign.short_name):
        with pytest.raises(ValidationError) as refused:
            TypedSchoolField(schools).clean(typed)
        assert refused.value.messages == [
            f"Keine Schule heißt „{typed}“. Bitte geben Sie ihre Nummer oder einen Teil ihres Namens ein."
        ]


def test_few_schools_are_a_list_and_many_a_field_to_type_into(schools, monkeypatch):
    assert isinstance(school_field(schools), forms.ModelChoiceField)

    monkeypatch.setattr(module, "MOST_IN_A_LIST", 2)

    assert isinstance(school_field(schools), TypedSchoolField)


@pytest.mark.parametrize("address", ["/inventory/", "/applications/", "/tickets/"])
def test_lists_of_a_large_city_are_filtered_by_a_typed_school(client, schools, monkeypatch, address):
    monkeypatch.setattr(module, "MOST_IN_A_LIST", 2)
    client.force_login(factories.ClerkFactory())

    page = client.get(address, {"school": "100003"})
    form = page.context["filterset"].form

    assert form.cleaned_data["school"].number == "100003"
    assert [(chip.label, chip.value) for chip in page.context["filterset"].chips()] == [("Schule", "Ahornschule Süd")]
    assert 'value="Ahornschule Süd (100003)"' in page.content.decode()
    assert 'hx-get="/schools/suggest/"' in page.content.decode()
    assert "2 Schulen passen" in client.get(address, {"school": "Ahornschule"}).content.decode()


def test_suggestions_are_schools_of_the_persons_scope(client, schools):
    client.force_login(factories.CoordinatorFactory(schools=[schools.get(number="100002")]))

    assert client.get("/schools/suggest/", {"school": "ahorn"}).content.decode().strip() == (
        '<option value="Ahornschule Nord (100002)"></option>'
    )
    assert client.get("/schools/suggest/", {"school": " "}).content.decode().strip() == ""
