"""A real browser: Debian's Chromium under Playwright, kept to the loopback interface."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from system_packages import find_chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def launch(playwright: Playwright) -> Browser:
    """The machine's Chromium; a missing one fails, because nothing is skipped silently."""
    path = find_chromium()
    assert path, "No Chromium found: apt-get install chromium, or name one with CHROMIUM=/path"
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


class Pages:
    """Opens pages, each for one person, and remembers what must not happen on any of them."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(self, user: Any = None, **context: Any) -> Page:
        """A page of a fresh browser profile, signed in as `user` where one is given.

        Further arguments go to Playwright's context, e.g. `color_scheme="dark"` or `viewport`.
        """
        options = {"locale": "de-DE", "timezone_id": "Europe/Berlin", "base_url": self.address} | context
        profile = self._browser.new_context(**options)
        profile.set_default_timeout(15_000)
        self._contexts.append(profile)
        if user is not None:
            profile.add_cookies([session_cookie(user, self.address)])
        page = profile.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", self._note_console)
        page.on("request", self._note_request)
        return page

    def close(self) -> None:
        for profile in self._contexts:
            profile.close()

    def _note_console(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(f"policy violated: {message.text}")

    def _note_request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != urlsplit(self.address).netloc:
            self.faults.append(f"foreign host asked: {request.url}")


def session_cookie(user: Any, address: str) -> Any:
    """A signed-in session, as the sign-in form would give it."""
    client = Client()
    client.force_login(user)
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": address,
    }


def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page, one line per element: rule, element, help."""
    # without preload: axe's own copy of the stylesheets would break the policy
    found = Axe().run(page, options={"runOnly": WCAG, "preload": False}).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]} ({rule['help']})" for rule in found for node in rule["nodes"]]


def pages_of(browser: Browser, address: str) -> Iterator[Pages]:
    """The pages of one test; it fails when one broke the policy, threw, or asked a foreign host."""
    pages = Pages(browser, address)
    try:
        yield pages
    finally:
        pages.close()
    assert pages.faults == []
