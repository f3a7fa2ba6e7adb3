"""What pages show: German numbers, states, cards, alerts."""

import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.safestring import SafeString
from django.utils.translation import override

from apps.core import formats
from apps.core.choices import StateChoices, Tone
from apps.core.templatetags.admin_lists import told_apart

BERLIN = ZoneInfo("Europe/Berlin")
THIN = "\u202f"


class Light(StateChoices):
    OFF = "off", "Aus"
    ON = "on", "An"

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {cls.ON: Tone.SUCCESS}


def render(source: str, **context: Any) -> str:
    return Template("{% load portal %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("source", "value", "shown"),
    [
        ("euro", Decimal("1234.5"), f"1.234,50{THIN}€"),
        ("euro", Decimal("-0.005"), f"−{THIN}0,01{THIN}€"),
        ("euro", Decimal("-1234.5"), f"−{THIN}1.234,50{THIN}€"),
        ("euro", Decimal("-0.004"), f"0,00{THIN}€"),
        ("less", Decimal("1234.5"), f"−{THIN}1.234,50{THIN}€"),
        ("less", 0, f"0,00{THIN}€"),
        ("number", -3, f"−{THIN}3"),
        ("euro", "0", f"0,00{THIN}€"),
        ("percent", "71.25", f"71,3{THIN}%"),
        ("percent", Decimal("71.24"), f"71,2{THIN}%"),
        ("percent:2", "71.235", f"71,24{THIN}%"),
        ("percent", 0, f"0,0{THIN}%"),
        ("ratio", "1.404", "1\u00a0:\u00a01,4"),
        ("ratio", 5, "1\u00a0:\u00a05,0"),
        ("target_ratio", Decimal("5.00"), "1\u00a0:\u00a05"),
        ("target_ratio", "4.5", "1\u00a0:\u00a04,5"),
        ("ratio", "5.0032", "1\u00a0:\u00a05,0"),
        ("number", 16912, "16.912"),
        ("number:1", "2.25", "2,3"),
        ("with_unit:'kg'", 24, f"24{THIN}kg"),
        ("day", datetime.date(2026, 11, 22), "22.11.2026"),
        ("moment", datetime.datetime(2026, 11, 22, 10, 42, tzinfo=BERLIN), "22.11.2026, 10:42"),
        ("day", datetime.datetime(2026, 11, 21, 23, 30, tzinfo=datetime.UTC), "22.11.2026"),
    ],
)
def test_german_formats(source: str, value: object, shown: str) -> None:
    with override("de"):
        assert render("{{ value|" + source + " }}", value=value) == shown


@pytest.mark.parametrize(
    "source",
    ["euro", "less", "percent", "ratio", "target_ratio", "number", "day", "moment", "missing", "with_unit:'kg'"],
)
def test_what_is_missing_is_said(source: str) -> None:
    with override("en"):
        assert render("{{ value|" + source + " }}", value=None) == "not known"


def test_english_formats() -> None:
    with override("en"):
        assert formats.euro(Decimal("1234.5")) == f"1,234.50{THIN}€"
        assert formats.day(datetime.date(2026, 3, 1)) == "01/03/2026"


def test_zero_is_not_missing() -> None:
    assert render("{{ value|missing }}", value=0) == "0"


def test_states_are_words_with_an_icon() -> None:
    assert render("{% state_badge 'on' choices %}", choices=Light) == (
        '<span class="kern-badge kern-badge--success">'
        '<span class="kern-icon kern-icon--success" aria-hidden="true"></span><span class="kern-label">An</span></span>'
    )
    assert render("{% state_badge member %}", member=Light.OFF) == (
        '<span class="kern-badge portal-badge--neutral"><span class="kern-label">Aus</span></span>'
    )


def test_badges_escape() -> None:
    assert "&lt;b&gt;" in render("{% badge label 'warning' %}", label="<b>")


@pytest.mark.parametrize(
    ("tag", "tone"), [("error", "danger"), ("debug", "info"), ("warning", "warning"), ("nonsense", "info")]
)
def test_alerts_take_message_tags(tag: str, tone: str) -> None:
    assert f'class="kern-alert kern-alert--{tone}"' in render("{% alert tag 'Titel' %}", tag=tag)


def test_a_figure_card_is_a_link_and_says_its_state() -> None:
    with override("de"):
        html = render(
            "{% figure_card label='Gerätequote' value='71,2 %' made_of='16.912 Geräte' url='/quotas/' "
            "state='unter Ziel' tone='warning' as_of=moment %}",
            moment=datetime.datetime(2026, 11, 22, 10, 42, tzinfo=BERLIN),
        )
    assert '<a class="kern-link--stretched" href="/quotas/">Gerätequote</a>' in html
    assert "portal-figure--warning" in html
    assert "16.912 Geräte" in html
    assert "22.11.2026, 10:42" in html
    assert "Unter Ziel" in html


def test_a_figure_that_is_not_there_is_said() -> None:
    with override("en"):
        assert "not known" in render("{% figure_card label='Quote' value=None %}")


def test_tasks_name_their_verb_and_what_it_is_about() -> None:
    task = {"what": "Antrag 7", "since": datetime.date(2026, 11, 1), "verb": "Prüfen", "url": "/applications/7/"}
    with override("de"):
        html = render("{% task_list tasks %}", tasks=[task])
    assert 'href="/applications/7/" aria-label="Prüfen: Antrag 7"' in html
    assert "01.11.2026" in html


def test_no_tasks_say_so() -> None:
    assert "Alles erledigt." in render("{% task_list tasks empty='Alles erledigt.' %}", tasks=[])


def test_query_changes_the_address() -> None:
    request = RequestFactory().get("/list/", {"q": "a b", "page": "3"})
    assert render("{% query page=None sort='name' %}", request=request) == "?q=a+b&amp;sort=name"


@pytest.mark.parametrize(
    ("cookie", "attributes"),
    [("dark", ' data-kern-theme="dark" data-theme="dark"'), ("auto", ""), ('"><script>', ""), (None, "")],
)
def test_the_appearance_comes_from_the_cookie(cookie: str | None, attributes: str) -> None:
    request = RequestFactory().get("/")
    if cookie is not None:
        request.COOKIES["theme"] = cookie
    assert Template("{% load portal %}{% portal_theme %}").render(Context({"request": request})) == attributes


def test_links_of_a_list_are_told_apart_by_the_cells_that_follow() -> None:
    def row(link: str, *cells: str) -> list[SafeString]:
        return [SafeString(f'<th class="x"><a href="/{link}/">{link[0]}</a></th>'), *map(SafeString, cells)]

    rows = [
        row("a1", '<td class="y">B &amp; C</td>', '<td class="z">1<br>2</td>'),
        row("a2", '<td class="y">B &amp; C</td>', '<td class="z">3</td>', '<td class="w">4</td>'),
        row("b", '<td class="y">D</td>'),
        row("c1", '<td class="y">E</td>', '<td class="z">5</td>', '<td class="w">6</td>'),
        row("c2", '<td class="y">E</td>', '<td class="z">5</td>', '<td class="w">6</td>'),
        row("c3", '<td class="y">E</td>', '<td class="z">7</td>', '<td class="w">6</td>'),
    ]
    assert [cells[0] for cells in told_apart(rows)] == [
        '<th class="x"><a aria-label="a, B &amp; C, 1 2" href="/a1/">a</a></th>',
        '<th class="x"><a aria-label="a, B &amp; C, 3" href="/a2/">a</a></th>',
        '<th class="x"><a href="/b/">b</a></th>',
        '<th class="x"><a aria-label="c, E, 5" href="/c1/">c</a></th>',
        '<th class="x"><a aria-label="c, E, 5" href="/c2/">c</a></th>',
        '<th class="x"><a aria-label="c, E, 7" href="/c3/">c</a></th>',
    ]
