"""What a row of stored figures is ordered and narrowed by, for its indexes and for all who read it."""

from __future__ import annotations

from django.db.models import BigIntegerField, F, Q
from django.db.models.functions import Cast, NullIf, Round

PARTS = 10**9
"""Into which a quota is divided to be a whole number: both databases divide those exactly, and alike."""

BELOW_TARGET = Q(target_devices__gt=F("devices"))
DIFFERENCE = F("devices") - F("target_devices")
"""Devices beyond the target, NULL without one."""

_HUNDREDTHS = Cast(Round(F("weighted_pupils") * 100), BigIntegerField())
PERCENT = F("devices") * (100 * 100 * PARTS) / NullIf(_HUNDREDTHS, 0)
"""A row's quota in whole parts of a percent, NULL without pupils."""
PUPILS_PER_DEVICE = NullIf(_HUNDREDTHS, 0) * (PARTS // 100) / NullIf(F("devices"), 0)
"""A row's n of 1 : n in whole parts, NULL without devices or pupils."""
