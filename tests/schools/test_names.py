"""Names without the town, from the register's Kurzbezeichnung."""

import pytest

from apps.schools.names import short_name


@pytest.mark.parametrize(
    ("official", "town", "name"),
    [
        ("Hamm, GG Stephanus", "Hamm", "GG Stephanus"),
        ("Hamm, GE Hamm, Nord", "Hamm", "GE Hamm, Nord"),
        ("Hamm,GG Stephanus", "Hamm", "Hamm,GG Stephanus"),
        ("Hammer Schule", "Hamm", "Hammer Schule"),
        ("Unna, RS Mitte", "Hamm", "Unna, RS Mitte"),
        ("Hamm, ", "Hamm", "Hamm, "),
        ("Hamm, GG Stephanus", "", "Hamm, GG Stephanus"),
        (", GG Stephanus", "", ", GG Stephanus"),
    ],
)
def test_only_the_exact_town_is_left_out(official: str, town: str, name: str) -> None:
    assert short_name(official, town) == name
