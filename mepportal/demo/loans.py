"""Generated loans for all devices that are on loan: class sets, written set-based, their numbers from a fixed seed."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Max

from apps.inventory.choices import Condition, DeviceStatus
from apps.inventory.loan_choices import Borrower, LoanState
from apps.inventory.models import Device, Loan, LoanChange
from apps.inventory.services.loan_rows import new_numbers
from mepportal.demo.days import at_noon
from mepportal.demo.people import People

SEED = 2026
SET = 12
"""Devices of one class."""
FORMS = {"02": range(3, 5), "30": range(11, 14)}
"""Forms that borrow, by key of the school type (primary school, vocational college); elsewhere 5 to 10."""
DUE = datetime.date(2027, 7, 31)
LATE = datetime.date(2026, 7, 31)
LATE_SETS = 15
"""Every so many sets were due a year earlier."""
TEACHERS = 25
"""Every so many devices are with a teacher."""

_Record: Any = Loan.history.model  # type: ignore[attr-defined]
_TRACKED = [field.attname for field in _Record.tracked_fields]


def load_loans(people: People) -> int:
    """Writes one open loan for each device that is on loan; returns how many."""
    devices = list(
        Device.objects.filter(status=DeviceStatus.ON_LOAN).select_related("school").order_by("school__number", "tag")
    )
    lent = Device.history.filter(status=DeviceStatus.ON_LOAN).values("id")  # type: ignore[attr-defined]
    moments = dict(lent.annotate(at=Max("history_date")).values_list("id", "at"))
    numbers = new_numbers(len(devices), random.Random(SEED))
    loans = [
        _loan(device, number, place, moments[device.pk].date())
        for (device, place), number in zip(_placed(devices), numbers, strict=True)
    ]
    Loan.objects.bulk_create(loans, batch_size=500)
    by = {device.pk: people.coordinators[device.school.number] for device in devices}
    LoanChange.objects.bulk_create(
        [LoanChange(loan=loan, step="hand_out", to_state=LoanState.OUT, by=by[loan.device_id]) for loan in loans],
        batch_size=500,
    )
    _date_back(loans, moments)
    _Record.objects.bulk_create([_record(loan, by, moments) for loan in loans], batch_size=500)
    return len(loans)


def _placed(devices: Sequence[Device]) -> Iterator[tuple[Device, int]]:
    """Each device with its place among those of its school."""
    for _school, group in itertools.groupby(devices, key=lambda device: device.school_id):
        yield from ((device, place) for place, device in enumerate(group))


def _loan(device: Device, number: str, place: int, since: datetime.date) -> Loan:
    teacher = place % TEACHERS == TEACHERS - 1
    number_of_set = place // SET
    late = number_of_set % LATE_SETS == LATE_SETS - 1 or (number_of_set == 0 and int(device.school.number) % 9 == 0)
    return Loan(
        number=number,
        device=device,
        school=device.school,
        borrower=Borrower.TEACHER if teacher else Borrower.PUPIL,
        group="" if teacher else _class(device.school.school_type_id, number_of_set),
        since=since,
        due_on=LATE if late and not teacher else DUE,
        until_school_year_ends=True,
        condition_out=Condition.GOOD,
        accessories="Ladekabel, Hülle",
        value=device.price,
    )


def _class(school_type: str, number: int) -> str:
    names = [f"{form}{letter}" for form, letter in itertools.product(FORMS.get(school_type, range(5, 11)), "abcd")]
    return names[number % len(names)]


def _date_back(loans: Sequence[Loan], moments: Mapping[int, datetime.datetime]) -> None:
    """Recorded when handed out; a few statements, because many went out on one day."""
    days = {moments[loan.device_id].date() for loan in loans}
    for day in sorted(days):
        Loan.objects.filter(since=day).update(created_at=at_noon(day))
        LoanChange.objects.filter(loan__since=day).update(at=at_noon(day))


def _record(loan: Loan, by: Mapping[int, Any], moments: Mapping[int, datetime.datetime]) -> Any:
    moment = moments[loan.device_id]
    facts = {name: getattr(loan, name) for name in _TRACKED} | {"created_at": moment}
    return _Record(history_date=moment, history_type="+", history_user=by[loan.device_id], **facts)
