"""What this tab typed against what has been saved in the meantime. Pure: texts in, texts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.core import formats

NOTHING = gettext_lazy("(nothing)")


@dataclass(frozen=True)
class Content:
    """Title, reason, lines and round of an application; each line as (id or None, its words)."""

    title: str
    reason: str
    lines: tuple[tuple[int | None, str], ...] = ()
    round: str = ""


@dataclass(frozen=True)
class Difference:
    """One field that is not the same."""

    label: str | Promise
    mine: str
    theirs: str


def line_in_words(
    product: str, quantity: int, *, reason: str = "", replaced: int = 0, replaces: str = "", tags: Iterable[str] = ()
) -> str:
    """A line as one sentence part, the same for typed and stored lines."""
    parts = [f"{formats.number(quantity)} × {product}"]
    if reason:
        parts.append(_("for: %(reason)s") % {"reason": reason})
    if replaced or replaces:
        parts.append(
            _("replaces %(number)s: %(which)s") % {"number": formats.number(replaced), "which": replaces or NOTHING}
        )
    if named := ", ".join(sorted(tags)):
        parts.append(named)
    return "; ".join(parts)


def differences(mine: Content, theirs: Content) -> list[Difference]:
    """The fields that differ; lines are matched by their id, new ones by their order."""
    rows = [
        Difference(gettext_lazy("Title"), mine.title, theirs.title),
        Difference(gettext_lazy("Reason"), mine.reason, theirs.reason),
        Difference(gettext_lazy("Round of applications"), mine.round, theirs.round),
        *_line_differences(mine.lines, theirs.lines),
    ]
    return [
        Difference(row.label, row.mine or str(NOTHING), row.theirs or str(NOTHING))
        for row in rows
        if row.mine != row.theirs
    ]


def _line_differences(
    mine: Sequence[tuple[int | None, str]], theirs: Sequence[tuple[int | None, str]]
) -> Iterable[Difference]:
    stored = dict(theirs)
    left = {key: words for key, words in theirs if key not in {key for key, _words in mine}}
    pairs = [(words, stored.get(key, "")) for key, words in mine if key is not None]
    pairs += zip_longest([words for key, words in mine if key is None], left.values(), fillvalue="")
    for number, (typed, saved) in enumerate(pairs, start=1):
        yield Difference(pgettext("of an application", "Line %(number)s") % {"number": number}, typed, saved)
