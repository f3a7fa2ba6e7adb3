"""What is unusual about an invoice or a credit note: asked about when it is recorded, shown to whoever pays it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.core import formats
from apps.core.errors import DomainError, StaleError
from apps.core.money import total
from apps.funding.amounts import line_cost
from apps.funding.choices import InvoiceKind, InvoiceState, ProofState
from apps.funding.models import Budget, Invoice, InvoiceLine, OrderLine, ProofOfUse
from apps.funding.purchasing import Paid
from apps.funding.services.commitments import Booking, Books
from apps.funding.services.expected import expected_amounts, paid_of
from apps.funding.services.purchase_steps import budgets_behind


@dataclass(frozen=True)
class Oddity:
    """`kind` is its code. `needs_remark`: whoever records it says why."""

    kind: str
    sentence: str
    needs_remark: bool = True


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
    kept = {row.pk: [Oddity(**found) for found in row.oddities or ()] for row in invoices}
    return kept | {invoice.pk: facts.of(invoice, rows[invoice.pk]) for invoice in waiting}


def mark_of(oddities: Iterable[Oddity]) -> str:
    """Stands for what a page showed of one invoice; also nothing unusual has its mark, which is never empty."""
    shown = json.dumps([(row.kind, row.sentence) for row in oddities])
    return hashlib.sha256(shown.encode()).hexdigest()


def oddities_as_seen(invoice: Invoice, seen: str | None, *, by: User) -> list[dict[str, Any]]:
    """What is unusual about an invoice that is about to be paid, as it is kept with it.

    `StaleError` when it is something else than what its payer read: `seen` is the mark of that; None: not asked.
    """
    found = oddities_of([invoice], by=by)[invoice.pk]
    if seen is not None and seen != mark_of(found):
        raise StaleError(
            gettext_lazy("Something else is unusual about this invoice by now. Please read it once more."),
            code="unread",
        )
    return [asdict(row) for row in found]


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
            sentence = _("“%(payee)s” has an invoice %(number)s already, recorded with the order %(order)s.")
            names = {"payee": invoice.payee, "number": invoice.number, "order": other.order}
            yield Oddity("same_number", sentence % names)

    def _about_budgets(self, rows: Iterable[InvoiceLine]) -> Iterator[Oddity]:
        """What its payment commits beyond what is approved, as the payment itself will do it."""
        booking = Booking(self.budgets, by=self.by)
        for row in rows:
            try:
                amounts = expected_amounts(row, self.paid.get(row.order_line_id, Paid()))
            except DomainError as error:
                yield Oddity("missing_own_share", str(error), needs_remark=False)
                continue
            booking.cover(row.order_line, amounts, self.books)
        for effect in booking.effects():
            sentence = _("The payment commits another %(amount)s out of “%(budget)s”, beyond what is approved.")
            if not effect.sufficient:
                sentence = _(
                    "The payment would need another %(amount)s out of “%(budget)s”, and only %(available)s are free."
                )
            names = {
                "amount": formats.euro(effect.needed),
                "budget": effect.name,
                "available": formats.euro(effect.available_before),
            }
            yield Oddity("beyond_approval", sentence % names, needs_remark=False)

    def _about_proofs(self, rows: Iterable[InvoiceLine], *, is_credit: bool) -> Iterator[Oddity]:
        about = {(row.order_line.budget.grant_id, row.order_line.school_id) for row in rows}
        for proof in self.proofs:
            if any(proof.grant_id == grant and proof.school_id in (None, school) for grant, school in about):
                sentence = _(
                    "The proof of use of “%(grant)s” (%(school)s) was handed in on %(day)s. After the payment"
                    " its figures are no longer right: it has to be reopened and handed in anew."
                )
                if is_credit:
                    sentence = _(
                        "The proof of use of “%(grant)s” (%(school)s) was handed in on %(day)s. Once the credit note is"
                        " accepted, its figures are no longer right: it has to be reopened and handed in anew."
                    )
                names = {
                    "grant": proof.grant,
                    "school": proof.school or _("all schools"),
                    "day": formats.day(proof.handed_in_on),
                }
                yield Oddity("after_proof", sentence % names, needs_remark=False)


def _about_its_day(invoice: Invoice) -> Iterator[Oddity]:
    placed_on = invoice.order.placed_on
    if placed_on is not None and invoice.dated_on < placed_on:
        sentence = _("The invoice is older than its order of %(day)s.") % {"day": formats.day(placed_on)}
        yield Oddity("older", sentence)


def _about_a_line(row: InvoiceLine, pieces: int, euros: Decimal) -> Iterator[Oddity]:
    """Not more than has come, and not dearer than ordered. `pieces`, `euros`: what others ask for the same line."""
    line, pieces, euros = row.order_line, pieces + row.quantity, euros + row.amount
    if pieces > line.delivered:
        sentence = _("“%(line)s”: only %(delivered)s have come, but %(invoiced)s are invoiced.")
        names = {"line": line, "delivered": formats.number(line.delivered), "invoiced": formats.number(pieces)}
        yield Oddity("not_delivered", sentence % names)
    agreed = line_cost(line.unit_price, max(pieces, 0))
    if euros > agreed:
        sentence = _("“%(line)s”: %(agreed)s are agreed for this, but %(invoiced)s are invoiced.")
        names = {"line": line, "agreed": formats.euro(agreed), "invoiced": formats.euro(euros)}
        yield Oddity("dearer", sentence % names)


def _about_a_credit(row: InvoiceLine, pieces: int) -> Iterator[Oddity]:
    """Not for more pieces than are invoiced and not there, and at most what these cost; without pieces, a rebate."""
    line, credited = row.order_line, -row.quantity
    back = max(pieces - line.delivered, 0)
    if credited > back:
        sentence = _("“%(line)s”: %(back)s invoiced pieces are not there or went back, but %(credited)s are credited.")
        names = {"line": line, "back": formats.number(back), "credited": formats.number(credited)}
        yield Oddity("not_returned", sentence % names)
    worth = line_cost(line.unit_price, credited)
    if credited and -row.amount > worth:
        sentence = _("“%(line)s”: %(worth)s are agreed for this, but %(credited)s are credited.")
        names = {"line": line, "worth": formats.euro(worth), "credited": formats.euro(-row.amount)}
        yield Oddity("much_credited", sentence % names)


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
