"""A person's own filters of a list: kept, opened, renamed, put first, deleted; nobody else's."""

import pytest

from apps.core import saved_filters
from apps.core.errors import DomainError
from apps.core.models import SavedFilter
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/inventory/"


@pytest.fixture
def clerk(client):
    person = factories.ClerkFactory()
    client.force_login(person)
    return person


def kept(by, name="Leihgeräte", query="status=on_loan", list_name="inventory"):
    return saved_filters.keep_filter(user=by, list_name=list_name, name=name, query=query)


def names(page):
    return [(own.row.name, own.current) for own in page.context["own_filters"]]


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("/inventory/?status=retired&sort=-tag&q=&page=2&evil=1", "sort=-tag&status=retired"),
        ("/applications/?state=open&page=1", "state=open"),
        ("/tickets/?q=beamer&export=csv", "q=beamer"),
    ],
)
def test_filter_search_and_sorting_are_kept_under_a_name(client, clerk, address, query):
    path = address.partition("?")[0]

    sent = client.post(address, {"keep": "1", "name": "  Meine   Liste "})

    assert sent.headers["Location"] == f"{path}?{query}"
    row = SavedFilter.objects.get()
    assert (row.user, row.name, row.query) == (clerk, "Meine Liste", query)
    page = client.get(sent.headers["Location"])
    assert names(page) == [("Meine Liste", True)]
    assert f'href="?{query.replace("&", "&amp;")}"' in page.content.decode()


def test_an_unfiltered_list_and_a_missing_name_are_refused(client, clerk):
    assert "Filter merken" not in client.get(LIST).content.decode()
    for address, name, refusal in (
        (LIST, "Alles", "Die Liste ist nicht gefiltert."),
        (f"{LIST}?q=x", "  ", "Bitte geben Sie einen Namen für den Filter ein."),
        (f"{LIST}?q=x", "x" * 61, "Dieser Name ist zu lang."),
    ):
        assert refusal in client.post(address, {"keep": "1", "name": name}, follow=True).content.decode()
    assert SavedFilter.objects.count() == 0


def test_a_name_that_is_taken_is_refused(clerk):
    first = kept(clerk, "A", "q=eins")
    assert kept(clerk, "A", "q=eins") == first, "sent twice"
    with pytest.raises(DomainError, match="heißt schon so"):
        kept(clerk, "A", "q=zwei")
    other = kept(clerk, "B", "q=drei")

    with pytest.raises(DomainError, match="heißt schon so"):
        saved_filters.rename_filter(row=other, name="A")

    assert sorted(SavedFilter.objects.values_list("name", "query")) == [("A", "q=eins"), ("B", "q=drei")]


def test_a_name_that_differs_in_case_only_is_taken(clerk):
    first, other = kept(clerk, "Übersicht", "q=eins"), kept(clerk, "B", "q=zwei")

    for query in ("q=eins", "q=drei"):
        with pytest.raises(DomainError, match="heißt schon so"):
            kept(clerk, "ÜBERSICHT", query)
    with pytest.raises(DomainError, match="heißt schon so"):
        saved_filters.rename_filter(row=other, name="übersicht")

    assert saved_filters.rename_filter(row=first, name="übersicht").name == "übersicht"


def test_one_filter_opens_with_the_list_until_all_is_asked_for(client, clerk):
    first, second = kept(clerk), kept(clerk, "Defekte", "status=in_repair")
    client.post(LIST, {"own": first.pk, "first": "yes"})
    client.post(LIST, {"own": second.pk, "first": "yes"})
    assert list(SavedFilter.objects.filter(is_default=True)) == [second]

    opened = client.get(LIST)
    assert opened.headers["Location"] == "/inventory/?status=in_repair"
    page = client.get(opened.headers["Location"])
    assert page.context["filterset"].reset_address() == "?saved=none"
    plain = client.get(f"{LIST}?saved=none")
    assert plain.status_code == 200
    assert list(plain.context["filterset"].kept_parameters()) == []

    client.post(f"{LIST}?status=in_repair", {"own": second.pk, "first": "no"})
    assert client.get(LIST).status_code == 200


def test_renamed_and_deleted(client, clerk):
    row = kept(clerk)

    client.post(LIST, {"own": row.pk, "rename": "1", "name": "Ausleihe"})
    assert SavedFilter.objects.get().name == "Ausleihe"
    client.post(LIST, {"own": row.pk, "forget": "1"})
    assert SavedFilter.objects.count() == 0


@pytest.mark.parametrize("verb", [{"rename": "1", "name": "x"}, {"first": "yes"}, {"forget": "1"}])
def test_filters_of_others_are_neither_seen_nor_changed(client, clerk, verb):
    foreign = kept(factories.ClerkFactory())
    mine_elsewhere = kept(clerk, list_name="tickets")

    assert names(client.get(LIST)) == []
    for row in (foreign, mine_elsewhere):
        assert client.post(LIST, {"own": row.pk, **verb}).status_code == 404
    assert client.post(LIST, {"own": "x", **verb}).status_code == 404
    assert set(SavedFilter.objects.values_list("name", "is_default")) == {("Leihgeräte", False)}


def test_a_kept_filter_is_read_under_the_scope_of_the_moment(client):
    school = factories.SchoolFactory(number="120674")
    person = factories.CoordinatorFactory(schools=[factories.SchoolFactory()])
    factories.DeviceFactory(school=school)
    row = kept(person, query="school=120674")
    client.force_login(person)

    page = client.get(f"{LIST}?{row.query}")

    assert (page.status_code, list(page.context["table"].paginated_rows)) == (200, [])


def test_twenty_filters_of_a_list_are_enough(clerk):
    for number in range(saved_filters.MOST):
        kept(clerk, f"F{number}")
    with pytest.raises(DomainError, match="20 Filter"):
        kept(clerk, "noch einer")


def test_other_lists_take_nothing(client, clerk):
    assert client.post("/schools/?q=x", {"keep": "1", "name": "x"}).status_code == 405
