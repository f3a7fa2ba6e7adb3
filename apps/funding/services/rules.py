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
from apps.funding.services.steps import ensure_may, money_transaction

_KEEP = "funding.change_datedrule"


def confirm_rule(*, rule: DatedRule, by: User, seen: str) -> DatedRule:
    """Another person than the proposer says yes: the rule holds from its day on.

    `seen` is the rule's `content` as the person read it; `StaleError` when it was changed since.
    """
    ensure_may(by, _KEEP)
    with money_transaction():
        rows = DatedRule.objects.visible_to(by).select_for_update(of=("self",))
        row: DatedRule = get_object_or_404(rows, pk=rule.pk)
        if not row.is_waiting:
            raise DomainError(_("This rule is confirmed already, or needs no confirmation."), code="illegal_transition")
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


def ensure_rule_open(rule: DatedRule | AwardThreshold) -> None:
    """Locks a row that is about to be changed, and refuses where it holds or was confirmed in the meantime."""
    rows: Any = type(rule).objects.select_for_update(of=("self",))
    if not rows.get(pk=rule.pk).is_open:
        raise DomainError(_("This rule cannot be changed any more. Please enter a new one with a later day."))
