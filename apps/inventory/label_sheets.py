"""Where labels lie on their sheets, and what fits on one: numbers in, numbers out; lengths in millimetres.

Sources. Size and number of the labels are those printed on the packs of Avery Zweckform L4731 (189 labels of
25.4 x 10 mm) and L6011 (27 of 63.5 x 29.6 mm) on A4. The makers' public templates for these grids have 2.5 mm between
the columns and none between the rows, and lie in the middle of the sheet; the margins follow from that. The roll is
62 mm wide, continuous or cut to 29 mm (the standard address label of label printers): each label is a page of its own.
A sheet held against a first print on plain paper shows whether the printer draws it in straight.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUIET_MODULES = 4
"""White modules that a QR code needs on each side (ISO/IEC 18004)."""
POINT = Decimal("25.4") / 72
ADVANCE = Decimal("0.6021")
"""Width of every character of DejaVu Sans Mono, in parts of the font size (1233 of 2048 units)."""
LINE_HEIGHT = Decimal("1.2")
SMALLEST_TAG = Decimal(5)
"""Points; below that a tag wraps instead."""
CUT = "…"


@dataclass(frozen=True)
class Box:
    """A rectangle on a page, measured from the page's upper left corner."""

    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal

    @property
    def right(self) -> Decimal:
        return self.x + self.width

    @property
    def bottom(self) -> Decimal:
        return self.y + self.height


@dataclass(frozen=True)
class Sheet:
    """One kind of sheet. `inset`: what stays free around code and text, for printers that do not reach the edge.

    `largest_tag` and `detail` are font sizes in points; `correction` is the level of the code's error correction that
    it has at least.
    """

    code: str
    name: str | Promise
    page_width: Decimal
    page_height: Decimal
    columns: int
    rows: int
    width: Decimal
    height: Decimal
    column_gap: Decimal
    row_gap: Decimal
    inset: Decimal
    largest_tag: Decimal
    detail: Decimal
    correction: str


@dataclass(frozen=True)
class Line:
    """A line of text on a label; `size` in points."""

    text: str
    size: Decimal
    strong: bool = False


_A4 = {"page_width": Decimal(210), "page_height": Decimal(297)}
SHEETS = {
    sheet.code: sheet
    for sheet in (
        Sheet(
            code="l4731", name=_("Avery L4731: 189 labels of 25.4 × 10 mm"), **_A4, columns=7, rows=27,
            width=Decimal("25.4"), height=Decimal(10), column_gap=Decimal("2.5"), row_gap=Decimal(0),
            inset=Decimal(0), largest_tag=Decimal(8), detail=Decimal("4.5"), correction="L",
        ),
        Sheet(
            code="l6011", name=_("Avery L6011: 27 labels of 63.5 × 29.6 mm"), **_A4, columns=3, rows=9,
            width=Decimal("63.5"), height=Decimal("29.6"), column_gap=Decimal("2.5"), row_gap=Decimal(0),
            inset=Decimal(2), largest_tag=Decimal(15), detail=Decimal(8), correction="M",
        ),
        Sheet(
            code="roll62", name=_("Roll of 62 mm: labels of 62 × 29 mm"), page_width=Decimal(62),
            page_height=Decimal(29), columns=1, rows=1, width=Decimal(62), height=Decimal(29),
            column_gap=Decimal(0), row_gap=Decimal(0), inset=Decimal(3), largest_tag=Decimal(15), detail=Decimal(8),
            correction="M",
        ),
    )
}  # fmt: skip


def places_on(sheet: Sheet) -> int:
    """Labels on one sheet; they are numbered from 1, row by row."""
    return sheet.columns * sheet.rows


def row_and_column(sheet: Sheet, place: int) -> tuple[int, int]:
    """Both from 1."""
    return (place - 1) // sheet.columns + 1, (place - 1) % sheet.columns + 1


def left_margin(sheet: Sheet) -> Decimal:
    """As wide as the right one."""
    labels = sheet.columns * sheet.width + (sheet.columns - 1) * sheet.column_gap
    return (sheet.page_width - labels) / 2


def top_margin(sheet: Sheet) -> Decimal:
    """As high as the one at the bottom."""
    labels = sheet.rows * sheet.height + (sheet.rows - 1) * sheet.row_gap
    return (sheet.page_height - labels) / 2


def label_box(sheet: Sheet, place: int) -> Box:
    """The label itself."""
    row, column = row_and_column(sheet, place)
    return Box(
        left_margin(sheet) + (column - 1) * (sheet.width + sheet.column_gap),
        top_margin(sheet) + (row - 1) * (sheet.height + sheet.row_gap),
        sheet.width,
        sheet.height,
    )


def code_side(sheet: Sheet) -> Decimal:
    """Side of the square that the code fills together with its quiet zone."""
    return sheet.height - 2 * sheet.inset


def code_box(sheet: Sheet, place: int) -> Box:
    """The code stands at the left of its label."""
    label, side = label_box(sheet, place), code_side(sheet)
    return Box(label.x + sheet.inset, label.y + sheet.inset, side, side)


def module_side(sheet: Sheet, modules: int) -> Decimal:
    """Side of one module of a code that has so many of them without its quiet zone."""
    return code_side(sheet) / (modules + 2 * QUIET_MODULES)


def text_box(sheet: Sheet, place: int) -> Box:
    """What the code leaves; its quiet zone keeps them apart, and the label's right edge stays free."""
    label, code = label_box(sheet, place), code_box(sheet, place)
    return Box(code.right, code.y, label.right - code.right - max(sheet.inset, Decimal(1)), code.height)


def place_after(sheet: Sheet, start: int, index: int) -> tuple[int, int]:
    """Page and place, both from 1, of the label `index` (from 0) where the first one is put on place `start`."""
    pages, place = divmod(start - 1 + index, places_on(sheet))
    return pages + 1, place + 1


def page_count(sheet: Sheet, start: int, labels: int) -> int:
    """Sheets that are needed; 0 for no labels."""
    return place_after(sheet, start, labels - 1)[0] if labels else 0


def text_width(characters: int, size: Decimal) -> Decimal:
    return characters * ADVANCE * size * POINT


def text_height(lines: list[Line]) -> Decimal:
    return sum((line.size for line in lines), Decimal(0)) * LINE_HEIGHT * POINT


def characters_in(sheet: Sheet, size: Decimal) -> int:
    """Characters of this size that a line of a label holds."""
    return int(text_box(sheet, 1).width / text_width(1, size))


def tag_size(sheet: Sheet, tag: str) -> Decimal:
    """As large as the tag fits into one line, in tenths of a point, between SMALLEST_TAG and the sheet's largest."""
    fits = text_box(sheet, 1).width / text_width(len(tag), Decimal(1))
    return max(SMALLEST_TAG, min(sheet.largest_tag, fits.quantize(Decimal("0.1"), ROUND_DOWN)))


def shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1].rstrip() + CUT


def lines_of(sheet: Sheet, tag: str, city: str, product: str, serial: str) -> list[Line]:
    """What stands on a label: the whole tag, then city and product, cut where they are too long.

    The serial number stands there only where it fits whole, for a cut one misleads. Lines that find no room below a
    tag of several lines are left out from the end.
    """
    size, room = tag_size(sheet, tag), characters_in(sheet, sheet.detail)
    lines = [Line(part, size, strong=True) for part in textwrap.wrap(tag, characters_in(sheet, size))]
    details = [shortened(" ".join(text.split()), room) for text in (city, product)]
    details += [serial] if len(serial) <= room else []
    for text in filter(None, details):
        more = [*lines, Line(text, sheet.detail)]
        if text_height(more) > text_box(sheet, 1).height:
            break
        lines = more
    return lines
