"""Everything that can be sent, as every role, to own and foreign rows: the answer, and whether anything was written."""

import logging
from collections.abc import Collection, Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client

from apps.accounts.choices import Role
from tests.access.admin_pages import ADMIN_PAGES
from tests.access.admin_posts import ADMIN_POSTS
from tests.access.lines import COLUMNS, WROTE, read
from tests.access.pages import PAGES
from tests.access.posts import POSTS
from tests.access.sent import data_for
from tests.access.visits import NOT_COUNTED, Visit, client_of, outcome, visits, written
from tests.access.world import World, make_world

LINES = read(POSTS) + read(ADMIN_POSTS, prefix="admin:")
Rows = dict[str, list[Any]]


@pytest.fixture
def world(db: None, settings: Any) -> World:
    """Mails go into the queue, as they do live; limits on attempts start fresh and are not what is asked here."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.ACCOUNT_RATE_LIMITS = False
    cache.clear()
    return make_world()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Refused requests are logged; there are thousands here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role or "nobody")
def test_what_is_sent(role: Role | None, world: World) -> None:
    client = client_of(None if role is None else world.people[role])
    before = rows_of(set(connection.introspection.django_table_names()) - NOT_COUNTED)
    faults: list[str] = []
    for visit in (visit for line in LINES for visit in visits(line, role, world)):
        found, changes = _send(client, visit, world, role, before)
        if found + (WROTE if changes else "") != visit.expected:
            faults.append(f"{visit.title}: {found} instead of {visit.expected}, wrote {changes}")
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role or "nobody")
def test_nothing_else_writes(role: Role | None, world: World) -> None:
    """A bare POST to each address that has no line here: what writes needs one."""
    client = client_of(None if role is None else world.people[role])
    sent = {line.address for line in LINES}
    pages = {line.address: line for line in read(PAGES) + read(ADMIN_PAGES, prefix="admin:")}
    for line in (line for address, line in pages.items() if address not in sent):
        for visit in visits(line, role, world):
            with written() as changes:
                client.post(visit.path(world, role))
            assert changes == [], visit.title


def test_nothing_is_taken_from_a_foreign_site(world: World) -> None:
    """Without the form's token no address takes anything from those who may send it."""
    for line in LINES:
        role = next(role for role, (own, _foreign) in line.cells.items() if own.endswith(WROTE) or role is Role.ADMIN)
        client = Client(enforce_csrf_checks=True)
        if role is not None:
            client.force_login(world.people[role])
        visit = next(visits(line, role, world))
        data = _data(visit, world, role)
        with written() as changes:
            response = client.post(visit.path(world, role), data)
        assert (response.status_code, changes) == (403, []), visit.title


def _send(client: Client, visit: Visit, world: World, role: Role | None, before: Rows) -> tuple[str, list[str]]:
    """The outcome and the tables that hold other rows now; everything is taken back, the browser's cookies too."""
    data = _data(visit, world, role)
    cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    with transaction.atomic():
        with written(take_back=False) as tables:
            response = client.post(visit.path(world, role), data)
        found = outcome(client, response)
        changes = changed_since(before, tables)
        transaction.set_rollback(True)
    client.cookies = cookies
    return found, changes


def _data(visit: Visit, world: World, role: Role | None) -> dict[str, Any]:
    """Reading the form, which somebody else may have to do, leaves no trace."""
    line = visit.line
    with written():
        return data_for(f"{line.address}#{line.label}" if line.label else line.address, world, visit.row, role)


def rows_of(tables: Collection[str]) -> Rows:
    """Everything that is stored in these tables."""
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table in tables
    }


def changed_since(before: Rows, tables: Collection[str]) -> list[str]:
    """Those of the tables written to that hold other rows now."""
    after = rows_of(tables)
    return [table for table in tables if after[table] != before[table]]
