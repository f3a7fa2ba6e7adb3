"""Pages as of a day in the past: every link to rows carries the day, and the rows add up to the figure."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.money import ZERO
from apps.funding.models import LedgerEntry
from apps.inventory.models import Placement
from apps.quotas.selectors import current_plan, overview

pytestmark = pytest.mark.django_db

DAY = date(2023, 5, 17)
DATED = re.compile(r"/(inventory/|quotas/|summary/|summary/budgets/\d+/|schools/network/|schools/\d{6}/)")
"""Pages that show a day."""


@pytest.fixture
def head(client: Client) -> Client:
    client.force_login(User.objects.filter(role=Role.HEAD)[0])
    return client


@pytest.fixture(scope="module")
def read(loaded, django_db_blocker):
    with django_db_blocker.unblock():
        return overview(current_plan(DAY), DAY)


def main_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200
    return re.search(r"<main.*</main>", page.text, re.DOTALL)[0]


def links(text: str) -> Iterator[str]:
    """Addresses of pages that show a day."""
    for address in re.findall(r'href="([^"]+)"', text):
        if DATED.fullmatch(urlsplit(unescape(address)).path):
            yield unescape(address)


@pytest.mark.parametrize("path", ["/summary/", "/quotas/", "/schools/network/", "/schools/120686/"])
def test_every_way_to_rows_carries_the_day(head, path):
    found = list(links(main_of(head, f"{path}?day={DAY}")))
    assert len(found) > 3
    assert [address for address in found if parse_qs(urlsplit(address).query).get("day") != [str(DAY)]] == []


def rows_behind(client: Client, address: str) -> int:
    return client.get(address).context["table"].count


def test_the_summarys_figures_are_as_many_rows(head, read):
    text = main_of(head, f"/summary/?day={DAY}")
    city = read.city.numbers
    numbers = {
        "pupils": city.devices,
        "parent_financed": city.parent_financed,
        "presentation": city.presentation_devices,
    }
    for counts, number in numbers.items():
        address = f"{reverse('inventory:list')}?day={DAY}&counts={counts}"
        assert address in links(text)
        assert rows_behind(head, address) == number > 0
    below = sorted((one for one in read.schools if one.below_target), key=lambda one: one.percent)
    assert len(below) > 1
    for figure in below:
        address = f"{reverse('inventory:list')}?school={figure.key}&day={DAY}&counts=pupils"
        assert address in links(text)
        assert rows_behind(head, address) == figure.numbers.devices
        assert f"/schools/{figure.key}/?day={DAY}#panel-quota" in links(text)


def test_each_kind_of_devices_of_a_school_is_as_many_rows(head):
    stood = Placement.objects.on(DAY).filter(school__number="120686")
    kinds = Counter(stood.values_list("device__kind__code", flat=True))
    addresses = set(links(main_of(head, f"/schools/120686/?day={DAY}")))
    assert len(kinds) > 1
    for kind, number in kinds.items():
        address = f"{reverse('inventory:list')}?school=120686&day={DAY}&kind={kind}"
        assert address in addresses
        assert rows_behind(head, address) == number


def test_target_and_count_of_a_school_are_those_of_the_day(head, read):
    figure = next(one for one in read.schools if one.key == "120686")
    page = head.get(f"/schools/120686/?day={DAY}")
    words = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    assert "seit 01.01.2020" in words
    assert figure.numbers.counted_on == date(2022, 10, 15)
    assert "Schülerzahlen bis zum 17.05.2023" in words
    assert page.context["counts"].rows[0].record.pupils == figure.numbers.pupils


@pytest.mark.parametrize("path", ["/summary/", "/quotas/", "/schools/120686/"])
def test_the_head_of_the_page_names_plan_and_day(head, path):
    text = main_of(head, f"{path}?day={DAY}")
    figures = text[text.index('<div class="portal-figures">') :].split("</div>")[0]
    assert "MEP 2020–2024" in figures
    assert f'value="{DAY}"' in figures
    assert "17.05.2023" in figures


def test_the_money_of_the_day_is_what_the_ledger_held_then(head):
    """Added up entry by entry in Python, with the day of each."""
    expected = {"committed": ZERO, "spent": ZERO}
    for kind, amount, at in LedgerEntry.objects.filter(budget__fiscal_year=DAY.year).values_list(
        "kind", "amount", "at"
    ):
        if clock.day_of(at) <= DAY:
            expected["committed"] += amount * {"commit": 1, "pay": -1, "release": -1}.get(kind, 0)
            expected["spent"] += amount * (kind == "pay")
    page = head.get("/summary/", {"day": str(DAY)})
    money = page.context["summary"].money
    assert {"committed": money.committed, "spent": money.spent} == expected
    assert money.appropriated > money.committed > ZERO
    assert "Mittel 2023 nach Herkunft" in page.text
    assert f"Am {formats.day(DAY)} gab es keine Anträge." in page.text


def test_a_day_before_the_chosen_plan_is_read_from_the_plan_of_that_day(head):
    page = head.get("/quotas/", {"plan": "MEP 2026–2030", "day": str(DAY)})
    assert (page.context["asked"].plan.name, page.context["asked"].day) == ("MEP 2020–2024", DAY)
    assert "MEP 2026–2030 beginnt am 01.01.2026. Sie sehen MEP 2020–2024, der am gewählten Tag galt." in page.text


def test_a_row_of_a_school_leads_to_its_page_its_devices_its_count_and_its_target_of_the_day(head, read):
    figure = next(one for one in read.schools if one.key == "120686")
    text = main_of(head, f"/quotas/?day={DAY}&school_type={figure.school.school_type_id}")
    row = next(row for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL) if f">{figure.name}<" in row)
    page = f"/schools/120686/?day={DAY}"
    numbers = figure.numbers
    assert re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', row)[:4] == [
        (page, figure.name),
        (f"/inventory/?day={DAY}&amp;counts=pupils&amp;school=120686", str(numbers.devices)),
        (f"{page}#counts", str(numbers.pupils)),
        (f"{page}#panel-quota", "1\xa0:\xa05,0"),
    ]
