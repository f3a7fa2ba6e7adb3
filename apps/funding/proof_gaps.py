"""What a proof of use lacks, or what has to be explained in it, in the order in which an office would mend it."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formats
from apps.core.money import ZERO, share_rounded_down, total
from apps.funding.amounts import ledger_effect
from apps.funding.calculations import limit_of
from apps.funding.choices import InvoiceState, OrderState
from apps.funding.models import Budget, Grant, Invoice, InvoiceLine, LedgerEntry, OrderLine
from apps.funding.proof_figures import TEXTS, Facts, Gap, GrantMoney, ProofDevice
from apps.funding.purchasing import LIVE_ORDERS
from apps.schools.models import School


def gaps_of_orders(grant: Grant, school: School | None) -> Iterator[Gap]:
    """Invoices without a payment date, and what is paid (less what was credited) and has not come."""
    invoices = Invoice.objects.filter(state=InvoiceState.RECORDED, lines__order_line__budget__grant=grant)
    lines = _with_paid(grant).filter(paid__gt=F("delivered"))
    if school is not None:
        invoices, lines = invoices.filter(lines__order_line__school=school), lines.filter(school=school)
    for invoice in invoices.distinct().order_by("voucher_number"):
        yield Gap("unpaid", str(invoice), f"invoice:{invoice.pk}")
    for line in lines.select_related("order", "product").order_by("order__number", "pk"):
        counts = _("paid %(paid)s, delivered %(delivered)s") % {
            "paid": formats.number(line.paid),  # type: ignore[attr-defined]  # annotated above
            "delivered": formats.number(line.delivered),
        }
        kind = "undelivered_closed" if line.order.state == OrderState.CLOSED else "undelivered"
        yield Gap(kind, f"{line.order.number}, {line}: {counts}", f"order:{line.order_id}")


def gaps_of_commitments(grant: Grant, school: School | None) -> Iterator[Gap]:
    """Money of the grant that waits for a payment, and orders of which something is still to come.

    Each payment after the proof changes its figures. What is paid and has not come is told by `gaps_of_orders`.
    """
    entries = LedgerEntry.objects.filter(budget__grant=grant)
    lines = _with_paid(grant).filter(
        order__state__in=LIVE_ORDERS, delivered__lt=F("quantity"), paid__lte=F("delivered")
    )
    if school is not None:
        entries, lines = entries.filter(of_school(school)), lines.filter(school=school)
    committed: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for budget, kind, amount in entries.order_by().values_list("budget", "kind").annotate(sum=Sum("amount")):
        committed[budget] += ledger_effect(kind, amount)[0]
    waiting = {pk: amount for pk, amount in committed.items() if amount > ZERO}
    for row in Budget.objects.filter(pk__in=waiting).order_by("fiscal_year", "name", "pk"):
        yield Gap("still_committed", f"{row}: {formats.euro(waiting[row.pk])}", f"budget:{row.pk}")
    missing = lines.order_by("order__number").values_list("order", "order__number")
    for order, number, pieces in missing.annotate(sum=Sum(F("quantity") - F("delivered"))):
        words = ngettext("%(count)s piece is still to come", "%(count)s pieces are still to come", pieces)
        yield Gap("open_order", f"{number}: {words % {'count': formats.number(pieces)}}", f"order:{order}")


def _with_paid(grant: Grant) -> QuerySet[OrderLine]:
    """Lines of orders that the grant pays, with the pieces that are `paid`, less those that were credited."""
    paid = InvoiceLine.objects.filter(order_line=OuterRef("pk"), invoice__state=InvoiceState.PAID).order_by()
    pieces = Subquery(paid.values("order_line").annotate(sum=Sum("quantity")).values("sum"))
    rows: QuerySet[OrderLine] = OrderLine.objects.filter(budget__grant=grant)
    return rows.annotate(paid=Coalesce(pieces, 0))


def of_school(school: School) -> Q:
    """Entries of the ledger about a school, through an order's line or an application's."""
    return Q(order_line__school=school) | Q(order_line=None, line__application__school=school)


def gaps_of_vouchers(lines: Sequence[InvoiceLine], facts: Facts) -> Iterator[Gap]:
    outside = {line.invoice for line in lines if _is_outside(line.invoice.dated_on, facts)}
    for invoice in sorted(outside, key=lambda row: row.voucher_number):
        yield Gap(
            "outside_period", f"{invoice.voucher_number}, {formats.day(invoice.dated_on)}", f"invoice:{invoice.pk}"
        )


def gaps_of_devices(devices: Sequence[ProofDevice]) -> Iterator[Gap]:
    for device in devices:
        if not device.serial:
            yield Gap("no_serial", f"{device.tag}, {device.product}", f"device:{device.tag}")
    for device in devices:
        if device.gone:
            yield Gap("gone", f"{device.tag}, {device.product}: {device.gone}", f"device:{device.tag}")


def gaps_of_binding(facts: Facts, devices: Sequence[ProofDevice]) -> Iterator[Gap]:
    """Devices that the grant does not bind although its notice says until when."""
    if facts.bound_until is None:
        return
    for device in devices:
        if device.bound_until is None:
            yield Gap("unbound", f"{device.tag}, {device.product}", f"device:{device.tag}")


def gaps_of_money(grant: Grant, lines: Sequence[InvoiceLine], money: GrantMoney) -> Iterator[Gap]:
    """What the grant paid above what its notice allows now, and what was drawn and not spent.

    Parts are fixed at the payment, so a change notice that lowers amount, rate or limit leaves too much paid.
    """
    if money.spent > grant.amount:
        yield Gap("over_grant", formats.euro(money.spent - grant.amount), f"grant:{grant.pk}")
    allowed = share_rounded_down(total(line.eligible_amount for line in lines), grant.rate)
    if money.spent > allowed:
        yield Gap(
            "over_rate",
            _("%(paid)s are paid out of the grant; at a rate of %(rate)s it pays at most %(allowed)s")
            % {
                "paid": formats.euro(money.spent),
                "rate": formats.percent(grant.rate * 100),
                "allowed": formats.euro(allowed),
            },
            f"invoices:{grant.file_reference}",
        )
    yield from _over_limit(grant, lines)
    if money.drawn > money.spent:
        yield Gap(
            "overdrawn",
            _("%(drawn)s are drawn down, only %(spent)s are spent out of the grant")
            % {"drawn": formats.euro(money.drawn), "spent": formats.euro(money.spent)},
            f"drawdowns:{grant.file_reference}",
        )


def _over_limit(grant: Grant, lines: Sequence[InvoiceLine]) -> Iterator[Gap]:
    """By line of the order, with its credits: the limit is one for each device."""
    if grant.limit_per_device is None:
        return
    of_order: defaultdict[OrderLine, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        of_order[line.order_line].append(line)
    for ordered, found in of_order.items():
        paid = total(line.grant_amount or ZERO for line in found)
        pieces = sum(line.quantity for line in found)
        allowed = limit_of(grant.limit_per_device, max(pieces, 0))
        if allowed is not None and paid > allowed:
            facts = {
                "line": ordered,
                "paid": formats.euro(paid),
                "pieces": formats.number(pieces),
                "limit": formats.euro(grant.limit_per_device),
                "allowed": formats.euro(allowed),
            }
            words = _(
                "%(line)s: %(paid)s are paid out of the grant; it pays at most %(pieces)s × %(limit)s = %(allowed)s"
            )
            yield Gap("over_limit", words % facts, f"order:{ordered.order_id}")


def gaps_of_grant(grant: Grant) -> Iterator[Gap]:
    if not grant.lucom_number.strip():
        yield Gap("no_lucom", grant.file_reference, f"grant:{grant.pk}")
    if not grant.contact:
        yield Gap("no_contact", grant.file_reference, f"grant:{grant.pk}")


def _is_outside(day: datetime.date, facts: Facts) -> bool:
    first, last = facts.implementation_from, facts.implementation_until
    return (first is not None and day < first) or (last is not None and day > last)


def gaps_of_texts(texts: dict[str, str]) -> list[Gap]:
    return [Gap("no_text", name, f"text:{name}") for name in TEXTS if not texts[name].strip()]
