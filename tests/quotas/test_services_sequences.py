"""Stored figures against the naive oracle after random sequences of changes."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.quotas.sequences import Sequences

pytestmark = pytest.mark.django_db


def play(examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Sequences,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=phases,
            print_blob=True,
        ),
    )


def test_figures_equal_the_oracle_after_any_sequence_of_changes():
    play(examples=20, steps=25, phases=(Phase.generate,))  # a failure comes at once; `make soak` shrinks it


@pytest.mark.soak
def test_figures_equal_the_oracle_after_many_sequences():
    play(examples=2 * int(os.environ.get("SOAK_ROUNDS", "200")), steps=50)
