"""Fixtures for all tests, and which tests run on which database.

Markers: `soak` runs only when asked for (`-m soak`), `postgres_only` is left out on SQLite, and `both_databases`
is what `make test` repeats on SQLite: the story and the tests of services, selectors and calculations.
"""

import os
import re
import time
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from apps.core import clock
from tests.support import browser as browsing
from tests.support.mail_server import MailServer, mail_server
from tests.support.report import Report
from tests.support.workers import Worker

FOLDERS = {
    "processes": {"core", "demo", "operations", "scripts"},
    "money": {"funding", "inventory"},
}
"""What `make test` plays in runs of their own; whatever is not named here goes into the run of all others."""


def _plays(folders: Container[str]) -> Callable[[pytest.Item], bool]:
    """Whether a test without a browser stands in one of the folders below `tests`."""
    here = Path(__file__).parent
    return lambda item: not item.get_closest_marker("browser") and item.path.relative_to(here).parts[0] in folders


PARTS: dict[str, Callable[[pytest.Item], bool]] = {
    **{part: _plays(folders) for part, folders in FOLDERS.items()},
    "browser": lambda item: bool(item.get_closest_marker("browser")),
    "others": lambda item: not any(PARTS[part](item) for part in ("browser", *FOLDERS)),
    "both-databases": lambda item: bool(item.get_closest_marker("both_databases")),
}
NEAR_MIDNIGHT = timedelta(minutes=1)
BOTH_DATABASES = re.compile(r"test_(services|selectors|calculations)\w*\.py$")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reverse", action="store_true", help="run the tests backwards: none may lean on another")
    parser.addoption("--part", choices=PARTS, help="a part of all tests; `make test` plays the parts side by side")


def pytest_configure(config: pytest.Config) -> None:
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    config.pluginmanager.register(Report(), "mep-report")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by file name and fixture, leave out what this run is not for, and turn the order if asked."""
    left_out = {item for item in items if _is_left_out(item, config)}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    if config.getoption("--reverse"):
        items.reverse()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Markers that follow from the file's name or the fixtures, so that `-m` sees them."""
    if BOTH_DATABASES.search(item.path.name) or item.get_closest_marker("story"):
        item.add_marker("both_databases")
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker("browser")


def _is_left_out(item: pytest.Item, config: pytest.Config) -> bool:
    part = config.getoption("--part")
    if part and not PARTS[part](item):
        return True
    if item.get_closest_marker("soak") and "soak" not in config.option.markexpr:
        return True
    return bool(item.get_closest_marker("postgres_only")) and connection.vendor != "postgresql"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No test begins shortly before midnight: it would make its rows on one day and look at them on the next."""
    left = clock.end_of(clock.today()) - clock.now()
    if left < NEAR_MIDNIGHT:
        time.sleep(left.total_seconds() + 1)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """On SQLite a file, so that a worker process can open it, too; `make test` names what to copy on PostgreSQL."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(Path(settings.VAR_DIR) / "test.sqlite3")
    elif template := os.environ.get("MEP_TEST_TEMPLATE"):
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session", autouse=True)
def _no_files_left() -> Iterator[None]:
    """Rows of a test are taken back, the files that they named are not: those of devices are removed at the end."""
    folder = Path(settings.MEDIA_ROOT) / "attachments"
    before = set(folder.rglob("*"))
    yield
    for path in sorted(set(folder.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.fixture
def start_worker(transactional_db: None) -> Iterator[Callable[..., Worker]]:
    """Start real workers: `start_worker(beat=True, recalc_seconds=1)`. Tasks of earlier tests are dropped first."""
    from mepportal.celery import app

    app.control.purge()
    with ExitStack() as running:

        def start(**options: Any) -> Worker:
            return running.enter_context(Worker(**options))

        yield start


@pytest.fixture
def worker(start_worker: Callable[..., Worker]) -> Worker:
    """One real worker without beat, on the test's database and broker."""
    return start_worker()


@pytest.fixture
def smtp_server(settings: Any) -> Iterator[MailServer]:
    """A real SMTP server; queued mail of this process goes there, another process is told by `smtp_server.url`."""
    with mail_server() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        backends = {"default": "django.core.mail.backends.smtp.EmailBackend"}
        settings.POST_OFFICE = settings.POST_OFFICE | {"BACKENDS": backends}
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; each page gets a fresh profile."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's event loop lives in this thread
    with sync_playwright() as playwright:
        chromium = browsing.launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def pages(browser: Browser, live_server: LiveServer) -> Iterator[browsing.Pages]:
    """`pages.open(user)` gives a page for each person, `pages.open(color_scheme="dark")` one for nobody."""
    yield from browsing.pages_of(browser, live_server.url)


@pytest.fixture
def page(pages: browsing.Pages) -> Page:
    """A page for nobody yet."""
    return pages.open()
