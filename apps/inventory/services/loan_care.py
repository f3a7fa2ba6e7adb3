"""What the portal does with loans by itself: reminders before and after the due date, and the deletion of details."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import ngettext_lazy

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.clock import today
from apps.core.mail import queue_mail
from apps.inventory.loan_choices import LoanState, ReminderStage
from apps.inventory.loan_selectors import rules_on
from apps.inventory.models import Loan, LoanChange, LoanReminder, LoanRules
from apps.schools.models import School

BATCH = 500


@dataclass(frozen=True)
class Told:
    """Of how many loans which schools were told; schools nobody keeps are told later."""

    schools: int
    loans: int
    without_coordinator: int


def remind_of_loans() -> Told:
    """Sends each school's coordinators one mail about loans that are due soon or overdue, once per loan and stage.

    Each school in a transaction of its own: what was sent stays sent, what was not is found by the next run.
    """
    rules = rules_on()
    schools = loans = orphaned = 0
    for pk in sorted(set(_unreminded(rules).values_list("school_id", flat=True))):
        told = _remind_school(pk, rules)
        schools += 1 if told else 0
        loans += told or 0
        orphaned += 1 if told is None else 0
    return Told(schools, loans, orphaned)


def _unreminded(rules: LoanRules) -> QuerySet[Any]:
    """Open loans whose stage was not told yet; `stage` is a function of the day, see `_stage`."""
    day = today()
    told = LoanReminder.objects.filter(loan=OuterRef("pk"), due_on=OuterRef("due_on"))
    late = Q(due_on__lt=day) & ~Exists(told.filter(stage=ReminderStage.OVERDUE))
    soon = Q(due_on__gte=day, due_on__lte=day + datetime.timedelta(days=rules.remind_days_before)) & ~Exists(told)
    return Loan.objects.filter(late | soon if rules.remind_days_before else late, state=LoanState.OUT)


@transaction.atomic
def _remind_school(pk: int, rules: LoanRules) -> int | None:
    """How many loans were told; None: the school has no coordinator. The locked school keeps a second run waiting."""
    school = School.objects.select_for_update(no_key=True).get(pk=pk)
    people = list(
        User.objects.filter(role=Role.COORDINATOR, is_active=True, memberships__school=school).order_by("email")
    )
    if not people:
        return None
    loans = list(
        _unreminded(rules).filter(school=school).select_related("device").order_by("due_on", "group", "number")
    )
    if not loans:
        return 0
    stages = [_stage(loan) for loan in loans]
    LoanReminder.objects.bulk_create(
        [LoanReminder(loan=loan, stage=stage, due_on=loan.due_on) for loan, stage in zip(loans, stages, strict=True)]
    )
    pairs = list(zip(loans, stages, strict=True))
    queue_mail(
        to=[person.email for person in people],
        subject=_subject(school, pairs),
        template="loans_due",
        context={
            "school": school,
            "overdue": by_group(loan for loan, stage in pairs if stage == ReminderStage.OVERDUE),
            "due_soon": by_group(loan for loan, stage in pairs if stage == ReminderStage.DUE_SOON),
        },
    )
    return len(loans)


def _stage(loan: Loan) -> ReminderStage:
    return ReminderStage.OVERDUE if loan.is_overdue else ReminderStage.DUE_SOON


def _subject(school: School, pairs: Sequence[tuple[Loan, ReminderStage]]) -> Any:
    words = {"school": school.short_name, "number": len(pairs)}
    if any(stage == ReminderStage.OVERDUE for _loan, stage in pairs):
        text = ngettext_lazy(
            "Loan overdue at %(school)s: %(number)s", "Loans overdue or due soon at %(school)s: %(number)s", "number"
        )
    else:
        text = ngettext_lazy(
            "Loan due soon at %(school)s: %(number)s", "Loans due soon at %(school)s: %(number)s", "number"
        )
    return _Subject(text, words)


@dataclass(frozen=True)
class _Subject:
    """A subject whose words are chosen by the mail's language."""

    text: Any
    words: dict[str, Any]

    def __str__(self) -> str:
        return str(self.text % self.words)


@dataclass(frozen=True)
class DueGroup:
    """Loans of one class that are due on one day."""

    group: str
    due_on: datetime.date
    numbers: Sequence[str]


def by_group(loans: Iterable[Loan]) -> list[DueGroup]:
    found: defaultdict[tuple[datetime.date, str], list[str]] = defaultdict(list)
    for loan in loans:
        if loan.due_on is not None:
            found[loan.due_on, loan.group].append(loan.number)
    return [DueGroup(group, due_on, numbers) for (due_on, group), numbers in sorted(found.items())]


@dataclass(frozen=True)
class Cleared:
    """How many loans lost their details, how many past versions with them, and how many open ones only their name."""

    loans: int
    versions: int
    names: int


def clear_loans() -> Cleared:
    """Deletes name, class and remark of loans that ended so many months ago, and what past versions hold of them.

    Device, school, days, condition and damage stay for the statistics. Where the city stores no names (any more), the
    names of all loans go at once.
    """
    rules = rules_on()
    before = _months_before(today(), rules.keep_months)
    due = Loan.objects.filter(ended_on__lt=before, cleared_on__isnull=True)
    loans = versions = 0
    while ids := list(due.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        versions += _clear(ids)
        loans += len(ids)
    names = 0 if rules.names_allowed else _clear_names()
    return Cleared(loans, versions, names)


@transaction.atomic
def _clear(ids: Sequence[int]) -> int:
    """Returns how many past versions lost details."""
    list(Loan.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    gone = {"borrower_name": "", "group": "", "remark": ""}
    Loan.objects.filter(pk__in=ids).update(cleared_on=today(), **gone)
    LoanChange.objects.filter(loan__in=ids).exclude(step="extend_loan").update(reason="")
    versions = Loan.history.filter(id__in=ids)
    versions.update(history_change_reason=None)
    return int(versions.exclude(**gone).update(**gone))


@transaction.atomic
def _clear_names() -> int:
    Loan.history.exclude(borrower_name="").update(borrower_name="")
    return int(Loan.objects.exclude(borrower_name="").update(borrower_name=""))


def _months_before(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months earlier, or the last one of a shorter month."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return datetime.date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("each month has 28 days")
