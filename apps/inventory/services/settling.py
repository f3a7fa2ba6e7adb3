"""Settles what a stocktake found, through the same services that change devices anywhere else. Part of the services.

Each finding is settled in a transaction of its own: stocktake, finding, device, then the schools' versions. What the
person or the device's state does not allow stays open and says why; the others are settled all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.inventory.choices import DeviceStatus
from apps.inventory.codes import device_of
from apps.inventory.models import Device, Stocktake, StocktakeItem
from apps.inventory.placing import Spot
from apps.inventory.services.common import ensure_may, locked
from apps.inventory.services.steps import move_device, report_lost
from apps.inventory.services.stocktakes import ensure_running, locked_stocktake
from apps.inventory.stocktake_choices import SETTLES, Outcome, Settlement
from apps.inventory.stocktake_losses import why_never_lost, why_not_lost_with_others
from apps.inventory.workflow import TRANSITIONS

if TYPE_CHECKING:
    from apps.accounts.models import User

NEEDS_REASON = frozenset({Settlement.IGNORED})


@dataclass
class Settled:
    """How many findings are settled now, and which are not: number and reason."""

    number: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def settle_items(
    *, stocktake: Stocktake, items: Sequence[StocktakeItem], how: Settlement, by: User, reason: str = ""
) -> Settled:
    """Settles each of these findings in the same way. Settling one again in the same way changes nothing.

    Several at once: what is on loan or in repair is not reported as lost among them, for somebody knows where it is.
    """
    ensure_may(by, "inventory.run_stocktake")
    if not Stocktake.objects.visible_to(by).filter(pk=stocktake.pk).exists():
        raise PermissionDenied("outside the scope")
    result, alone = Settled(), len(items) == 1
    for item in sorted(items, key=lambda row: row.pk):
        try:
            settle_item(stocktake=stocktake, item=item, how=how, by=by, reason=reason, alone=alone)
        except DomainError as error:
            if error.code == "closed" or error.field == "reason":
                raise
            result.refused.append((item.code, str(error)))
        except PermissionDenied:
            outside = gettext("It belongs to none of your schools. Please ask IT support to move it.")
            result.refused.append((item.code, outside))
        else:
            result.number += 1
    return result


@transaction.atomic
def settle_item(
    *, stocktake: Stocktake, item: StocktakeItem, how: Settlement, by: User, reason: str = "", alone: bool = True
) -> StocktakeItem:
    """Settles one finding; the device itself changes with it, where `how` says so."""
    row = locked_stocktake(stocktake, by)
    present: StocktakeItem = row.items.select_for_update(of=("self",), no_key=True).get(pk=item.pk)
    if present.settlement == how:
        return present
    ensure_running(row)
    if present.settlement:
        raise DomainError(_("This is settled already. Please load the page again."), code="settled")
    if present.outcome not in SETTLES[how]:
        raise DomainError(
            _("This cannot be settled so: it is “%(outcome)s”.") % {"outcome": Outcome(present.outcome).label}
        )
    if how in NEEDS_REASON and not reason.strip():
        raise DomainError(_("Please say why it is left as it is."), field="reason")
    if how == Settlement.REPORTED_LOST and not alone:
        _ensure_not_away(locked(_device(present), by))
    _APPLY.get(how, _nothing)(row, present, by)
    present.settlement, present.settled_at, present.settled_by = how, clock.now(), by
    present.reason = reason.strip() or present.reason
    return save_by(present, by=by, reason=reason.strip())


def _nothing(_row: Stocktake, _item: StocktakeItem, _by: User) -> None:
    """Only the finding itself is settled."""


def _move(row: Stocktake, item: StocktakeItem, by: User) -> None:
    """The device stands where it was found; where somebody has moved it there already, that is enough."""
    device = _device(item)
    if not TRANSITIONS.allowed("move_device", source=device.status):
        raise DomainError(_why_it_stays(device))
    site = item.found_site or (device.site if device.school_id == row.school_id else row.site)
    spot = Spot(row.school, site, item.found_room or (device.room if device.school_id == row.school_id else ""))
    if Spot.of(device) != spot:
        move_device(device=device, school=row.school, site=site, room=spot.room, by=by, reason=_because(row))


def _why_it_stays(device: Device) -> str:
    """What to do with a device that its status keeps from being moved."""
    sentences = {
        DeviceStatus.RETIRED: _("It is retired. If it is to be used again, please ask IT support to choose “Take into"
                                " the depot” on its page; then it can be moved here."),
        DeviceStatus.ON_LOAN: _("It is on loan. Please take it back first; then it can be moved here."),
        DeviceStatus.IN_REPAIR: _("It is in repair. Please note on its page that it is back; then it can be moved"
                                  " here."),
    }  # fmt: skip
    return str(sentences[DeviceStatus(device.status)])


def _lose(row: Stocktake, item: StocktakeItem, by: User) -> None:
    device = _device(item)
    if refusal := why_never_lost(device):
        raise DomainError(refusal)
    if device.status != DeviceStatus.LOST:
        report_lost(device=device, by=by, reason=_because(row))


def _ensure_not_away(device: Device) -> None:
    if refusal := why_not_lost_with_others(device):
        raise DomainError(refusal, code="away")


def _away(_row: Stocktake, item: StocktakeItem, _by: User) -> None:
    if _device(item).status not in {DeviceStatus.ON_LOAN, DeviceStatus.IN_REPAIR}:
        raise DomainError(_("It is neither on loan nor in repair. Please look for it, or report it as lost."))


def _by_hand(row: Stocktake, item: StocktakeItem, by: User) -> None:
    """It was there, but its label could not be read."""
    if _device(item).school_id != row.school_id:
        raise DomainError(_("It no longer belongs to this school. Please scan it, or leave it as it is."))
    item.outcome, item.found_at, item.found_by = Outcome.FOUND, clock.now(), by


def _recorded(_row: Stocktake, item: StocktakeItem, _by: User) -> None:
    device = device_of(item.code)
    if device is None:
        raise DomainError(_("There is no device with this number yet. Please record it first."))
    item.reason = device.tag


_APPLY: dict[str, Callable[[Stocktake, StocktakeItem, User], None]] = {
    Settlement.ROOM_TAKEN_OVER: _move,
    Settlement.MOVED_HERE: _move,
    Settlement.REPORTED_LOST: _lose,
    Settlement.AWAY: _away,
    Settlement.FOUND_BY_HAND: _by_hand,
    Settlement.RECORDED: _recorded,
}


def _device(item: StocktakeItem) -> Device:
    """The device as it is now."""
    device: Device = Device.objects.select_related("school", "site", "product").get(pk=item.device_id)
    return device


def _because(row: Stocktake) -> str:
    return gettext("Stocktake of %(day)s") % {"day": formats.day(row.started_at)}
