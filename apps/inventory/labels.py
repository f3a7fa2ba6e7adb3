"""Labels with QR codes as PDF."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext

from apps.core import clock
from apps.inventory import label_sheets
from apps.inventory.label_sheets import Box, Sheet
from apps.inventory.models import Device

AT_ONCE = 500
FONT = "DejaVu Sans Mono"
"""Comes with typst; its even width is what `label_sheets` reckons with, and it tells 0 from O."""
_TEMPLATE = Path(__file__).with_name("labels.typ")


@dataclass(frozen=True)
class Chosen:
    """The devices to label, by tag. `unknown`: how many of the named ones the person does not see.

    `too_many`: more than AT_ONCE; then there are no devices.
    """

    devices: Sequence[Device] = field(default_factory=list)
    unknown: int = 0
    too_many: bool = False


def chosen_devices(rows: Any, named: int | None = None) -> Chosen:
    """`rows`: devices from `visible_to`. `named`: how many different ones were asked for by name."""
    devices = list(rows.select_related("product").order_by("tag")[: AT_ONCE + 1])
    if len(devices) > AT_ONCE:
        return Chosen(too_many=True)
    return Chosen(devices, unknown=0 if named is None else named - len(devices))


def short_address(device: Device) -> str:
    """What the code says: the absolute address that leads to the device's page."""
    return f"{settings.PORTAL_URL}{reverse('inventory:short', args=[device.tag])}"


def labels_pdf(devices: Sequence[Device], sheet: Sheet, start: int) -> bytes:
    """A tagged PDF (PDF/UA-1) of `page_count` pages at full size; the first label on place `start`.

    `devices` holds at least one.
    """
    pages: list[list[dict[str, Any]]] = [[] for _page in range(label_sheets.page_count(sheet, start, len(devices)))]
    mask = best_mask(short_address(devices[0]), sheet.correction)
    for index, device in enumerate(devices):
        page, place = label_sheets.place_after(sheet, start, index)
        pages[page - 1].append(_label(device, sheet, place, mask))
    document = json.dumps(_document(sheet, pages), default=float).encode()
    pdf: bytes = typst.compile(
        {"main.typ": _TEMPLATE.read_bytes(), "labels.json": document},
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        timestamp=clock.now().replace(microsecond=0),
    )
    return pdf


def best_mask(text: str, correction: str) -> int:
    """The mask that spreads dark and light best.

    Weighing all eight is most of the work for a code. The addresses of one print differ in a few digits only, so the
    mask of the first serves all.
    """
    return int(segno.make_qr(text, error=correction).mask)


def code_image(text: str, correction: str, mask: int) -> bytes:
    """The QR code as PNG, one pixel for each module, with its quiet zone."""
    image = io.BytesIO()
    segno.make_qr(text, error=correction, mask=mask).save(image, kind="png", border=label_sheets.QUIET_MODULES)
    return image.getvalue()


def _document(sheet: Sheet, pages: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "title": gettext("Labels of %(city)s") % {"city": settings.CITY_NAME},
        "language": (get_language() or settings.LANGUAGE_CODE).partition("-")[0],
        "page": {"width": sheet.page_width, "height": sheet.page_height},
        "font": FONT,
        "line_height": label_sheets.LINE_HEIGHT,
        "pages": pages,
    }


def _label(device: Device, sheet: Sheet, place: int, mask: int) -> dict[str, Any]:
    code, words = label_sheets.code_box(sheet, place), label_sheets.text_box(sheet, place)
    lines = label_sheets.lines_of(sheet, device.tag, settings.CITY_NAME, device.product.model, device.serial)
    address = short_address(device)
    png = list(code_image(address, sheet.correction, mask))
    alt = gettext("QR code for %(address)s") % {"address": address}
    return {
        "code": {"png": png, "alt": alt, "x": code.x, "y": code.y, "side": code.width},
        "text": {**_corner_and_size(words), "lines": [vars(line) for line in lines]},
    }


def _corner_and_size(box: Box) -> dict[str, Decimal]:
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
