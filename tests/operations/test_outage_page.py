"""PostgreSQL is gone: every page says so in German, without data, and what was typed is sent again by a button."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.funding.desk import form_values
from tests.operations.people import APPROVER, prepared
from tests.operations.servers import Answer, Browser, PrivatePostgres, WebServer, own_postgres
from tests.support.browser import Pages, axe_violations, pages_of

pytestmark = pytest.mark.postgres_only
HEADING = "Das Portal erreicht seine Daten gerade nicht"
AGAIN, RETRY = "Eingaben noch einmal senden", "Noch einmal versuchen"
SLOW = 30_000  # milliseconds: each page first waits for a database that is gone
REASON = 'Bitte "zuerst" an die 5b & 6a,\nzwei Tablets <später>.'
PORTAL = [
    "/",
    "/schools/",
    "/inventory/",
    "/quotas/",
    "/summary/",
    "/applications/",
    "/tickets/",
    "/jobs/",
    "/privacy/",
]


@dataclass
class City:
    """A portal whose PostgreSQL the tests crash and start again; `keys` are applications to be decided."""

    postgres: PrivatePostgres
    web: WebServer
    keys: list[str]


@pytest.fixture(scope="module")
def city(static_files: None, django_db_setup: None, django_db_blocker: Any) -> Iterator[City]:
    with django_db_blocker.unblock(), own_postgres() as postgres:
        environment = {"DATABASE_URL": postgres.url}
        keys = prepared(2, **environment)
        with WebServer(**environment) as web:
            yield City(postgres, web, keys)


@pytest.fixture
def chromium(browser: Chromium, city: City) -> Iterator[Pages]:
    yield from pages_of(browser, f"http://127.0.0.1:{city.web.port}")


def desk(key: str) -> str:
    """The page on which the office decides."""
    return f"/admin/funding/equipmentapplication/{key}/change/"


def told(answer: Answer) -> None:
    """The answer is the page for a database that is gone: German, complete and not to be kept."""
    assert (answer.status, answer.heading) == (503, HEADING)
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("30", "no-store, private")
    assert '<html lang="de"' in answer.text
    assert f"<title>{HEADING} – Stadt Hamm</title>" in answer.text
    assert "Kennung für Rückfragen: " + answer.headers["X-Request-ID"] in answer.text


def test_every_page_says_so_and_is_there_again_afterwards(city: City) -> None:
    browser = Browser(city.web)
    assert browser.sign_in(APPROVER, PASSWORD).status == 200
    addresses = [*PORTAL, "/admin/", desk(city.keys[0]), "/schools/?q=Gr%C3%BC%C3%9Fe&page=2"]
    assert {browser.open(address).status for address in addresses} == {200}

    city.postgres.crash()
    city.postgres.start()
    assert {browser.open("/").status for _request in range(10)} == {200}, "dead connections are not used"

    city.postgres.crash()
    with ThreadPoolExecutor(len(addresses)) as together:
        answers = dict(zip(addresses, together.map(browser.open, addresses), strict=True))
    for address, answer in answers.items():
        told(answer)
        assert f'href="{address.replace("&", "&amp;")}"' in answer.text, address
        assert RETRY in answer.text
        assert AGAIN not in answer.text
    assert browser.open("/health/live").status == 200

    city.postgres.start()
    assert {browser.open(address).status for address in addresses} == {200}


def test_what_was_sent_stays_on_the_page_but_no_password_and_no_file(city: City) -> None:
    browser = Browser(city.web)
    assert browser.sign_in(APPROVER, PASSWORD).status == 200
    typed = form_values(browser.open(desk(city.keys[0])).text) | {"reason": REASON, "step": "check_approve"}
    upload = "/admin/core/importrun/upload/schuldaten/"
    assert browser.open(upload).status == 200

    city.postgres.crash()
    decision = browser.send(desk(city.keys[0]), typed)
    sign_in = browser.send("/accounts/login/", {"login": APPROVER, "password": PASSWORD})
    file = browser.send(upload, {"authority": "10315"}, file=("file", "schulen.csv", b"Schulnummer"))
    city.postgres.start()

    for answer in (decision, sign_in, file):
        told(answer)
    kept = again_values(decision.text)
    assert kept | {"reason": kept["reason"].replace("\r\n", "\n")} == typed
    assert f'action="{desk(city.keys[0])}"' in decision.text
    assert PASSWORD not in sign_in.text
    assert (again_values(sign_in.text), again_values(file.text)) == ({}, {})
    assert "wählen Sie die Datei noch einmal aus" in file.text


def again_values(text: str) -> dict[str, str]:
    """The values that the page would send again, without the form's token."""
    return form_values(text.replace('<main id="main"', '<main id="content-main"'))


def test_the_office_sends_a_decision_again(city: City, chromium: Pages) -> None:
    """Both pages of a decision meet a crash; the typed reason arrives, and the money is committed once."""
    page = chromium.open()
    sign_in(page)
    page.goto(desk(city.keys[1]))
    page.locator("#id_budget").select_option(index=1)
    page.fill("#id_reason", REASON)

    city.postgres.crash()
    page.locator("button[name=step][value=check_approve]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING, timeout=SLOW)
    assert axe_violations(page) == []
    page.get_by_role("button", name=AGAIN).click()  # too early: asked again, nothing is lost
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING, timeout=SLOW)
    city.postgres.start()
    page.get_by_role("button", name=AGAIN).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bitte prüfen Sie vor dem Absenden", timeout=SLOW)

    city.postgres.crash()
    page.locator("button[name=step][value=approve]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING, timeout=SLOW)
    city.postgres.start()
    page.get_by_role("button", name=AGAIN).click()
    expect(page.get_by_text("genehmigt").first).to_be_visible(timeout=SLOW)
    with city.postgres.connect() as database:
        entries = database.execute("SELECT count(*) FROM funding_ledgerentry").fetchone()
        reasons = database.execute("SELECT reason FROM funding_applicationstatuschange ORDER BY id").fetchall()
    assert (entries, reasons[-1]) == ((1,), (REASON.replace("\n", "\r\n"),))


def sign_in(page: Page) -> None:
    page.set_default_timeout(SLOW)
    page.goto("/accounts/login/")
    page.fill("input[name=login]", APPROVER)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: urlsplit(address).path == "/")


def test_a_message_typed_during_the_outage_arrives_once(city: City, chromium: Pages) -> None:
    page: Any = chromium.open(viewport={"width": 390, "height": 800}, color_scheme="dark")
    sign_in(page)
    page.goto("/contact/")
    page.fill("textarea[name=text]", REASON)

    city.postgres.crash()
    page.locator("main form button").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING, timeout=SLOW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_violations(page) == []
    city.postgres.start()
    page.get_by_role("button", name=AGAIN).click()
    expect(page.get_by_text("Ihre Nachricht ist angekommen")).to_be_visible(timeout=SLOW)
    with city.postgres.connect() as database:
        rows = database.execute("SELECT text FROM core_contactmessage").fetchall()
    assert [text.replace("\r\n", "\n") for (text,) in rows] == [REASON]
