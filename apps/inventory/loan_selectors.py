"""Reads about loans."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.core.clock import day_of, today
from apps.core.errors import DomainError
from apps.inventory.choices import DeviceStatus
from apps.inventory.codes import device_of, read_code
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_workflow import TRANSITIONS
from apps.inventory.models import Device, Loan, LoanChange, LoanRules
from apps.inventory.placing import LoanDays
from apps.inventory.selectors import kit_companions
from apps.schools.models import School

SAME_DAY_ONLY = {
    "undo_hand_out": gettext_lazy(
        "A hand-out can be undone on the same day only. Please take the device back instead."
    ),
    "undo_take_back": gettext_lazy(
        "A return can be undone on the same day only. Please hand the device out anew instead."
    ),
}
"""Step -> what to do on another day."""


def rules_on(day: datetime.date | None = None) -> LoanRules:
    """The rules of a day (today); before the first ones the cautious defaults, unsaved."""
    found: LoanRules | None = LoanRules.objects.filter(valid_from__lte=day or today()).order_by("-valid_from").first()
    return found or LoanRules(valid_from=day or today())


def may_see_names(user: User) -> bool:
    """Whether the city stores names today, and this person reads them."""
    return user.has_perm("inventory.see_borrower") and rules_on().names_allowed


def open_loan_of(device: Device) -> Loan | None:
    """The loan that a device is out on. Lock the device first where the answer must hold."""
    found: Loan | None = Loan.objects.filter(device=device, state=LoanState.OUT).first()
    return found


def lent_since(devices: Sequence[Device]) -> dict[int, datetime.date]:
    """By device the day since which it is on loan; a change that ends the loan may not lie before it."""
    lent = [device.pk for device in devices if device.status == DeviceStatus.ON_LOAN]
    open_ones = Loan.objects.filter(device__in=lent, state=LoanState.OUT) if lent else Loan.objects.none()
    return dict(open_ones.order_by().values_list("device", "since"))


def last_loans(devices: Sequence[Device]) -> dict[int, LoanDays]:
    """By device the loan from which it last came back: before that day it was neither lost, stolen nor retired."""
    rows = Loan.objects.filter(device__in=[device.pk for device in devices], state=LoanState.RETURNED)
    last = rows.order_by().values("device").annotate(begun=Max("since"), back=Max("ended_on"))
    return {device: LoanDays(begun, back) for device, begun, back in last.values_list("device", "begun", "back")}


def loan_of_scan(key: uuid.UUID | None, user: User) -> Loan | None:
    """The loan that the scan with this key opened or ended, when it was sent before."""
    if key is None:
        return None
    found: Loan | None = Loan.objects.visible_to(user).select_related("device").filter(changes__key=key).first()
    return found


def parts_going_with(device: Device, user: User) -> list[Device]:
    """The other parts of its kit that stand at its school, in the order of their locks: they are lent together.

    Where a kit holds several alike, such as a trolley with tablets, one of them goes alone.
    """
    companions = list(kit_companions(device, user).order_by("pk"))
    if device.school_id is None or any(row.product_id == device.product_id for row in companions):
        return []
    return [row for row in companions if row.school_id == device.school_id]


def lendable_parts(device: Device, user: User) -> list[Device]:
    """Those parts that can be handed out now."""
    return [row for row in parts_going_with(device, user) if row.status == DeviceStatus.IN_USE]


def left_out(loan: Loan, user: User) -> list[Device]:
    """Parts of the kit at the school that did not go out with this loan."""
    went = {part.device_id for part in loan.parts.all() if part.is_open}
    return [row for row in parts_going_with(loan.device, user) if row.pk not in went]


def parts_out_with(loan: Loan) -> list[Loan]:
    """The loans of parts that went out with this one and are not back."""
    rows = Loan.objects.filter(main=loan, state=LoanState.OUT).select_related("device__product")
    return list(rows.order_by("device__tag"))


def with_parts(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Loans with `parts` at hand, those called off left out, in two statements for all."""
    parts = Loan.objects.exclude(state=LoanState.CANCELLED).select_related("device__product").order_by("pk")
    return rows.prefetch_related(Prefetch("parts", queryset=parts))


def loans_of(device: Device, user: User) -> QuerySet[Any]:
    """The device's loans that the person may see, newest first."""
    rows: QuerySet[Any] = Loan.objects.visible_to(user).filter(device=device).select_related("school").order_by("-pk")
    return rows


def actions_for(loan: Loan, user: User) -> list[str]:
    """Names of the services that this person may call for the loan now. An undo is offered on its own day only."""
    if not user.has_perm("inventory.keep_loans"):
        return []
    return [name for name in TRANSITIONS.actions_from(loan.state) if not why_too_late(loan, name)]


def why_too_late(loan: Loan, step: str) -> str:
    """What to do instead of undoing what was done on another day; empty where this does not stand in the way."""
    day = loan.ended_on or day_of(loan.created_at)
    return str(SAME_DAY_ONLY[step]) if step in SAME_DAY_ONLY and day != today() else ""


def why_not(loan: Loan, step: str) -> str:
    """Why this step of the loan cannot be taken now, in one sentence."""
    if TRANSITIONS.allowed(step, source=loan.state) and (refusal := why_too_late(loan, step)):
        return refusal
    return _("This is not possible now: the loan is “%(state)s”.") % {"state": LoanState(loan.state).label}


@dataclass(frozen=True)
class LoanCounts:
    """Open loans of a school, how many of them are overdue, and since which due date."""

    open: int
    overdue: int


def counts_of(school: School) -> LoanCounts:
    found = Loan.objects.filter(school=school).aggregate(
        open=Count("pk", filter=Q(state=LoanState.OUT)),
        overdue=Count("pk", filter=Q(state=LoanState.OUT, due_on__lt=today())),
    )
    return LoanCounts(**found)


@dataclass(frozen=True)
class GroupCount:
    """Open loans of a class; `group` is empty where none was named."""

    group: str
    number: int


def groups_of(school: School) -> Sequence[GroupCount]:
    """The classes of a school with open loans."""
    rows = Loan.objects.filter(school=school, state=LoanState.OUT).order_by("group").values("group")
    return [GroupCount(**row) for row in rows.annotate(number=Count("pk")).values("group", "number")]


def handed_out_today(user: User, school: School, group: str) -> QuerySet[Any]:
    """What a class was given today, the last one first."""
    rows = Loan.objects.visible_to(user).filter(school=school, group=group, state=LoanState.OUT, since=today())
    return rows.select_related("device__product").order_by("-pk")  # type: ignore[no-any-return]


def still_out(user: User, school: School, group: str) -> QuerySet[Any]:
    """What a class, or with an empty `group` the school, has not given back yet; the longest due first."""
    rows = Loan.objects.visible_to(user).filter(school=school, state=LoanState.OUT)
    rows = rows.filter(group__iexact=group) if group else rows
    return rows.select_related("device__product").order_by("due_on", "device__tag")  # type: ignore[no-any-return]


def taken_back_today(user: User) -> QuerySet[Any]:
    """What this person took back today, the last one first."""
    theirs = Q(changes__by=user, changes__step="take_back")
    rows = Loan.objects.visible_to(user).filter(state=LoanState.RETURNED, ended_on=today())
    rows = rows.annotate(back_at=Max("changes__at", filter=theirs)).filter(back_at__isnull=False)
    return rows.select_related("device__product").order_by("-back_at", "-pk")  # type: ignore[no-any-return]


def course_of(loan: Loan) -> QuerySet[LoanChange]:
    return loan.changes.select_related("by").order_by("-at", "-pk")


# What was scanned


def loan_to_take_back(text: str, user: User) -> Loan:
    """The open loan of the device that was scanned, or the one with the loan number that the receipt bears.

    With the number of a kit's main device its parts come back, too.
    """
    named = _loan_of_number(read_code(text), user)
    if named is not None and named.is_open:
        return named
    if named is not None:
        known = {"number": named.number, "tag": named.device.tag, "state": LoanState(named.state).label}
        raise DomainError(_("The loan %(number)s of %(tag)s has ended: “%(state)s”.") % known, field="code")
    device = device_of_code(text, user)
    loan = open_loan_of(device)
    if loan is None:
        raise DomainError(_("%(tag)s is not on loan.") % {"tag": device.tag}, code="not_on_loan", field="code")
    loan.device = device
    return loan


def _loan_of_number(code: str, user: User) -> Loan | None:
    """People type the number without its hyphens, too."""
    typed = re.fullmatch(r"L[- ]?(\w{3})[- ]?(\w{3})", code.upper())
    if typed is None:
        return None
    rows = Loan.objects.visible_to(user).select_related("device")
    found: Loan | None = rows.filter(number=f"L-{typed[1]}-{typed[2]}").first()
    return found


def device_of_code(text: str, user: User) -> Device:
    """The device of the person's scope with this inventory or serial number, or at this address."""
    code = read_code(text).upper()
    if not code:
        raise DomainError(_("Please scan or type a number."), code="empty", field="code")
    found = device_of(code, Device.objects.visible_to(user).select_related("kind"))
    if found is None:
        raise DomainError(
            _("“%(code)s” is unknown here. Please look at the label, or search for the device in the inventory.")
            % {"code": code[:60]},
            code="unknown",
            field="code",
        )
    return found


def why_not_for_pupils(device: Device) -> str:
    """Why pupils may not borrow the device: its kind says so. Empty when they may."""
    if device.kind.is_for_pupils:
        return ""
    return _("%(tag)s is of the kind “%(kind)s”, which is not lent to pupils. Please take another device, or lend it to"
             " a teacher. The office decides which kinds pupils may borrow.") % {
        "tag": device.tag, "kind": device.kind
    }  # fmt: skip


def why_not_lendable(device: Device, school: School | None = None) -> str:
    """Why the device cannot be handed out now, in one sentence; empty when it can."""
    names = {"tag": device.tag, "school": device.school, "place": school}
    if school is not None and device.school_id != school.pk:
        if device.school is None:
            return _("%(tag)s does not stand at %(place)s. Please move it there first.") % names
        return _("%(tag)s stands at %(school)s, not at %(place)s. Please move it first.") % names
    if device.status == DeviceStatus.ON_LOAN:
        loan = open_loan_of(device)
        words = {**names, "number": loan.number if loan else "–", "group": (loan and loan.group) or _("no class named")}
        return _("%(tag)s is on loan already: %(number)s, %(group)s. Please take it back first.") % words
    if device.status == DeviceStatus.IN_REPAIR:
        return _("%(tag)s is in repair. Please note on its page that it is back before you hand it out.") % names
    if device.status != DeviceStatus.IN_USE:
        return _("%(tag)s cannot be handed out: it is “%(status)s”.") % {
            **names,
            "status": DeviceStatus(device.status).label,
        }
    return ""
