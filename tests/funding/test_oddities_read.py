"""A payment is ordered by whoever read what is unusual about it now, not what a page of an hour ago showed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.choices import InvoiceState
from apps.funding.models import Invoice, Order
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of, messages_of, texts
from tests.funding.purchases import deliver, invoiced, mark_of, own_line, pay, placed_order, refused, sent

pytestmark = pytest.mark.django_db
NOT_THERE = "Geliefert: 2, berechnet: 5."
APPEARED = (
    "Inzwischen fällt auf: „5 × Verkabelung“: Geliefert: 2, berechnet: 5."
    " Gebucht wurde nichts. Bitte prüfen Sie das und bestätigen Sie dann noch einmal."
)
SETTLED = (
    "Etwas, das hier auffiel, ist inzwischen erledigt."
    " Gebucht wurde nichts. Bitte lesen Sie es noch einmal und bestätigen Sie dann."
)
LIST = "/admin/funding/invoice/"


def of_five(*, came: int) -> Order:
    order = placed_order(own_line(BudgetFactory(), quantity=5))
    services.receive_goods(order=order, by=ClerkFactory(), quantities={order.lines.get().pk: came})
    return order


def all_came() -> tuple[Order, Invoice]:
    """Nothing is unusual, until three go back."""
    order = of_five(came=5)
    return order, invoiced(order, "500.00", 5)


def some_came() -> tuple[Order, Invoice]:
    """Three are missing, until they come."""
    order = of_five(came=2)
    return order, invoiced(order, "500.00", 5, remark="Rest kommt morgen")


def go_back(order: Order) -> None:
    services.return_goods(order=order, by=ClerkFactory(), reason="Defekt", quantities={order.lines.get().pk: 3})


MOVES = [
    pytest.param(all_came, go_back, True, id="appears"),
    pytest.param(some_came, deliver, False, id="vanishes"),
]


def hidden(client: Client, url: str) -> dict[str, Any]:
    """The marks that the page holds, as a browser sends them."""
    context = client.get(url).context
    if "rows" in context:
        return dict(row["mark"] for row in context["rows"] if not row["obstacle"])
    return {"seen": context["seen"]}


@pytest.mark.parametrize(("begin", "move", "is_odd"), MOVES)
def test_a_page_that_showed_something_else_pays_nothing(begin: Any, move: Any, is_odd: bool) -> None:
    order, invoice = begin()
    client, url = client_of(ApproverFactory()), f"{LIST}{invoice.pk}/change/"
    data = {"step": "pay", "pay-paid_on": shown_day(today()), "pay-booking_reference": "HKR 4711"}
    stale = hidden(client, url)
    move(order)

    answer = sent(client, url, data | stale)

    assert [error.message for error in answer.context["errors"]] == [APPEARED if is_odd else SETTLED]
    shown = texts(answer)
    assert "Hier hat sich inzwischen etwas geändert" in shown
    assert "Ihre Eingaben sind noch da. Gespeichert ist noch nichts." in shown
    assert (NOT_THERE in shown) is is_odd
    assert 'value="HKR 4711"' in answer.content.decode()
    invoice.refresh_from_db()
    assert (invoice.state, invoice.oddities) == (InvoiceState.RECORDED, None)

    fresh = answer.context["seen"]
    assert f'<input type="hidden" name="seen" value="{fresh}">' in answer.content.decode()
    sent(client, url, data | {"seen": fresh})
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.PAID
    assert [row["kind"] for row in invoice.oddities] == (["not_delivered"] if is_odd else [])


@pytest.mark.parametrize("step", ["pay", "cancel"])
def test_a_page_that_is_refused_for_something_else_is_not_read_by_that(step: str) -> None:
    """Neither a wrong day nor a missing reason makes anybody read what came up meanwhile."""
    order, invoice = all_came()
    client, url = client_of(ApproverFactory()), f"{LIST}{invoice.pk}/change/"
    data = {"step": step, "pay-paid_on": shown_day(today() + timedelta(days=1)), "cancel-reason": ""}
    stale = hidden(client, url)
    go_back(order)
    page = client.post(url, data | stale)
    assert page.status_code == 200
    assert NOT_THERE in texts(page)
    again = {"seen": page.context["seen"]}
    assert again == stale

    page = client.post(url, {"step": "pay", "pay-paid_on": shown_day(today())} | again)
    assert APPEARED in texts(page)
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.RECORDED
    page = client.post(url, {"step": "pay", "pay-paid_on": shown_day(today()), "seen": page.context["seen"]})
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.PAID


def test_of_several_a_wrong_day_keeps_the_choice_and_what_was_read() -> None:
    order, first = all_came()
    second = invoiced(of_five(came=5), "500.00", 5)
    client, url = client_of(ApproverFactory()), f"{LIST}pay/?ids={first.pk},{second.pk}"
    stale = hidden(client, url)
    go_back(order)
    tomorrow = shown_day(today() + timedelta(days=1))

    page = client.post(url, stale | {"paid_on": tomorrow})

    assert page.status_code == 200
    assert texts(page).count("Das Zahlungsdatum muss zwischen dem Rechnungsdatum und heute liegen.") == 2
    assert (page.context["form"]["paid_on"].value(), messages_of(page)) == (tomorrow, [])
    assert {row["mark"][0]: row["mark"][1] for row in page.context["rows"]} == stale
    page = client.post(url, stale | {"paid_on": ""})
    assert {row["mark"][0]: row["mark"][1] for row in page.context["rows"]} == stale

    page = client.post(url, stale | {"paid_on": shown_day(today())}, follow=True)
    assert any("1 Zahlung ist angeordnet." in message for message in messages_of(page))
    assert page.redirect_chain == [(f"{LIST}pay/?ids={first.pk}&paid_on={today()}", 302)]


def test_of_several_those_with_a_wrong_day_are_shown_again() -> None:
    invoice, later = invoiced(of_five(came=5), "500.00", 5), invoiced(of_five(came=5), "500.00", 5)
    Invoice.objects.filter(pk=invoice.pk).update(dated_on=today() - timedelta(days=9))
    Order.objects.update(placed_on=today() - timedelta(days=9))
    client, url = client_of(ApproverFactory()), f"{LIST}pay/?ids={invoice.pk},{later.pk}"
    day = today() - timedelta(days=5)
    page = client.post(url, hidden(client, url) | {"paid_on": shown_day(day)}, follow=True)
    assert page.redirect_chain == [(f"{LIST}pay/?ids={later.pk}&paid_on={day}", 302)]
    assert dict(Invoice.objects.values_list("pk", "state")) == {invoice.pk: "paid", later.pk: "recorded"}


def test_a_page_without_a_mark_pays_nothing() -> None:
    _order, invoice = all_came()
    several = f"{reverse('admin:funding_invoice_pay_several')}?ids={invoice.pk}"
    client = client_of(ApproverFactory())

    one = sent(client, f"{LIST}{invoice.pk}/change/", {"step": "pay", "pay-paid_on": shown_day(today())})
    assert [error.message for error in one.context["errors"]] == [SETTLED]
    assert SETTLED in messages_of(sent(client, several, {"paid_on": shown_day(today())}))[-1]
    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.RECORDED


@pytest.mark.parametrize(("begin", "move", "is_odd"), MOVES)
def test_of_several_the_one_that_moved_is_shown_again(begin: Any, move: Any, is_odd: bool) -> None:
    order, moved = begin()
    _order, same = all_came()
    client = client_of(ApproverFactory())
    yesterday = today() - timedelta(days=1)
    Order.objects.update(placed_on=today() - timedelta(days=3))
    Invoice.objects.update(dated_on=today() - timedelta(days=3))
    url = f"{reverse('admin:funding_invoice_pay_several')}?ids={moved.pk},{same.pk}"
    stale = hidden(client, url)
    assert set(stale) == {f"seen-{moved.pk}", f"seen-{same.pk}"}
    move(order)

    answer = sent(client, url, {"paid_on": shown_day(yesterday)} | stale)

    assert answer.request["QUERY_STRING"] == f"ids={moved.pk}&paid_on={yesterday}"
    assert f'value="{yesterday}"' in answer.content.decode()
    assert (NOT_THERE in texts(answer)) is is_odd
    told = messages_of(answer)
    assert told[0] == "1 Zahlung ist angeordnet."
    assert (APPEARED if is_odd else SETTLED) in told[1]
    assert [Invoice.objects.get(pk=row.pk).state for row in (moved, same)] == ["recorded", "paid"]

    sent(
        client,
        answer.request["PATH_INFO"] + f"?ids={moved.pk}",
        {"paid_on": shown_day(today())} | dict(row["mark"] for row in answer.context["rows"]),
    )
    moved.refresh_from_db()
    assert [row["kind"] for row in moved.oddities] == (["not_delivered"] if is_odd else [])


def test_who_asks_for_no_mark_is_not_asked_and_a_mark_stands_for_the_sentence() -> None:
    order, invoice = some_came()
    seen = mark_of(invoice)
    services.receive_goods(order=order, by=ClerkFactory(), quantities={order.lines.get().pk: 1})
    assert mark_of(invoice) != seen, "the same kind, another number"

    refused("unread", pay, invoice, seen=seen)
    assert pay(invoice).state == InvoiceState.PAID
