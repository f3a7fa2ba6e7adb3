"""What is committed for order lines, budget by budget, what of it is held for others, and how it moves.

Money is committed for the line of an application (by its approval), or for the order line itself where the office buys
on its own. All orders of an application's line share what is committed for it: each placed one holds what it costs, at
least at the approved price, less what was paid; the pieces that are not placed yet hold their approved cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.money import ZERO, total
from apps.funding.amounts import appropriated, line_cost
from apps.funding.calculations import BudgetEffect, Split
from apps.funding.choices import LEDGER_EFFECTS, LedgerKind
from apps.funding.models import ApplicationLine, Budget, InvoiceLine, LedgerEntry, LineAllocation, OrderLine
from apps.funding.purchase_selectors import pieces_of
from apps.funding.purchasing import LIVE_ORDERS, UNPLACED_ORDERS, Pieces, split_eligible, surplus, uncovered
from apps.funding.services.ledger import Entry, post_entries, refusal

Amounts = dict[int, Decimal]
"""Budget id -> euros."""


def amounts_of(line: OrderLine, split: Split) -> Amounts:
    """Which budget pays which part. Municipal money pays its whole cost; parts of nothing are left out."""
    if line.budget.rate is None:
        return {line.budget_id: split.own_share} if split.own_share else {}
    if split.own_share and line.own_share_budget_id is None:
        raise DomainError(
            _("“%(line)s”: the grant does not pay all of it. Please choose the budget for the own share.")
            % {"line": line},
            code="missing_own_share",
            field="own_share_budget",
        )
    parts = {line.budget_id: split.grant_share, line.own_share_budget_id: split.own_share}
    return {pk: amount for pk, amount in parts.items() if pk is not None and amount}


def cost_of(line: OrderLine, unit_price: Decimal, quantity: int) -> Amounts:
    """What so many pieces at this price take out of which budget, all of it eligible."""
    cost = line_cost(unit_price, quantity)
    grant = line.budget.grant
    limit = None if grant is None else grant.limit_per_device
    split = split_eligible(cost, cost, rate=line.budget.rate, limit=limit, quantity=quantity)
    return amounts_of(line, split)


class Books:
    """The ledger's sums about some order lines and all that share money with them. Read when everything is locked."""

    def __init__(self, lines: Iterable[OrderLine]) -> None:
        rows = list(lines)
        own = [line.pk for line in rows if line.application_line_id is None]
        shared = [line.application_line_id for line in rows if line.application_line_id is not None]
        related = OrderLine.objects.filter(application_line__in=shared).select_related(
            "order", "budget__grant", "application_line"
        )
        self.siblings: defaultdict[int, list[OrderLine]] = defaultdict(list)
        for line in related.order_by("pk"):
            self.siblings[line.application_line_id or 0].append(line)
        applied = ApplicationLine.objects.in_bulk(shared)
        self.pieces: dict[int, Pieces] = pieces_of(applied.values())
        entries = LedgerEntry.objects.filter(line__in=shared) | LedgerEntry.objects.filter(order_line__in=own)
        self.sums: defaultdict[tuple[int | None, int | None, int, str], Decimal] = defaultdict(lambda: ZERO)
        for *key, amount in (
            entries.order_by().values_list("line", "order_line", "budget", "kind").annotate(sum=Sum("amount"))
        ):
            self.sums[tuple(key)] = amount

    def budgets_of(self, line: OrderLine) -> set[int]:
        """All budgets in which anything moved for the line or what it shares its money with."""
        return {
            budget
            for applied, ordered, budget, _kind in self.sums
            if (applied == line.application_line_id if line.application_line_id else ordered == line.pk)
        }

    def open(self, line: OrderLine, budget: int) -> Decimal:
        """Committed and neither paid nor released, for the line and those that it shares its money with."""
        return total(
            amount * LEDGER_EFFECTS[kind][0]
            for (applied, ordered, pk, kind), amount in self.sums.items()
            if pk == budget
            and (applied == line.application_line_id if line.application_line_id else ordered == line.pk)
        )

    def posted(self, line: OrderLine, kind: str) -> Amounts:
        """Entries of a kind about this order line alone, per budget."""
        found = {
            budget: amount
            for (_applied, ordered, budget, its_kind), amount in self.sums.items()
            if ordered == line.pk and its_kind == kind and amount
        }
        return dict(sorted(found.items()))

    def held_for_others(self, line: OrderLine, budget: int) -> Decimal:
        """Held by other placed orders of the same application's line, and by its pieces that are not placed."""
        if line.application_line_id is None:
            return ZERO
        others = [row for row in self.siblings[line.application_line_id] if row.pk != line.pk]
        return total(self._held_by(row, budget) for row in others) + self._held_unplaced(line, budget)

    def _held_by(self, row: OrderLine, budget: int) -> Decimal:
        if row.order.state not in LIVE_ORDERS or row.application_line is None:
            return ZERO
        ordered = self.posted(row, LedgerKind.ORDER).get(budget, ZERO)
        approved = cost_of(row, row.application_line.unit_price, row.quantity).get(budget, ZERO)
        return max(ZERO, max(ordered, approved) - self.posted(row, LedgerKind.PAY).get(budget, ZERO))

    def _held_unplaced(self, line: OrderLine, budget: int) -> Decimal:
        """What the approval committed, less the approved cost of the pieces that are placed or given up.

        The pieces of the line itself are no others, also while its own order is not placed.
        """
        applied = line.application_line
        if applied is None:
            return ZERO
        pieces = self.pieces[applied.pk]
        is_waiting = not line._state.adding and line.order.state in UNPLACED_ORDERS
        unplaced = pieces.unplaced - (line.quantity if is_waiting else 0)
        if unplaced < 1:
            return ZERO
        committed = self.sums[applied.pk, None, budget, LedgerKind.COMMIT]
        taken = cost_of(line, applied.unit_price, pieces.approved - unplaced).get(budget, ZERO)
        return max(ZERO, committed - taken)


class Booking:
    """Entries gathered line by line and posted budget by budget; `budgets` are locked."""

    def __init__(self, budgets: Mapping[int, Budget], *, by: User, note: str = "") -> None:
        self.budgets = budgets
        self.by = by
        self.note = note
        self.entries: defaultdict[int, list[Entry]] = defaultdict(list)
        self.extra: defaultdict[int, Amounts] = defaultdict(dict)

    def add(
        self,
        kind: str,
        line: OrderLine,
        amounts: Mapping[int, Decimal],
        *,
        sign: int = 1,
        invoice_line: InvoiceLine | None = None,
    ) -> None:
        """Entries of a kind about an order line, for each budget its own."""
        for budget, amount in amounts.items():
            if amount:
                about = None if line._state.adding else line
                entry = Entry(kind, sign * amount, line.application_line, self.note, about, invoice_line)
                self.entries[budget].append(entry)

    def cover(self, line: OrderLine, need: Mapping[int, Decimal], books: Books) -> None:
        """Commits what of a need is not committed yet; a line of an application remembers it as `extra_cost`."""
        short = {
            budget: uncovered(amount, open_amount=books.open(line, budget), held=books.held_for_others(line, budget))
            for budget, amount in need.items()
        }
        self.commit(line, {budget: amount for budget, amount in short.items() if amount})

    def commit(self, line: OrderLine, amounts: Mapping[int, Decimal], *, sign: int = 1) -> None:
        self.add(LedgerKind.COMMIT, line, amounts, sign=sign)
        if line.application_line_id is not None:
            extra = self.extra[line.application_line_id]
            for budget, amount in amounts.items():
                extra[budget] = extra.get(budget, ZERO) + sign * amount

    def release_surplus(self, line: OrderLine, books: Books) -> None:
        """What is committed for the line and held for nothing any more becomes available again."""
        for budget in sorted(books.budgets_of(line)):
            left = surplus(books.open(line, budget), books.held_for_others(line, budget))
            self.add(LedgerKind.RELEASE, line, {budget: left})

    def post(self) -> None:
        """Refuses what a budget has not available, then writes entries, allocations and extra costs."""
        self.ensure_affordable()
        for budget in sorted(self.entries):
            post_entries(self.budgets[budget], self.entries[budget], by=self.by)
            _lower_overrun(self.budgets[budget], self.entries[budget], by=self.by, reason=self.note)
        for line_id, amounts in sorted(self.extra.items()):
            _raise_extra(line_id, amounts, by=self.by, reason=self.note)

    def effects(self) -> list[BudgetEffect]:
        """What is newly committed, budget by budget."""
        return [
            BudgetEffect(pk, str(self.budgets[pk]), self.budgets[pk].available, needed)
            for pk, entries in sorted(self.entries.items())
            if (needed := total(entry.amount for entry in entries if entry.kind == LedgerKind.COMMIT)) > ZERO
        ]

    def committed_by_line(self) -> Mapping[OrderLine | None, Decimal]:
        """What is newly committed for each line of an order, out of all budgets."""
        sums: defaultdict[OrderLine | None, Decimal] = defaultdict(lambda: ZERO)
        for entry in chain.from_iterable(self.entries.values()):
            if entry.kind == LedgerKind.COMMIT:
                sums[entry.order_line] += entry.amount
        return sums

    def ensure_affordable(self) -> None:
        """Refuses what a budget has not available."""
        if message := refusal(self.effects()):
            raise DomainError(message, code="unaffordable", field="budget")


def _lower_overrun(budget: Budget, entries: Sequence[Entry], *, by: User, reason: str) -> None:
    """An allowed overrun falls with the money that was committed under it and is committed no longer."""
    freed = total(entry.amount for entry in entries if entry.kind == LedgerKind.RELEASE)
    freed -= total(entry.amount for entry in entries if entry.kind == LedgerKind.COMMIT)
    needed = max(budget.committed + budget.spent - appropriated(budget), ZERO)
    lowered = max(min(budget.overrun_allowed, budget.overrun_allowed - freed), needed)
    if lowered < budget.overrun_allowed:
        budget.overrun_allowed = lowered
        save_by(budget, by=by, update_fields=["overrun_allowed"], reason=reason)


def ensure_own_share(line: OrderLine, what: object) -> None:
    """A grant that pays a part needs municipal money beside it; municipal money pays all."""
    names = {"what": what, "budget": line.budget}
    own = line.own_share_budget
    if own is not None and own.grant_id is not None:
        message = _("“%(what)s”: the own share comes from municipal money, not from another grant.")
        raise DomainError(message % names, code="own_share_from_grant", field="own_share_budget")
    if own is not None and line.budget.grant_id is None:
        message = _("“%(what)s”: “%(budget)s” pays all. Please leave the own share empty.")
        raise DomainError(message % names, code="needless_own_share", field="own_share_budget")
    if own is None and line.budget.rate is not None and cost_of_own_share(line):
        message = _("“%(what)s”: “%(budget)s” pays only a part. Please choose the budget for the own share.")
        raise DomainError(message % names, code="missing_own_share", field="own_share_budget")


def cost_of_own_share(line: OrderLine) -> Decimal:
    """Euros of the line that its grant does not pay."""
    grant = line.budget.grant
    limit = None if grant is None else grant.limit_per_device
    split = split_eligible(line.amount, line.amount, rate=line.budget.rate, limit=limit, quantity=line.quantity)
    return split.own_share


def _raise_extra(line_id: int, amounts: Mapping[int, Decimal], *, by: User, reason: str) -> None:
    """Keeps the sum of a line's allocations what was committed for it."""
    line = ApplicationLine.objects.get(pk=line_id)
    line.extra_cost += total(amounts.values())
    save_by(line, by=by, update_fields=["extra_cost"], reason=reason)
    for budget, amount in amounts.items():
        if not amount:
            continue
        found = LineAllocation.objects.filter(line=line, budget_id=budget).first()
        found = found or LineAllocation(line=line, budget_id=budget, amount=ZERO)
        found.amount += amount
        if found.amount:
            found.save()
        else:
            found.delete()
