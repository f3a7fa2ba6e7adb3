"""What is refused in a line of an order or an invoice stands at its field, and the summary leads to it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.models import Invoice
from tests.factories import ClerkFactory, DeviceKindFactory, ProductFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of
from tests.funding.purchases import approved, deliver, draft_order, form_of, lines_for, own_line, placed_order, sent

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def clerk() -> Client:
    return client_of(ClerkFactory())


def assert_stands_at(response: Any, name: str, label: str, sentence: str) -> None:
    """The field is marked, names its error, and the summary names the line and leads there."""
    assert response.status_code == 200
    control = re.search(rf'<(?:input|select)[^>]* name="{name}"[^>]*>', response.content.decode())
    assert control is not None
    assert 'aria-invalid="true"' in control[0]
    described = re.search(r'aria-describedby="([^"]*)"', control[0])
    assert described is not None
    assert f"id_{name}_error" in described[1].split()
    assert f'<a class="kern-link" href="#id_{name}">{label}: {sentence}</a>' in response.content.decode()
    assert response.content.decode().count(sentence) == 2


def test_too_many_pieces_of_a_draft_s_line(clerk: Client) -> None:
    order = draft_order(*lines_for(approved(("500.00", 2), ("100.00", 3))))
    url = f"/admin/funding/order/{order.pk}/change/"

    response = sent(clerk, url, form_of(clerk, url) | {"lines-1-quantity": "10.000", "step": "save"})

    line = order.lines.order_by("pk")[1]
    more = "9.997" if line.quantity == 3 else "9.998"
    sentence = (
        f"„{line.product}“ aus „{line.application_line.application.title}“: Das sind {more} Stück zu viel. Bitte"
        " bestellen Sie nur, was genehmigt und noch nicht bestellt ist."
    )
    assert_stands_at(response, "lines-1-quantity", "Position 2, Anzahl", sentence)


def test_a_line_of_the_office_without_its_budget(clerk: Client) -> None:
    order = draft_order(*lines_for(approved(("500.00", 2))))
    url = f"/admin/funding/order/{order.pk}/change/"
    typed = {"lines-1-product_id": ProductFactory().pk, "lines-1-quantity": "2", "lines-1-unit_price": "10,00"}

    response = sent(clerk, url, form_of(clerk, url) | typed | {"step": "save"})

    assert_stands_at(response, "lines-1-budget_id", "Position 2, Budget", "Bitte wählen Sie das Budget, das zahlt.")


def test_lines_keep_their_numbers_while_one_is_to_be_taken_out(clerk: Client) -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    order = draft_order(own_line(budget, description="Kabel"), own_line(budget, description="Dosen"))
    url = f"/admin/funding/order/{order.pk}/change/"
    typed = {"lines-0-DELETE": "on", "lines-1-budget_id": "", "step": "save"}

    response = sent(clerk, url, form_of(clerk, url) | typed)

    assert_stands_at(response, "lines-1-budget_id", "Position 2, Budget", "Bitte wählen Sie das Budget, das zahlt.")


def test_an_invoice_s_line_without_an_amount(clerk: Client) -> None:
    order = deliver(placed_order(*lines_for(approved(("500.00", 2), ("100.00", 3)))))
    url = f"/admin/funding/order/{order.pk}/invoice/"
    line = order.lines.order_by("pk")[1]
    typed = {"voucher_number": "B-1", "number": "R-1", "dated_on": shown_day(today()), f"amount-{line.pk}": "0"}

    response = sent(clerk, url, form_of(clerk, url) | typed)

    sentence = f"„{line}“: Bitte geben Sie einen Betrag über null mit höchstens zwei Nachkommastellen ein."
    assert_stands_at(response, f"amount-{line.pk}", "Position 2, Betrag brutto", sentence)
    assert f"Position 2: {line}" in response.content.decode()
    assert not Invoice.objects.exists()


def test_an_invoice_of_nothing(clerk: Client) -> None:
    order = placed_order(*lines_for(approved(("500.00", 2))))
    url = f"/admin/funding/order/{order.pk}/invoice/"
    typed = {"voucher_number": "B-1", "number": "R-1", "dated_on": shown_day(today())}

    response = sent(clerk, url, form_of(clerk, url) | typed)

    assert_stands_at(
        response,
        f"amount-{order.lines.get().pk}",
        "Position 1, Betrag brutto",
        "Bitte geben Sie für mindestens eine Position den Betrag ein.",
    )


def test_pieces_of_a_chosen_line_that_is_to_be_ordered(clerk: Client) -> None:
    first, second = approved(("500.00", 2), ("100.00", 3)).lines.order_by("pk")
    url = "/admin/funding/order/to-order/"
    typed = {f"line-{first.pk}": "on", f"pieces-{second.pk}": "0", "target": "new"}
    where = f"{first.product}, {first.application.school}, Zu bestellende Stücke"

    for pieces in ("0", "-3"):
        response = sent(clerk, url, form_of(clerk, url) | typed | {f"pieces-{first.pk}": pieces})
        (sentence,) = response.context["form"].errors[f"pieces-{first.pk}"]
        assert_stands_at(response, f"pieces-{first.pk}", where, sentence)
        assert "1" in sentence
        assert set(response.context["form"].errors) == {f"pieces-{first.pk}", "supplier"}


def cables(pieces: int, *, came: int = 0) -> Any:
    """A placed order with two lines of what nobody scans."""
    kind = DeviceKindFactory(code="cable", name="Kabel", tracked_singly=False, countable=False)
    products = (ProductFactory(kind=kind), ProductFactory(kind=kind))
    budget = BudgetFactory(appropriation=D("10000.00"))
    order = placed_order(*(own_line(budget, product_id=row.pk, quantity=pieces) for row in products))
    if came:
        quantities = {line.pk: came for line in order.lines.all()}
        services.receive_goods(order=order, by=ClerkFactory(), quantities=quantities)
    return order


def test_more_pieces_than_are_missing(clerk: Client) -> None:
    order = cables(10)
    url, line = f"/admin/funding/order/{order.pk}/receive/", order.lines.order_by("pk")[1]

    response = sent(clerk, url, form_of(clerk, url) | {f"pieces-{line.pk}": "1.000.000"})

    sentence = f"„{line}“: Es fehlen nur noch 10 Stück, nicht 1.000.000. Bitte berichtigen Sie die Menge."
    assert_stands_at(response, f"pieces-{line.pk}", f"{line.product}: gelieferte Stücke", sentence)


def test_no_piece_at_all_came(clerk: Client) -> None:
    order = cables(10)
    url, (first, second) = f"/admin/funding/order/{order.pk}/receive/", order.lines.order_by("pk")

    response = sent(clerk, url, form_of(clerk, url) | {f"pieces-{first.pk}": "0", f"pieces-{second.pk}": ""})

    assert list(response.context["form"].errors) == [f"pieces-{first.pk}"]


def test_more_pieces_go_back_than_came(clerk: Client) -> None:
    order = cables(10, came=4)
    url, line = f"/admin/funding/order/{order.pk}/return/", order.lines.order_by("pk")[1]

    response = sent(clerk, url, form_of(clerk, url) | {f"pieces-{line.pk}": "9", "reason": "Defekt"})

    assert list(response.context["form"].errors) == [f"pieces-{line.pk}"]
    (sentence,) = response.context["form"].errors[f"pieces-{line.pk}"]
    assert_stands_at(response, f"pieces-{line.pk}", f"{line.product}: Stücke, die zurückgehen", sentence)


def test_a_return_before_the_order(clerk: Client) -> None:
    order = cables(10, came=4)
    url, line = f"/admin/funding/order/{order.pk}/return/", order.lines.order_by("pk")[0]
    typed = {f"pieces-{line.pk}": "1", "reason": "Defekt", "on": "01.01.2020"}

    response = sent(clerk, url, form_of(clerk, url) | typed)

    assert list(response.context["form"].errors) == ["on"]
    assert_stands_at(response, "on", "Zurück am", response.context["form"].errors["on"][0])
