"""What a scanner reads: the address of a QR code, a bare inventory number, or a serial number."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django.db.models import QuerySet

from apps.inventory.models import Device
from apps.inventory.models.stocktakes import CODE_LENGTH
from apps.inventory.numbering import tidy

_SHORT = "d"


def read_code(text: str) -> str:
    """The number in what was scanned or typed: the tag of a full or relative address `/d/<tag>`, else the text itself.

    Without blanks around, never longer than a stored code. "" where nothing is left.
    """
    code = tidy(text.replace("\x00", ""))
    if "/" in code:
        parts = [part for part in urlsplit(code).path.split("/") if part]
        if len(parts) >= 2 and parts[-2].casefold() == _SHORT:
            code = tidy(unquote(parts[-1]).replace("\x00", "")).upper()
    return code[:CODE_LENGTH].strip()


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
