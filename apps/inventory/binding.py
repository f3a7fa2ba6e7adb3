"""The binding of a device by a grant: until when it must serve its purpose, and who may let it go before.

Source: end of earmarking of the grant programmes ("Zweckbindung"), e.g. RL DigitalPakt NRW (BASS 11-02 Nr. 34); its
last day is bound, too. Only `services`, `selectors` and `imports` call this module.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.errors import DomainError
from apps.inventory.models import Device

if TYPE_CHECKING:
    from apps.accounts.models import User

DISPOSE_BOUND = "inventory.dispose_bound_device"


def is_bound(device: Device, day: datetime.date) -> bool:
    return device.bound_until is not None and day <= device.bound_until


def bound_words(device: Device) -> str:
    """Until when, and by what: "31.12.2029 (48.03-123)"."""
    return f"{formats.day(device.bound_until)} ({device.bound_by})"


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
