"""Proofs that were handed in and whose figures have moved since: a few queries, whatever the number of vouchers.

A credit note, a later payment, a return of devices or a change notice moves them. What was handed in stays as it is;
the office decides whether the proof is reopened. The way of the grant's money is left out: that the rest is drawn and
comes after the proof is no change of what was proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Sum, When
from django.db.models.functions import Coalesce

from apps.accounts.models import User
from apps.core.money import ZERO
from apps.funding.choices import InvoiceState, LedgerKind, ProofState
from apps.funding.models import InvoiceLine, LedgerEntry, ProofOfUse, PurchasedDevice
from apps.funding.proof_figures import planned_eligible
from apps.funding.proof_keeping import Difference, moved, sums_from_json

_Key = tuple[int, int | None]
"""Grant, school."""
_Sums = Mapping[_Key, tuple[Decimal, ...]]


@dataclass(frozen=True)
class MovedProof:
    """`differences`: what was handed in against today."""

    proof: ProofOfUse
    differences: Sequence[Difference]


def moved_proofs(user: User) -> list[MovedProof]:
    """Those that the user sees, the one handed in first on top."""
    rows = ProofOfUse.objects.visible_to(user).filter(state=ProofState.HANDED_IN)
    proofs = list(rows.select_related("grant__programme", "school").defer("figures").order_by("handed_in_on", "pk"))
    found = differences_of(proofs)
    return [MovedProof(proof, found[proof.pk]) for proof in proofs if found[proof.pk]]


def differences_of(proofs: Iterable[ProofOfUse]) -> dict[int, list[Difference]]:
    """Of each proof, what has moved since it was handed in; nothing for a draft."""
    rows = list(proofs)
    kept = [row for row in rows if row.state == ProofState.HANDED_IN and row.sums is not None]
    today = sums_today(kept)
    return {row.pk: [] for row in rows} | {row.pk: moved(sums_from_json(row.sums), today[row.pk]) for row in kept}


def sums_today(proofs: Sequence[ProofOfUse]) -> dict[int, dict[str, Decimal]]:
    """What `proof_keeping.sums_of` makes of the figures of today, without reading their rows."""
    if not proofs:
        return {}
    grants = {row.grant_id for row in proofs}
    vouchers, devices = _vouchers(grants), _devices(grants)
    committed = _committed(grants) if any(row.school_id for row in proofs) else {}
    return {row.pk: _sums(row, vouchers, devices, committed) for row in proofs}


def _sums(proof: ProofOfUse, vouchers: _Sums, devices: _Sums, committed: _Sums) -> dict[str, Decimal]:
    grant = proof.grant
    spent, eligible, granted, lines = _of(proof, vouchers, 4)
    cost, pieces = _of(proof, devices, 2)
    planned = grant.amount if proof.school_id is None else _of(proof, committed, 1)[0]
    return {
        "planned": planned_eligible(planned, grant.rate),
        "spent": spent,
        "eligible": eligible,
        "granted": granted,
        "own_share": eligible - granted,
        "vouchers": lines,
        "devices": pieces,
        "cost_of_devices": cost,
    }


def _of(proof: ProofOfUse, sums: _Sums, columns: int) -> list[Decimal]:
    """Of the proof's school, or of all schools of its grant."""
    found = [
        row
        for (grant, school), row in sums.items()
        if grant == proof.grant_id and proof.school_id in (None, school)
    ]  # fmt: skip
    return [sum((row[column] for row in found), ZERO) for column in range(columns)]


def _vouchers(grants: Iterable[int]) -> _Sums:
    """Amount, eligible, paid by the grant, number of lines: of what `proof_selectors.paid_lines` reads."""
    rows = InvoiceLine.objects.filter(order_line__budget__grant__in=grants, invoice__state=InvoiceState.PAID)
    return _grouped(
        rows, "order_line__budget__grant", F("order_line__school"),
        Sum("amount"), Sum("eligible_amount"), Sum("grant_amount"), Count("pk"),
    )  # fmt: skip


def _devices(grants: Iterable[int]) -> _Sums:
    """Cost and number of what was bought and not sent back."""
    rows = PurchasedDevice.objects.filter(order_line__budget__grant__in=grants, returned_on=None)
    cost = Sum(Coalesce("device__price", "order_line__unit_price"))
    return _grouped(rows, "order_line__budget__grant", F("order_line__school"), cost, Count("pk"))


def _committed(grants: Iterable[int]) -> _Sums:
    """What was committed for each school, through an order's line or an application's."""
    rows = LedgerEntry.objects.filter(kind=LedgerKind.COMMIT, budget__grant__in=grants)
    school = Case(When(order_line=None, then=F("line__application__school")), default=F("order_line__school"))
    return _grouped(rows, "budget__grant", school, Sum("amount"))


def _grouped(rows: Any, grant: str, school: Any, *aggregates: Any) -> _Sums:
    names = [f"sum_{number}" for number in range(len(aggregates))]
    groups = rows.order_by().annotate(key_grant=F(grant), key_school=school).values("key_grant", "key_school")
    return {
        (row["key_grant"], row["key_school"]): tuple(Decimal(row[name] or 0) for name in names)
        for row in groups.annotate(**dict(zip(names, aggregates, strict=True)))
    }
