"""The order of the waiting list: pure, exact, explained."""

import datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.funding.priorities import (
    Age,
    Criterion,
    Facts,
    Place,
    age_of,
    most_points,
    need_of,
    places_of,
    social_index_of,
)

D = Decimal
WEIGHTS = {Criterion.NEED: D("60.00"), Criterion.AGE: D("30.00"), Criterion.SOCIAL_INDEX: D("10.00")}
MORNING = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.UTC)


def facts(number: int, hours: int = 0, **known: object) -> Facts:
    return Facts(number, MORNING + datetime.timedelta(hours=hours), **known)  # type: ignore[arg-type]


def order(places: tuple[Place, ...]) -> list[int]:
    return [place.facts.application_id for place in places]


@pytest.mark.parametrize(
    ("devices", "target", "value"),
    [
        (0, 100, "1.0000"),
        (75, 100, "0.2500"),
        (100, 100, "0.0000"),
        (130, 100, "0.0000"),
        (1, 3, "0.6667"),
        (5, 0, "0"),
        (None, 100, None),
        (5, None, None),
    ],
)
def test_the_need_is_the_share_of_the_target_that_is_missing(
    devices: int | None, target: int | None, value: str | None
) -> None:
    assert need_of(devices, target) == (None if value is None else D(value))


@pytest.mark.parametrize(
    ("ages", "value"),
    [
        ([], None),
        ([Age(365, 730)], "0.5000"),
        ([Age(365, 730), Age(730, 730)], "0.7500"),
        ([Age(5000, 730)], "1.0000"),
        ([Age(-3, 730)], "0.0000"),
        ([Age(100, 0)], None),
        ([Age(1, 3), Age(1, 3), Age(0, 3)], "0.2222"),
    ],
)
def test_the_age_is_the_mean_share_of_the_planned_time(ages: list[Age], value: str | None) -> None:
    assert age_of(ages) == (None if value is None else D(value))


@pytest.mark.parametrize(("level", "value"), [(1, "0"), (5, "0.5"), (9, "1"), (None, None)])
def test_the_social_index_runs_from_its_first_to_its_last_level(level: int | None, value: str | None) -> None:
    assert social_index_of(level) == (None if value is None else D(value))


def test_points_are_values_times_weights_and_what_is_missing_is_neutral() -> None:
    (place,) = places_of([facts(1, devices=25, target_devices=100, social_index=None)], WEIGHTS)

    assert [(score.criterion, score.value, score.points) for score in place.scores] == [
        (Criterion.NEED, D("0.7500"), D("45.000000")),
        (Criterion.AGE, None, D("15.000")),
        (Criterion.SOCIAL_INDEX, None, D("5.000")),
    ]
    assert place.points == D("65")
    assert most_points(WEIGHTS) == D("100.00")


def test_a_weight_of_nothing_switches_a_criterion_off() -> None:
    rich, poor = facts(1, social_index=1), facts(2, hours=1, social_index=9)

    with_index = places_of([rich, poor], WEIGHTS)
    without = places_of([rich, poor], WEIGHTS | {Criterion.SOCIAL_INDEX: D(0)})

    assert order(with_index) == [2, 1]
    assert order(without) == [1, 2]
    assert all(score.criterion != Criterion.SOCIAL_INDEX for place in without for score in place.scores)


def test_no_weight_at_all_is_the_order_of_submission() -> None:
    assert order(places_of([facts(2, 5, devices=0, target_devices=9), facts(3, 1), facts(1, 3)], {})) == [3, 1, 2]


def test_the_same_points_go_by_waiting_time_and_then_by_number() -> None:
    assert order(places_of([facts(4, 1), facts(3, 1), facts(9, 0)], WEIGHTS)) == [9, 3, 4]


known = st.builds(
    Facts,
    application_id=st.integers(1, 10**6),
    submitted_at=st.integers(0, 10**5).map(lambda hours: MORNING + datetime.timedelta(hours=hours)),
    devices=st.none() | st.integers(0, 3000),
    target_devices=st.none() | st.integers(0, 3000),
    ages=st.lists(st.builds(Age, st.integers(-10, 5000), st.integers(0, 4000)), max_size=4).map(tuple),
    social_index=st.none() | st.integers(1, 9),
)
weights = st.fixed_dictionaries(
    {criterion: st.integers(0, 10_000).map(lambda number: D(number).scaleb(-2)) for criterion in Criterion}
)


@given(rows=st.lists(known, max_size=12, unique_by=lambda row: row.application_id), weights=weights)
def test_every_application_has_one_place_and_nobody_more_than_all(
    rows: list[Facts], weights: dict[Criterion, Decimal]
) -> None:
    places = places_of(rows, weights)

    assert sorted(order(places)) == sorted(row.application_id for row in rows)
    assert [place.number for place in places] == list(range(1, len(rows) + 1))
    assert all(0 <= place.points <= most_points(weights) for place in places)
    assert all(one.points >= other.points for one, other in pairwise(places))
    assert places_of(reversed(rows), weights) == places
