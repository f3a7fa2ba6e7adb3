"""What the proxy says itself, because such a request never reaches the portal."""

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_too_large_an_upload_gets_a_german_page_with_the_proxys_limit():
    settings = (DEPLOY / "nginx.conf.template").read_text()
    page = (DEPLOY / "pages" / "413.html").read_text()

    (limit,) = set(re.findall(r"client_max_body_size (\d+)m;", settings))
    assert "error_page 413 /413.html;" in settings
    assert '<html lang="de">' in page
    assert f"höchstens {limit} MB" in page
    assert "Es wurde nichts gespeichert." in page
    assert re.findall(r"(?:src|href)=\"([^\"]+)\"", page) == ["/"]


def test_a_portal_that_does_not_answer_gets_a_german_page():
    settings = (DEPLOY / "nginx.conf.template").read_text()
    page = (DEPLOY / "pages" / "no-answer.html").read_text()

    assert "error_page 502 504 /no-answer.html;" in settings
    assert "proxy_intercept_errors" not in settings
    assert '<html lang="de">' in page
    assert "Das Portal antwortet gerade nicht" in page
    assert re.findall(r"(?:src|href)=\"([^\"]+)\"", page) == ["/"]


def test_every_page_of_the_proxy_is_served_as_it_stands():
    settings = (DEPLOY / "nginx.conf.template").read_text()

    served = set(re.findall(r"location = /(\S+) \{\s+internal;\s+root \$\{PROXY_PAGES\};", settings))
    assert served == {path.name for path in (DEPLOY / "pages").iterdir()}


def test_the_pages_of_the_proxy_are_where_it_looks_for_them():
    compose = (DEPLOY.parent / "compose.yaml").read_text()
    by_hand = (DEPLOY.parent / "docs" / "production.md").read_text()

    assert "PROXY_PAGES: /etc/nginx/pages" in compose
    assert "./deploy/pages:/etc/nginx/pages:ro" in compose
    assert by_hand.count("PROXY_PAGES") == 2
