"""What was cancelled says so, by whom and why, and a drawdown keeps what it had called without counting anywhere."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core import formats
from apps.funding import services
from apps.funding.choices import DrawdownState, InvoiceKind
from apps.funding.drawdown_selectors import (
    drawable_lines,
    drawdown_rows,
    drawn_before,
    grants_to_draw,
    items_of,
    owed_credits,
    sums_of,
)
from apps.funding.grant_figures import grant_figures
from apps.funding.models import Drawdown, FreedItem
from apps.funding.proof_selectors import figures_of
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory
from tests.funding.paper_pages import page, pdf_text, workbook
from tests.funding.papers import credit, make_drawdown, make_grant, make_proof
from tests.funding.portal import client_of, texts
from tests.funding.purchases import deliver, invoiced, own_line, placed_order
from tests.funding.purchases import pay as paid

pytestmark = pytest.mark.django_db
D = Decimal
REASON = "Falscher Bescheid."


@pytest.fixture
def clerk() -> User:
    return ClerkFactory(name="Clara Claasen")


@pytest.fixture
def office() -> Client:
    return client_of(ApproverFactory())


@pytest.fixture
def cancelled(clerk: User) -> Drawdown:
    """It had called 1.000 euros less a credit note of 100, of which the grant paid 900 and 90."""
    draft = make_drawdown(grant=make_grant(amount=D("5000.00"), file_reference="48-77"))
    bought = draft.items.get().invoice_line
    back = credit(bought, "100.00")
    services.choose_lines(drawdown=draft, by=clerk, lines=[bought.pk, back.pk])
    services.request_drawdown(drawdown=draft, by=clerk)
    return services.cancel_drawdown(drawdown=draft, by=clerk, reason=REASON)


def test_it_keeps_what_it_had_called(cancelled: Drawdown) -> None:
    assert not cancelled.items.exists()
    items = items_of(cancelled)
    assert sorted(item.amount for item in items) == [D("-90.00"), D("900.00")]
    sums = sums_of(cancelled, items)
    assert (sums.eligible, sums.amount, sums.before, sums.remaining) == (D("900"), D("810"), D("0"), D("5000"))


def test_it_counts_nowhere(cancelled: Drawdown, clerk: User) -> None:
    grant = cancelled.grant
    figures = grant_figures(grant, clerk)
    money = figures_of(make_proof(grant=grant)).money
    assert (figures.requested, figures.received) == (D("0"), D("0"))
    assert money is not None
    assert (money.drawn, money.received, money.to_draw) == (D("0"), D("0"), D("810"))
    assert [(row.vouchers, row.amount) for row in grants_to_draw(clerk)] == [(2, D("810"))]
    assert drawable_lines(grant).count() == 2
    assert not owed_credits(grant, []).exists()
    before = ledger_differences()

    again = services.create_drawdown(grant=grant, by=clerk)
    services.request_drawdown(drawdown=again, by=clerk)
    again.refresh_from_db()

    assert drawn_before(again) == D("0")
    assert sums_of(again, items_of(again)).remaining == D("4190")
    assert ledger_differences() == before
    assert {row.pk: row.amount for row in drawdown_rows(clerk)} == {cancelled.pk: D("810"), again.pk: D("810")}
    assert grant_figures(grant, clerk).requested == D("810")


def test_it_may_be_cancelled_again_and_again(cancelled: Drawdown, clerk: User) -> None:
    again = services.create_drawdown(grant=cancelled.grant, by=clerk)
    services.request_drawdown(drawdown=again, by=clerk)
    services.cancel_drawdown(drawdown=again, by=clerk, reason=REASON)
    assert FreedItem.objects.count() == 4
    assert drawable_lines(cancelled.grant).count() == 2


def test_a_draft_that_is_thrown_away_keeps_nothing(clerk: User) -> None:
    draft = make_drawdown()
    services.cancel_drawdown(drawdown=draft, by=clerk, reason=REASON)
    assert not FreedItem.objects.exists()
    draft.refresh_from_db()
    assert items_of(draft) == []


def test_its_page_and_files_show_the_lines_and_that_it_is_cancelled(cancelled: Drawdown, office: Any) -> None:
    shown = texts(office.get(page(cancelled)))
    who = f"{formats.moment(cancelled.history.first().history_date)} von Clara Claasen: {REASON}".replace("\u202f", " ")
    for words in (
        "Belege (2 Positionen)", "Mit diesem Abruf angefordert, storniert 810,00 €", f"Storniert {who}",
        "Er zählt nicht als Abruf", "Von der Zuwendung bleiben 5.000,00 €",
    ):  # fmt: skip
        assert words in shown
    assert "Abgebrochen" not in shown
    assert "810,00 €" in texts(office.get(reverse("admin:funding_drawdown_changelist")))

    number = items_of(cancelled)[0].invoice_line.invoice.voucher_number
    words = pdf_text(office.get(page(cancelled, "pdf")).content)
    for part in (number, "storniert", "810,00 €", "Clara Claasen", "Er zählt nicht als Abruf"):
        assert part in words
    assert "Unterschrift" not in words
    book = workbook(office.get(page(cancelled, "xlsx")))
    assert [row[8] for row in book["Belege"]] == [900, -90, 810]
    facts = {row[0]: row[1] for row in book["Mittelabruf"]}
    assert facts["Status"] == "storniert"
    assert facts["Mit diesem Abruf angefordert, storniert"] == 810
    assert facts["Storniert"].endswith(f"Clara Claasen: {cancelled.history.first().history_change_reason}")


def test_what_is_cancelled_is_not_chosen_anew(cancelled: Drawdown, office: Any) -> None:
    line = items_of(cancelled)[0].invoice_line
    answer = office.post(page(cancelled), {"step": "choose", "lines": [line.pk]})
    assert "Nur ein Entwurf" in texts(answer)
    assert answer.content.decode().count(f'id="line-{line.pk}"') == 1
    cancelled.refresh_from_db()
    assert (cancelled.state, cancelled.items.count()) == (DrawdownState.CANCELLED, 0)


@pytest.mark.parametrize(("kind", "words"), [
    (InvoiceKind.INVOICE, "Diese Rechnung ist storniert"),
    (InvoiceKind.CREDIT, "Diese Gutschrift ist storniert"),
])  # fmt: skip
def test_a_cancelled_invoice_says_who_when_and_why(kind: str, words: str, clerk: User, office: Any) -> None:
    order = deliver(placed_order(own_line(BudgetFactory(), quantity=5)))
    if kind == InvoiceKind.CREDIT:
        paid(invoiced(order, "500.00", 5))
    invoice = invoiced(order, "100.00", kind=kind, remark="Kulanz")
    url = reverse("admin:funding_invoice_change", args=[invoice.pk])
    assert words not in texts(office.get(url))

    services.cancel_invoice(invoice=invoice, by=clerk, reason="Doppelt erfasst")

    shown = texts(office.get(url))
    moment = formats.moment(invoice.history.latest().history_date).replace("\u202f", " ")
    assert f"{words} {moment} von Clara Claasen Begründung: Doppelt erfasst" in shown
    assert "Storniert" in shown
    ordered = office.get(reverse("admin:funding_order_change", args=[order.pk]))
    assert "Storniert" in texts(ordered)
    assert "Abgebrochen" not in texts(ordered)
    assert (
        f"<s>{formats.euro(D('-100.00') if kind == InvoiceKind.CREDIT else D('100.00'))}</s>"
        in ordered.content.decode()
    )
