"""The pages on which kits of an order are scanned in: offered on the order's page, begun, gone on with, taken in."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.funding import services
from apps.funding.choices import OrderState
from apps.funding.models import Order
from apps.inventory.models import ScanSession
from tests.factories import AuditorFactory, ClerkFactory, SchoolFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import form_of, lines_of, pay, placed_order, record, scan_in
from tests.funding.test_kit_receipts import World

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clerk() -> Client:
    return client_of(ClerkFactory(name="Clara Claasen"))


def scanned_in(clerk: Client, address: str, *serials: str) -> ScanSession:
    """Begins at the address, scans with the form of the page without its script, and takes in."""
    here = clerk.post(address, form_of(clerk, address))["Location"]
    session = ScanSession.objects.latest("pk")
    assert here == session.get_absolute_url()
    clerk.post(here, {"key": "6f0a2f5e-6d0f-4d43-8f0f-0f1f5f6f7f8f", "lines": "\n".join(serials)})
    session.refresh_from_db()
    clerk.post(f"{here}take-in/", {"revision": session.revision})
    session.refresh_from_db()
    return session


def test_kits_are_offered_scanned_in_and_invoiced(world: World, clerk: Client) -> None:
    order = world.order()
    page, first = f"/admin/funding/order/{order.pk}/change/", lines_of(order)[0]
    scan = f"/admin/funding/order/{order.pk}/scan/?line={first.pk}&kit={world.kit.pk}"
    assert "Set: Tablet-Set Für " + str(world.school) in texts(clerk.get(page))
    assert "Als Set einscannen : 5 × Tablet-Set" in texts(clerk.get(page))
    assert scan.replace("&", "&amp;") in clerk.get(page).content.decode()
    assert f"Tablet-Set für {world.school}" in texts(clerk.get(scan))

    session = scanned_in(clerk, scan, "TAB-0001", "TAB-0002", "TAB-0003", "TAB-0004")

    shown = texts(clerk.get(session.get_absolute_url()))
    assert "Muster Tablet: 4 von 5 gekommen · Muster Hülle: 4 von 5 gekommen" in shown
    assert "Weitere Lieferung dieser Bestellung scannen (1 Set fehlt)" in shown
    assert scan.replace("&", "&amp;") in clerk.get(session.get_absolute_url()).content.decode()
    assert "Als Set einscannen : 1 × Tablet-Set" in texts(clerk.get(page))

    session = scanned_in(clerk, scan, "TAB-0005")
    assert "Weitere Lieferung" not in texts(clerk.get(session.get_absolute_url()))
    assert "Als Set einscannen" not in texts(clerk.get(page))
    pay(record(Order.objects.get()))
    assert Order.objects.get().state == OrderState.DELIVERED


def test_what_is_begun_is_shown_where_it_is_gone_on_with(world: World, clerk: Client) -> None:
    order = world.order()
    page = f"/admin/funding/order/{order.pk}/change/"
    session = world.begin(order)
    link = f'href="{session.get_absolute_url()}"'
    assert clerk.get(page).content.decode().count(link) == 1
    world.take_in(order, 5)
    shown = clerk.get(page)
    assert "Fehlende ganze Sets 0" in texts(shown)
    assert "Als Set einscannen" not in texts(shown)
    assert shown.content.decode().count(link) == 1


def test_of_a_closed_order_each_page_says_that_nothing_is_taken_in_any_more(world: World, clerk: Client) -> None:
    order = world.order()
    session = world.begin(order)
    services.close_order(order=order, by=world.by, reason="Wird nicht mehr geliefert.")
    sentence = f"Die Bestellung {order} ist „abgeschlossen“: Von ihr lässt sich nichts mehr aufnehmen."

    scanning = texts(clerk.get(session.get_absolute_url()))
    taking_in = texts(clerk.get(f"{session.get_absolute_url()}take-in/"))
    world.scan(session, 2)
    scanned = texts(clerk.get(f"{session.get_absolute_url()}take-in/"))

    for shown in (scanning, taking_in, scanned):
        assert sentence in shown
        assert "Lieferung abbrechen" in shown
    assert "Es ist noch nichts gescannt" not in taking_in
    assert ("Zu den gescannten Nummern" in taking_in, "Zu den gescannten Nummern" in scanned) == (False, True)
    for untrue in ("Diese Geräte legt das Portal an", "Neue Geräte", "fehlen noch"):
        assert untrue not in taking_in + scanned
    page = texts(clerk.get(f"/admin/funding/order/{order.pk}/change/"))
    assert "Von dieser Bestellung ist nichts gekommen." in page
    assert "Es ist noch nichts gekommen" not in page


def test_a_kit_that_is_no_longer_missing_is_refused_and_one_that_there_is_not_is_not_found(
    world: World, clerk: Client
) -> None:
    order = world.order()
    scan = f"/admin/funding/order/{order.pk}/scan/?line={lines_of(order)[0].pk}&kit="
    data = form_of(clerk, f"{scan}{world.kit.pk}")
    world.take_in(order, 4)
    scan_in(lines_of(order)[2], 1)
    refused = clerk.post(f"{scan}{world.kit.pk}", data)
    assert f"Für {world.school} fehlt kein ganzes Set „Tablet-Set“ mehr." in texts(refused)
    assert [clerk.get(scan + key).status_code for key in ("0", "x", "99999999999999999999")] == [404, 404, 404]


def test_who_only_reads_is_offered_nothing(world: World) -> None:
    order = world.order()
    client = client_of(AuditorFactory())
    assert "Als Set einscannen" not in texts(client.get(f"/admin/funding/order/{order.pk}/change/"))
    scan = f"/admin/funding/order/{order.pk}/scan/?line={lines_of(order)[0].pk}&kit={world.kit.pk}"
    assert client.get(scan).status_code == 403


def test_the_page_asks_as_much_for_one_school_as_for_three(world: World, clerk: Client) -> None:
    counts = []
    for schools in ([world.school], [world.school, SchoolFactory(), SchoolFactory()]):
        parts = ((world.tablet, 1), (world.pen, 2), (world.case, 1))
        lines = [world.line(part, n, "1.00", school_id=school.pk) for school in schools for part, n in parts]
        order = placed_order(*lines)
        for number, _school in enumerate(schools):
            world.begin(order, order_line=lines_of(order)[3 * number])
        page = f"/admin/funding/order/{order.pk}/change/"
        clerk.get(page)
        with CaptureQueriesContext(connection) as queries:
            shown = texts(clerk.get(page))
        assert shown.count("Als Set einscannen : 1 × Tablet-Set") == len(schools)
        counts.append(len(queries))
    assert counts[0] == counts[1]
