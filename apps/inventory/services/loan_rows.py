"""The rows of loans, and what keeps them in step with the status of their devices. Part of the services.

Whoever writes a device's status calls `follow_status` (one device) or `follow_statuses` (many) afterwards: a device is
`on_loan` exactly while it has an open loan. The devices must be locked; their lock guards their loans, too.
"""

from __future__ import annotations

import datetime
import random
import secrets
import uuid
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from apps.core.clock import today
from apps.core.history import bulk_create_by, bulk_update_by, save_by
from apps.inventory.choices import DeviceStatus
from apps.inventory.loan_choices import LoanState
from apps.inventory.models import Device, Loan, LoanChange

if TYPE_CHECKING:
    from apps.accounts.models import User

ALPHABET = "23456789BCDFGHJKMNPQRTVWXZ"
"""No vowels, so that no words come out, and nothing that reads like something else."""
_ENDS = {DeviceStatus.LOST: LoanState.LOST, DeviceStatus.STOLEN: LoanState.STOLEN}


def new_numbers(quantity: int, chance: random.Random | None = None) -> list[str]:
    """Free loan numbers such as "L-4K7-M2P", drawn by lot: nothing can be read from them."""
    chance = chance or secrets.SystemRandom()
    found: dict[str, None] = {}
    while len(found) < quantity:
        drawn = {_number(chance): None for _missing in range(quantity - len(found))}
        taken = set(Loan.objects.filter(number__in=drawn).values_list("number", flat=True))
        found |= {number: None for number in drawn if number not in taken}
    return list(found)


def _number(chance: random.Random) -> str:
    drawn = "".join(chance.choice(ALPHABET) for _place in range(6))
    return f"L-{drawn[:3]}-{drawn[3:]}"


def open_row(device: Device, *, by: User | None, step: str, key: uuid.UUID | None = None, **facts: Any) -> Loan:
    """A new open loan of a device that stands at a school."""
    loan = Loan(**_started(device, new_numbers(1)[0], **facts))
    save_by(loan, by=by)
    note(loan, step, was="", by=by, key=key)
    return loan


def _started(device: Device, number: str, **facts: Any) -> dict[str, Any]:
    start = {"since": today(), "value": device.price}
    return {"device": device, "school_id": device.school_id, "number": number, **start, **facts}


def note(loan: Loan, step: str, *, was: str, by: User | None, reason: str = "", key: uuid.UUID | None = None) -> None:
    """One row of the loan's course."""
    LoanChange.objects.create(loan=loan, step=step, from_state=was, to_state=loan.state, by=by, reason=reason, key=key)


def value_before(row: Device | Loan, field: str, *, state: str, was: Collection[str]) -> Any:
    """What `field` was before the step that led on from one of the states `was`; as it is where it was changed since.

    `state` names the field of the state. The row must bear what is stored.
    """
    now, written = getattr(row, field), getattr(row, field)
    versions = row.history.order_by("-history_date", "-history_id").values_list(state, field)
    for then, value in versions:
        if then in was:
            return value if now == written else now
        written = value
    return now


def follow_status(device: Device, *, by: User, on: datetime.date | None = None) -> None:
    """Opens or ends the device's loan where only its status was written: nothing is known about the borrower then."""
    loan = Loan.objects.filter(device=device, state=LoanState.OUT).first()
    if device.status == DeviceStatus.ON_LOAN and loan is None:
        open_row(device, by=by, step="hand_out")
    elif device.status != DeviceStatus.ON_LOAN and loan is not None:
        loan.state = _ENDS.get(DeviceStatus(device.status), LoanState.RETURNED)
        loan.ended_on = max(on or today(), loan.since)
        save_by(loan, by=by, update_fields=["state", "ended_on"])
        note(loan, _step_to(loan), was=LoanState.OUT, by=by)


def _step_to(loan: Loan) -> str:
    steps = {LoanState.LOST: "report_loan_lost", LoanState.STOLEN: "report_loan_stolen"}
    return steps.get(LoanState(loan.state), "take_back")


def follow_statuses(devices: Sequence[Device], days: dict[int, datetime.date], *, by: User | None) -> None:
    """The same for many devices, in a few statements; `days`: device id -> the day of the change."""
    by_device = {loan.device_id: loan for loan in Loan.objects.filter(device__in=devices, state=LoanState.OUT)}
    lent = [row for row in devices if row.status == DeviceStatus.ON_LOAN and row.pk not in by_device]
    ended = [by_device[row.pk] for row in devices if row.status != DeviceStatus.ON_LOAN and row.pk in by_device]
    statuses = {row.pk: DeviceStatus(row.status) for row in devices}
    for loan in ended:
        loan.state = _ENDS.get(statuses[loan.device_id], LoanState.RETURNED)
        loan.ended_on = max(days[loan.device_id], loan.since)
    bulk_update_by(ended, ["state", "ended_on"], by=by)
    numbers = new_numbers(len(lent))
    started = [Loan(**_started(row, number, since=days[row.pk])) for row, number in zip(lent, numbers, strict=True)]
    created = bulk_create_by(started, by=by)
    changes = [LoanChange(loan=loan, step="hand_out", to_state=loan.state, by=by) for loan in created]
    changes += [
        LoanChange(loan=loan, step=_step_to(loan), from_state=LoanState.OUT, to_state=loan.state, by=by)
        for loan in ended
    ]
    LoanChange.objects.bulk_create(changes, batch_size=500)
