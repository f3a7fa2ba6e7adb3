"""An application follows the orders of its lines: the one place that moves it on after its approval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from apps.accounts.models import User
from apps.core.history import save_by
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, EquipmentApplication
from apps.funding.purchase_selectors import pieces_of
from apps.funding.purchasing import following_state
from apps.funding.services.steps import change_state
from apps.funding.workflow import APPROVED_STATES

S = ApplicationState
_UP = {S.ORDERED: ("deliver", S.DELIVERED), S.DELIVERED: ("close", S.CLOSED)} | dict.fromkeys(
    APPROVED_STATES, ("order", S.ORDERED)
)
_RANK = dict.fromkeys(APPROVED_STATES, 0) | {S.ORDERED: 1, S.DELIVERED: 2, S.CLOSED: 3}


def follow_orders(applications: Iterable[EquipmentApplication], *, by: User, reason: str = "") -> None:
    """Brings locked applications to the state that their orders say, step by step, each with its status change."""
    rows = list(applications)
    lines: defaultdict[int, list[ApplicationLine]] = defaultdict(list)
    for line in ApplicationLine.objects.filter(application__in=rows).order_by("pk"):
        lines[line.application_id].append(line)
    pieces = pieces_of([line for group in lines.values() for line in group])
    for row in rows:
        own = lines[row.pk]
        target = following_state([pieces[line.pk] for line in own], approved_state=_approved_state(own))
        if row.state not in _RANK or row.state == target:
            continue
        nothing_came = not any(pieces[line.pk].delivered for line in own)
        _walk(row, target, nothing_came=nothing_came, by=by, reason=reason)
        save_by(row, by=by, update_fields=["state"])


def _approved_state(lines: Iterable[ApplicationLine]) -> ApplicationState:
    in_full = all(line.approved_quantity == line.quantity for line in lines)
    return S.APPROVED if in_full else S.PARTIALLY_APPROVED


def _walk(row: EquipmentApplication, target: ApplicationState, *, nothing_came: bool, by: User, reason: str) -> None:
    """The steps of the table that lead there; what was given up before anything came is closed at once."""
    while _RANK[S(row.state)] < _RANK[target]:
        verb, then = _UP[S(row.state)]
        if target == S.CLOSED and nothing_came and row.state in APPROVED_STATES:
            verb, then = "close", S.CLOSED
        change_state(row, verb, then, by=by, reason=reason)
    while _RANK[S(row.state)] > _RANK[target]:
        back, then = ("return_goods", S.ORDERED) if row.state == S.DELIVERED else ("cancel_order", target)
        change_state(row, back, then, by=by, reason=reason)
