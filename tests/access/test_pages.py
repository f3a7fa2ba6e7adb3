"""Every page, file and form as every role, for own and foreign rows: the status, what is read, and nothing written."""

import logging
from collections.abc import Iterator

import pytest

from apps.accounts.choices import Role
from tests.access.admin_pages import ADMIN_PAGES
from tests.access.lines import COLUMNS, Line, read
from tests.access.pages import PAGES
from tests.access.visits import client_of, outcome, text_of, visits, written
from tests.access.world import SECRETS, World, make_world, words_in

LINES = read(PAGES) + read(ADMIN_PAGES, prefix="admin:")
LEDGER = frozenset(
    {
        "summaries:budget",
        "admin:funding_budget_change",
        "admin:funding_ledgerentry_changelist",
        "admin:funding_ledgerentry_change",
    }
)
"""Where the city's money is accounted for: these pages name each application that was paid, whoever keeps the school
today."""


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Refused requests are logged; there are thousands here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role or "nobody")
def test_pages(role: Role | None, world: World) -> None:
    client = client_of(None if role is None else world.people[role])
    faults: list[str] = []
    seen: set[str] = set()
    for visit in (visit for line in LINES for visit in visits(line, role, world)):
        with written() as changes:
            response = client.get(visit.path(world, role))
        found = outcome(client, response)
        if found != visit.expected:
            faults.append(f"{visit.title}: {found} instead of {visit.expected}")
        if changes:
            faults.append(f"{visit.title}: looking at it wrote {', '.join(changes)}")
        words = set(words_in(text_of(response)))
        seen |= words
        faults += [f"{visit.title}: gives away {word}" for word in _secret(words, role, visit.line)]
    assert faults == [], "\n".join(faults)
    assert _may_read(role) - seen == set(), "Words that this role may read and never did: the world lacks rows"


def _may_read(role: Role | None) -> set[str]:
    return {word for word, roles in SECRETS.items() if role in roles}


def _secret(words: set[str], role: Role | None, line: Line) -> list[str]:
    """What stands in the answer and is not for this role."""
    allowed = _may_read(role) | ({"Fernwort"} if line.address in LEDGER and "Geldwort" in _may_read(role) else set())
    return sorted(words - allowed)
