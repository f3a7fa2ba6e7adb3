"""Tables and list pages: what they show, whom they let in, and how many queries they take."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from apps.accounts.models import User
from apps.core import tables as core_tables
from apps.core.choices import StateChoices, Tone
from apps.core.filters import DayFilter, PortalFilterSet, SearchFilter
from apps.core.list_views import PortalListView
from apps.core.tables import (
    DateColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    PercentColumn,
    PortalTable,
    RatioColumn,
    StateColumn,
    TextColumn,
)
from apps.schools.models import School
from tests.factories import ClerkFactory, CoordinatorFactory, SchoolFactory

THIN = "\u202f"


class Light(StateChoices):
    OFF = "off", "Aus"
    ON = "on", "An"

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {cls.ON: Tone.SUCCESS}


class LampTable(PortalTable):
    name = LinkColumn(linkify=lambda record: f"/lamps/{record['pk']}/", verbose_name="Lampe")
    state = StateColumn(choices=Light, verbose_name="Stand")
    price = MoneyColumn(verbose_name="Preis")
    share = PercentColumn(verbose_name="Anteil")
    per = RatioColumn(verbose_name="Je Lampe")

    class Meta(PortalTable.Meta):
        sortable = ("name",)
        cards = ("price",)

    def render_share(self, value: Decimal, record: dict[str, Any]) -> str:
        return f"{value} von {record['name']}"


LAMPS = [
    {
        "pk": 1,
        "name": "<Tisch>",
        "state": "on",
        "price": Decimal("1234.5"),
        "share": Decimal(3),
        "per": Decimal("1.25"),
    },
    {"pk": 2, "name": "Wand", "state": "off", "price": None, "share": None, "per": 5},
]


def cells(table: PortalTable) -> list[str]:
    return [str(row.cells) for row in table.body()]


def test_cells_are_rendered_with_their_headers_and_escaped() -> None:
    with override("de"):
        first, _second = cells(LampTable(LAMPS))
    assert first.startswith(
        '<th class="kern-table__header portal-card-title" scope="row">'
        '<a class="kern-link" href="/lamps/1/">&lt;Tisch&gt;</a></th>'
    )
    assert f'portal-card-value" data-label="Preis">1.234,50{THIN}€</td>' in first
    assert 'data-label="Anteil">3 von &lt;Tisch&gt;</td>' in first
    assert "1\u00a0:\u00a01,3</td>" in first
    assert "kern-badge--success" in first


def test_what_is_missing_is_said_in_the_cell() -> None:
    with override("en"):
        _first, second = cells(LampTable(LAMPS))
    assert second.count('<span class="portal-missing">not known</span>') == 2


def test_exports_are_raw() -> None:
    table = LampTable(LAMPS)
    assert table.export_header() == ["Lampe", "Stand", "Preis", "Anteil", "Je Lampe"]
    assert list(table.export_rows(LAMPS)) == [
        ["<Tisch>", "An", Decimal("1234.5"), "3 von <Tisch>", Decimal("1.25")],
        ["Wand", "Aus", None, None, 5],
    ]


def test_sortable_columns_must_exist() -> None:
    with pytest.raises(TypeError, match="unknown columns"):

        class Wrong(PortalTable):
            class Meta(PortalTable.Meta):
                sortable = ("nothing",)


class SchoolTable(PortalTable):
    short_name = LinkColumn(linkify=lambda record: f"/schools/{record.number}/")
    number = TextColumn()
    legal_form = TextColumn()
    opened_on = DateColumn()
    size = NumberColumn(accessor="pk", verbose_name="Größe")

    class Meta(PortalTable.Meta):
        model = School
        fields = ("short_name", "number", "legal_form", "opened_on")
        sortable = ("short_name", "number")


class SchoolFilters(PortalFilterSet):
    opened = DayFilter(field_name="opened_on", lookup_expr="gte", label="Eröffnet ab")
    q = SearchFilter()

    class Meta:
        model = School
        fields = ("legal_form",)


class SchoolList(PortalListView):
    table_class = SchoolTable
    filterset_class = SchoolFilters
    heading = "Schulen"
    export_name = "schools"
    permission_required = "schools.view_school"
    bulk_actions = (("/close/", "Schließen"),)
    empty_action = ("/schools/add/", "Schule anlegen")

    def get_queryset(self) -> Any:
        return School.objects.visible_to(self.request.user)


def answer(user: Any, view: type[PortalListView] = SchoolList, **query: str) -> Any:
    request = RequestFactory().get("/list/", query)
    request.user = user
    with override("en"):
        response = view.as_view()(request)
        return response.render() if hasattr(response, "render") else response


@pytest.fixture
def clerk(db: None) -> User:
    """An office clerk, who sees all schools of the city."""
    return ClerkFactory()


def html_of(response: Any) -> str:
    return response.content.decode()


def names(response: Any) -> list[str]:
    return [row.name for row in response.context_data["table"].body()]


def test_anonymous_people_are_sent_to_the_sign_in(db: None) -> None:
    response = answer(AnonymousUser())
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/?next=")


def test_without_the_right_it_is_forbidden(clerk: User) -> None:
    class Secret(SchoolList):
        permission_required = "schools.open_vault"

    with pytest.raises(PermissionDenied):
        answer(clerk, Secret)


def test_sorting_is_whitelisted_and_breaks_ties_by_key(clerk: User) -> None:
    for name in ("B", "A", "A"):
        SchoolFactory(short_name=name)
    assert names(answer(clerk, sort="-short_name")) == ["B", "A", "A"]
    table = answer(clerk, sort="short_name").context_data["table"]
    assert [row.key for row in table.body()] == [
        str(pk) for pk in School.objects.order_by("short_name", "pk").values_list("pk", flat=True)
    ]
    assert table.headers()[0].sort == "ascending"
    assert table.headers()[0].href == "?sort=-short_name"
    assert answer(clerk, sort="opened_on").context_data["table"].headers()[3].href == ""
    assert "ORDER BY" in str(answer(clerk, sort="legal_form").context_data["table"].data.data.query)
    assert "legal_form" not in str(answer(clerk, sort="legal_form").context_data["table"].data.data.query.order_by)


def test_pages_hold_fifty_rows_and_sorting_starts_again_on_page_one(clerk: User) -> None:
    SchoolFactory.create_batch(51)
    response = answer(clerk, page="2", sort="number", q="schule")
    table = response.context_data["table"]
    assert len(names(response)) == 1
    assert [link.number for link in table.page_links()] == [1, 2]
    assert table.next_address() == ""
    assert parse_qs(table.headers()[0].href[1:]) == {"sort": ["short_name"], "q": ["schule"]}
    html = html_of(response)
    assert "51 results" in html
    assert 'aria-current="page"' in html
    assert "Rows 51 to 51" in html


def test_counting_stops_at_the_limit(clerk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_tables, "COUNT_LIMIT", 2)
    SchoolFactory.create_batch(5)
    response = answer(clerk)
    assert response.context_data["table"].count == 3
    assert "more than 2 results" in html_of(response)


def test_rows_behind_a_number_are_counted_exactly(clerk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind(SchoolList):
        count_exactly = True

    monkeypatch.setattr(core_tables, "COUNT_LIMIT", 2)
    SchoolFactory.create_batch(5)
    response = answer(clerk, Behind)
    assert response.context_data["table"].count == 5
    assert "5 results" in html_of(response)


def test_filters_show_as_chips_that_can_be_removed(clerk: User) -> None:
    SchoolFactory(short_name="Öl-Schule", search_text="oel-schule ol-schule")
    SchoolFactory(short_name="Wald", search_text="wald")
    response = answer(clerk, q="ÖL", sort="number", opened="")
    assert names(response) == ["Öl-Schule"]
    with override("en"):
        (chip,) = response.context_data["filterset"].chips()
    assert (chip.label, chip.value, chip.href) == ("Search", "ÖL", "?sort=number&opened=")
    assert list(response.context_data["filterset"].form.fields) == ["q", "legal_form", "opened"]
    assert dict(response.context_data["filterset"].kept_parameters()) == {"sort": "number"}
    assert 'aria-label="Remove filter Search: ÖL"' in html_of(response)


def test_chips_speak_words_not_codes(clerk: User) -> None:
    (code, word), *_others = School._meta.get_field("legal_form").choices
    filterset = answer(clerk, legal_form=code, opened="1.3.2026").context_data["filterset"]
    with override("en"):
        chips = filterset.chips()
        assert [(chip.label, chip.value) for chip in chips] == [
            ("Legal form", str(word).capitalize()),
            ("Eröffnet ab", "01/03/2026"),
        ]


def test_an_empty_list_says_why_and_what_to_do(clerk: User) -> None:
    html = html_of(answer(clerk))
    assert "There is nothing here yet." in html
    assert 'href="/schools/add/"' in html
    assert "data-rows" not in html
    SchoolFactory()
    html = html_of(answer(clerk, q="nirgends"))
    assert "Nothing matches these filters." in html
    assert "/schools/add/" not in html
    assert "Show all" in html


def test_rows_can_be_chosen_for_bulk_actions(clerk: User) -> None:
    school = SchoolFactory(short_name="Nord")
    html = html_of(answer(clerk))
    assert f'name="ids" value="{school.pk}" aria-label="Choose row Nord"' in html
    assert 'formaction="/close/"' in html


def csv_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


def test_the_export_holds_all_filtered_rows_and_no_others(clerk: User) -> None:
    SchoolFactory.create_batch(60, search_text="nord")
    SchoolFactory(short_name="Süd", search_text="sued")
    lines = csv_of(answer(clerk, export="csv", q="nord", sort="-number")).splitlines()
    assert lines[0] == "Short name;School number;Legal form;Opened on;Größe"
    assert len(lines) == 61
    assert not any("Süd" in line for line in lines)
    numbers = [line.split(";")[1] for line in lines[1:]]
    assert numbers == sorted(numbers, reverse=True)


def test_the_export_stays_inside_the_scope(db: None) -> None:
    own, foreign = SchoolFactory(short_name="Eigene"), SchoolFactory(short_name="Fremde")
    text = csv_of(answer(CoordinatorFactory(schools=[own]), export="csv"))
    assert own.number in text
    assert foreign.number not in text


@pytest.mark.parametrize("kind", ["pdf", "CSV", "../etc"])
def test_other_formats_do_not_exist(clerk: User, kind: str) -> None:
    with pytest.raises(Http404):
        answer(clerk, export=kind)


def test_lists_without_export_name_offer_none(clerk: User) -> None:
    class Closed(SchoolList):
        export_name = None

    SchoolFactory()
    assert "export=csv" not in html_of(answer(clerk, Closed))
    with pytest.raises(Http404):
        answer(clerk, Closed, export="csv")


@pytest.fixture
def counted(clerk: User) -> Callable[..., int]:
    def count(**query: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert answer(clerk, **query).status_code == 200
        return len(captured)

    return count


def test_the_number_of_queries_does_not_grow(counted: Callable[..., int]) -> None:
    SchoolFactory.create_batch(10)
    few = counted()
    SchoolFactory.create_batch(90)
    assert counted() == few == 2
