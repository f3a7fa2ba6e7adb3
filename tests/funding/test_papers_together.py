"""Two people at once: a voucher is drawn once, a proof is handed in once."""

from collections import Counter
from functools import partial

import pytest

from apps.funding import services
from apps.funding.choices import DrawdownState, ProofState
from apps.funding.drawdown_selectors import drawable_lines
from apps.funding.models import Drawdown, DrawdownItem, ProofOfUse
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.papers import make_drawdown, make_grant, make_proof, money_of, pay
from tests.funding.test_concurrency import all_at_once

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]


def test_several_people_draw_the_same_vouchers() -> None:
    for _round in range(5):
        grant = make_grant()
        budgets = money_of(grant)
        lines = [pay(grant, budgets).pk for _number in range(3)]
        people = [ClerkFactory() for _number in range(4)]

        outcomes = all_at_once(
            [
                partial(services.create_drawdown, grant=grant, by=by, lines=lines[turn % 2 : turn % 2 + 2])
                for turn, by in enumerate(people)
            ]
        )

        assert Counter(outcomes) == {"done": 1, "drawn": 3}
        assert DrawdownItem.objects.filter(drawdown__grant=grant).count() == 2
        assert drawable_lines(grant).count() == 1


def test_all_that_is_free_is_shared_out_once() -> None:
    for _round in range(5):
        grant = make_grant()
        budgets = money_of(grant)
        for _number in range(3):
            pay(grant, budgets)
        people = [ClerkFactory() for _number in range(4)]

        outcomes = all_at_once([partial(services.create_drawdown, grant=grant, by=by) for by in people])

        assert Counter(outcomes) == {"done": 1, "required": 3}
        assert Drawdown.objects.filter(grant=grant).count() == 1


def test_of_requesting_and_cancelling_at_once_the_vouchers_follow_the_last() -> None:
    for _round in range(5):
        drawdown, by = make_drawdown(), ClerkFactory()
        outcomes = all_at_once(
            [
                partial(services.request_drawdown, drawdown=drawdown, by=by),
                partial(services.cancel_drawdown, drawdown=drawdown, by=by),
                partial(services.request_drawdown, drawdown=drawdown, by=by),
            ]
        )
        drawdown.refresh_from_db()
        assert drawdown.state == DrawdownState.CANCELLED
        assert drawdown.items.count() == 0
        assert Counter(outcomes)["done"] in (1, 2)


def test_two_people_hand_in_at_once() -> None:
    for _round in range(5):
        proof, people = make_proof(), [ApproverFactory() for _number in range(3)]

        outcomes = all_at_once([partial(services.hand_in, proof=proof, revision=1, by=by) for by in people])

        assert Counter(outcomes) == {"done": 1, "illegal_transition": 2}
        proof.refresh_from_db()
        assert (proof.state, proof.revision) == (ProofState.HANDED_IN, 2)
        assert proof.handed_in_by in people
        assert ProofOfUse.history.filter(id=proof.pk, state=ProofState.HANDED_IN).count() == 1
