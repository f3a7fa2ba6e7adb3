"""What it means to report findings of a stocktake as lost: what is left out, which loans end, what a grant binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from apps.core.clock import today
from apps.inventory.binding import bound_reference, is_bound
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import Device, StocktakeItem


@dataclass
class Losses:
    """`items` would be lost. `left_out` and `bound`: number, and why or by which grant. `loans` of them would end."""

    items: list[StocktakeItem] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    bound: list[tuple[str, str]] = field(default_factory=list)
    loans: int = 0


def why_not_lost_with_others(device: Device) -> str:
    """Why a device is reported as lost only by itself; empty where it may be one of many."""
    if device.status == DeviceStatus.ON_LOAN:
        return _("It is on loan, so it is not missing here. Please settle it by itself.")
    if device.status == DeviceStatus.IN_REPAIR:
        return _("It is in repair, so it is not missing here. Please settle it by itself.")
    return ""


def why_never_lost(device: Device) -> str:
    """Why a device cannot be reported as lost at all; empty where it can, or is so already."""
    if device.status == DeviceStatus.STOLEN:
        return _("It was reported as stolen. Please leave it as it is, and say so as the reason.")
    if device.status == DeviceStatus.RETIRED:
        return _("It was retired. Please leave it as it is, and say so as the reason.")
    return ""


def losses_of(items: Sequence[StocktakeItem]) -> Losses:
    """What would happen if these were reported as lost together now. They bear `device`."""
    losses, alone = Losses(), len(items) == 1
    for item in items:
        device = item.device
        refusal = "" if device is None else why_never_lost(device)
        if device is not None and not alone:
            refusal = refusal or why_not_lost_with_others(device)
        if refusal:
            losses.left_out.append((item.code, refusal))
            continue
        losses.items.append(item)
        if device is not None and is_bound(device, today()):
            losses.bound.append((item.code, bound_reference(device)))
        losses.loans += device is not None and device.status == DeviceStatus.ON_LOAN
    return losses
