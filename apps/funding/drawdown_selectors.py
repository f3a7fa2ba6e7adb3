"""Reads what drawdowns are made of, and what may still be drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.core.money import ZERO, total
from apps.funding.choices import CALLED, DrawdownState, InvoiceState
from apps.funding.models import Drawdown, DrawdownItem, FreedItem, Grant, InvoiceLine, Order
from apps.funding.proof_selectors import paid_lines
from apps.schools.models import School

if TYPE_CHECKING:
    from apps.accounts.models import User


def drawable_lines(grant: Grant) -> QuerySet[InvoiceLine]:
    """Paid lines with a part of the grant that no drawdown holds, in the order of their vouchers."""
    rows: QuerySet[InvoiceLine] = paid_lines(grant, None).filter(drawdown_item=None).exclude(grant_amount=ZERO)
    return rows.exclude(grant_amount=None).select_related("order_line__order__supplier")


def owed_credits(grant: Grant, chosen: Iterable[int]) -> QuerySet[InvoiceLine]:
    """Credits that no drawdown holds, of what was called earlier or is called by these lines.

    The grant pays nothing for what the supplier gave back, so a drawdown that draws any of this draws its credits too.
    """
    return drawable_lines(grant).filter(order_line__in=_drawn(grant, chosen), grant_amount__lt=ZERO)


def credits_in_other_drafts(drawdown: Drawdown) -> QuerySet[InvoiceLine]:
    """Credits of what was called or is called by this drawdown that another draft holds: they are not set off yet.

    Two drafts at once would else send the full amount first, and the credit perhaps never.
    """
    drawn = _drawn(drawdown.grant, drawdown.items.values_list("invoice_line", flat=True))
    rows = InvoiceLine.objects.filter(order_line__in=drawn, grant_amount__lt=ZERO)
    held = rows.filter(drawdown_item__drawdown__state=DrawdownState.DRAFT)
    others: QuerySet[InvoiceLine] = held.exclude(drawdown_item__drawdown=drawdown)
    return others.select_related("invoice", "drawdown_item__drawdown").order_by("drawdown_item__drawdown__number", "pk")


def _drawn(grant: Grant, chosen: Iterable[int]) -> Any:
    """Lines of orders of which a drawdown called something earlier, or these lines call it."""
    rows = InvoiceLine.objects.filter(Q(pk__in=list(chosen)) | Q(drawdown_item__drawdown__state__in=CALLED))
    return rows.filter(order_line__budget__grant=grant, grant_amount__gt=ZERO).values("order_line")


def draft_of(grant: Grant, user: User) -> Drawdown | None:
    """The newest draft of a drawdown: it may hold what a proof of use names as still to draw."""
    drafts = Drawdown.objects.visible_to(user).filter(grant=grant, state=DrawdownState.DRAFT)
    found: Drawdown | None = drafts.order_by("-number").first()
    return found


def missing_numbers(grant: Grant) -> list[str]:
    """Fields of the grant that a drawdown names and that are empty."""
    return [name for name in ("file_reference", "lucom_number") if not getattr(grant, name).strip()]


@dataclass(frozen=True)
class ToDraw:
    """What a grant's paid vouchers still allow to call: number of vouchers and euros."""

    grant: Grant
    vouchers: int
    amount: Decimal


def grants_to_draw(user: User) -> list[ToDraw]:
    """Grants with something to draw, the newest first."""
    sums: defaultdict[int, list[Decimal]] = defaultdict(list)
    vouchers: defaultdict[int, set[int]] = defaultdict(set)
    rows = InvoiceLine.objects.filter(
        invoice__state=InvoiceState.PAID, drawdown_item=None, order_line__budget__grant__isnull=False
    ).exclude(grant_amount=ZERO)
    for grant, invoice, amount in rows.order_by().values_list("order_line__budget__grant", "invoice", "grant_amount"):
        if amount is not None:
            sums[grant].append(amount)
            vouchers[grant].add(invoice)
    grants: Any = Grant.objects.visible_to(user).filter(pk__in=sums).select_related("programme")
    return [ToDraw(grant, len(vouchers[grant.pk]), total(sums[grant.pk])) for grant in grants]


@dataclass(frozen=True)
class LineGroup:
    """Vouchers that belong together: of one order, or of one school (None: of all schools)."""

    of: Order | School | None
    lines: tuple[InvoiceLine, ...]

    @property
    def vouchers(self) -> int:
        """How many; one may have several lines."""
        return len({line.invoice_id for line in self.lines})

    @property
    def eligible(self) -> Decimal:
        return total(line.eligible_amount for line in self.lines)

    @property
    def amount(self) -> Decimal:
        """What the grant paid of them."""
        return total(line.grant_amount or ZERO for line in self.lines)


def grouped_lines(lines: Iterable[InvoiceLine], *, by_school: bool) -> list[LineGroup]:
    """By order in the order of their first vouchers, or by school in the order of their names."""
    groups: defaultdict[Order | School | None, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        groups[line.order_line.school if by_school else line.order_line.order].append(line)
    found = [LineGroup(of, tuple(rows)) for of, rows in groups.items()]
    return sorted(found, key=lambda group: str(group.of or "")) if by_school else found


@dataclass(frozen=True)
class Drawn:
    """The sums of a drawdown, in euros: its own, what other drawdowns called before, and what remains of the grant.

    Only requested and received ones count: of what a cancelled one had called, nothing is gone.
    """

    eligible: Decimal
    amount: Decimal
    before: Decimal
    remaining: Decimal


def items_of(drawdown: Drawdown) -> list[DrawdownItem | FreedItem]:
    """In the order of the vouchers; of a cancelled one, what it had called."""
    line = "invoice_line__order_line"
    related = ("invoice_line__invoice", f"{line}__product", f"{line}__school", f"{line}__order__supplier")
    is_cancelled = drawdown.state == DrawdownState.CANCELLED
    rows = (drawdown.freed_items if is_cancelled else drawdown.items).select_related(*related)
    return list(rows.order_by("invoice_line__invoice__paid_on", "invoice_line__invoice__voucher_number", "pk"))


def sums_of(drawdown: Drawdown, items: Sequence[DrawdownItem | FreedItem]) -> Drawn:
    amount = total(item.amount for item in items)
    before = drawn_before(drawdown)
    return Drawn(
        eligible=total(item.invoice_line.eligible_amount for item in items),
        amount=amount,
        before=before,
        remaining=drawdown.grant.amount - before - (ZERO if drawdown.state == DrawdownState.CANCELLED else amount),
    )


def drawn_before(drawdown: Drawdown) -> Decimal:
    """Euros called by other drawdowns of the same grant; before this one, once it is requested itself."""
    others = DrawdownItem.objects.filter(drawdown__grant=drawdown.grant_id, drawdown__state__in=CALLED)
    others = others.exclude(drawdown=drawdown.pk)
    if drawdown.requested_on is not None:
        day = drawdown.requested_on
        others = others.filter(
            Q(drawdown__requested_on__lt=day) | Q(drawdown__requested_on=day, drawdown__number__lt=drawdown.number)
        )
    return total(others.values_list("amount", flat=True))


def drawdown_rows(user: User) -> Any:
    """With `amount` in euros: of what it holds, or had called when it was cancelled (none has rows of both kinds)."""
    rows = Drawdown.objects.visible_to(user).select_related("grant__programme", "by")
    return rows.annotate(amount=Coalesce(Sum("items__amount"), Sum("freed_items__amount")))
