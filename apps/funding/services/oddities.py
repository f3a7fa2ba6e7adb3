"""What is unusual about an invoice or a credit note: asked about when it is recorded, shown to whoever pays it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import DomainError, StaleError
from apps.core.money import total
from apps.funding.amounts import line_cost
from apps.funding.choices import InvoiceKind, InvoiceState, ProofState
from apps.funding.models import Budget, Invoice, InvoiceLine, OrderLine, ProofOfUse
from apps.funding.oddity_words import Oddity, as_kept, kept
from apps.funding.purchasing import Paid
from apps.funding.services.commitments import Booking, Books
from apps.funding.services.expected import expected_amounts, paid_of
from apps.funding.services.purchase_steps import budgets_behind


def ensure_explained(invoice: Invoice, rows: Sequence[InvoiceLine], *, by: User) -> None:
    """Refuses to record without a remark what is unusual, with all that is to be explained."""
    if invoice.remark:
        return
    found = [row for row in _Facts([invoice], rows, by=by).of(invoice, rows) if row.needs_remark]
    if found:
        parts = [_("Please correct this, or say why in the remark."), *(row.sentence for row in found)]
        raise DomainError(" ".join(parts), code="remark", field="remark", parts=parts)


def oddities_of(invoices: Iterable[Invoice], *, by: User) -> dict[int, list[Oddity]]:
    """Of each invoice that waits for payment, as things are now; of a paid one, what its payer read.

    Nothing for others. A few queries for all of them.
    """
    invoices = list(invoices)
    waiting = [row for row in invoices if row.state == InvoiceState.RECORDED]
    rows = _rows_of(waiting)
    facts = _Facts(waiting, [line for lines in rows.values() for line in lines], by=by)
    read = {row.pk: [kept(found) for found in row.oddities or ()] for row in invoices}
    return read | {invoice.pk: facts.of(invoice, rows[invoice.pk]) for invoice in waiting}


def mark_of(oddities: Iterable[Oddity]) -> str:
    """Stands for what a page showed of one invoice; also nothing unusual has its mark, which is never empty."""
    return " ".join(("read", *map(_mark, oddities)))


def _mark(oddity: Oddity) -> str:
    return hashlib.sha256(json.dumps(as_kept(oddity)).encode()).hexdigest()


def oddities_as_seen(invoice: Invoice, seen: str | None, *, by: User) -> list[dict[str, Any]]:
    """What is unusual about an invoice that is about to be paid, as it is kept with it.

    `StaleError` when it is something else than what its payer read: `seen` is the mark of that; None: not asked.
    """
    found = oddities_of([invoice], by=by)[invoice.pk]
    if seen is not None and seen != mark_of(found):
        new = [row.sentence for row in found if _mark(row) not in seen.split()]
        raise StaleError(_read_anew(new), code="unread")
    return [as_kept(row) for row in found]


def _read_anew(new: Sequence[str]) -> str:
    if new:
        return _(
            "This has come up in the meantime: %(new)s Nothing was booked. Please check it, then confirm again."
        ) % {"new": " ".join(new)}
    return _(
        "Something that was unusual is settled in the meantime. Nothing was booked. Please read it, then confirm again."
    )


def _rows_of(invoices: Sequence[Invoice]) -> Mapping[int, list[InvoiceLine]]:
    found: defaultdict[int, list[InvoiceLine]] = defaultdict(list)
    line = "order_line"
    related = (f"{line}__order", f"{line}__application_line", f"{line}__product", f"{line}__school")
    money = (f"{line}__budget__grant", f"{line}__own_share_budget")
    lines = InvoiceLine.objects.filter(invoice__in=[row.pk for row in invoices])
    for row in lines.select_related(*related, *money).order_by("pk"):
        found[row.invoice_id].append(row)
    return found


class _Facts:
    """What is read once about several invoices; `rows` are their lines, stored or not."""

    def __init__(self, invoices: Sequence[Invoice], rows: Sequence[InvoiceLine], *, by: User) -> None:
        ordered = list({row.order_line_id: row.order_line for row in rows}.values())
        self.by = by
        self.books = Books(ordered)
        self.paid = paid_of(ordered)
        self.budgets = Budget.objects.in_bulk(budgets_behind(ordered))
        self.recorded = _recorded(ordered)
        self.same = _of_same_number(invoices)
        self.proofs = _handed_in(ordered)

    def of(self, invoice: Invoice, rows: Sequence[InvoiceLine]) -> list[Oddity]:
        found = [*_about_its_day(invoice), *self._about_its_number(invoice)]
        is_credit = invoice.kind == InvoiceKind.CREDIT
        for row in rows:
            pieces, euros = self._of_others(row)
            found += _about_a_credit(row, pieces) if is_credit else _about_a_line(row, pieces, euros)
        if not is_credit:
            found += self._about_budgets(rows)
        return [*found, *self._about_proofs(rows, is_credit=is_credit)]

    def _of_others(self, row: InvoiceLine) -> tuple[int, Decimal]:
        """Pieces and euros that other papers ask for the same line of the order, credit notes subtracted."""
        others = [line for line in self.recorded[row.order_line_id] if line.pk != row.pk]
        return sum(line.quantity for line in others), total(line.amount for line in others)

    def _about_its_number(self, invoice: Invoice) -> Iterator[Oddity]:
        """The same number of the same payee may be the same paper; of one order the database keeps it out."""
        key = _paper(invoice)
        others = (row for row in self.same if _paper(row) == key and row.order_id != invoice.order_id)
        other = next(others, None)
        if other is not None:
            names = {"payee": invoice.payee, "number": invoice.number, "order": str(other.order)}
            yield Oddity("same_number", {**names, "invoice_id": other.pk})

    def _about_budgets(self, rows: Iterable[InvoiceLine]) -> Iterator[Oddity]:
        """What its payment commits beyond what is approved, as the payment itself will do it."""
        booking = Booking(self.budgets, by=self.by)
        for row in rows:
            try:
                amounts = expected_amounts(row, self.paid.get(row.order_line_id, Paid()))
            except DomainError:
                yield Oddity("missing_own_share", _named(row.order_line), needs_remark=False)
                continue
            booking.cover(row.order_line, amounts, self.books)
        for effect in booking.effects():
            values = {"amount": str(effect.needed), "budget": effect.name, "budget_id": effect.budget_id}
            if effect.sufficient:
                yield Oddity("beyond_approval", values, needs_remark=False)
            else:
                free = {"available": str(effect.available_before)}
                frozen = self.budgets[effect.budget_id].freeze
                kind, more = ("beyond_frozen", {"frozen": str(frozen)}) if frozen else ("beyond_available", {})
                yield Oddity(kind, values | free | more, needs_remark=False)

    def _about_proofs(self, rows: Iterable[InvoiceLine], *, is_credit: bool) -> Iterator[Oddity]:
        about = {(row.order_line.budget.grant_id, row.order_line.school_id) for row in rows}
        for proof in self.proofs:
            if any(proof.grant_id == grant and proof.school_id in (None, school) for grant, school in about):
                values = {
                    "grant": str(proof.grant),
                    "school": str(proof.school) if proof.school else None,
                    "day": str(proof.handed_in_on),
                    "proof_id": proof.pk,
                }
                yield Oddity("credit_after_proof" if is_credit else "after_proof", values, needs_remark=False)


def _about_its_day(invoice: Invoice) -> Iterator[Oddity]:
    placed_on = invoice.order.placed_on
    if placed_on is not None and invoice.dated_on < placed_on:
        yield Oddity("older", {"day": str(placed_on), "order_id": invoice.order_id})


def _named(line: OrderLine) -> dict[str, Any]:
    return {"line": str(line), "order_id": line.order_id, "line_id": line.pk}


def _about_a_line(row: InvoiceLine, pieces: int, euros: Decimal) -> Iterator[Oddity]:
    """Not more than has come, and not dearer than ordered. `pieces`, `euros`: what others ask for the same line."""
    line, pieces, euros = row.order_line, pieces + row.quantity, euros + row.amount
    if pieces > line.delivered:
        yield Oddity("not_delivered", _named(line) | {"delivered": line.delivered, "invoiced": pieces})
    agreed = line_cost(line.unit_price, max(pieces, 0))
    if euros > agreed:
        yield Oddity("dearer", _named(line) | {"agreed": str(agreed), "invoiced": str(euros)})


def _about_a_credit(row: InvoiceLine, pieces: int) -> Iterator[Oddity]:
    """Not for more pieces than are invoiced and not there, and at most what these cost; without pieces, a rebate."""
    line, credited = row.order_line, -row.quantity
    back = max(pieces - line.delivered, 0)
    if credited > back:
        yield Oddity("not_returned", _named(line) | {"back": back, "credited": credited})
    worth = line_cost(line.unit_price, credited)
    if credited and -row.amount > worth:
        yield Oddity("much_credited", _named(line) | {"worth": str(worth), "credited": str(-row.amount)})


def _paper(invoice: Invoice) -> tuple[str, str, str]:
    return (invoice.kind, invoice.number.casefold(), invoice.payee.casefold())


def _of_same_number(invoices: Iterable[Invoice]) -> list[Invoice]:
    """The papers of any order that bear a number of these, by the same payee; with these themselves."""
    wanted = Q(pk__in=[])
    for row in invoices:
        wanted |= Q(number__iexact=row.number, payee__iexact=row.payee, kind=row.kind)
    rows = Invoice.objects.exclude(state=InvoiceState.CANCELLED).filter(wanted)
    return list(rows.select_related("order").order_by("pk"))


def _recorded(lines: Iterable[OrderLine]) -> Mapping[int, list[InvoiceLine]]:
    """By line of the order: what was recorded or paid about it."""
    found: defaultdict[int, list[InvoiceLine]] = defaultdict(list)
    for row in InvoiceLine.objects.filter(~Q(invoice__state=InvoiceState.CANCELLED), order_line__in=list(lines)):
        found[row.order_line_id].append(row)
    return found


def _handed_in(lines: Iterable[OrderLine]) -> list[ProofOfUse]:
    """The proofs of the grants that pay these lines, as far as they are handed in."""
    grants = {line.budget.grant_id for line in lines if line.budget.grant_id is not None}
    rows = ProofOfUse.objects.filter(state=ProofState.HANDED_IN, grant__in=grants)
    return list(rows.select_related("grant__programme", "school").defer("figures").order_by("pk"))
