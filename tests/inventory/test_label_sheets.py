"""The geometry of the sheets of labels, to the tenth of a millimetre."""

from decimal import Decimal
from itertools import pairwise

import pytest

from apps.inventory.label_sheets import (
    CUT,
    SHEETS,
    SMALLEST_TAG,
    Box,
    characters_in,
    code_box,
    label_box,
    lines_of,
    module_side,
    page_count,
    place_after,
    places_on,
    row_and_column,
    shortened,
    tag_size,
    text_box,
    text_height,
    text_width,
)

D = Decimal
SMALL, LARGE, ROLL = SHEETS["l4731"], SHEETS["l6011"], SHEETS["roll62"]
EVERY = pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)


def box(x: str, y: str, width: str, height: str) -> Box:
    return Box(D(x), D(y), D(width), D(height))


@pytest.mark.parametrize(
    ("sheet", "place", "label"),
    [
        (SMALL, 1, box("8.6", "13.5", "25.4", "10")),
        (SMALL, 2, box("36.5", "13.5", "25.4", "10")),
        (SMALL, 7, box("176.0", "13.5", "25.4", "10")),
        (SMALL, 8, box("8.6", "23.5", "25.4", "10")),
        (SMALL, 189, box("176.0", "273.5", "25.4", "10")),
        (LARGE, 1, box("7.25", "15.3", "63.5", "29.6")),
        (LARGE, 3, box("139.25", "15.3", "63.5", "29.6")),
        (LARGE, 27, box("139.25", "252.1", "63.5", "29.6")),
        (ROLL, 1, box("0", "0", "62", "29")),
    ],
)
def test_where_a_label_lies(sheet, place, label):
    assert label_box(sheet, place) == label


@EVERY
def test_the_margins_of_a_sheet_are_alike_and_nothing_leaves_its_label_or_the_page(sheet):
    labels = [label_box(sheet, place) for place in range(1, places_on(sheet) + 1)]

    assert labels[0].x == sheet.page_width - labels[-1].right
    assert labels[0].y == sheet.page_height - labels[-1].bottom
    for place, label in enumerate(labels, start=1):
        code, text = code_box(sheet, place), text_box(sheet, place)
        assert 0 <= label.x <= code.x < code.right <= text.x < text.right < label.right <= sheet.page_width
        assert 0 <= label.y <= code.y == text.y < code.bottom == text.bottom <= label.bottom <= sheet.page_height
        assert code.width == code.height


@EVERY
def test_labels_do_not_overlap(sheet):
    labels = [label_box(sheet, place) for place in range(1, places_on(sheet) + 1)]

    for before, after in pairwise(labels):
        assert before.right <= after.x or before.bottom <= after.y


@pytest.mark.parametrize(
    ("sheet", "code", "text"),
    [
        (SMALL, box("8.6", "13.5", "10", "10"), box("18.6", "13.5", "14.4", "10")),
        (LARGE, box("9.25", "17.3", "25.6", "25.6"), box("34.85", "17.3", "33.9", "25.6")),
        (ROLL, box("3", "3", "23", "23"), box("26", "3", "33", "23")),
    ],
)
def test_the_code_stands_left_and_the_text_beside_it(sheet, code, text):
    assert (code_box(sheet, 1), text_box(sheet, 1)) == (code, text)


def test_a_module_of_a_long_address_can_still_be_printed():
    """Version 4 has 33 modules and holds 78 characters; 0.24 mm are nearly three dots of 300 in an inch."""
    assert module_side(SMALL, 33).quantize(D("0.001")) == D("0.244")
    assert module_side(LARGE, 33).quantize(D("0.001")) == D("0.624")
    assert module_side(ROLL, 33).quantize(D("0.001")) == D("0.561")


@pytest.mark.parametrize(
    ("sheet", "place", "where"),
    [(SMALL, 1, (1, 1)), (SMALL, 7, (1, 7)), (SMALL, 8, (2, 1)), (SMALL, 189, (27, 7)), (LARGE, 27, (9, 3)),
     (LARGE, 4, (2, 1)), (ROLL, 1, (1, 1))],
)  # fmt: skip
def test_places_are_numbered_row_by_row(sheet, place, where):
    assert row_and_column(sheet, place) == where


@pytest.mark.parametrize(
    ("sheet", "start", "index", "found"),
    [(SMALL, 1, 0, (1, 1)), (SMALL, 1, 188, (1, 189)), (SMALL, 1, 189, (2, 1)), (SMALL, 188, 2, (2, 1)),
     (LARGE, 27, 0, (1, 27)), (LARGE, 27, 1, (2, 1)), (LARGE, 5, 50, (3, 1)), (ROLL, 1, 4, (5, 1))],
)  # fmt: skip
def test_labels_go_on_from_the_starting_place(sheet, start, index, found):
    assert place_after(sheet, start, index) == found


@pytest.mark.parametrize(
    ("sheet", "start", "labels", "pages"),
    [(SMALL, 1, 0, 0), (SMALL, 1, 189, 1), (SMALL, 1, 190, 2), (SMALL, 2, 189, 2), (SMALL, 1, 500, 3),
     (LARGE, 27, 1, 1), (LARGE, 27, 2, 2), (LARGE, 1, 500, 19), (ROLL, 1, 500, 500)],
)  # fmt: skip
def test_the_number_of_sheets(sheet, start, labels, pages):
    assert page_count(sheet, start, labels) == pages


@pytest.mark.parametrize(
    ("sheet", "tag", "size"),
    [(SMALL, "A-1", "8"), (SMALL, "HAM-000123", "6.7"), (SMALL, "A" * 32, "5"), (LARGE, "HAM-000123", "15"),
     (LARGE, "A" * 20, "7.9"), (ROLL, "HAM-000123", "15"), (ROLL, "A" * 32, "5")],
)  # fmt: skip
def test_the_tag_is_as_large_as_it_fits(sheet, tag, size):
    assert tag_size(sheet, tag) == D(size)


def test_what_stands_on_a_label():
    def texts(sheet, *facts):
        return [line.text for line in lines_of(sheet, *facts)]

    facts = ("HAM-000123", "Hamm", "ThinkPad L14 Gen 4", "SN-1")
    assert texts(LARGE, *facts) == ["HAM-000123", "Hamm", "ThinkPad L14 Gen 4", "SN-1"]
    assert texts(SMALL, *facts) == ["HAM-000123", "Hamm", "ThinkPad L14 G…", "SN-1"]
    assert texts(SMALL, "HAM-000123", "Hamm", "iPad", "") == ["HAM-000123", "Hamm", "iPad"]
    assert [line.strong for line in lines_of(LARGE, *facts)] == [True, False, False, False]


def test_a_serial_number_stands_there_whole_or_not_at_all():
    assert characters_in(SMALL, SMALL.detail) == 15
    assert lines_of(SMALL, "A-1", "Hamm", "iPad", "S" * 15)[-1].text == "S" * 15
    assert lines_of(SMALL, "A-1", "Hamm", "iPad", "S" * 16)[-1].text == "iPad"


@EVERY
@pytest.mark.parametrize("tag", ["A", "HAM-000123", "A" * 32, "SCHULE-GEBAEUDE-RAUM-NUMMER-0012"])
def test_the_text_stays_on_its_label_and_the_tag_is_whole(sheet, tag):
    lines = lines_of(sheet, tag, "Neustadt am Rübenberge", "M" * 120, "S" * 80)
    room = text_box(sheet, 1)

    assert "".join(line.text for line in lines if line.strong) == tag
    assert text_height(lines) <= room.height
    assert all(text_width(len(line.text), line.size) <= room.width for line in lines)
    assert all(line.size >= SMALLEST_TAG for line in lines if line.strong)


def test_shortening():
    assert (shortened("abc", 3), shortened("abcd", 3), shortened("ab cd", 4)) == ("abc", "ab" + CUT, "ab" + CUT)
