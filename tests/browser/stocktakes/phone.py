"""What a person does on the scan page of a stocktake."""

import re

from playwright.sync_api import Page, expect

PHONE = {"width": 390, "height": 844}


def scan(page: Page, code: str) -> None:
    """As a hand scanner does it: the number, then Enter."""
    page.get_by_label("Inventarnummer, Seriennummer oder Code").fill(code)
    page.keyboard.press("Enter")


def scans(page: Page) -> list[str]:
    """The last scans as the page shows them, newest first."""
    return [" ".join(text.split()) for text in page.locator("[data-scans] li").all_inner_texts()]


def reopened(page: Page) -> Page:
    """The page closed, and its address opened again in the same browser."""
    profile, address = page.context, page.url
    page.close()
    again = profile.new_page()
    again.goto(address)
    return again


def put_away(page: Page) -> None:
    """The page has put away what it needs without network."""
    expect(page.locator("[data-stocktake]")).to_have_attribute("data-kept-away", "yes")


def open_findings(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Brotkrumen").get_by_role("link", name=re.compile("Talschule")).click()
    page.get_by_role("link", name=name).click()
