"""One request of one person, and what came of it in a few letters."""

import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from tests.access.addresses import CATCH_ALL, Address, addresses
from tests.access.lines import NO_ROW, Line
from tests.access.world import Place, World, foreign_to

SIGN_IN = "in"
SIGN_IN_PATHS = ("/accounts/login/", "/admin/login/")
FIXED = {
    "source": "schuldaten",
    "app_label": "funding",
    "uidb36": "1",
    "key": "set-password",
    "name": "approve",
    "action": "accept",
    "url": "no-such-page",
    "kind": "quotas.recalculate_stale",
    "how": "reported_lost",
}
"""Values of parameters that name no row."""
NAMED_IN_QUERY = {
    "funding:create": ("school", "number"),
    "inventory:labels": ("tag", "tag"),
    "admin:funding_equipmentapplication_bulk": ("ids", "pk"),
    "admin:funding_drawdown_add": ("grant", "pk"),
    "admin:funding_invoice_pay_several": ("ids", "pk"),
    "admin:funding_budgetchange_confirm_several": ("ids", "pk"),
}
"""Addresses that name their row behind the question mark: parameter and the row's attribute."""


@dataclass(frozen=True)
class Visit:
    """One row to ask for (None: the address has none), its place in words, and what is to come of it."""

    line: Line
    place: str
    row: Any
    expected: str

    @property
    def title(self) -> str:
        return f"{self.line.title} {self.place}".strip()

    def path(self, world: World, role: Role | None) -> str:
        today = clock.today()
        known = {
            "foreign": world.row("school", foreign_place(role)).number,
            "own": world.row("school").number,
            "orderline": world.row("orderline").pk,
            "kit": world.row("kit").pk,
            "terms": f"school={world.row('school').number}&borrower=pupil&group=7b&due=school_year&condition=good",
            "today": today.isoformat(),
            "month_ago": (today - datetime.timedelta(days=25)).isoformat(),
        }
        return address_of(addresses()[self.line.address], self.row, self.line.label) + self.line.query.format(**known)


def visits(line: Line, role: Role | None, world: World) -> Iterator[Visit]:
    """An own and a foreign row; rows that all share, and addresses without a row, are visited once."""
    own, foreign = line.cells[role]
    if line.kind == NO_ROW:
        yield Visit(line, "", None, own)
        return
    yield Visit(line, "own", world.row(line.kind), own)
    if world.is_scoped(line.kind):
        yield Visit(line, "foreign", world.row(line.kind, foreign_place(role)), foreign)


def foreign_place(role: Role | None) -> Place:
    return Place.CITY if role is None else foreign_to(role)


def client_of(user: User | None) -> Client:
    """A browser of its own, signed in unless nobody is given. Errors of the portal come back as 500."""
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def address_of(address: Address, row: Any = None, label: str = "") -> str:
    """The path for a row; each parameter takes the value that its name asks for, `label` those that name no row."""
    values = {name: label or value for name, value in FIXED.items()}
    found = {name: values[name] if name in values else _key(row, name) for name in address.parameters}
    if address.name == CATCH_ALL:
        return f"/admin/{found['url']}/"
    path = reverse(address.name, kwargs=found)
    if row is None or address.name not in NAMED_IN_QUERY:
        return path
    parameter, attribute = NAMED_IN_QUERY[address.name]
    return f"{path}?{parameter}={getattr(row, attribute)}"


def _key(row: Model, parameter: str) -> Any:
    if parameter in ("pk", "object_id"):
        return row.pk
    if hasattr(row, parameter):
        return getattr(row, parameter)
    return getattr(row.school if parameter == "number" else row.device, parameter)


def outcome(client: Client, response: HttpResponseBase) -> str:
    """The status; "in": sent to the sign-in. People who are signed in and sent there by the admin get its answer."""
    if response.status_code != 302:
        return str(response.status_code)
    target = urlsplit(response["Location"])
    if target.path not in SIGN_IN_PATHS:
        return "302"
    if "_auth_user_id" not in client.session:
        return SIGN_IN
    return str(client.get(response["Location"]).status_code)


def text_of(response: HttpResponseBase) -> str:
    """Everything that the response lets its reader know: page, file, or address of a redirect."""
    answer: Any = response
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if response.headers.get("Content-Type", "").endswith("spreadsheetml.sheet"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    return f"{response.headers.get('Location', '')}\n{body.decode('utf-8', errors='replace')}"


SAVEPOINT = re.compile(r'(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) "?(\w+)"?')
WRITES = re.compile(r'^\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)"?', re.IGNORECASE)
NOT_COUNTED = frozenset({"django_session"})


def _left_written(statements: Iterable[str]) -> set[str]:
    """Tables that were written to outside a savepoint that was rolled back: a rehearsal leaves nothing."""
    kept: list[tuple[str, set[str]]] = [("", set())]
    for sql in statements:
        if match := SAVEPOINT.match(sql):
            verb, name = match.groups()
            if verb == "SAVEPOINT":
                kept.append((name, set()))
            elif name in {known for known, _tables in kept}:
                while kept[-1][0] != name:
                    kept[-2][1].update(kept.pop()[1])
                if verb == "RELEASE SAVEPOINT":
                    kept[-2][1].update(kept.pop()[1])
                else:
                    kept[-1][1].clear()
        elif match := WRITES.match(sql):
            kept[-1][1].add(match[1])
    return set().union(*(tables for _name, tables in kept))


@contextmanager
def written(*, take_back: bool = True) -> Iterator[list[str]]:
    """Fills the list with the tables that a statement wrote to and left written, and takes all of it back."""
    tables: list[str] = []
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            yield tables
        tables += sorted(_left_written(query["sql"] for query in queries) - NOT_COUNTED)
        transaction.set_rollback(take_back)
