"""Reads what proofs of use are made of: a few queries, whatever the number of vouchers and devices.

A proof counts by grant, not by what its reader sees of single schools: its sums must be whole. Whoever may not see
proofs does not get here (`ProofOfUse.objects.visible_to`).
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from decimal import Decimal
from typing import Any

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _

from apps.core import clock, formats
from apps.core.money import ZERO, total
from apps.funding.amounts import appropriated
from apps.funding.choices import CALLED, DrawdownState, InvoiceState, LedgerKind, ProofState
from apps.funding.models import (
    Budget,
    DrawdownItem,
    Grant,
    InvoiceLine,
    LedgerEntry,
    ProofHandingIn,
    ProofOfUse,
    PurchasedDevice,
)
from apps.funding.proof_figures import (
    TEXTS,
    Facts,
    GrantMoney,
    Plan,
    ProofDevice,
    ProofFigures,
    Voucher,
    agreements_of,
    financing_plan,
    positions_of,
)
from apps.funding.proof_gaps import (
    gaps_of_binding,
    gaps_of_commitments,
    gaps_of_devices,
    gaps_of_grant,
    gaps_of_money,
    gaps_of_orders,
    gaps_of_texts,
    gaps_of_vouchers,
    of_school,
)
from apps.funding.proof_keeping import from_json
from apps.inventory.choices import ENDED_STATUSES, DeviceStatus
from apps.inventory.models import Placement
from apps.schools.models import School


def shown_figures(proof: ProofOfUse) -> ProofFigures:
    """As handed in, or as they are now while it is a draft."""
    if proof.state == ProofState.HANDED_IN and proof.figures is not None:
        return from_json(proof.figures)
    return figures_of(proof)


def as_handed_in(handing_in: ProofHandingIn) -> ProofOfUse:
    """The proof as it was at one of the times that it was handed in; not to be saved."""
    proof = copy(handing_in.proof)
    proof.state, proof.figures = ProofState.HANDED_IN, handing_in.figures
    proof.handed_in_on, proof.handed_in_by = clock.day_of(handing_in.at), handing_in.by
    proof.shown_handing_in = handing_in.pk
    return proof


def figures_of(proof: ProofOfUse) -> ProofFigures:
    """As they are now."""
    grant, school = proof.grant, proof.school
    lines = list(paid_lines(grant, school))
    vouchers = [_voucher(line) for line in lines]
    devices = list(_devices(grant, school, vouchers))
    texts = {name: getattr(proof, name) for name in TEXTS}
    facts = _facts(grant, school)
    plan = financing_plan(facts, plans := _plans(grant, school))
    money = _money(grant, school, plan.granted, spent=total(voucher.granted for voucher in vouchers))
    return ProofFigures(
        day=clock.today(),
        facts=facts,
        positions=positions_of(plans, vouchers, facts),
        vouchers=vouchers,
        devices=devices,
        agreements=_agreements(grant, school, lines),
        gaps=[
            *gaps_of_orders(grant, school),
            *gaps_of_commitments(grant, school),
            *gaps_of_vouchers(lines, facts),
            *gaps_of_devices(devices),
            *gaps_of_binding(facts, devices),
            *gaps_of_money(grant, lines, money),
            *gaps_of_grant(grant),
            *gaps_of_texts(texts),
        ],
        texts=texts,
        plan=plan,
        money=money,
    )


def _facts(grant: Grant, school: School | None) -> Facts:
    return Facts(
        programme=grant.programme.name,
        legal_basis=grant.programme.legal_basis,
        file_reference=grant.file_reference,
        lucom_number=grant.lucom_number,
        notice_on=grant.notice_on,
        amount=grant.amount,
        rate=grant.rate,
        implementation_from=grant.implementation_from,
        implementation_until=grant.implementation_until,
        bound_until=grant.earmarked_until,
        contact=grant.contact,
        school="" if school is None else f"{school} ({school.number})",
    )


def paid_lines(grant: Grant, school: School | None) -> QuerySet[InvoiceLine]:
    """In the order of the vouchers. A line belongs to the school that it was ordered for."""
    rows = InvoiceLine.objects.filter(order_line__budget__grant=grant, invoice__state=InvoiceState.PAID)
    if school is not None:
        rows = rows.filter(order_line__school=school)
    related = ("invoice", "order_line__product", "order_line__school", "order_line__budget",
               "order_line__own_share_budget")  # fmt: skip
    ordered: QuerySet[InvoiceLine] = rows.select_related(*related).order_by(
        "invoice__paid_on", "invoice__voucher_number", "pk"
    )
    return ordered


def _voucher(line: InvoiceLine) -> Voucher:
    invoice, ordered = line.invoice, line.order_line
    return Voucher(
        line=line.pk,
        budget=ordered.budget_id,
        voucher_number=invoice.voucher_number,
        invoice_number=invoice.number,
        dated_on=invoice.dated_on,
        payee=invoice.payee,
        subject=str(ordered.product or ordered.description),
        school="" if ordered.school is None else str(ordered.school),
        quantity=line.quantity,
        amount=line.amount,
        eligible=line.eligible_amount,
        granted=line.grant_amount if line.grant_amount is not None else ZERO,
        own=line.own_amount if line.own_amount is not None else ZERO,
        paid_on=invoice.paid_on,
        booking_reference=invoice.booking_reference,
    )


def _plans(grant: Grant, school: School | None) -> list[Plan]:
    """What the grant's budgets hold; for one school, what was committed for it out of them."""
    budgets = list(Budget.objects.filter(grant=grant).order_by("fiscal_year", "name"))
    if school is None:
        return [Plan(row.pk, row.name, row.fiscal_year, appropriated(row)) for row in budgets]
    committed = _sums(LedgerEntry.objects.filter(kind=LedgerKind.COMMIT, budget__grant=grant).filter(of_school(school)))
    return [Plan(row.pk, row.name, row.fiscal_year, committed[row.pk]) for row in budgets if row.pk in committed]


def _devices(grant: Grant, school: School | None, vouchers: Sequence[Voucher]) -> Iterator[ProofDevice]:
    """What was bought with the grant and not sent back, in the order of inventory numbers."""
    rows: Any = PurchasedDevice.objects.filter(order_line__budget__grant=grant, returned_on=None)
    if school is not None:
        rows = rows.filter(order_line__school=school)
    ended = Placement.objects.filter(device=OuterRef("device")).order_by().values("device")
    rows = rows.annotate(ended_on=Subquery(ended.annotate(last=Max("until")).values("last")))
    related = ("device__product", "device__school", "device__last_school", "order_line")
    numbers = _voucher_numbers(grant)
    for row in rows.select_related(*related).order_by("device__tag"):
        device = row.device
        place = device.school or device.last_school
        yield ProofDevice(
            tag=device.tag,
            serial=device.serial,
            product=str(device.product),
            school=str(place) if place is not None else _("in stock"),
            cost=row.order_line.unit_price if device.price is None else device.price,
            voucher_number=numbers.get(row.order_line_id, ""),
            bound_until=device.bound_until,
            gone=_gone(device, row.ended_on),
        )


def _voucher_numbers(grant: Grant) -> dict[int, str]:
    """Order line -> the numbers of its paid vouchers."""
    numbers: defaultdict[int, list[str]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(
        order_line__budget__grant=grant, invoice__state=InvoiceState.PAID, amount__gt=ZERO
    ).order_by("invoice__voucher_number")
    for line, number in rows.values_list("order_line", "invoice__voucher_number"):
        numbers[line].append(number)
    return {line: ", ".join(found) for line, found in numbers.items()}


def _gone(device: Any, ended_on: datetime.date | None) -> str:
    """How and when a device ended while it was bound; "" for all others."""
    if device.bound_until is None or device.status not in ENDED_STATUSES:
        return ""
    if ended_on is None:
        return str(DeviceStatus(device.status).label)
    if ended_on > device.bound_until:
        return ""
    return _("%(status)s since %(day)s") % {
        "status": DeviceStatus(device.status).label,
        "day": formats.day(ended_on),
    }


def _money(grant: Grant, school: School | None, granted: Decimal, *, spent: Decimal) -> GrantMoney:
    """With what drawdowns called of the grant's vouchers, or of one school's."""
    items = DrawdownItem.objects.filter(drawdown__grant=grant, drawdown__state__in=CALLED)
    if school is not None:
        items = items.filter(invoice_line__order_line__school=school)
    called = dict(items.order_by().values_list("drawdown__state").annotate(sum=Sum("amount")))
    return GrantMoney(granted, total(called.values()), called.get(DrawdownState.RECEIVED, ZERO), spent)


def _sums(entries: Any) -> dict[int, Decimal]:
    """Budget -> sum of entries."""
    return dict(entries.order_by().values_list("budget").annotate(sum=Sum("amount")))


def _agreements(grant: Grant, school: School | None, lines: Sequence[InvoiceLine]) -> list[Any]:
    """The parts of the vouchers by budget against what the ledger paid out of these budgets.

    Out of the grant's own budgets every payment counts, also one that no voucher stands for. The budget of an own
    share may serve several grants: there it is what was paid for lines of this grant.
    """
    proof: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        ordered = line.order_line
        proof[ordered.budget_id] += line.grant_amount or ZERO
        if line.own_amount:
            proof[ordered.own_share_budget_id or ordered.budget_id] += line.own_amount
    of_grant = Q(budget__grant=grant)
    others = Q(order_line__budget__grant=grant) | Q(
        order_line=None, line__in=Budget.objects.filter(grant=grant).values("allocations__line")
    )
    paid = LedgerEntry.objects.filter(of_grant | others, kind=LedgerKind.PAY)
    if school is not None:
        paid = paid.filter(of_school(school))
    ledger = _sums(paid)
    budgets = Budget.objects.in_bulk(proof.keys() | ledger.keys())
    names = {pk: (str(row), row.grant_id != grant.pk) for pk, row in budgets.items()}
    return agreements_of(names, proof, ledger)
