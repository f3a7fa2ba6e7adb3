"""Loans: each function is one step of `loan_workflow.TRANSITIONS` or the hand-out, with the device's own step in it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.querysets import ensure_still_visible
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import Borrower, LoanState
from apps.inventory.loan_selectors import (
    lendable_parts,
    loan_of_scan,
    open_loan_of,
    rules_on,
    why_not_for_pupils,
    why_not_lendable,
    why_too_late,
)
from apps.inventory.loan_workflow import KEEP, TRANSITIONS
from apps.inventory.models import Device, Loan
from apps.inventory.numbering import tidy
from apps.inventory.placing import ensure_day
from apps.inventory.services import loan_rows, steps
from apps.inventory.services.common import ensure_may, lock_kit, locked
from apps.schools.models import School

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def hand_out(
    *,
    device: Device,
    by: User,
    borrower: str,
    due_on: datetime.date | None,
    group: str = "",
    until_school_year_ends: bool = False,
    since: datetime.date | None = None,
    school: School | None = None,
    condition: str = "",
    damage: str = "",
    accessories: str = "",
    remark: str = "",
    borrower_name: str = "",
    without: Collection[int] = (),
    key: uuid.UUID | None = None,
) -> Loan:
    """Lends a device to a pupil or a teacher: opens the loan, and the device is on loan.

    The other parts of its kit go out with it, each as a loan of its own with `main`; those that cannot
    be lent now stay, as do the devices `without` names by id.

    `school`: where the device has to stand, where that was chosen before. Its acquisition cost becomes the loan's
    value. Pupils get kinds only that are for them. A name is refused unless the city stores names (`LoanRules`).
    `condition` empty: as recorded with the device; what is said here is recorded there, too. `key`: of the scan; sent
    again, it opens no second loan.
    """
    ensure_may(by, KEEP)
    day = since or today()
    _ensure_terms(day, due_on, borrower=borrower, group=group, borrower_name=borrower_name)
    lock_kit(device, by)
    if (earlier := loan_of_scan(key, by)) is not None:
        return earlier
    row = locked(device, by)
    refusal = why_not_lendable(row, school) or (why_not_for_pupils(row) if borrower == Borrower.PUPIL else "")
    if refusal:
        raise DomainError(refusal, code="not_lendable", field="code")
    terms = {
        "borrower": Borrower(borrower),
        "group": tidy(group),
        "since": day,
        "due_on": due_on,
        "until_school_year_ends": until_school_year_ends,
        "borrower_name": tidy(borrower_name),
    }
    loan = _open(row, by, condition, key=key, **terms, damage_out=damage.strip(), accessories=tidy(accessories),
                 remark=remark.strip())  # fmt: skip
    _lend_parts(row, by, without, {**terms, "main": loan})
    return loan


def _ensure_terms(
    day: datetime.date, due_on: datetime.date | None, *, borrower: str, group: str, borrower_name: str
) -> None:
    ensure_day(day, None, field="since")
    ensure_due(due_on, day)
    ensure_group(borrower, group)
    _ensure_name_allowed(borrower_name)


def _lend_parts(row: Device, by: User, without: Collection[int], terms: dict[str, Any]) -> None:
    for part in lendable_parts(row, by):
        if part.pk not in without:
            _open(part, by, "", **terms)


@transaction.atomic
def take_back(
    *,
    loan: Loan,
    by: User,
    condition: str = "",
    damage: str = "",
    remark: str = "",
    missing: Collection[int] = (),
    key: uuid.UUID | None = None,
) -> Loan:
    """Takes a device back today: the loan ends, and the device is in use again where it stands.

    The parts that went out with it come back, too, but for those whose loans `missing` names by id: they stay on loan.
    `condition` empty: unchanged since the hand-out. `key`: as with `hand_out`.
    """
    lock_kit(loan.device, by)
    if (earlier := loan_of_scan(key, by)) is not None:
        return earlier
    row = _locked(loan, "take_back", LoanState.RETURNED, by=by)
    row.damage_back = damage.strip()
    row.remark = "\n".join(filter(None, (row.remark, remark.strip())))
    _take_back(row, by, condition, key)
    for part in _parts(row, LoanState.OUT):
        if part.pk not in missing:
            _take_back(part, by, "")
    return row


@transaction.atomic
def take_back_device(
    *,
    device: Device,
    by: User,
    condition: str = "",
    damage: str = "",
    remark: str = "",
    missing: Collection[int] = (),
) -> Device:
    """Takes back what is known by its device; see `take_back`. Returns the device."""
    lock_kit(device, by)
    row = locked(device, by)
    loan = open_loan_of(row)
    if loan is None:
        return steps.return_loan(device=row, by=by)
    loan.device = row
    ended = take_back(loan=loan, by=by, condition=condition, damage=damage, remark=remark, missing=missing)
    return ended.device


@transaction.atomic
def extend_loan(*, loan: Loan, by: User, due_on: datetime.date | None, until_school_year_ends: bool = False) -> Loan:
    """Gives the loan, and the parts out with it, another due date; people are reminded of that one anew."""
    row = _locked(loan, "extend_loan", LoanState.OUT, by=by)
    ensure_due(due_on, today())
    if due_on == row.due_on:
        raise DomainError(_("This is the due date already. Please choose another day."), field="due_on")
    for each in (row, *_parts(row, LoanState.OUT)):
        days = {"before": formats.day(each.due_on), "after": formats.day(due_on)}
        each.due_on, each.until_school_year_ends = due_on, until_school_year_ends
        words = _("Due date: %(before)s, now %(after)s") % days
        _save(each, "extend_loan", was=LoanState.OUT, by=by, reason=str(words))
    return row


@transaction.atomic
def report_loan_lost(*, loan: Loan, by: User, reason: str = "") -> Loan:
    """The borrower has lost the device: the loan ends, and the device no longer counts from today on."""
    return _lose(loan, "report_loan_lost", LoanState.LOST, by=by, reason=reason)


@transaction.atomic
def report_loan_stolen(*, loan: Loan, by: User, reason: str = "") -> Loan:
    """The device was stolen from the borrower: the loan ends, and the device no longer counts from today on."""
    return _lose(loan, "report_loan_stolen", LoanState.STOLEN, by=by, reason=reason)


@transaction.atomic
def undo_hand_out(*, loan: Loan, by: User) -> Loan:
    """Takes a hand-out of today back as a mistake: the loan is called off, and the device is in use as before.

    Its condition, too, becomes what it was before, unless somebody has corrected it since.
    With the loan of a kit's part that part alone is left out; with that of the main one all parts are.
    """
    row = _locked(loan, "undo_hand_out", LoanState.CANCELLED, by=by)
    for each in (row, *_parts(row, LoanState.OUT)):
        each.state, each.ended_on = LoanState.CANCELLED, max(today(), each.since)
        _save(each, "undo_hand_out", was=LoanState.OUT, by=by)
        steps.undo_lending(device=each.device, by=by)
    return row


@transaction.atomic
def undo_take_back(*, loan: Loan, by: User) -> Loan:
    """The device was not given back after all: the loan of today goes on as it was, without the return's remark.

    The device's condition becomes what it was before, unless somebody has corrected it since.
    With the loan of a kit's part that part alone is missing; with that of the main one all that came back today are out
    again.
    """
    row = _locked(loan, "undo_take_back", LoanState.OUT, by=by)
    parts = [part for part in _parts(row, LoanState.RETURNED) if part.ended_on == row.ended_on]
    for each in (row, *parts):
        if refusal := why_not_lendable(each.device, each.school):
            raise DomainError(refusal, code="not_lendable")
        each.remark = loan_rows.value_before(each, "remark", state="state", was={LoanState.OUT})
        each.state, each.ended_on, each.condition_back, each.damage_back = LoanState.OUT, None, "", ""
        _save(each, "undo_take_back", was=LoanState.RETURNED, by=by)
        steps.undo_return(device=each.device, by=by)
    return row


def ensure_due(due_on: datetime.date | None, earliest: datetime.date) -> None:
    """Refuses a due date before the loan, or before today for one that goes on."""
    if due_on is not None and due_on < earliest:
        raise DomainError(
            _("The due date lies before %(day)s. Please enter a later day.") % {"day": formats.day(earliest)},
            field="due_on",
        )


def ensure_group(borrower: str, group: str) -> None:
    """Pupils borrow with their class, teachers need none."""
    if borrower == Borrower.PUPIL and not group.strip():
        raise DomainError(_("Please enter the class, for example 7b."), field="group")


def _ensure_name_allowed(name: str) -> None:
    if name.strip() and not rules_on().names_allowed:
        raise DomainError(
            _("The city stores no names of borrowers. Please leave the name out; the receipt has a line for it."),
            field="borrower_name",
        )


def _locked(loan: Loan, step: str, target: LoanState, *, by: User) -> Loan:
    """Locks the loan's device and kit, which guard its loans, reads the loan anew and checks role and step."""
    ensure_may(by, TRANSITIONS.transitions[step].permission)
    lock_kit(loan.device, by)
    device = locked(loan.device, by)
    row: Loan = Loan.objects.select_related("school").get(pk=loan.pk)
    row.device = device
    TRANSITIONS.ensure(step, source=row.state, target=target)
    if refusal := why_too_late(row, step):
        raise DomainError(refusal, code="too_late")
    return row


def _parts(loan: Loan, state: LoanState) -> list[Loan]:
    """The loans of parts that went out with this one and are in this state. The kit must be locked."""
    return list(Loan.objects.filter(main=loan, state=state).select_related("device", "school").order_by("device"))


def _open(row: Device, by: User, condition: str, **facts: Any) -> Loan:
    known = Condition(condition) if condition else row.condition
    loan = loan_rows.open_row(row, by=by, step="hand_out", condition_out=known, **facts)
    steps.lend_device(device=row, by=by, condition=condition)
    ensure_still_visible(loan, by)
    return loan


def _take_back(row: Loan, by: User, condition: str, key: uuid.UUID | None = None) -> None:
    row.state, row.ended_on = LoanState.RETURNED, today()
    row.condition_back = Condition(condition) if condition else row.condition_out
    _save(row, "take_back", was=LoanState.OUT, by=by, key=key)
    steps.return_loan(device=row.device, by=by, condition=condition)


def _lose(loan: Loan, step: str, target: LoanState, *, by: User, reason: str) -> Loan:
    row = _locked(loan, step, target, by=by)
    row.state, row.ended_on = target, max(today(), row.since)
    _save(row, step, was=LoanState.OUT, by=by, reason=reason.strip())
    step_of_device = steps.report_lost if target == LoanState.LOST else steps.report_stolen
    step_of_device(device=row.device, by=by)
    return row


def _save(row: Loan, step: str, *, was: LoanState, by: User, reason: str = "", key: uuid.UUID | None = None) -> None:
    save_by(row, by=by)
    loan_rows.note(row, step, was=was, by=by, reason=reason, key=key)
    ensure_still_visible(row, by)
