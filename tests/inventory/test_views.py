"""The pages: what each person sees, what a form does, what the address bar filters."""

import csv
import html
import io
import re

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.views import ACTIONS
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db
LIST = "/inventory/"


def tags(response) -> list[str]:
    return [str(row.record.tag) for row in response.context["table"].paginated_rows]


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Overbergschule")


@pytest.fixture
def coordinator(school):
    return factories.CoordinatorFactory(schools=[school])


@pytest.mark.parametrize("days_ago", [0, 30])
def test_each_number_on_a_schools_page_opens_exactly_its_rows(client, days_ago):
    asked = {"day": (today() - days_ago * DAY).isoformat()} if days_ago else {}
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    for years in (0, 1, 3, 3, 4, 6, None):
        bought = None if years is None else today() - years * 366 * DAY - 60 * DAY
        factories.DeviceFactory(school=school, bought_on=bought, since=today() - 50 * DAY, by=clerk)
    theirs = factories.DeviceFactory(school=school, bought_on=today() - 3000 * DAY, since=today() - 50 * DAY,
                                     ownership="parent_financed", by=clerk)  # fmt: skip
    gone = factories.DeviceFactory(school=school, bought_on=today() - 3000 * DAY, since=today() - 50 * DAY, by=clerk)
    services.retire_device(device=gone, by=clerk, reason="alt")
    client.force_login(clerk)
    page = client.get(f"/schools/{school.number}/", asked).content.decode()
    table = page.partition('aria-labelledby="panel-devices"')[2].partition("</table>")[0]
    links = re.findall(r'href="(/inventory/\?[^"]+)">(\d+)</a>', table)

    then = 1 if asked else 0
    assert [int(number) for _url, number in links] == [8 + then, 2, 3, 2 + then, 1 + then]
    for url, number in links:
        rows = client.get(html.unescape(url)).context["table"].paginator.count
        assert rows == int(number), url
    assert theirs.tag not in client.get(html.unescape(links[-1][0])).content.decode()


def test_the_list_shows_the_persons_scope_only(client, school, coordinator):
    own, _foreign, depot = (
        factories.DeviceFactory(school=school), factories.DeviceFactory(school=factories.SchoolFactory()),
        factories.DeviceFactory(),
    )  # fmt: skip

    client.force_login(coordinator)
    assert tags(client.get(LIST)) == [own.tag]
    client.force_login(factories.SupportFactory())
    assert len(tags(client.get(LIST))) == 3
    assert tags(client.get(LIST, {"status": "in_stock"})) == [depot.tag]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "overberg SN1"}, ["A-1"]),
        ({"q": "gibtesnicht"}, []),
        ({"kind": "projector"}, ["B-2"]),
        ({"school": "120674"}, ["A-1", "B-2"]),
        ({"ownership": "leased"}, ["C-3"]),
        ({"status": "in_stock"}, ["C-3"]),
        ({"school_type": "02"}, ["A-1", "B-2"]),
        ({"sort": "-tag"}, ["C-3", "B-2", "A-1"]),
        ({"sort": "note"}, ["A-1", "B-2", "C-3"]),
    ],
)
def test_filters_and_sorts_stand_in_the_address(client, school, query, found):
    factories.DeviceFactory(tag="A-1", serial="sn1", school=school)
    factories.DeviceFactory(
        tag="B-2", school=school, product=factories.ProductFactory(kind=factories.DeviceKindFactory(projector=True))
    )
    factories.DeviceFactory(tag="C-3", ownership="leased")
    client.force_login(factories.ClerkFactory())

    assert tags(client.get(LIST, query)) == found


def test_the_rows_behind_a_figure_are_those_that_counted_on_the_day(client, school):
    clerk, other = factories.ClerkFactory(), factories.SchoolFactory(short_name="Neue")
    moved = factories.DeviceFactory(tag="A-1", school=school, since=today() - 9 * DAY)
    services.move_device(device=moved, school=other, by=clerk, on=today() - 2 * DAY)
    factories.DeviceFactory(tag="B-2", school=school, since=today() - 9 * DAY, ownership="parent_financed")
    gone = factories.DeviceFactory(tag="C-3", school=school, since=today() - 9 * DAY)
    services.retire_device(device=gone, by=clerk, reason="x", on=today() - 2 * DAY)
    client.force_login(clerk)
    day = today() - 3 * DAY

    response = client.get(LIST, {"school": "120674", "counts": "pupils", "day": day.isoformat()})
    assert tags(response) == ["A-1", "C-3"]
    assert response.context["table"].columns["stood_at"] is not None
    assert [str(row.record.stood_at) for row in response.context["table"].paginated_rows] == ["Overbergschule"] * 2
    assert f"{day:%d.%m.%Y}" in str(response.context["table"].caption)
    assert tags(client.get(LIST, {"counts": "parent_financed"})) == ["B-2"]
    assert tags(client.get(LIST, {"counts": "pupils"})) == ["A-1"]
    assert tags(client.get(LIST, {"day": day.isoformat(), "school": "120674"})) == ["A-1", "B-2", "C-3"]


def test_a_coordinator_is_told_of_devices_of_that_day_that_moved_out_of_sight(client, school, coordinator):
    device = factories.DeviceFactory(school=school, since=today() - 9 * DAY)
    services.move_device(device=device, school=factories.SchoolFactory(), by=factories.ClerkFactory())
    client.force_login(coordinator)

    response = client.get(LIST, {"day": (today() - DAY).isoformat()})

    assert (tags(response), response.context["elsewhere"]) == ([], 1)


def test_what_was_lost_from_the_depot_is_no_longer_said_to_lie_there(client):
    clerk, device = factories.ClerkFactory(), factories.DeviceFactory()
    client.force_login(clerk)
    assert "im Lager" in facts_of(client.get(device.get_absolute_url()))
    services.report_lost(device=device, by=clerk)
    assert "im Lager" not in facts_of(client.get(device.get_absolute_url()))


def facts_of(response) -> str:
    return response.content.decode().partition('id="facts"')[2].partition("</dl>")[0]


def test_a_device_that_stands_nowhere_says_where_it_stood_or_lies(client, school):
    clerk = factories.ClerkFactory()
    lost = factories.DeviceFactory(school=school)
    factories.DeviceFactory()
    services.report_lost(device=lost, by=clerk)
    client.force_login(clerk)

    rows = list(client.get(LIST, {"status": "all"}).context["table"].paginated_rows)

    assert [str(row.get_cell("school")) for row in rows] == ["zuletzt Overbergschule", "im Lager"]


@pytest.mark.parametrize("query", [{"school": "999999"}, {"day": "9999-99-99"}, {"counts": "alles"}, {"kind": "x"}])
def test_a_filter_that_cannot_be_read_shows_nothing_instead_of_everything(client, school, query):
    factories.DeviceFactory(school=school)
    client.force_login(factories.ClerkFactory())

    response = client.get(LIST, query)

    assert tags(response) == []
    assert list(response.context["filterset"].form.errors) == list(query)
    assert ("Das ist kein Tag." in response.content.decode()) is ("day" in query)
    assert reverse("inventory:list") not in str(response.context["table"].empty_action)
    assert response.context["table"].empty_action[0].startswith("?")


@pytest.mark.parametrize("query", [{"counts": "pupils"}, {"q": "tablet", "sort": "-status"}])
def test_the_list_takes_as_many_queries_for_100_rows_as_for_10(client, query):
    clerk = factories.ClerkFactory()
    client.force_login(clerk)
    used = []
    for quantity in (10, 90):
        services.add_devices(
            product=factories.ProductFactory(model=f"Tablet {quantity}"), quantity=quantity, by=clerk,
            school=factories.SchoolFactory(),
        )  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(LIST, query).status_code == 200
        used.append(len(queries))

    assert used[0] == used[1]


def test_exports_hold_the_filtered_rows_and_escape_formulas(client, school):
    clerk = factories.ClerkFactory()
    product = factories.ProductFactory(manufacturer="=cmd()", model="Brett")
    device = services.add_device(
        product=product, by=clerk, school=school, serial="+49", note="@evil", price=None, room="-1"
    )
    factories.DeviceFactory(tag="Z-9")
    client.force_login(clerk)

    text = b"".join(client.get(LIST, {"school": "120674", "export": "csv"}).streaming_content).decode("utf-8-sig")
    header, row, end = list(csv.reader(io.StringIO(text), delimiter=";"))
    known = dict(zip(header, row, strict=True))
    assert len(header) == 24
    assert (row[0], end) == (device.tag, ["Ende der Liste, vollständig. Zeilen: 1"])
    assert {"'=cmd()", "Brett", "'+49", "'@evil", "'-1", "120674", "tablet"} <= set(known.values())

    content = b"".join(client.get(LIST, {"school": "120674", "export": "xlsx"}).streaming_content)
    rows = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows[1:]] == [device.tag]
    assert all(cell.data_type != "f" for line in openpyxl.load_workbook(io.BytesIO(content)).active for cell in line)


def test_a_day_list_exports_where_the_devices_stood(client, school):
    factories.DeviceFactory(school=school, since=today() - DAY)
    client.force_login(factories.ClerkFactory())

    content = client.get(LIST, {"counts": "pupils", "export": "csv"}).streaming_content
    text = b"".join(content).decode("utf-8-sig")

    assert "Overbergschule" in text


def test_the_empty_list_says_what_to_do(client, coordinator):
    client.force_login(coordinator)
    assert reverse("inventory:add") in client.get(LIST).content.decode()
    client.force_login(factories.HeadFactory())
    assert reverse("inventory:add") not in client.get(LIST).content.decode()


def test_the_device_page_shows_facts_placements_history_and_actions(client, school, coordinator):
    device = factories.DeviceFactory(school=school, serial="sn1", room="R 7", since=today() - DAY)
    client.force_login(coordinator)

    response = client.get(device.get_absolute_url())

    page = response.content.decode()
    assert "SN1" in page
    assert "R 7" in page
    *links, label = [response.context["main_action"], *response.context["steps"]]
    assert label["url"] == f"/inventory/labels/?tag={device.tag}"
    assert [link["url"] for link in links] == [
        f"/inventory/{device.tag}/{slug}/"
        for slug in ("move", "repair", "lend", "lost", "stolen", "retire", "attach", "condition", "ownership", "edit")
    ]
    assert len(response.context["placements"].rows) == 1
    assert [entry.created for entry in response.context["history"]] == [True]


def test_the_short_address_leads_to_the_device(client, school, coordinator):
    device = factories.DeviceFactory(school=school)
    foreign = factories.DeviceFactory(school=factories.SchoolFactory())

    assert client.get(f"/d/{device.tag}").url == f"/accounts/login/?next=/d/{device.tag}"
    client.force_login(coordinator)
    assert client.get(f"/d/{device.tag.lower()}").url == f"/inventory/{device.tag}/"
    assert client.get(f"/d/{device.tag}/").url == f"/inventory/{device.tag}/"
    assert client.get(f"/d/{foreign.tag}").status_code == 404
    assert client.get(f"/d/{foreign.tag}/").status_code == 404


def all_pages(device) -> list[str]:
    return [
        device.get_absolute_url(),
        *(reverse(f"inventory:{row.slug}", args=[device.tag]) for row in ACTIONS.values()),
    ]


def test_outside_the_scope_every_page_of_a_device_is_404(client, coordinator):
    foreign = factories.DeviceFactory(school=factories.SchoolFactory())
    client.force_login(coordinator)
    allowed = [page for page in all_pages(foreign) if not page.endswith(("/stock/", "/kind/", "/binding/"))]

    assert {page: client.get(page).status_code for page in allowed} == dict.fromkeys(allowed, 404)
    assert {page: client.post(page).status_code for page in allowed[1:]} == dict.fromkeys(allowed[1:], 404)
    assert client.get(reverse("inventory:stock", args=[foreign.tag])).status_code == 403


def test_those_without_the_permission_get_403_and_strangers_the_sign_in(client, school):
    device = factories.DeviceFactory(school=school)
    pages = all_pages(device)
    assert {client.get(page).status_code for page in pages} == {302}
    client.force_login(factories.SchoolStaffFactory(schools=[school]))
    assert {client.get(page).status_code for page in [LIST, *pages]} == {403}
    for factory in (factories.HeadFactory, factories.AuditorFactory, factories.AdminFactory):
        client.force_login(factory())
        assert client.get(pages[0]).status_code == 200
        assert {client.post(page).status_code for page in [reverse("inventory:add"), *pages[1:]]} == {403}
