"""What the office must do about money until a day: for its start page, a few queries whatever the number of rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock, formats
from apps.funding.choices import DrawdownState, InvoiceState, OrderState, ProofState, ProposalState
from apps.funding.models import (
    ApplicationRound,
    BudgetChange,
    DatedRule,
    Drawdown,
    Grant,
    Invoice,
    Order,
    OrderStatusChange,
    ProofOfUse,
)
from apps.funding.proof_marks import moved_proofs
from apps.funding.proof_words import difference_in_words

AHEAD = datetime.timedelta(days=90)
"""How early the end of an implementation and a proof of use are shown."""
ROUND_AHEAD = datetime.timedelta(days=30)
MOST = 20
"""So many of a kind at most; the lists hold the rest."""


class DeadlineKind(StrEnum):
    IMPLEMENTATION_ENDS = "implementation_ends"
    PROOF_DUE = "proof_due"
    ROUND_CLOSES = "round_closes"
    CHANGE_WAITS = "change_waits"
    ORDER_WAITS = "order_waits"
    INVOICE_UNPAID = "invoice_unpaid"
    DRAWDOWN_OPEN = "drawdown_open"
    RULE_WAITS = "rule_waits"
    PROOF_MOVED = "proof_moved"


_FALLS_DUE = frozenset(
    {DeadlineKind.IMPLEMENTATION_ENDS, DeadlineKind.PROOF_DUE, DeadlineKind.ROUND_CLOSES, DeadlineKind.RULE_WAITS}
)
"""Their day lies ahead; the others wait since their day."""


@dataclass(frozen=True)
class Deadline:
    """One thing to do about `row`: until `day`, or waiting since then."""

    kind: DeadlineKind
    row: Any
    day: datetime.date
    what: str

    @property
    def is_overdue(self) -> bool:
        return self.kind in _FALLS_DUE and self.day < clock.today()

    @property
    def when(self) -> str:
        """The day in words: "in 12 Tagen (12.12.2026)", "überfällig seit dem 30.11.2026", "seit dem 30.11.2026"."""
        day = {"day": formats.day(self.day)}
        if self.kind == DeadlineKind.PROOF_MOVED:
            return _("handed in on %(day)s") % day
        if self.kind not in _FALLS_DUE:
            return _("waits since %(day)s") % day
        days = (self.day - clock.today()).days
        if days < 0:
            return _("overdue since %(day)s") % day
        if days == 0:
            return _("today")
        return ngettext("in %(count)s day (%(day)s)", "in %(count)s days (%(day)s)", days) % ({"count": days} | day)


def deadlines(user: User) -> list[Deadline]:
    """What this person can do something about, the nearest or longest overdue day first."""
    found: list[Deadline] = []
    for permission, read in _SOURCES:
        if user.has_perm(permission):
            found.extend(read(user))
    return sorted(found, key=lambda row: (row.day, row.kind, row.row.pk))


def _implementation_ends(user: User) -> Iterator[Deadline]:
    today = clock.today()
    rows = Grant.objects.visible_to(user).filter(implementation_until__range=(today, today + AHEAD))
    for grant in rows.select_related("programme").order_by("implementation_until", "pk")[:MOST]:
        what = _("The implementation of %(grant)s ends") % {"grant": grant}
        yield Deadline(DeadlineKind.IMPLEMENTATION_ENDS, grant, grant.implementation_until, what)


def _proofs_due(user: User) -> Iterator[Deadline]:
    """Until a proof of the grant is handed in and none is a draft any more."""
    proofs = ProofOfUse.objects.filter(grant=OuterRef("pk"))
    rows = Grant.objects.visible_to(user).filter(proof_due_on__lte=clock.today() + AHEAD)
    rows = rows.exclude(
        Exists(proofs.filter(state=ProofState.HANDED_IN)) & ~Exists(proofs.exclude(state=ProofState.HANDED_IN))
    )
    for grant in rows.select_related("programme").order_by("proof_due_on", "pk")[:MOST]:
        what = _("Proof of use of %(grant)s") % {"grant": grant}
        yield Deadline(DeadlineKind.PROOF_DUE, grant, grant.proof_due_on, what)


def _rounds_closing(user: User) -> Iterator[Deadline]:
    today = clock.today()
    rows = ApplicationRound.objects.visible_to(user).filter(closes_on__range=(today, today + ROUND_AHEAD))
    for row in rows.order_by("closes_on", "pk")[:MOST]:
        yield Deadline(
            DeadlineKind.ROUND_CLOSES, row, row.closes_on, _("The round “%(round)s” closes") % {"round": row}
        )


def _changes_to_confirm(user: User) -> Iterator[Deadline]:
    """Those that others have proposed."""
    rows = BudgetChange.objects.visible_to(user).filter(state=ProposalState.PROPOSED).exclude(proposed_by=user)
    for row in rows.select_related("budget").order_by("proposed_at", "pk")[:MOST]:
        yield Deadline(DeadlineKind.CHANGE_WAITS, row, clock.day_of(row.proposed_at), str(row))


def _orders_to_approve(user: User) -> Iterator[Deadline]:
    """Those that others have made and proposed."""
    rows: QuerySet[Any] = Order.objects.visible_to(user).filter(state=OrderState.PROPOSED)
    rows = rows.exclude(proposed_by=user).exclude(created_by=user)
    proposed = OrderStatusChange.objects.filter(order=OuterRef("pk"), to_state=OrderState.PROPOSED).order_by("-pk")
    rows = rows.annotate(proposed_at=Subquery(proposed.values("at")[:1]))
    for row in rows.select_related("supplier").order_by("proposed_at", "pk")[:MOST]:
        what = _("Order %(number)s at %(supplier)s waits for approval") % {"number": row, "supplier": row.supplier}
        yield Deadline(DeadlineKind.ORDER_WAITS, row, clock.day_of(row.proposed_at), what)


def _unpaid_invoices(user: User) -> Iterator[Deadline]:
    """Those that others have recorded: payment is ordered by another person."""
    rows = Invoice.objects.visible_to(user).filter(state=InvoiceState.RECORDED).exclude(recorded_by=user)
    for row in rows.order_by("recorded_at", "pk")[:MOST]:
        what = _("Invoice %(number)s of %(payee)s") % {"number": row.voucher_number, "payee": row.payee}
        yield Deadline(DeadlineKind.INVOICE_UNPAID, row, clock.day_of(row.recorded_at), what)


def _rules_to_confirm(user: User) -> Iterator[Deadline]:
    """Those that others have proposed, until the day from which they were to hold."""
    visible: Any = DatedRule.objects.visible_to(user)
    rows = visible.waiting().filter(valid_from__gt=clock.today()).exclude(proposed_by=user)
    for row in rows.order_by("valid_from", "pk")[:MOST]:
        what = _("Proposed rule: %(rule)s") % {"rule": row.get_kind_display()}
        yield Deadline(DeadlineKind.RULE_WAITS, row, row.valid_from, what)


def _moved_proofs(user: User) -> Iterator[Deadline]:
    """Handed in, and the figures of today are others."""
    for row in moved_proofs(user)[:MOST]:
        proof = row.proof
        name = str(proof.grant) if proof.school is None else f"{proof.grant}, {proof.school.short_name}"
        label, _before, _after, by = difference_in_words(row.differences[0])
        what = _("Figures changed since handing in, %(proof)s: %(figure)s %(by)s") % {
            "proof": name, "figure": label, "by": by,
        }  # fmt: skip
        yield Deadline(DeadlineKind.PROOF_MOVED, proof, proof.handed_in_on or clock.today(), what)


def _open_drawdowns(user: User) -> Iterator[Deadline]:
    rows = Drawdown.objects.visible_to(user).filter(state=DrawdownState.REQUESTED, requested_on__isnull=False)
    for row in rows.select_related("grant__programme").order_by("requested_on", "pk")[:MOST]:
        what = _("Drawdown %(number)s of %(grant)s") % {"number": row.number, "grant": row.grant}
        yield Deadline(DeadlineKind.DRAWDOWN_OPEN, row, row.requested_on, what)


_SOURCES: tuple[tuple[str, Callable[[User], Iterable[Deadline]]], ...] = (
    ("funding.change_grant", _implementation_ends),
    ("funding.change_grant", _proofs_due),
    ("funding.change_applicationround", _rounds_closing),
    ("funding.confirm_budget", _changes_to_confirm),
    ("funding.approve_application", _orders_to_approve),
    ("funding.pay_invoice", _unpaid_invoices),
    ("funding.keep_proofs", _open_drawdowns),
    ("funding.keep_proofs", _moved_proofs),
    ("funding.change_datedrule", _rules_to_confirm),
)
"""Who can do something about it, and where it is read."""
