"""The kinds of jobs and of waiting work, as operators read them; each app registers its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.formats import number

Text = str | Promise
Outcome = Callable[[Mapping[str, Any]], str]


def _no_words(_result: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True)
class JobKind:
    """`name` as stored in `Job.kind`. `task` is what "run now" sends, with the job's number; none: only shown.

    `words` makes a sentence of a job's result. Runs of a `repeated` kind are forgotten after half a year. A kind runs
    again with the next sweep when it broke off, or `by_schedule` no sooner than its rhythm says.
    """

    name: str
    label: Text
    order: int
    task: str = ""
    rhythm: Text = ""
    words: Outcome = _no_words
    repeated: bool = False
    by_schedule: bool = False


@dataclass(frozen=True)
class Waiting:
    """Work that waits: how much, and why (`hint`). A fault waits for a person, the rest for the worker."""

    label: Text
    count: Callable[[], int]
    order: int
    hint: Callable[[], str] = lambda: ""
    is_fault: bool = False


_kinds: dict[str, JobKind] = {}
_waiting: dict[str, Waiting] = {}


def register(*kinds: JobKind) -> None:
    _kinds.update({kind.name: kind for kind in kinds})


def register_waiting(name: str, waiting: Waiting) -> None:
    _waiting[name] = waiting


def kinds() -> list[JobKind]:
    return sorted(_kinds.values(), key=lambda kind: kind.order)


def waiting() -> list[Waiting]:
    return sorted(_waiting.values(), key=lambda entry: entry.order)


def kind_of(name: str) -> JobKind | None:
    return _kinds.get(name)


def label_of(name: str) -> str:
    """The kind's German words; a kind that nobody registered is shown by its name."""
    kind = _kinds.get(name)
    return str(kind.label) if kind else name


def words_of(name: str, result: Mapping[str, Any]) -> str:
    """The outcome of a job in words."""
    kind = _kinds.get(name)
    return kind.words(result) if kind and result else ""


def listed(parts: Iterable[str]) -> str:
    return ", ".join(part for part in parts if part)


# The kinds of `core`


def mail_words(result: Mapping[str, Any]) -> str:
    """ "3 mails sent, 1 failed"."""
    sent, failed, again = (int(result.get(name, 0)) for name in ("sent", "failed", "again"))
    return listed(
        (
            ngettext("%(number)s mail sent", "%(number)s mails sent", sent) % {"number": number(sent)},
            _("%(number)s failed") % {"number": number(failed)} if failed else "",
            _("%(number)s to be tried again") % {"number": number(again)} if again else "",
        )
    )


def import_words(result: Mapping[str, Any]) -> str:
    """ "12 new, 3 changed"."""
    if result.get("discarded"):
        return _("discarded")
    names = {
        "new": _("%(number)s new"),
        "changed": _("%(number)s changed"),
        "unchanged": _("%(number)s unchanged"),
        "left_out": _("%(number)s left out"),
        "wrong": _("%(number)s faulty"),
    }
    return listed(text % {"number": number(result[name])} for name, text in names.items() if result.get(name))
