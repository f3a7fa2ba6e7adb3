"""Loans: each function is one step of `loan_workflow.TRANSITIONS` or the hand-out, with the device's own step in it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.querysets import ensure_still_visible
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import Borrower, LoanState
from apps.inventory.loan_selectors import actions_for, open_loan_of, rules_on, why_not_lendable
from apps.inventory.loan_workflow import KEEP, TRANSITIONS
from apps.inventory.models import Device, Loan
from apps.inventory.numbering import tidy
from apps.inventory.placing import ensure_day
from apps.inventory.services import loan_rows, steps
from apps.inventory.services.common import ensure_may, locked
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
) -> Loan:
    """Lends a device to a pupil or a teacher: opens the loan, and the device is on loan.

    `school`: where the device has to stand, where that was chosen before. Its acquisition cost becomes the loan's
    value. A name is refused unless the city stores names (`LoanRules`). `condition` empty: as recorded with the device;
    what is said here is recorded there, too.
    """
    ensure_may(by, KEEP)
    day = since or today()
    ensure_day(day, None, field="since")
    ensure_due(due_on, day)
    _ensure_name_allowed(borrower_name)
    row = locked(device, by)
    if refusal := why_not_lendable(row, school):
        raise DomainError(refusal, code="not_lendable", field="code")
    loan = loan_rows.open_row(
        row,
        by=by,
        step="hand_out",
        borrower=Borrower(borrower),
        group=tidy(group),
        since=day,
        due_on=due_on,
        until_school_year_ends=until_school_year_ends,
        condition_out=Condition(condition) if condition else row.condition,
        damage_out=damage.strip(),
        accessories=tidy(accessories),
        remark=remark.strip(),
        borrower_name=tidy(borrower_name),
    )
    steps.lend_device(device=row, by=by, condition=condition)
    ensure_still_visible(loan, by)
    return loan


@transaction.atomic
def take_back(*, loan: Loan, by: User, condition: str = "", damage: str = "", remark: str = "") -> Loan:
    """Takes a device back today: the loan ends, and the device is in use again where it stands.

    `condition` empty: unchanged since the hand-out.
    """
    row = _locked(loan, "take_back", LoanState.RETURNED, by=by)
    row.state, row.ended_on = LoanState.RETURNED, today()
    row.condition_back = Condition(condition) if condition else row.condition_out
    row.damage_back = damage.strip()
    row.remark = "\n".join(filter(None, (row.remark, remark.strip())))
    _save(row, "take_back", was=LoanState.OUT, by=by)
    steps.return_loan(device=row.device, by=by, condition=condition)
    return row


@transaction.atomic
def take_back_device(*, device: Device, by: User, condition: str = "", damage: str = "", remark: str = "") -> Device:
    """Takes back what is known by its device; see `take_back`. Returns the device."""
    row = locked(device, by)
    loan = open_loan_of(row)
    if loan is None:
        return steps.return_loan(device=row, by=by)
    loan.device = row
    return take_back(loan=loan, by=by, condition=condition, damage=damage, remark=remark).device


@transaction.atomic
def extend_loan(*, loan: Loan, by: User, due_on: datetime.date | None, until_school_year_ends: bool = False) -> Loan:
    """Gives the loan another due date; people are reminded of that one anew."""
    row = _locked(loan, "extend_loan", LoanState.OUT, by=by)
    ensure_due(due_on, today())
    if due_on == row.due_on:
        raise DomainError(_("This is the due date already. Please choose another day."), field="due_on")
    before = formats.day(row.due_on)
    row.due_on, row.until_school_year_ends = due_on, until_school_year_ends
    words = _("Due date: %(before)s, now %(after)s") % {"before": before, "after": formats.day(due_on)}
    _save(row, "extend_loan", was=LoanState.OUT, by=by, reason=str(words))
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
    """Takes a hand-out of today back as a mistake: the loan is called off, and the device is in use as before."""
    row = _locked(loan, "undo_hand_out", LoanState.CANCELLED, by=by)
    row.state, row.ended_on = LoanState.CANCELLED, max(today(), row.since)
    _save(row, "undo_hand_out", was=LoanState.OUT, by=by)
    steps.return_loan(device=row.device, by=by)
    return row


@transaction.atomic
def undo_take_back(*, loan: Loan, by: User) -> Loan:
    """The device was not given back after all: the loan of today goes on as it was."""
    row = _locked(loan, "undo_take_back", LoanState.OUT, by=by)
    if refusal := why_not_lendable(row.device, row.school):
        raise DomainError(refusal, code="not_lendable")
    row.state, row.ended_on, row.condition_back, row.damage_back = LoanState.OUT, None, "", ""
    _save(row, "undo_take_back", was=LoanState.RETURNED, by=by)
    steps.lend_device(device=row.device, by=by)
    return row


def ensure_due(due_on: datetime.date | None, earliest: datetime.date) -> None:
    """Refuses a due date before the loan, or before today for one that goes on."""
    if due_on is not None and due_on < earliest:
        raise DomainError(
            _("The due date lies before %(day)s. Please enter a later day.") % {"day": formats.day(earliest)},
            field="due_on",
        )


def _ensure_name_allowed(name: str) -> None:
    if name.strip() and not rules_on().names_allowed:
        raise DomainError(
            _("The city stores no names of borrowers. Please leave the name out; the receipt has a line for it."),
            field="borrower_name",
        )


def _locked(loan: Loan, step: str, target: LoanState, *, by: User) -> Loan:
    """Locks the loan's device, which guards its loans, reads the loan anew and checks role and step."""
    ensure_may(by, TRANSITIONS.transitions[step].permission)
    device = locked(loan.device, by)
    row: Loan = Loan.objects.select_related("school").get(pk=loan.pk)
    row.device = device
    TRANSITIONS.ensure(step, source=row.state, target=target)
    if step not in actions_for(row, by):
        raise DomainError(
            _("This can be undone on the same day only. Please take the device back, or hand it out anew."),
            code="too_late",
        )
    return row


def _lose(loan: Loan, step: str, target: LoanState, *, by: User, reason: str) -> Loan:
    row = _locked(loan, step, target, by=by)
    row.state, row.ended_on = target, max(today(), row.since)
    _save(row, step, was=LoanState.OUT, by=by, reason=reason.strip())
    step_of_device = steps.report_lost if target == LoanState.LOST else steps.report_stolen
    step_of_device(device=row.device, by=by)
    return row


def _save(row: Loan, step: str, *, was: LoanState, by: User, reason: str = "") -> None:
    save_by(row, by=by)
    loan_rows.note(row, step, was=was, by=by, reason=reason)
    ensure_still_visible(row, by)
