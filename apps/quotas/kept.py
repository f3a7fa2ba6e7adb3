"""What was added up from stored figures, kept for as long as these stay as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

KEPT_SECONDS = 24 * 60 * 60
Value = TypeVar("Value")


def kept(name: str, stands_on: object, make: Callable[[], Value]) -> Value:
    """`make()`, or what it returned earlier for the same `stands_on`.

    `stands_on` holds the `figures_state` of each plan that is read, and was read before the figures: then what is kept
    for a state is of that state or newer, and nobody asks for it once figures were written.
    """
    key = f"quotas.{name}.{hashlib.sha256(repr(stands_on).encode()).hexdigest()}"
    value: Value = cache.get_or_set(key, make, KEPT_SECONDS)
    return value
