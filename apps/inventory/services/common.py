"""What every write to a device does: who may, which rows are locked, where it stands, and what is written last."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.querysets import ensure_still_visible
from apps.inventory.choices import ENDED_STATUSES, DeviceStatus
from apps.inventory.models import Device, DeviceKind
from apps.inventory.numbering import tidy
from apps.inventory.placing import Spot, place
from apps.schools.models import School, Site
from apps.schools.selectors import only_site
from apps.schools.services import raise_inputs_version

if TYPE_CHECKING:
    from apps.accounts.models import User


def ensure_may(by: User, permission: str) -> None:
    if not by.has_perm(permission):
        raise PermissionDenied(permission)


def lock_kinds(*ids: int) -> None:
    """Nobody changes what these kinds count as until the transaction ends. Before the lock of any device."""
    rows = DeviceKind.objects.select_for_update(no_key=True).filter(pk__in=ids)
    list(rows.order_by("pk").values_list("pk", flat=True))


def locked(device: Device, by: User) -> Device:
    """The device's present row, locked. Its kind is read afterwards, so that it is the kind of this moment."""
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: Device | None = rows.select_related("product", "site").filter(pk=device.pk).first()
    if row is None:
        raise PermissionDenied("outside the scope")
    return row


def lock_kit(device: Device, by: User) -> None:
    """Locks the device and what came with it in one kit, in primary-key order. Before `locked` where both are meant."""
    ours = Q(pk=device.pk) if device.kit_set_id is None else Q(kit_set=device.kit_set_id)
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(ours)
    list(rows.order_by("pk").values_list("pk", flat=True))


def write(
    row: Device,
    spot: Spot | None,
    *,
    by: User,
    on: datetime.date | None,
    status: DeviceStatus | None = None,
    reason: str = "",
) -> Device:
    """Writes the next placement and the device, checks the scope, and raises the versions last."""
    former = row.school or row.last_school
    touched = place(row, spot, day=on or today(), by=by)
    row.status = status or row.status
    row.last_school = former if row.status in ENDED_STATUSES else None
    if row.status != DeviceStatus.RETIRED:
        undo_disposal(row)
    save_by(row, by=by, reason=reason.strip())
    ensure_still_visible(row, by)
    raise_inputs_version(touched)
    return row


def undo_disposal(row: Device) -> None:
    """What is not retired has not left."""
    row.disposal, row.disposed_on, row.proceeds = "", None, None


def reason_of_loss(status: str, on: datetime.date | None, reason: str) -> str:
    """The day of a loss stands nowhere else where the device was in the depot, so it stays with the reason."""
    if on is None or on == today():
        return reason.strip()
    known = reason.strip()
    if status == DeviceStatus.LOST:
        since = _("Lost on %(day)s: %(known)s") if known else _("Lost on %(day)s.")
    else:
        since = _("Stolen on %(day)s: %(known)s") if known else _("Stolen on %(day)s.")
    return since % {"day": formats.day(on), "known": known}


def spot_at(school: School | None, site: Site | None, room: str, *, by: User) -> Spot | None:
    """Where a device is to stand; refuses schools outside the person's scope and sites of other schools.

    Nobody is asked for the site of a school that has only one: it is taken by itself.
    """
    if school is None:
        if site is not None or room:
            raise DomainError(_("Please choose the school of this site and room."), field="school")
        return None
    if not School.objects.visible_to(by).filter(pk=school.pk).exists():
        raise DomainError(_("This is none of your schools. Please choose one of yours."), field="school")
    if site is not None and site.school_id != school.pk:
        raise DomainError(_("This site belongs to another school. Please choose a site of %(school)s.")
                          % {"school": school}, field="site")  # fmt: skip
    return Spot(school, site or only_site(school), tidy(room))
