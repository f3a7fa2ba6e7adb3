"""What is refused in a line of an order or an invoice stands at its field, and the summary leads to it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding.models import Invoice
from tests.factories import ClerkFactory, ProductFactory
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
