"""The binding of a device by a grant: until when it must serve its purpose, and who may let it go before.

Source: end of earmarking of the grant programmes ("Zweckbindung"), e.g. RL DigitalPakt NRW (BASS 11-02 Nr. 34); its
last day is bound, too. Only `services`, `selectors` and `imports` call this module.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory.models import Device
from apps.inventory.placing import EARLIEST_DAY

if TYPE_CHECKING:
    from apps.accounts.models import User

BIND = "inventory.bind_device"
DISPOSE_BOUND = "inventory.dispose_bound_device"
LONGEST_YEARS = 30
"""A later day is a slip of the pen: grants for devices bind for some five years, for buildings up to 25."""


def is_bound(device: Device, day: datetime.date) -> bool:
    return device.bound_until is not None and day <= device.bound_until


def is_loosened(device: Device, until: datetime.date | None) -> bool:
    """Whether a binding that still runs would end, or end earlier."""
    return is_bound(device, today()) and (
        until is None or (device.bound_until is not None and until < device.bound_until)
    )


def is_plausible(until: datetime.date) -> bool:
    return until >= EARLIEST_DAY and until.year <= today().year + LONGEST_YEARS


def bound_words(device: Device) -> str:
    """Until when, and by what: "31.12.2029 (48.03-123)"."""
    return f"{formats.day(device.bound_until)} ({device.bound_by})"


def bound_reference(device: Device) -> str:
    """By what, and until when: "48.03-123, until 31.12.2029"."""
    return _("%(reference)s, until %(day)s") % {
        "reference": device.bound_by,
        "day": formats.day(device.bound_until),
    }


def refusal(device: Device) -> str:
    """Why the device must stay, and what to do."""
    return _(
        "A grant binds %(tag)s until %(bound)s. Until then it is not retired, sold or given away. If it has to go,"
        " please ask the approving office: it can allow that with a reason."
    ) % {"tag": device.tag, "bound": bound_words(device)}


def ensure_may_go(device: Device, day: datetime.date, *, by: User, reason: str) -> str:
    """Refuses that a device leaves while a grant binds it, but for those who may say why; returns words for its past.

    The words are empty for a device that is free on this day.
    """
    if not is_bound(device, day):
        return ""
    if not by.has_perm(DISPOSE_BOUND):
        raise DomainError(refusal(device), code="bound")
    if not reason.strip():
        raise DomainError(
            _("A grant binds the device until %(bound)s. Please say why it goes all the same.")
            % {"bound": bound_words(device)},
            code="bound",
            field="binding_reason",
        )
    return _("although bound until %(bound)s: %(reason)s") % {"bound": bound_words(device), "reason": reason.strip()}
