"""Rules with a date: what held on a day. What no law fixes for good is a row and not a constant."""

from __future__ import annotations

import datetime
from decimal import Decimal

from apps.funding.choices import RuleKind
from apps.funding.models import DatedRule


def rule_on(kind: RuleKind, day: datetime.date) -> Decimal | None:
    """The value of a rule on a day; None where it is switched off or begins later."""
    rows = DatedRule.objects.filter(kind=kind, valid_from__lte=day).order_by("-valid_from")
    value: Decimal | None = rows.values_list("value", flat=True).first()
    return value
