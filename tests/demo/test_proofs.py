"""The demo's proofs of use, added up again by themselves: from the rows of the files that the office hands in."""

import csv
import datetime
import io
import re
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db.models import Sum
from django.urls import reverse

from apps.accounts.models import User
from apps.funding.choices import DrawdownState, InvoiceState, LedgerKind, OrderState, ProofState
from apps.funding.drawdown_selectors import drawable_lines
from apps.funding.models import (
    Drawdown,
    Grant,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Order,
    OrderStatusChange,
    ProofOfUse,
    PurchasedDevice,
)
from apps.funding.proof_keeping import sums_of
from apps.funding.proof_marks import differences_of, sums_today
from apps.funding.proof_selectors import figures_of, shown_figures
from apps.inventory.models import Device, Placement
from tests.funding.portal import client_of

pytestmark = pytest.mark.django_db
D = Decimal
GRANTED = {"DEMO-DP1-001": 5_247_000, "DEMO-DP1-002": 2_970_000, "DEMO-DP1-003": 2_052_000}
"""Euros of DigitalPakt by grant notice: 90 percent of what was spent."""
BOUND_UNTIL = datetime.date(2029, 12, 31)


def workbook(reference: str) -> dict[str, list[list[Any]]]:
    """Sheet -> rows below the header, as the office downloads them."""
    proof = ProofOfUse.objects.get(grant__file_reference=reference)
    approver = User.objects.get(email="genehmigung@stadt.example")
    response = client_of(approver).get(reverse("admin:funding_proofofuse_xlsx", args=[proof.pk]))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]
    return {sheet.title: [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book}


def csv_rows(reference: str, part: str) -> list[dict[str, str]]:
    """The rows of a CSV list, column -> text, out of nothing but the bytes that the office downloads."""
    proof = ProofOfUse.objects.get(grant__file_reference=reference)
    approver = User.objects.get(email="genehmigung@stadt.example")
    response: Any = client_of(approver).get(reverse(f"admin:funding_proofofuse_{part}_csv", args=[proof.pk]))
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def euros(row: dict[str, str], column: str) -> Decimal:
    """ "1234,56" as it stands in the file."""
    assert re.fullmatch(r"-?\d+,\d\d", row[column])
    return Decimal(row[column].replace(",", "."))


def by_school(rows: list[dict[str, str]], column: str) -> dict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row["Schule"]] += euros(row, column)
    return dict(found)


def cents(value: Any) -> int:
    return round(value * 100)


def sums(rows: list[list[Any]], *columns: int) -> tuple[int, ...]:
    return tuple(sum(cents(row[column]) for row in rows) for column in columns)


@pytest.mark.parametrize(("reference", "granted"), GRANTED.items())
def test_digitalpakt_adds_up_from_its_own_rows(reference: str, granted: int) -> None:
    """Vouchers, positions, financing, devices and the ledger: every sum is made here out of single rows."""
    book = workbook(reference)
    *vouchers, last = book["Belege"]
    whole = sums(vouchers, 7, 8, 9, 10)

    assert whole == tuple(cents(value) for value in last[7:11])
    amount, eligible, grant, own = whole
    assert amount == eligible == grant + own
    assert grant == granted * 100 == eligible * 9 // 10
    assert all(cents(row[9]) <= cents(row[8]) * 9 // 10 for row in vouchers)
    assert all(row[11] is not None and row[11] >= row[2] for row in vouchers)
    *positions, total = book["Ausgaben"]
    assert sums(positions, 2, 3, 4, 6, 7) == (eligible, eligible, 0, grant, own)
    assert (cents(total[2]), total[5]) == (eligible, 1)
    paid = {row[0]: (cents(row[1]), cents(row[3]), cents(row[2])) for row in book["Finanzierung"]}
    assert paid == {
        "Zuwendung": (grant, grant, cents(0.9)),
        "Eigenanteil der Stadt": (own, own, cents(0.1)),
        "Mittel Dritter": (0, 0, 0),
        "Zuwendungsfähige Ausgaben": (eligible, eligible, cents(1)),
    }
    *budgets, everything = book["Abgleich mit der Buchhaltung"]
    assert sums(budgets, 1, 2, 3) == (eligible, eligible, 0)
    assert cents(everything[3]) == 0
    *devices, cost = book["Geräte"]
    extras = [row for row in vouchers if row[4] == "Hüllen, Zubehör, Einrichtung und Transport"]
    if devices:
        assert sums(devices, 4)[0] == cents(cost[4]) == amount - sums(extras, 7)[0]
        assert all(row[1] and row[6].date() == BOUND_UNTIL for row in devices)
        assert sum(row[6] for row in vouchers) - len(extras) == len(devices)


@pytest.mark.parametrize(("reference", "granted"), GRANTED.items())
def test_digitalpakt_adds_up_from_its_csv_rows_alone(reference: str, granted: int) -> None:
    """Columns of the two CSV lists, added up here; then against proof, ledger and spreadsheet, to the cent."""
    rows, found = csv_rows(reference, "vouchers"), csv_rows(reference, "devices")
    columns = ("Betrag brutto", "davon zuwendungsfähig", "aus der Zuwendung", "Eigenanteil")
    amount, eligible, grant, own = (sum((euros(row, name) for row in rows), D(0)) for name in columns)
    extras = [row for row in rows if row["Betreff"] == "Hüllen, Zubehör, Einrichtung und Transport"]
    cost = sum((euros(row, "Kosten") for row in found), D(0))

    assert (grant, own) == (D(granted), D(granted) / 9)
    assert amount == eligible == grant + own
    if found:
        pieces = sum(int(row["Anzahl"]) for row in rows) - len(extras)
        assert pieces == len(found) == len({row["Nummer"] for row in found})
        assert cost == amount - sum((euros(row, "Betrag brutto") for row in extras), D(0))
    assert {row["Beleg"] for row in found} <= {row["Beleg"] for row in rows}

    proof = ProofOfUse.objects.select_related("grant__programme").get(grant__file_reference=reference)
    figures = shown_figures(proof)
    assert (amount, eligible, grant, own) == (figures.spent, figures.eligible, figures.granted, figures.own_share)
    assert (len(rows), len(found), cost) == (len(figures.vouchers), len(figures.devices), figures.cost_of_devices)

    *sheet, _sum = workbook(reference)["Belege"]
    for name, column in (("Betrag brutto", 7), ("aus der Zuwendung", 9)):
        in_sheet: Counter[str] = Counter()
        for line in sheet:
            in_sheet[line[5]] += cents(line[column])
        assert {school: cents(value) for school, value in by_school(rows, name).items()} == dict(in_sheet)

    paid = LedgerEntry.objects.filter(
        kind=LedgerKind.PAY, invoice_line__order_line__budget__grant__file_reference=reference
    ).order_by()
    of_grant, of_city = (
        sums["sum"] or D(0)
        for sums in (
            paid.filter(budget__grant__file_reference=reference).aggregate(sum=Sum("amount")),
            paid.exclude(budget__grant__file_reference=reference).aggregate(sum=Sum("amount")),
        )
    )
    assert (grant - of_grant, own - of_city) == (D("0.00"), D("0.00"))
    ledger: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in InvoiceLine.objects.filter(order_line__budget__grant__file_reference=reference).select_related(
        "order_line__school"
    ):
        entries = paid.filter(invoice_line=line).values_list("amount", flat=True)
        ledger[str(line.order_line.school or "alle Schulen")] += sum(entries, D(0))
    assert by_school(rows, "Betrag brutto") == dict(ledger)


def test_every_proof_agrees_with_the_ledger_to_the_cent() -> None:
    for proof in ProofOfUse.objects.select_related("grant__programme", "school"):
        figures = shown_figures(proof)
        assert figures.agrees
        assert figures.granted == proof.grant.amount


def test_digitalpakt_is_in_draft_with_a_few_things_missing() -> None:
    states = dict(ProofOfUse.objects.values_list("grant__file_reference", "state"))
    assert states.pop("DEMO-DP1-003") == ProofState.DRAFT
    assert set(states.values()) == {ProofState.HANDED_IN}
    assert len(states) == 7
    draft = ProofOfUse.objects.select_related("grant__programme", "school").get(state=ProofState.DRAFT)
    kinds = Counter(gap.kind for gap in shown_figures(draft).gaps)
    assert 10 < kinds.pop("gone") < 60
    assert kinds == {"outside_period": 1, "no_contact": 1, "no_text": 3}


def test_no_device_that_was_retired_is_bound_and_the_bound_name_their_grant() -> None:
    bound = Device.objects.exclude(bound_until=None)
    assert set(bound.values_list("bound_until", "bound_by")) == {
        (BOUND_UNTIL, "DEMO-DP1-002"),
        (BOUND_UNTIL, "DEMO-DP1-003"),
    }
    assert not bound.filter(status="retired").exists()
    for reference in ("DEMO-DP1-002", "DEMO-DP1-003"):
        bought = PurchasedDevice.objects.filter(order_line__budget__grant__file_reference=reference)
        assert set(bought.values_list("device", flat=True)) == set(
            bound.filter(bound_by=reference).values_list("pk", flat=True)
        )
    history = Device.history.filter(id__in=bound.values("pk"))
    assert set(history.values_list("bound_until", flat=True)) == {BOUND_UNTIL}


def test_every_bought_device_hangs_on_the_line_that_paid_it() -> None:
    rows = PurchasedDevice.objects.select_related("device", "order_line__order", "item__delivery")
    bought = Device.objects.filter(ownership="bought", bought_on__year__gte=2020)
    assert rows.count() == bought.count() > 20_000
    first = dict(Placement.objects.order_by("device", "-since").values_list("device", "school"))
    counts: Counter[int] = Counter()
    for row in rows:
        device, line = row.device, row.order_line
        counts[line.pk] += 1
        assert (device.product_id, device.price) == (line.product_id, line.unit_price)
        assert row.item.delivery.received_on == device.bought_on >= line.order.placed_on
        assert line.school_id == first.get(device.pk)
    lines = dict(PurchasedDevice.objects.values_list("order_line", "order_line__quantity"))
    assert counts == lines


def test_papers_follow_each_other_and_two_people_paid() -> None:
    assert not Order.objects.exclude(state=OrderState.CLOSED).exists()
    invoices = Invoice.objects.select_related("order")
    assert not invoices.exclude(state=InvoiceState.PAID).exists()
    numbers: dict[int, list[int]] = {}
    for invoice in invoices.order_by("voucher_number"):
        year, number = invoice.voucher_number.split("-")
        numbers.setdefault(int(year), []).append(int(number))
        assert invoice.order.placed_on <= invoice.dated_on <= invoice.paid_on
        assert invoice.recorded_by_id != invoice.paid_by_id
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert set(numbers) == set(range(2020, 2026))


def test_frozen_parts_are_the_payments_of_the_ledger() -> None:
    paid = LedgerEntry.objects.filter(kind=LedgerKind.PAY, invoice_line__isnull=False)
    found = {
        (line, budget): amount
        for line, budget, amount in paid.order_by().values_list("invoice_line", "budget").annotate(sum=Sum("amount"))
    }
    expected = {}
    for line in InvoiceLine.objects.select_related("order_line__budget"):
        assert line.amount == line.grant_amount + line.own_amount
        ordered = line.order_line
        parts = {ordered.budget_id: line.amount}
        if ordered.budget.grant_id:
            parts = {ordered.budget_id: line.grant_amount, ordered.own_share_budget_id: line.own_amount}
        expected |= {(line.pk, budget): part for budget, part in parts.items() if part}
    assert found == expected


def test_the_past_is_called_but_for_the_last_year_of_one_grant() -> None:
    assert set(Drawdown.objects.values_list("state", flat=True)) == {DrawdownState.RECEIVED}
    assert not Drawdown.objects.exclude(lucom_number__startswith="LUCOM-").exists()
    for grant in Grant.objects.filter(notice_on__lt="2025-01-01"):
        called = Drawdown.objects.filter(grant=grant).aggregate(sum=Sum("items__amount"))["sum"]
        left = sum(line.grant_amount for line in drawable_lines(grant))
        assert called + left == grant.amount
        assert (left > 0) == (grant.file_reference == "DEMO-DP1-003")


def test_teachers_devices_keep_their_limit() -> None:
    grants = Grant.objects.exclude(limit_per_device=None)
    assert set(grants.values_list("file_reference", "limit_per_device")) == {
        ("DEMO-LK-001", D("500.00")),
        ("DEMO-AO2-001", D("500.00")),
    }
    bought = PurchasedDevice.objects.filter(order_line__budget__grant__in=grants)
    assert max(bought.values_list("order_line__unit_price", flat=True)) == D("500.00")


def test_no_proof_that_was_handed_in_has_moved_since_and_their_sums_are_those_of_their_rows() -> None:
    handed_in = list(ProofOfUse.objects.filter(state=ProofState.HANDED_IN).select_related("grant__programme", "school"))
    assert differences_of(handed_in) == {proof.pk: [] for proof in handed_in}
    today = sums_today(handed_in)
    for proof in handed_in:
        expected = sums_of(figures_of(proof))
        assert today[proof.pk] == {name: expected[name] for name in today[proof.pk]}


def test_the_course_of_an_order_begins_with_its_placing() -> None:
    assert not OrderStatusChange.objects.filter(to_state=OrderState.DRAFT).exists()
    assert OrderStatusChange.objects.filter(from_state=OrderState.DRAFT, to_state=OrderState.PLACED).count() > 50
