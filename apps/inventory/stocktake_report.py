"""The result of a stocktake as tagged PDF."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst
from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, pgettext

from apps.core import clock, formats
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import Stocktake, StocktakeItem
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.inventory.stocktake_selectors import Progress, Words, gone_words, lent, progress_of, with_ends
from apps.inventory.stocktake_tables import place_words, settlement_words

if TYPE_CHECKING:
    from apps.accounts.models import User

FONT = "Libertinus Serif"
"""Comes with typst."""
_TEMPLATE = Path(__file__).with_name("stocktake.typ")
_LISTED = (Outcome.MISSING, Outcome.OTHER_ROOM, Outcome.ELSEWHERE, Outcome.UNKNOWN)


def report_pdf(stocktake: Stocktake, user: User) -> bytes:
    """A tagged PDF (PDF/UA-1): place, days, people, numbers, and each difference with how it was settled.

    In the words that `user` may read.
    """
    document = json.dumps(_document(stocktake, user)).encode()
    pdf: bytes = typst.compile(
        {"main.typ": _TEMPLATE.read_bytes(), "stocktake.json": document},
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        timestamp=clock.now().replace(microsecond=0),
    )
    return pdf


def _document(stocktake: Stocktake, user: User) -> dict[str, Any]:
    progress = progress_of(stocktake)
    rows = with_ends(StocktakeItem.objects.filter(stocktake=stocktake))
    differences: Any = rows.exclude(outcome=Outcome.FOUND, settlement="")
    differences = differences.exclude(lent())
    items = list(differences.select_related("device__product", "school", "site", "found_site", "settled_by"))
    words = Words(user, items)
    return {
        "title": gettext("Stocktake of %(place)s") % {"place": stocktake.place},
        "language": (get_language() or settings.LANGUAGE_CODE).partition("-")[0],
        "font": FONT,
        "city": settings.CITY_NAME,
        "page": {"of": pgettext("page 1 of 2", "of"), "page": gettext("Page")},
        "printed": gettext("As of %(moment)s") % {"moment": formats.moment(clock.now())},
        "facts": [list(fact) for fact in _facts(stocktake, progress)],
        "header": [pgettext("of a device", "Number"), gettext("Product"), gettext("Should stand"), gettext("Settled")],
        "sections": _sections(items, words),
        "by_hand": _section(Outcome.FOUND, items, words),
    }


def _facts(stocktake: Stocktake, progress: Progress) -> Iterator[tuple[str, str]]:
    """What stands above the lists: label and value."""
    yield gettext("School"), f"{stocktake.school} ({stocktake.school.number})"
    part = place_words(stocktake.site, stocktake.room)
    yield gettext("Counted"), part or gettext("whole school")
    yield gettext("State"), str(StocktakeState(stocktake.state).label)
    yield gettext("Begun"), f"{formats.moment(stocktake.started_at)}, {stocktake.started_by}"
    if stocktake.closed_at is not None:
        yield gettext("Ended"), f"{formats.moment(stocktake.closed_at)}, {stocktake.closed_by}"
    people = stocktake.scans.order_by("by__name").values_list("by__name", flat=True).distinct()
    yield gettext("Scanned by"), ", ".join(people) or gettext("nobody yet")
    yield gettext("Expected"), formats.number(progress.expected)
    yield gettext("Found"), formats.number(progress.found)
    yield gettext("Not found"), formats.number(progress.missing)
    yield capfirst(str(DeviceStatus.ON_LOAN.label)), formats.number(progress.lent)
    if progress.gone:
        yield gettext("Reported as lost, stolen or retired"), formats.number(progress.gone)
    yield gettext("Found besides, belongs to the school"), formats.number(progress.extra)
    for outcome in (Outcome.OTHER_ROOM, Outcome.ELSEWHERE, Outcome.UNKNOWN):
        yield capfirst(str(outcome.label)), formats.number(progress.numbers[outcome])
    yield gettext("Still open"), formats.number(progress.open)


def _sections(items: Sequence[StocktakeItem], words: Words) -> list[dict[str, Any]]:
    """What is missing and what was found otherwise; last what was reported elsewhere, where there is any."""
    gone = [item for item in items if gone_words(item)]
    others = [item for item in items if not gone_words(item)]
    sections = [_section(outcome, others, words) for outcome in _LISTED]
    return sections + ([_listed(gettext("Reported as lost, stolen or retired"), gone, words)] if gone else [])


def _section(outcome: Outcome, items: Iterable[StocktakeItem], words: Words) -> dict[str, Any]:
    title = gettext("Found without scanning") if outcome == Outcome.FOUND else capfirst(str(outcome.label))
    return _listed(title, [item for item in items if item.outcome == outcome], words)


def _listed(title: str, items: Iterable[StocktakeItem], words: Words) -> dict[str, Any]:
    rows = [_row(item, words) for item in items]
    return {"title": f"{title} ({formats.number(len(rows))})", "rows": rows, "none": gettext("None.")}


def _row(item: StocktakeItem, words: Words) -> list[str]:
    product = str(item.device.product) if item.device is not None and words.shows(item) else formats.missing()
    if item.outcome == Outcome.ELSEWHERE:
        place = words.belongs(item)
    else:
        place = place_words(item.site, item.room) or formats.missing()
        found = place_words(item.found_site, item.found_room)
        if item.outcome == Outcome.OTHER_ROOM:
            place = gettext("%(place)s; found: %(found)s") % {"place": place, "found": found or formats.missing()}
    settled = str(settlement_words(item))
    if item.settled_at is not None and item.settlement != Settlement.GONE:
        settled = f"{settled} ({item.settled_by}, {formats.day(item.settled_at)})"
    return [item.code, product, place, settled]
