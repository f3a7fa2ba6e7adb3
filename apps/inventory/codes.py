"""What a scanner reads: the address of a QR code, a bare inventory number, or a serial number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.http.request import validate_host

from apps.inventory.models import Device
from apps.inventory.models.stocktakes import CODE_LENGTH
from apps.inventory.numbering import is_running_tag, tidy

if TYPE_CHECKING:
    from apps.accounts.models import User

_SHORT = "d"
_ways: list[Callable[[User, str], str]] = []


def register_way(way: Callable[[User, str], str]) -> None:
    """A higher app leads those who see no devices on: from the person and an inventory number to an address, or ""."""
    _ways.append(way)


def way_for(user: User, tag: str) -> str:
    """Where the label of a device leads somebody who sees no devices; "" where nowhere."""
    return next((address for way in _ways if (address := way(user, tag))), "")


def read_code(text: str) -> str:
    """The number in what was scanned or typed: the tag of an address `/d/<tag>` of the portal, else the text.

    The address may be full or relative. The result has no blanks around and is never longer than a stored code; ""
    where nothing is left.
    """
    code = tidy(text.replace("\x00", ""))
    if "/" in code:
        address = _split(code)
        parts = [part for part in address.path.split("/") if part]
        if len(parts) >= 2 and parts[-2].casefold() == _SHORT and _is_ours(address):
            code = tidy(unquote(parts[-1]).replace("\x00", "")).upper()
    return code[:CODE_LENGTH].strip()


def tag_on_label(text: str) -> str:
    """The inventory number where this is what the portal's labels bear, the address or a running number; else ""."""
    code = read_code(text).upper()
    return code if is_running_tag(code) or code != tidy(text).upper()[:CODE_LENGTH].strip() else ""


def _split(code: str) -> SplitResult:
    try:
        return urlsplit(code)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_ours(address: SplitResult) -> bool:
    """Whether the address names no host, or one at which the portal answers: what others print is no device of ours."""
    if not address.netloc:
        return not address.scheme
    known = [*settings.ALLOWED_HOSTS, urlsplit(settings.PORTAL_URL).hostname or ""]
    return validate_host((address.hostname or "").casefold(), known)


def device_of(code: str, among: QuerySet[Any] | None = None) -> Device | None:
    """The device with this inventory number, else the one with this serial number, `among` these or whoever sees it.

    Scanners differ in capitals, and Apple's bar codes put an S before the serial number.
    """
    upper = code.upper()
    serials = [code, upper, *([upper[1:]] if len(upper) > 8 and upper.startswith("S") else [])]
    rows = (Device.objects.all() if among is None else among).select_related("product", "school", "site")
    found: Device | None = rows.filter(tag=upper).first()
    if found is None:
        by_serial = {device.serial: device for device in rows.filter(serial__in=serials)}
        found = next((by_serial[serial] for serial in serials if serial in by_serial), None)
    return found
