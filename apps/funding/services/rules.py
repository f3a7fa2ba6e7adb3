"""Rules with a date that two people set, and what can still be changed of the others."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.core.history import save_by
from apps.funding.models import AwardThreshold, DatedRule
from apps.funding.services.steps import ensure_may, money_transaction, required_text

_KEEP = "funding.change_datedrule"


def confirm_rule(*, rule: DatedRule, by: User, seen: str) -> DatedRule:
    """Another person than the proposer says yes: the rule holds from its day on.

    `seen` is the rule's `content` as the person read it; `StaleError` when it was changed since.
    """
    with money_transaction():
        row = _lock_waiting(rule, by=by)
        if row.proposed_by_id == by.pk:
            raise DomainError(
                _("You proposed this rule yourself. Please ask another person to confirm it."), code="same_person"
            )
        if row.valid_from <= clock.today():
            raise DomainError(
                _("The day of this rule has come. Please enter it anew with a later day."), code="too_late"
            )
        if row.content != seen:
            raise StaleError(_("The rule was changed in the meantime. Please read it again."))
        row.confirmed_by = by
        return save_by(row, by=by, update_fields=["confirmed_by"])


def decline_rule(*, rule: DatedRule, by: User, reason: str) -> DatedRule:
    """Another person says no, or the proposer takes it back: it never holds, and its day is free for another value.

    The reason stands in its row and its history. Also after its day: it can wait for nobody any more.
    """
    reason = required_text(reason, _("Please say why the rule does not come."), field="reason")
    with money_transaction():
        row = _lock_waiting(rule, by=by)
        row.declined_by, row.decline_reason = by, reason
        return save_by(row, by=by, update_fields=["declined_by", "decline_reason"], reason=reason)


def _lock_waiting(rule: DatedRule, *, by: User) -> DatedRule:
    ensure_may(by, _KEEP)
    rows = DatedRule.objects.visible_to(by).select_for_update(of=("self",))
    row: DatedRule = get_object_or_404(rows, pk=rule.pk)
    if row.is_declined:
        raise DomainError(
            _("This rule has been declined or withdrawn. Please propose it anew."), code="illegal_transition"
        )
    if not row.is_waiting:
        raise DomainError(_("This rule is confirmed already, or needs no confirmation."), code="illegal_transition")
    return row


def ensure_rule_open(rule: DatedRule | AwardThreshold) -> None:
    """Locks a row that is about to be changed, and refuses where it holds or was confirmed in the meantime."""
    rows: Any = type(rule).objects.select_for_update(of=("self",))
    if not rows.get(pk=rule.pk).is_open:
        raise DomainError(_("This rule cannot be changed any more. Please enter a new one with a later day."))
