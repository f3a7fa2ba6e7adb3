"""The care of loans as operators read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core.formats import number
from apps.core.job_kinds import JobKind, listed, register

REMINDING_JOB = "inventory.remind_of_loans"
CLEARING_JOB = "inventory.clear_loans"


def _told_words(result: Mapping[str, Any]) -> str:
    """ "Told 3 schools of 12 loans, 1 school has no coordinator"."""
    schools, loans, orphaned = (int(result.get(name, 0)) for name in ("schools", "loans", "without_coordinator"))
    if not schools and not orphaned:
        return _("nothing was due")
    return listed(
        (
            ngettext("%(number)s school written to", "%(number)s schools written to", schools)
            % {"number": number(schools)},
            ngettext("%(number)s loan", "%(number)s loans", loans) % {"number": number(loans)},
            ngettext("%(number)s school has no coordinator", "%(number)s schools have no coordinator", orphaned)
            % {"number": number(orphaned)}
            if orphaned
            else "",
        )
    )


def _cleared_words(result: Mapping[str, Any]) -> str:
    """ "40 loans, 95 past versions, 3 names"."""
    loans, versions, names = (int(result.get(name, 0)) for name in ("loans", "versions", "names"))
    if not loans and not names:
        return _("nothing was due")
    return listed(
        (
            ngettext("%(number)s loan", "%(number)s loans", loans) % {"number": number(loans)},
            ngettext("%(number)s past version", "%(number)s past versions", versions) % {"number": number(versions)},
            ngettext("%(number)s name", "%(number)s names", names) % {"number": number(names)} if names else "",
        )
    )


def register_loan_jobs() -> None:
    """Called when the app is ready."""
    register(
        JobKind(
            REMINDING_JOB,
            gettext_lazy("Remind of loans that are due"),
            52,
            task=REMINDING_JOB,
            rhythm=gettext_lazy("every morning"),
            by_schedule=True,
            words=_told_words,
            repeated=True,
        ),
        JobKind(
            CLEARING_JOB,
            gettext_lazy("Delete personal details of old loans"),
            54,
            task=CLEARING_JOB,
            rhythm=gettext_lazy("every night"),
            by_schedule=True,
            words=_cleared_words,
            repeated=True,
        ),
    )
