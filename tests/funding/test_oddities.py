"""What is unusual about an invoice or a credit note: when it needs a remark, and what its payer reads."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from apps.core.clock import today
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.choices import InvoiceKind
from apps.funding.models import Budget, Invoice, Order, ProofOfUse
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.factories import BudgetFactory
from tests.funding.papers import make_proof
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    ContractFactory,
    approved,
    bound_grant,
    deliver,
    form_of,
    invoiced,
    lines_for,
    money_of,
    own_line,
    pay,
    placed_order,
    record,
    refused,
    sums,
)

pytestmark = pytest.mark.django_db
D = Decimal


def kinds(invoice: Invoice) -> list[str]:
    return [row.kind for row in services.oddities_of([invoice], by=ApproverFactory()).get(invoice.pk, [])]


def read_by_payer(*invoices: Invoice) -> list[str]:
    """The page of the first, and the page on which all are paid."""
    payer = client_of(ApproverFactory())
    several = f"{reverse('admin:funding_invoice_pay_several')}?ids={','.join(str(row.pk) for row in invoices)}"
    one = reverse("admin:funding_invoice_change", args=[invoices[0].pk])
    return [texts(payer.get(address)) for address in (one, several)]


def of_five(*, came: int = 5) -> tuple[Order, Budget]:
    """Five for 100 euros each, of which so many have come."""
    budget = BudgetFactory()
    order = placed_order(own_line(budget, quantity=5))
    if came:
        services.receive_goods(order=order, by=ClerkFactory(), quantities={order.lines.get().pk: came})
    return order, budget


def test_what_is_as_ordered_is_not_unusual() -> None:
    order, _budget = of_five()
    invoice = invoiced(order, "500.00", 5)

    assert kinds(invoice) == []
    assert all("Was auffällt" not in text for text in read_by_payer(invoice))


def test_the_payer_reads_that_it_is_dearer_and_what_it_commits_where() -> None:
    order, budget = of_five()
    invoice = invoiced(order, "500.07", 5, remark="Versand")

    assert kinds(invoice) == ["dearer", "beyond_approval"]
    for text in read_by_payer(invoice):
        assert "Vereinbart sind dafür 500,00 €, berechnet werden 500,07 €." in text
        assert f"Die Zahlung bindet weitere 0,07 € aus „{budget}“, über das Genehmigte hinaus." in text
        assert "Bemerkung: Versand" in text
    before = sums(budget)
    pay(invoice)
    assert sums(budget)[2] == before[2] - D("0.07")


def test_what_the_payer_read_stays_with_the_invoice() -> None:
    """Also when it is no longer so: the rest came after the payment."""
    order, budget = of_five(came=2)
    invoice = invoiced(order, "500.07", 5, remark="Rest kommt morgen")
    before = services.oddities_of([invoice], by=ApproverFactory())[invoice.pk]
    assert [row.kind for row in before] == ["not_delivered", "dearer", "beyond_approval"]

    pay(invoice)
    deliver(order)
    invoice = Invoice.objects.get(pk=invoice.pk)
    assert services.oddities_of([invoice], by=ApproverFactory())[invoice.pk] == before
    page = texts(client_of(AuditorFactory()).get(reverse("admin:funding_invoice_change", args=[invoice.pk])))
    assert "Was bei der Anordnung der Zahlung auffiel" in page
    assert f"Die Zahlung bindet weitere 0,07 € aus „{budget}“, über das Genehmigte hinaus." in page
    assert "Geliefert: 2, berechnet: 5. " in page
    assert page.count("Bemerkung: Rest kommt morgen") == 1


def test_what_is_kept_is_said_in_the_language_of_the_reader() -> None:
    order, budget = of_five(came=2)
    invoice = pay(invoiced(order, "500.07", 5, remark="Rest kommt morgen"))
    line = {"line": "5 × Verkabelung", "order_id": order.pk, "line_id": order.lines.get().pk}
    assert invoice.oddities == [
        {"kind": "not_delivered", "values": line | {"delivered": 2, "invoiced": 5}, "needs_remark": True},
        {"kind": "dearer", "values": line | {"agreed": "500.00", "invoiced": "500.07"}, "needs_remark": True},
        {
            "kind": "beyond_approval",
            "values": {"amount": "0.07", "budget": str(budget), "budget_id": budget.pk},
            "needs_remark": False,
        },
    ]
    with translation.override("en"):
        kept = services.oddities_of([Invoice.objects.get(pk=invoice.pk)], by=ApproverFactory())[invoice.pk]
        assert kept[0].sentence == "“5 × Verkabelung”: only 2 have come, but 5 are invoiced."
    assert kept[0].sentence == "„5 × Verkabelung“: Geliefert: 2, berechnet: 5."


def test_sentences_that_were_kept_themselves_stay() -> None:
    order, _budget = of_five(came=2)
    invoice = pay(invoiced(order, "500.00", 5, remark="Vorkasse"))
    old = {"kind": "older", "sentence": "Die Rechnung ist älter als die Bestellung.", "needs_remark": True}
    Invoice.objects.filter(pk=invoice.pk).update(oddities=[old])
    answer = client_of(AuditorFactory()).get(reverse("admin:funding_invoice_change", args=[invoice.pk]))
    assert "Die Rechnung ist älter als die Bestellung. Bemerkung: Vorkasse" in texts(answer)


def test_each_leads_to_what_it_is_about() -> None:
    grant = bound_grant(rate=D("1.0000"))
    money, _own = money_of(grant)
    first = invoiced(placed_order(own_line(money)), "100.00", 1, number="R-1", payee="Muster", remark="Vorkasse")
    order = placed_order(own_line(money, quantity=5))
    values = {"number": "R-1", "payee": "Muster", "dated_on": today() - timedelta(days=1), "remark": "Versand"}
    invoice = invoiced(order, "500.07", 5, **values)
    proof = make_proof(grant=grant)
    ProofOfUse.objects.filter(pk=proof.pk).update(state="handed_in", handed_in_on=today(), figures={})

    def admin(name: str, row: Any) -> str:
        return reverse(f"admin:funding_{name}_change", args=[row.pk])

    line = f"{admin('order', order)}#line-{order.lines.get().pk}"
    found = services.oddities_of([invoice], by=ApproverFactory())[invoice.pk]
    assert [(row.kind, row.url) for row in found] == [
        ("older", admin("order", order)),
        ("same_number", admin("invoice", first)),
        ("not_delivered", line),
        ("dearer", line),
        ("beyond_approval", admin("budget", money)),
        ("after_proof", admin("proofofuse", proof)),
    ]
    payer = client_of(ApproverFactory())
    several = f"{reverse('admin:funding_invoice_pay_several')}?ids={invoice.pk}"
    for address in (admin("invoice", invoice), several):
        page = payer.get(address).content.decode()
        assert f'<a href="{admin("proofofuse", proof)}">Zum Verwendungsnachweis</a>' in page
        assert f'<a href="{line}">Zur Position der Bestellung</a>' in page
    assert f'id="line-{order.lines.get().pk}"' in payer.get(admin("order", order)).content.decode()


def test_nothing_is_said_of_what_was_paid_before_it_was_kept() -> None:
    order, _budget = of_five(came=2)
    invoice = pay(invoiced(order, "500.00", 5, remark="Vorkasse"))
    Invoice.objects.filter(pk=invoice.pk).update(oddities=None)
    page = texts(client_of(AuditorFactory()).get(reverse("admin:funding_invoice_change", args=[invoice.pk])))
    assert "auffiel" not in page
    assert "Bemerkung Vorkasse" in page


def test_each_reason_for_a_remark_is_a_sentence_of_its_own() -> None:
    order, _budget = of_five(came=2)
    line = order.lines.get()
    address = reverse("admin:funding_order_invoice", args=[order.pk])
    clerk = client_of(ClerkFactory())
    data = form_of(clerk, address) | {"voucher_number": "B-1", "number": "R-1", "dated_on": shown_day(today())}
    answer = clerk.post(address, data | {f"pieces-{line.pk}": "5", f"amount-{line.pk}": "600,00"})
    assert [error.message.replace("\u202f", " ") for error in answer.context["errors"]] == [
        "Bitte berichtigen Sie das oder schreiben Sie den Grund in die Bemerkung.",
        "„5 × Verkabelung“: Geliefert: 2, berechnet: 5.",
        "„5 × Verkabelung“: Vereinbart sind dafür 500,00 €, berechnet werden 600,00 €.",
    ]
    assert "Bitte prüfen Sie eine Angabe" in texts(answer)
    assert not Invoice.objects.exists()


def test_the_payer_reads_that_the_money_is_not_there() -> None:
    order, budget = of_five()
    invoice = invoiced(order, "150000.00", 1, remark="Teil")

    assert kinds(invoice) == ["dearer", "beyond_available"]
    for text in read_by_payer(invoice):
        assert f"Die Zahlung bräuchte weitere 149.500,00 € aus „{budget}“, und nur 9.500,00 € sind frei." in text


def test_less_eligible_commits_more_of_the_own_share_and_says_so() -> None:
    money, own = money_of()
    order = deliver(placed_order(*lines_for(approved(("500.00", 1), budget=money, own=own))))
    invoice = invoiced(order, "500.00", 1, eligible_amount=D("400.00"))

    assert kinds(invoice) == ["beyond_approval"]
    assert f"Die Zahlung bindet weitere 90,00 € aus „{own}“" in read_by_payer(invoice)[0]
    pay(invoice)
    assert sums(own)[1] == D("140.00")


def test_more_than_came_is_unusual_until_it_has_come() -> None:
    order, _budget = of_five(came=2)
    refused("remark", invoiced, order, "500.00", 5)
    invoice = invoiced(order, "500.00", 5, remark="Rest kommt morgen")

    assert kinds(invoice) == ["not_delivered"]
    assert "Geliefert: 2, berechnet: 5." in read_by_payer(invoice)[1]
    deliver(order)
    assert kinds(invoice) == []


def test_a_remark_is_asked_for_once_with_all_reasons() -> None:
    contract = ContractFactory()
    first, second = (deliver(placed_order(*lines_for(approved()), contract=contract)) for _number in range(2))
    record(first, number="R-1001")

    refusal = refused("remark", invoiced, second, "1600.00", 3, number="r-1001")

    for words in ("hat schon eine Rechnung r-1001", "Geliefert: 2", "Vereinbart sind dafür 1.500,00\u202f€"):
        assert words in str(refusal)
    invoice = invoiced(second, "1600.00", 3, number="R-1001", remark="Teil")
    assert kinds(invoice)[:3] == ["same_number", "not_delivered", "dearer"]
    assert f"mit der Bestellung {first} erfasst" in read_by_payer(invoice)[0]


@pytest.mark.parametrize(("pieces", "amount", "found"), [
    (2, "200.00", []),
    (0, "350.00", []),
    (3, "300.00", ["not_returned"]),
    (2, "400.00", ["much_credited"]),
    (4, "500.00", ["not_returned", "much_credited"]),
])  # fmt: skip
def test_a_credit_note_for_more_than_went_back_needs_a_remark(pieces: int, amount: str, found: list[str]) -> None:
    order, _budget = of_five()
    pay(invoiced(order, "500.00", 5))
    line = order.lines.get()
    services.return_goods(order=order, by=ClerkFactory(), reason="Defekt", quantities={line.pk: 2})

    if found:
        refused("remark", invoiced, order, amount, pieces, kind=InvoiceKind.CREDIT)
    credit = invoiced(order, amount, pieces, kind=InvoiceKind.CREDIT, remark="Kulanz" if found else "")

    assert kinds(credit) == found
    assert all(("Was auffällt" in text) == bool(found) for text in read_by_payer(credit)[:1])


def test_pieces_that_never_came_are_credited_without_a_word() -> None:
    order, _budget = of_five(came=4)
    pay(invoiced(order, "500.00", 5, remark="Vorkasse"))

    assert kinds(invoiced(order, "100.00", 1, kind=InvoiceKind.CREDIT)) == []


def test_the_payer_reads_that_the_proof_was_handed_in() -> None:
    grant = bound_grant(rate=D("1.0000"))
    money, _own = money_of(grant)
    invoice = record(deliver(placed_order(own_line(money))))
    assert kinds(invoice) == []
    proof = make_proof(grant=grant)
    ProofOfUse.objects.filter(pk=proof.pk).update(state="handed_in", handed_in_on=today(), figures={})

    assert kinds(invoice) == ["after_proof"]
    assert f"Der Verwendungsnachweis zu „{grant}“ (alle Schulen) wurde am" in read_by_payer(invoice)[0]
    assert "Nach der Zahlung stimmen seine Zahlen nicht mehr" in read_by_payer(invoice)[0]


def test_of_a_credit_note_it_is_not_said_that_it_is_paid() -> None:
    grant = bound_grant(rate=D("1.0000"))
    money, _own = money_of(grant)
    order = deliver(placed_order(own_line(money)))
    pay(record(order))
    credit = invoiced(order, "10.00", kind=InvoiceKind.CREDIT)
    proof = make_proof(grant=grant)
    ProofOfUse.objects.filter(pk=proof.pk).update(state="handed_in", handed_in_on=today(), figures={})

    (oddity,) = services.oddities_of([credit], by=ApproverFactory())[credit.pk]
    assert oddity.kind == "credit_after_proof"
    assert "Ist die Gutschrift angenommen, stimmen seine Zahlen nicht mehr" in oddity.sentence
    assert "Zahlung" not in oddity.sentence


def test_many_cost_as_many_queries_as_few() -> None:
    by = ApproverFactory()

    def counted(invoices: list[Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert all(rows for rows in services.oddities_of(invoices, by=by).values())
        return len(queries)

    rows = [invoiced(of_five()[0], "501.00", 5, remark="Versand") for _number in range(4)]
    rows = list(Invoice.objects.select_related("order").filter(pk__in=[row.pk for row in rows]))
    assert counted(rows[:1]) == counted(rows)
