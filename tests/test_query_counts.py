"""No page asks the database once per row: as many queries for a hundred rows as for ten.

The pages are those of the access matrix, which has a line for each address of the resolver, and so for each list of the
portal and each model of the admin. Each is opened in a small city and in one of many rows. It must show a list that has
grown, or say in WITHOUT_LIST why it has none; each of its tables must have grown, or stand in ALWAYS_SHORT.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from typing import Any, ClassVar

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.choices import Role
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from tests.access.addresses import addresses
from tests.access.lines import NO_ROW, Line
from tests.access.test_table import LINES
from tests.access.visits import client_of, text_of, visits
from tests.access.world import World, make_world
from tests.crowd import grow

pytestmark = pytest.mark.django_db

FEW, MANY = range(1, 10), range(10, 100)
"""The numbers of the rows that join the first one of each kind: ten, then a hundred."""

VIEWERS = (
    Role.OFFICE_APPROVER, Role.COORDINATOR, Role.ADMIN, Role.AUDITOR, Role.HEAD, Role.OFFICE_CLERK, Role.IT_SUPPORT,
    Role.SCHOOL_STAFF,
)  # fmt: skip
SCOPES = frozenset({Role.OFFICE_APPROVER, Role.COORDINATOR, Role.AUDITOR})
"""The city's schools, one's own, and all: lists are opened by each of them, other pages by the first of VIEWERS."""
BULK = "admin:funding_equipmentapplication_bulk"
"""Names its rows behind the question mark: all that wait at the first school."""

NOT_OPENED = {
    "account_login": "for nobody yet",
    "account_signup": "closed; the page says so to nobody",
    "account_set_password": "leads on",
    "admin:*_add": "made by services only",
    "admin:*_delete": "never deleted",
    "admin:autocomplete": "not offered",
    "admin:catch_all": "not found",
    "admin:core_importrun_*": "sent to; a visit leads to the import's page",
    "admin:login": "leads to the portal's sign-in",
    "admin:logout": "sent to",
    "core:ready": "tells machines whether all parts answer",
    "core:run_job": "sent to; a visit leads to the jobs",
    "funding:submit": "sent to; a visit leads to the application",
    "inventory:bulk": "sent to; a visit is refused",
    "inventory:scan_remove": "sent to; a visit is refused",
    "inventory:scan_release": "sent to; a visit is refused",
    "inventory:short": "leads to the device, or to reporting a ticket about it",
    "inventory:stocktake_settle": "sent to; a visit leads to the findings",
    "set_language": "sent to",
    "tickets:action": "sent to; a visit leads to the ticket",
}
"""Address -> why nobody who is signed in gets a page there. Patterns as in file names, here and below."""

WITHOUT_LIST = {
    "summaries:start (-) office_*": "the first five of each kind",
    "summaries:start (-) admin": "the first five of each kind",
    "summaries:start (-) it_support": "the first five of each kind",
    "core:accessibility *": "a text",
    "core:privacy *": "a text",
    "core:contact *": "a form",
    "core:live *": "a sign of life",
    "account_*": "the sign-in",
    "schools:suggest *": "options below a field, for words that nobody typed",
    "inventory:list[?]school=*": "devices of a school that the person does not see",
    "inventory:add*": "a form",
    "inventory:ageing[?]school=*": "one school's figures",
    "inventory:scan_take_in *": "a question about one delivery",
    "inventory:scan_change *": "a form about one delivery",
    "inventory:scan_cancel *": "a question about one delivery",
    "inventory:bulk_change*": "a form about the chosen devices",
    "inventory:labels*": "a form about the chosen devices",
    "inventory:* (device) *": "a form about one device",
    "inventory:stocktake_start*": "a form",
    "inventory:stocktake_worker *": "a script",
    "inventory:stocktake_close *": "one line per kind of finding",
    "inventory:stocktake_cancel *": "a form about one stocktake",
    "inventory:stocktake_result *": "a file",
    "inventory:repaired *": "a form about one device",
    "inventory:returned *": "a form about one device",
    "inventory:disposal *": "a form about one device",
    "inventory:attachment *": "a file",
    "inventory:remove_attachment *": "a question about one file",
    "inventory:loan_* *": "a form about one loan",
    "inventory:loan (loan_returned) *": "the course of a loan is on the page of one that is out",
    "inventory:loans[?]school=*": "loans of a school that the person does not see",
    "inventory:loans[?]state=*": "loans that are in time",
    "inventory:hand_out (-) *": "a form",
    "inventory:receipt*": "a file to print",
    "inventory:return_receipt *": "a file to print",
    "funding:create*": "a form; the lines of an application are on its edit page",
    "funding:concept *": "a file",
    "funding:remove_concept *": "a question about one file",
    "funding:withdraw *": "a question about one application",
    "funding:answer *": "a form about one application",
    "tickets:create*": "a form",
    "tickets:detail (colleagues_ticket) *": "a ticket on which nobody has worked yet",
    "admin:index *": "the admin's models",
    "admin:app_list *": "an app's models",
    "admin:jsi18n *": "words for scripts",
    "admin:core_portaltext_changelist *": "one text per page and language",
    "admin:core_importrun_upload *": "a form above the last five imports",
    "admin:core_importrun_progress *": "how far one import is",
    "admin:core_importrun_columns *": "a form about one file",
    "admin:*_add *": "a form for one row",
    "admin:*_change *": "one row without parts",
    "admin:*_delete *": "a question about one row without parts",
    "admin:quotas_mediadevelopmentplan_delete *": "how many figures keep the plan",
    "admin:funding_budget_overrun *": "a form about one budget",
    "admin:funding_budget_virement *": "a form about one budget",
    "admin:funding_budget_carry_over_* *": "a file",
    "admin:funding_grant_notice *": "a form about one grant",
    "admin:funding_*_pdf *": "a file",
    "admin:funding_*_xlsx *": "a file",
    "admin:funding_proofofuse_*_csv *": "a file",
    "admin:funding_budgetchange_confirm_several *": "the changes that were chosen, here one",
    "admin:funding_invoice_pay_several *": "the invoices that were chosen, here one",
    "admin:funding_datedrule_confirm *": "a question about one rule",
    "admin:funding_datedrule_decline *": "a question about one rule",
    "admin:funding_order_approve *": "a question about one order",
    "admin:funding_order_send-back *": "a question about one order",
    "admin:funding_order_cancel *": "a question about one order",
    "admin:funding_order_close *": "a question about one order",
    "admin:funding_order_scan*": "a form about one line",
    "admin:funding_order_receive *": "a form about one order",
    "admin:funding_order_return *": "a form about one order",
    "admin:funding_order_invoice*": "a form about one order",
    "admin:funding_order_give_up *": "a question about one line",
}
"""Page -> why it shows no list. They are measured as the others: a choice of a hundred rows counts, too."""

ALWAYS_SHORT = {
    "summaries:summary * tbody applications": "one row per state",
    "inventory:ageing * tbody ages": "one row per year of age",
    "inventory:ageing * tbody years": "one row per year ahead",
    "core:jobs * tbody kinds": "one row per kind of job",
    "schools:detail * tbody panel-applications": "one row per fiscal year",
    "admin:funding_proofofuse_change * tbody proof-financing": "one row per source of money",
    "admin:funding_proofofuse_change * tbody proof-spending": "one row per budget of the grant",
    "admin:funding_proofofuse_change * tbody proof-agreement": "one row per budget of the grant and its own share",
    "admin:funding_order_change * tbody order-course": "one row per step of an order's life",
}
"""Page and table -> why it does not grow with the rows."""


@dataclass(frozen=True)
class Page:
    """One address with a kind of row, as one person opens it."""

    line: Line
    role: Role

    @property
    def title(self) -> str:
        return f"{self.line.title} {self.role}"

    @property
    def reasons(self) -> set[str]:
        """The patterns that say why it has no list."""
        return matching(WITHOUT_LIST, self.title)


@dataclass(frozen=True)
class Look:
    """What one opening of a page took and showed: its statements, and its lists with their numbers of rows."""

    statements: tuple[str, ...]
    lists: Counter[str]


def matching(patterns: Iterable[str], text: str) -> set[str]:
    return {pattern for pattern in patterns if fnmatchcase(text, pattern)}


def pages() -> Iterator[Page]:
    for line in LINES:
        may = [role for role in VIEWERS if line.cells[role][0] == "200"]
        for role in may:
            page = Page(line, role)
            listed = line.kind == NO_ROW and role in SCOPES and "{foreign}" not in line.query and not page.reasons
            if role == may[0] or line.address == "summaries:start" or listed:
                yield page


PAGES = {page.title: page for page in pages()}


class _Lists(HTMLParser):
    """Tables and lists in the main part of a page; what stands in a `nav` only leads elsewhere.

    They go by their tag and the last id before them, of a section or heading: ids stay when words change.
    """

    ITEMS: ClassVar = {"tr": ("tbody",), "li": ("ul", "ol"), "dt": ("dl",)}
    PARTS = frozenset({"main", "nav", "tbody", "ul", "ol", "dl"})
    NAMED = frozenset({"main", "section", "div", "form", "fieldset", "details", "h1", "h2", "h3"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self._inside = [""]
        self._last_id = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self.PARTS:
            self._inside.append(tag)
        given = {name: value or "" for name, value in attrs}
        if tag in self.NAMED and given.get("id") and "tbody" not in self._inside:
            self._last_id = given["id"]
        is_item = self._inside[-1] in self.ITEMS.get(tag, ()) and "empty-form" not in given.get("class", "")
        if is_item and "main" in self._inside and "nav" not in self._inside:
            self.found[f"{self._inside[-1]} {self._last_id}"] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass


def lists_of(text: str, export: str) -> Counter[str]:
    if export:
        return Counter({"file": text.count("<row " if export == "xlsx" else "\r\n")})
    return _Lists(text).found


@pytest.fixture(scope="module")
def looks(django_db_setup: None, django_db_blocker: Any) -> dict[str, list[Look]]:
    """Title of a page -> how it looks with ten rows, and with a hundred."""
    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock(), transaction.atomic():
        world = make_world()
        ContentType.objects.get_for_models(*admin.site._registry)  # read once per process, not once per page
        found: dict[str, list[Look]] = {title: [] for title in PAGES}
        for numbers in (FEW, MANY):
            grow(world, numbers)
            count_rows_anew()
            clients = {role: client_of(world.people[role]) for role in VIEWERS}
            for title, page in PAGES.items():
                found[title].append(look(clients[page.role], page, world))
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)
    return found


def count_rows_anew() -> None:
    """PostgreSQL plans by its statistics, and nobody else sees rows of an open transaction: pages took minutes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def look(client: Client, page: Page, world: World) -> Look:
    path = next(visits(page.line, page.role, world)).path(world, page.role)
    if page.line.address == BULK:
        rows = EquipmentApplication.objects.filter(school=world.row("school"), state=ApplicationState.SUBMITTED)
        path = f"{path.partition('?')[0]}?ids={','.join(str(row.pk) for row in rows)}"
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
        text = text_of(response)
    assert response.status_code == 200, page.title
    return Look(tuple(query["sql"] for query in queries), lists_of(text, page.line.export))


@pytest.mark.parametrize("title", PAGES)
def test_page_asks_the_same_however_many_rows(title: str, looks: dict[str, list[Look]]) -> None:
    few, many = (len(look.statements) for look in looks[title])
    assert many == few, "\n".join(repeated(looks[title][1].statements))


def repeated(statements: Iterable[str]) -> list[str]:
    """The statements that were asked most often, without their values."""
    counts = Counter(re.sub(r"'[^']*'|\d+", "…", statement) for statement in statements)
    return [f"{count} x {statement[:200]} … {statement[-200:]}" for statement, count in counts.most_common(3)]


@pytest.mark.parametrize("title", PAGES)
def test_page_shows_a_list_that_grew_or_says_why_not(title: str, looks: dict[str, list[Look]]) -> None:
    few, many = looks[title]
    grown = {name for name, rows in many.lists.items() if rows > few.lists[name]}
    tables = {name for name in many.lists if name.startswith("tbody") and name not in grown}
    if PAGES[title].reasons and not grown:
        return
    assert grown, "Add rows to tests/crowd.py, or say in WITHOUT_LIST why this page shows no list"
    short = sorted(name for name in tables if not matching(ALWAYS_SHORT, f"{title} {name}"))
    assert short == [], "Add rows to tests/crowd.py, or say in ALWAYS_SHORT why these tables do not grow"


def test_every_change_list_of_the_admin_is_opened() -> None:
    lists = {f"admin:{model._meta.label_lower.replace('.', '_')}_changelist" for model in admin.site._registry}
    assert lists - {page.line.address for page in PAGES.values()} == set()


def test_every_address_is_opened_or_says_why_not() -> None:
    unopened = set(addresses()) - {page.line.address for page in PAGES.values()}
    assert sorted(name for name in unopened if not matching(NOT_OPENED, name)) == []
    assert {pattern for pattern in NOT_OPENED if not any(fnmatchcase(name, pattern) for name in unopened)} == set()


def test_every_reason_is_needed(looks: dict[str, list[Look]]) -> None:
    """A reason that no page needs any more would hide the next list."""
    used: set[str] = set()
    for title, (few, many) in looks.items():
        short = {name for name, rows in many.lists.items() if rows <= few.lists[name]}
        if short == set(many.lists):
            used |= PAGES[title].reasons
        for name in short:
            used |= matching(ALWAYS_SHORT, f"{title} {name}")
    assert (WITHOUT_LIST.keys() | ALWAYS_SHORT.keys()) - used == set()
