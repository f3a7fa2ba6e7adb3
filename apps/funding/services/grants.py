"""Grant notices and their changes. What a notice says is changed by another notice, which is kept with both values."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import day as in_words
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO
from apps.funding.models import Grant, GrantChange
from apps.funding.purchase_selectors import never_bound
from apps.funding.services.budgets import given_out_of
from apps.funding.services.steps import ensure_may, money_transaction, required_text, validated
from apps.inventory.services import bind_devices, lengthen_bindings, rename_bindings

NOTICE_FIELDS = ("amount", "rate", "limit_per_device", "implementation_until", "earmarking_years", "proof_due_on")
"""What only a change notice changes once the grant has budgets."""
_KEEP = "funding.change_grant"


class NoticeValues(TypedDict, total=False):
    """What a change notice may change; `amount` in euros, `rate` from 0 to 1, `limit_per_device` in euros or None."""

    amount: Decimal
    rate: Decimal
    limit_per_device: Decimal | None
    implementation_until: datetime.date | None
    earmarking_years: int | None
    proof_due_on: datetime.date | None


def edit_grant(*, grant: Grant, by: User, **values: Any) -> Grant:
    """Mends what was entered wrongly. Amount, rate, limit and periods stay as the notice says once it has budgets,
    and so does its programme.

    Devices bound under its file reference bear the new one.
    """
    ensure_may(by, _KEEP)
    with money_transaction():
        row = _locked(grant, by=by)
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        fixed = [name for name in changed if name in NOTICE_FIELDS]
        if (fixed or "programme" in changed) and row.budgets.exists():
            raise _has_budgets(fixed)
        reference = row.file_reference
        for name in changed:
            setattr(row, name, values[name])
        if Grant.objects.filter(file_reference=row.file_reference).exclude(pk=row.pk).exists():
            raise DomainError(_("Another grant has this file reference."), code="taken", field="file_reference")
        validated(row, exclude=("programme",))
        if "notice_on" in changed:
            _ensure_before_its_changes(row)
        if changed:
            save_by(row, by=by, update_fields=changed)
        if row.file_reference != reference:
            rename_bindings(file_reference=reference, to=row.file_reference, by=by, reason=_renamed(reference))
        return row


def record_change_notice(
    *,
    grant: Grant,
    by: User,
    notice_on: datetime.date,
    reason: str,
    file_reference: str = "",
    **values: Unpack[NoticeValues],
) -> GrantChange:
    """Writes down a change notice (Änderungsbescheid) and what it changes, before and after.

    Refuses a day to come or before the grant's own notice, and an amount below what the grant's budgets add up to.
    Where the earmarking ends later now, the devices bound under the grant's file reference follow, and what the grant
    paid for before its earmarking was known is bound; an earlier end frees no device.
    """
    ensure_may(by, _KEEP)
    reason = required_text(reason, _("Please say why the notice was changed."), field="reason")
    if notice_on > clock.today():
        raise DomainError(_("This day lies in the future. Please enter today or an earlier day."), field="notice_on")
    with money_transaction():
        row = _locked(grant, by=by)
        if notice_on < row.notice_on:
            raise DomainError(
                _("A change notice is not older than the notice of %(day)s. Please check the day here or at the grant.")
                % {"day": in_words(row.notice_on)},
                code="before_notice",
                field="notice_on",
            )
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            raise DomainError(_("Nothing would change. Please change at least one value."), code="unchanged")
        before = {name: _as_text(getattr(row, name)) for name in changed}
        for name, value in changed.items():
            setattr(row, name, value)
        validated(row, exclude=("programme",))
        _ensure_covers_budgets(row)
        save_by(row, by=by, update_fields=list(changed), reason=reason)
        notice = GrantChange(
            grant=row,
            notice_on=notice_on,
            file_reference=file_reference.strip(),
            before=before,
            after={name: _as_text(value) for name, value in changed.items()},
            reason=reason,
            by=by,
        )
        validated(notice, exclude=("grant", "by"))
        notice.save()
        _bind_devices(row, by=by, reason=reason)
    return notice


def _bind_devices(grant: Grant, *, by: User, reason: str) -> None:
    """What came in before the earmarking was known is bound now, and no binding ends before the grant's own."""
    until, reference = grant.earmarked_until, grant.file_reference
    if until is None:
        return
    bind_devices(devices=never_bound(grant), until=until, file_reference=reference, by=by, reason=reason)
    lengthen_bindings(file_reference=reference, until=until, by=by, reason=reason)


def _has_budgets(fixed: Sequence[str]) -> DomainError:
    """The refusal to edit these fields of a notice, or without any of them its programme."""
    if fixed:
        return DomainError(_("This grant has budgets already. Please record a change notice instead."), field=fixed[0])
    return DomainError(
        _("This grant has budgets already, so it stays with its programme. Please enter a grant of its own instead."),
        field="programme",
    )


def _renamed(reference: str) -> str:
    """The reason that stands in the devices' history. In German, as mails are."""
    with translation.override("de"):
        return gettext("file reference of the grant corrected, until now %(reference)s") % {"reference": reference}


def _locked(grant: Grant, *, by: User) -> Grant:
    row: Grant = get_object_or_404(Grant.objects.visible_to(by).select_for_update(no_key=True), pk=grant.pk)
    return row


def _ensure_before_its_changes(grant: Grant) -> None:
    first = grant.changes.order_by("notice_on").values_list("notice_on", flat=True).first()
    if first is not None and first < grant.notice_on:
        raise DomainError(
            _("There is a change notice of %(day)s. Please enter this day or an earlier one.")
            % {"day": in_words(first)},
            code="after_change",
            field="notice_on",
        )


def _ensure_covers_budgets(grant: Grant) -> None:
    if grant.amount < ZERO:
        raise DomainError(_("These amounts are not negative."), field="amount")
    given = given_out_of(grant)
    if grant.amount < given:
        raise DomainError(
            _("The grant's budgets add up to %(given)s. Please have them lowered first, or enter at least this amount.")
            % {"given": euro(given)},
            code="below_budgets",
            field="amount",
        )


def _as_text(value: object) -> str:
    """Euros with two places, a rate with four, a day as 2024-10-31, "" for none."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
