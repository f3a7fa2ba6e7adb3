"""Waiting for another process without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], *, seconds: float = 20, pause: float = 0.1, what: str = "") -> T:
    """Return the first truthy value of `look`; fail with `what` when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds} s in vain for {what or look}")
        time.sleep(pause)
