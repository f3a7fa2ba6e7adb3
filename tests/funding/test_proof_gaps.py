"""What a proof of use lacks: each kind, with the row where it is mended."""

import datetime
from decimal import Decimal

import pytest

from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import DrawdownState, InvoiceState, OrderState
from apps.funding.models import Grant, Invoice, InvoiceLine, Order, ProofOfUse, PurchasedDevice
from apps.funding.proof_selectors import figures_of
from apps.funding.proof_words import gap_label, gap_verb
from apps.inventory import services as inventory
from apps.inventory.models import Device, Placement
from tests.factories import ClerkFactory, SchoolFactory, SupportFactory
from tests.funding.papers import DAY, TEXTS, credit, make_drawdown, make_grant, make_proof, money_of, pay

D = Decimal


def gaps(proof: ProofOfUse) -> list[tuple[str, str]]:
    return [(gap.kind, gap.target) for gap in figures_of(proof).gaps]


@pytest.mark.django_db
class TestGaps:
    def test_none(self) -> None:
        assert gaps(make_proof()) == []

    def test_an_invoice_without_payment_date(self) -> None:
        row = make_proof()
        budgets = money_of(row.grant)
        line = pay(row.grant, budgets, state=InvoiceState.RECORDED)
        pay(row.grant, budgets, state=InvoiceState.CANCELLED)

        assert gaps(row) == [
            ("unpaid", f"invoice:{line.invoice_id}"),
            ("still_committed", f"budget:{line.order_line.budget_id}"),
        ]
        assert len(figures_of(row).vouchers) == 1

    def test_what_is_paid_and_has_not_come(self) -> None:
        row, school = make_proof(), SchoolFactory()
        line = pay(row.grant, money_of(row.grant), quantity=5, delivered=3, school=school)
        pay(row.grant, money_of(row.grant), quantity=5, delivered=0, state=InvoiceState.RECORDED)
        order = line.order_line.order

        assert ("undelivered", f"order:{order.pk}") in gaps(row)
        (gap,) = figures_of(ProofOfUse(grant=row.grant, school=school)).gaps[:1]
        assert gap.subject == f"{order.number}, {line.order_line}: bezahlt 5, geliefert 3"
        InvoiceLine.objects.create(
            invoice=Invoice.objects.filter(state=InvoiceState.PAID).last(), order_line=line.order_line, quantity=-2,
            amount=D("-400.00"), eligible_amount=ZERO, grant_amount=ZERO, own_amount=D("-400.00"),
        )  # fmt: skip
        assert "undelivered" not in {kind for kind, _target in gaps(row)}

    def test_money_that_is_still_committed_and_orders_that_are_open(self) -> None:
        row, school = make_proof(), SchoolFactory()
        line = pay(
            row.grant, money_of(row.grant), quantity=5, delivered=2, school=school, state=InvoiceState.RECORDED
        ).order_line

        for proof in (row, ProofOfUse(grant=row.grant, school=school, **TEXTS)):
            _unpaid, committed, order = figures_of(proof).gaps
            assert (committed.kind, committed.target) == ("still_committed", f"budget:{line.budget_id}")
            assert committed.subject.replace("\u202f", " ") == f"{line.budget}: 900,00 €"
            assert (order.kind, order.target) == ("open_order", f"order:{line.order_id}")
            assert order.subject == f"{line.order.number}: 3 Stück stehen noch aus"
        assert gaps(ProofOfUse(grant=row.grant, school=SchoolFactory(), **TEXTS)) == []
        Order.objects.filter(pk=line.order_id).update(state=OrderState.CLOSED)
        assert [kind for kind, _target in gaps(row)] == ["unpaid", "still_committed"]

    @pytest.mark.parametrize("day", ["2026-01-14", "2027-01-01"])
    def test_an_invoice_outside_of_the_period(self, day: str) -> None:
        row = make_proof()
        line = pay(row.grant, money_of(row.grant), dated_on=datetime.date.fromisoformat(day))

        assert gaps(row) == [("outside_period", f"invoice:{line.invoice_id}")]

    def test_a_device_without_serial_number(self) -> None:
        row = make_proof()
        device = Device.objects.first()
        Device.objects.filter(pk=device.pk).update(serial="")

        assert gaps(row) == [("no_serial", f"device:{device.tag}")]

    def test_a_bound_device_that_is_gone(self) -> None:
        row, school = make_proof(), SchoolFactory()
        pay(row.grant, money_of(row.grant), devices=2, school=school)
        lost = Device.objects.filter(school=school).order_by("tag").first()
        inventory.report_lost(device=lost, by=SupportFactory(), reason="Verloren")

        assert gaps(row) == [("gone", f"device:{lost.tag}")]
        Placement.objects.create(
            device=lost, school=school, since=DAY, until=datetime.date(2026, 4, 1), countable=True, presentation=False,
            ownership="bought",
        )  # fmt: skip
        assert [gap.subject for gap in figures_of(row).gaps] == [
            f"{lost.tag}, {lost.product}: verloren seit 01.04.2026"
        ]
        Device.objects.filter(pk=lost.pk).update(bound_until=datetime.date(2026, 3, 31))
        assert gaps(row) == []

    def test_what_was_sent_back_counts_for_nothing(self) -> None:
        row = make_proof()
        bought = PurchasedDevice.objects.order_by("pk").first()
        PurchasedDevice.objects.filter(pk=bought.pk).update(returned_on=DAY)

        assert bought.device.tag not in {device.tag for device in figures_of(row).devices}
        assert len(figures_of(row).devices) == 1

    def test_what_is_paid_and_never_comes_because_its_order_is_closed(self) -> None:
        row = make_proof()
        order = pay(row.grant, money_of(row.grant), quantity=4, delivered=2).order_line.order
        Order.objects.filter(pk=order.pk).update(state=OrderState.CLOSED)

        (gap,) = figures_of(row).gaps
        assert (gap.kind, gap.target) == ("undelivered_closed", f"order:{order.pk}")
        assert gap.subject.endswith("bezahlt 4, geliefert 2")
        assert (gap_label(gap), gap_verb(gap)) == (
            "Bezahlt, nicht geliefert, und die Bestellung ist geschlossen", "Gutschrift erfassen",
        )  # fmt: skip

    def test_a_rate_that_was_lowered_leaves_too_much_paid_by_the_grant(self) -> None:
        row = make_proof()
        services.record_change_notice(
            grant=row.grant, by=ClerkFactory(), notice_on=DAY, reason="Gekürzt", rate=D("0.5000")
        )
        row.refresh_from_db()

        (gap,) = figures_of(row).gaps
        assert (gap.kind, gap.target) == ("over_rate", f"invoices:{row.grant.file_reference}")
        assert gap.subject.replace("\u202f", " ") == (
            "Aus der Zuwendung sind 900,00 € bezahlt; beim Fördersatz von 50,0 % zahlt sie höchstens 500,00 €"
        )

    def test_a_limit_that_was_lowered_leaves_too_much_paid_by_the_grant(self) -> None:
        row = make_proof()
        line = InvoiceLine.objects.get()
        Grant.objects.update(limit_per_device=D("449.99"))
        row.refresh_from_db()

        (gap,) = figures_of(row).gaps
        assert (gap.kind, gap.target) == ("over_limit", f"order:{line.order_line.order_id}")
        assert gap.subject.replace("\u202f", " ") == (
            f"{line.order_line}: Aus der Zuwendung sind 900,00 € bezahlt; sie zahlt höchstens 2 × 449,99 € = 899,98 €"
        )
        Grant.objects.update(limit_per_device=D("450.00"))
        row.refresh_from_db()
        assert gaps(row) == []
        credit(line, "10.00", pieces=1)
        assert gaps(row) == [
            ("still_committed", f"budget:{line.order_line.budget_id}"),
            ("over_limit", f"order:{line.order_line.order_id}"),
        ]

    def test_more_drawn_than_spent(self) -> None:
        drawdown = make_drawdown(DrawdownState.REQUESTED, grant=make_grant(amount=D("9000.00")))
        row = make_proof(grant=drawdown.grant)
        assert gaps(row) == []
        credit(drawdown.items.get().invoice_line, "100.00")

        _committed, gap = figures_of(row).gaps
        assert (gap.kind, gap.target) == ("overdrawn", f"drawdowns:{row.grant.file_reference}")
        assert gap.subject.replace("\u202f", " ") == (
            "Abgerufen sind 900,00 €, aus der Zuwendung ausgegeben nur 810,00 €"
        )

    def test_no_contact_empty_texts_and_more_than_the_grant(self) -> None:
        row = make_proof(course=" ", result="")
        row.grant.contact, row.grant.lucom_number, row.grant.amount = "", " ", D("899.99")

        assert gaps(row) == [
            ("over_grant", f"grant:{row.grant.pk}"),
            ("no_lucom", f"grant:{row.grant.pk}"),
            ("no_contact", f"grant:{row.grant.pk}"),
            ("no_text", "text:course"),
            ("no_text", "text:result"),
        ]
