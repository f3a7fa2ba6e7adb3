"""The recalculation as operators read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core.formats import number
from apps.core.job_kinds import JobKind, Waiting, listed, register, register_waiting
from apps.quotas.selectors import FULL_JOB, STALE_JOB, figure_status


def _stale_words(result: Mapping[str, Any]) -> str:
    """ "3 schools, 120 figures written"."""
    rows, schools = int(result.get("written", 0)), int(result.get("schools", 0))
    if not result.get("rows"):
        return _("nothing was due")
    return listed(
        (
            ngettext("%(number)s school", "%(number)s schools", schools) % {"number": number(schools)},
            ngettext("%(number)s figure written", "%(number)s figures written", rows) % {"number": number(rows)},
        )
    )


def _full_words(result: Mapping[str, Any]) -> str:
    """ "3,120 figures compared, no drift"."""
    compared, drifted = int(result.get("compared", 0)), int(result.get("drifted", 0))
    drift = ngettext("%(number)s value had drifted", "%(number)s values had drifted", drifted)
    return listed(
        (
            ngettext("%(number)s figure compared", "%(number)s figures compared", compared)
            % {"number": number(compared)},
            drift % {"number": number(drifted)} if drifted else _("no drift"),
        )
    )


def register_jobs() -> None:
    """Called when the app is ready."""
    register(
        JobKind(
            STALE_JOB,
            gettext_lazy("Recalculate changed quotas"),
            10,
            task=STALE_JOB,
            rhythm=gettext_lazy("after each change"),
            words=_stale_words,
            repeated=True,
        ),
        JobKind(
            FULL_JOB,
            gettext_lazy("Recalculate and compare all quotas"),
            20,
            task=FULL_JOB,
            rhythm=gettext_lazy("every night"),
            by_schedule=True,
            words=_full_words,
            repeated=True,
        ),
    )
    register_waiting(
        "schools", Waiting(gettext_lazy("Schools to be recalculated"), lambda: figure_status().pending, 10)
    )
