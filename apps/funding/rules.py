"""Rules with a date: what held on a day. What no law fixes for good is a row and not a constant."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F

from apps.core.money import share_rounded_down
from apps.funding.calculations import expected_expenditure_type
from apps.funding.choices import ExpenditureType, RuleKind
from apps.funding.models import AwardThreshold, DatedRule


def rule_on(kind: RuleKind, day: datetime.date) -> Decimal | None:
    """The value of a rule on a day; None where it is switched off or begins later."""
    rows = DatedRule.objects.begun(day).filter(kind=kind).order_by("-valid_from")
    value: Decimal | None = rows.values_list("value", flat=True).first()
    return value


def threshold_for(net: Decimal, day: datetime.date) -> AwardThreshold | None:
    """The step of the city's own award rules for an estimated sum in euros net; None where the city sets none."""
    rows = AwardThreshold.objects.filter(valid_from__lte=day)
    newest = rows.order_by("-valid_from").values_list("valid_from", flat=True).first()
    steps = rows.filter(valid_from=newest).order_by(F("up_to").asc(nulls_last=True))
    return next((step for step in steps if step.up_to is None or net <= step.up_to), None)


def sets_thresholds(day: datetime.date) -> bool:
    """Whether the city has award rules of its own on a day."""
    return AwardThreshold.objects.filter(valid_from__lte=day).exists()


def expenditure_type_hint(gross: Decimal, day: datetime.date) -> ExpenditureType | None:
    """Whether one device of this price (euros gross) is capital or operating by the rules of the day."""
    return expenditure_type_hints([gross], day)[gross]


def expenditure_type_hints(prices: Iterable[Decimal], day: datetime.date) -> dict[Decimal, ExpenditureType | None]:
    """`expenditure_type_hint` of several prices; the rules are read once."""
    vat, limit = rule_on(RuleKind.VAT_RATE, day), rule_on(RuleKind.LOW_VALUE_ASSET_LIMIT, day)
    return {price: expected_expenditure_type(price, vat_percent=vat, limit_net=limit) for price in prices}


def highest_operating_price(day: datetime.date) -> Decimal | None:
    """Euros gross up to which a device may be booked as expense, rounded down to the cent; None without a rule."""
    vat, limit = rule_on(RuleKind.VAT_RATE, day), rule_on(RuleKind.LOW_VALUE_ASSET_LIMIT, day)
    return None if vat is None or limit is None else share_rounded_down(limit, 1 + vat / 100)
