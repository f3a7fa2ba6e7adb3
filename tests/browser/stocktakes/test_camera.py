"""The camera of a phone reads labels, when it is asked for and allowed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, expect
from system_packages import find_chromium

from tests.browser.stocktakes.phone import PHONE, scans
from tests.support import browser as browsing

pytestmark = pytest.mark.django_db(transaction=True)


def picture_of(text: str, path: Path) -> Path:
    """A film of two frames for Chromium's false camera: the QR code of this text on white."""
    width, height, module = 640, 480, 10
    code = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    luma = bytearray(b"\xeb" * (width * height))
    left, top = (width - len(code) * module) // 2, (height - len(code) * module) // 2
    for y, row in enumerate(code):
        for x, dark in enumerate(row):
            if dark:
                for line in range(module):
                    at = (top + y * module + line) * width + left + x * module
                    luma[at : at + module] = b"\x10" * module
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (width * height // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 2)
    return path


@pytest.fixture
def filmed(browser: Browser, tags: list[str], live_server, tmp_path: Path) -> Iterator[browsing.Pages]:
    """Pages of a browser whose camera sees the label of the first device."""
    film = picture_of(f"{live_server.url}/d/{tags[0]}", tmp_path / "label.y4m")
    flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    chromium = browser.browser_type.launch(executable_path=find_chromium(), args=[*browsing.FLAGS, *flags])
    try:
        yield from browsing.pages_of(chromium, live_server.url)
    finally:
        chromium.close()


def test_the_camera_reads_a_label_once_it_is_asked_for(city, tags, stocktake, filmed):
    page = filmed.open(city.people["coordinator"], viewport=PHONE, permissions=["camera"])
    page.add_init_script(
        "window.asked = 0; const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = (wish) => { window.asked += 1; return ask(wish); };"
    )
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    expect(page.get_by_role("button", name="Kamera")).to_be_visible()
    assert page.evaluate("window.asked") == 0
    page.get_by_role("button", name="Kamera").click()
    expect(page.locator("main")).to_contain_text("1 von 10 gefunden")
    assert page.evaluate("window.asked") == 1
    assert scans(page) == [f"Gefunden {tags[0]} ist gefunden."]
    newest = page.locator("[data-newest]")
    expect(newest).to_be_in_viewport(ratio=1)
    assert " ".join(newest.inner_text().split()) == f"Gefunden {tags[0]} ist gefunden."
    page.get_by_role("button", name="Kamera").click()
    expect(page.locator("[data-video]")).to_be_hidden()
    expect(page.get_by_role("button", name="Kamera")).to_have_attribute("aria-pressed", "false")


def test_a_camera_that_is_refused_is_said(city, stocktake, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE, permissions=[])
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    page.get_by_role("button", name="Kamera").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("Die Kamera lässt sich nicht nutzen."))
