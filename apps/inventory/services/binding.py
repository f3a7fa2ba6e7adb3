"""Until when a grant binds devices."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.history import bulk_update_by
from apps.inventory.binding import BIND, DISPOSE_BOUND, is_loosened, is_plausible
from apps.inventory.models import Device
from apps.inventory.numbering import tidy
from apps.inventory.services.common import ensure_may

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def bind_devices(
    *, devices: Sequence[Device], until: datetime.date | None, file_reference: str, by: User, reason: str = ""
) -> list[Device]:
    """Says that a grant binds devices up to and including `until`; None ends their binding.

    Whoever ends a binding that still runs, or shortens it, lets the devices go early: that takes the permission
    `dispose_bound_device` and a reason. All devices or none; those that are bound so already are left as they are.
    """
    ensure_may(by, BIND)
    file_reference = tidy(file_reference)
    _ensure_whole(until, file_reference)
    rows = _locked(devices, by)
    changed = [row for row in rows if (row.bound_until, row.bound_by) != (until, file_reference)]
    if any(is_loosened(row, until) for row in changed):
        _ensure_may_loosen(by, reason)
    for row in changed:
        row.bound_until, row.bound_by = until, file_reference
    bulk_update_by(changed, ["bound_until", "bound_by"], by=by, reason=reason.strip())
    return rows


def bind_device(
    *, device: Device, until: datetime.date | None, file_reference: str, by: User, reason: str = ""
) -> Device:
    """`bind_devices` for one."""
    return bind_devices(devices=[device], until=until, file_reference=file_reference, by=by, reason=reason)[0]


@transaction.atomic
def lengthen_bindings(*, file_reference: str, until: datetime.date, by: User, reason: str = "") -> int:
    """Moves the last bound day of all devices under a file reference to `until`; how many moved.

    Devices that are bound as long or longer already are left as they are, so nothing is let go here.
    """
    ensure_may(by, "inventory.bind_device")
    file_reference = tidy(file_reference)
    _ensure_whole(until, file_reference)
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    changed = list(rows.filter(bound_by=file_reference, bound_until__lt=until).order_by("pk"))
    for row in changed:
        row.bound_until = until
    bulk_update_by(changed, ["bound_until"], by=by, reason=reason.strip())
    return len(changed)


@transaction.atomic
def rename_bindings(*, file_reference: str, to: str, by: User, reason: str = "") -> int:
    """All devices under a file reference bear another one; how many. Until when they are bound stays."""
    ensure_may(by, BIND)
    old, new = tidy(file_reference), tidy(to)
    if not new:
        raise DomainError(_("Please enter the file reference of the grant that binds the device."),
                          field="file_reference")  # fmt: skip
    if old == new:
        return 0
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    changed = list(rows.filter(bound_by=old).order_by("pk"))
    for row in changed:
        row.bound_by = new
    bulk_update_by(changed, ["bound_by"], by=by, reason=reason.strip())
    return len(changed)


def _locked(devices: Sequence[Device], by: User) -> list[Device]:
    ids = {device.pk for device in devices}
    rows = Device.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
    found = list(rows.order_by("pk"))
    if len(found) < len(ids):
        raise PermissionDenied("outside the scope")
    return found


def _ensure_whole(until: datetime.date | None, file_reference: str) -> None:
    if until is None:
        if file_reference:
            raise DomainError(_("Please enter the last day of the binding, or leave both fields empty."), field="until")
        return
    if not file_reference:
        raise DomainError(_("Please enter the file reference of the grant that binds the device."),
                          field="file_reference")  # fmt: skip
    if not is_plausible(until):
        raise DomainError(_("No grant binds until this day. Please check the year."), field="until")


def _ensure_may_loosen(by: User, reason: str) -> None:
    if not by.has_perm(DISPOSE_BOUND):
        raise DomainError(
            _("Only the approving office may end or shorten a binding that still runs. Please ask there."),
            code="bound",
            field="until",
        )
    if not reason.strip():
        raise DomainError(_("Please say why the binding ends earlier."), code="bound", field="reason")
