"""Sums over stored figures, made by the database. What each sum means stands in `calculations.totals`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Sum

from apps.quotas.calculations import Share, Totals, target_of_sums
from apps.quotas.expressions import BELOW_TARGET, PARTS, PERCENT

REACHES = (1, 2)
"""Pupils per device at which schools are counted: at 1 : 1, and at 1 : 2 or better."""
MEAN_PLACES = Decimal("1e-6")
"""To which a mean is exact."""

_KNOWN = Q(weighted_pupils__isnull=False)
_AIMED = _KNOWN & Q(target_devices__isnull=False)
_ASKED = Q(weighted_pupils__gt=0)


def reaching(most_pupils_per_device: int) -> Q:
    """Rows of schools with a device for so many pupils, see `calculations.reaches`."""
    return _ASKED & Q(weighted_pupils__lte=F("devices") * most_pupils_per_device)


QUOTA = {
    "quota_devices": Sum("devices", filter=_KNOWN, default=0),
    "known": Count("pk", filter=_KNOWN),
    "weighted": Sum("weighted_pupils", filter=_KNOWN),
    "aimed": Count("pk", filter=_AIMED),
    "aimed_pupils": Sum("weighted_pupils", filter=_AIMED),
    "goal": Sum("target_devices", filter=_AIMED, default=0),
    "lowest": Min("target_pupils_per_device", filter=_AIMED),
    "highest": Max("target_pupils_per_device", filter=_AIMED),
}
"""What a quota and its target are made of."""
EVERYTHING = (
    QUOTA
    | {
        "schools": Count("pk"),
        "all_devices": Sum("devices", default=0),
        "all_parent_financed": Sum("parent_financed", default=0),
        "all_presentation": Sum("presentation_devices", default=0),
        "aimed_devices": Sum("devices", filter=_AIMED, default=0),
        "all_pupils": Sum("pupils", filter=_KNOWN, default=0),
        "first_count": Min("counted_on", filter=_KNOWN),
        "last_count": Max("counted_on", filter=_KNOWN),
        "rounded_counts": Count("pk", filter=_KNOWN & Q(rounded=True)),
        "below": Count("pk", filter=BELOW_TARGET),
        "asked": Count("pk", filter=_ASKED),
        "percents": Sum(PERCENT, filter=_ASKED, default=0),
        "oldest": Min("computed_at"),
    }
    | {f"reach_{most}": Count("pk", filter=reaching(most)) for most in REACHES}
)


def target_of(parts: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """The target in pupils per device of these sums together."""
    aimed = [part for part in parts if part["aimed"]]
    if not aimed:
        return None
    agreed = {part[edge] for part in aimed for edge in ("lowest", "highest")}
    only = agreed.pop() if len(agreed) == 1 else None
    return target_of_sums(only, _sum(aimed, "goal"), _decimals(aimed, "aimed_pupils"))


def totals_of(parts: Sequence[Mapping[str, Any]]) -> Totals:
    """`calculations.totals` of all rows behind these sums."""
    known, aimed = _sum(parts, "known"), _sum(parts, "aimed")
    first = [part["first_count"] for part in parts if part["first_count"]]
    last = [part["last_count"] for part in parts if part["last_count"]]
    return Totals(
        schools=_sum(parts, "schools"),
        devices=_sum(parts, "all_devices"),
        quota_devices=_sum(parts, "quota_devices"),
        parent_financed=_sum(parts, "all_parent_financed"),
        presentation_devices=_sum(parts, "all_presentation"),
        pupils=_sum(parts, "all_pupils") if known else None,
        weighted_pupils=_decimals(parts, "weighted") if known else None,
        counted_on=min(first, default=None),
        counted_on_latest=max(last, default=None),
        rounded=bool(_sum(parts, "rounded_counts")) if known else None,
        target_pupils_per_device=target_of(parts),
        target_devices=_sum(parts, "goal") if aimed else None,
        difference=_sum(parts, "aimed_devices") - _sum(parts, "goal") if aimed else None,
        schools_without_count=_sum(parts, "schools") - known,
    )


def below_target_of(parts: Sequence[Mapping[str, Any]]) -> int:
    """How many schools are below their target."""
    return _sum(parts, "below")


def share_of(parts: Sequence[Mapping[str, Any]], most_pupils_per_device: int) -> Share:
    """`calculations.share_at` of all rows behind these sums; for one of `REACHES`."""
    return Share(_sum(parts, f"reach_{most_pupils_per_device}"), _sum(parts, "asked"))


def mean_of(parts: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """`calculations.mean_of_schools` of all rows behind these sums, to `MEAN_PLACES`."""
    asked = _sum(parts, "asked")
    return (Decimal(_sum(parts, "percents")) / PARTS / asked).quantize(MEAN_PLACES) if asked else None


def _sum(parts: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(part[name] for part in parts)


def _decimals(parts: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return sum((part[name] for part in parts if part[name] is not None), Decimal("0.00"))
