"""The reminder of rounds that end as operators read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core.formats import number
from apps.core.job_kinds import JobKind, listed, register

REMINDING_JOB = "funding.remind_of_rounds"


def _words(result: Mapping[str, Any]) -> str:
    """ "1 round ends soon, 30 schools have something open, 34 mails"."""
    rounds, schools, mails = (int(result.get(name, 0)) for name in ("rounds", "schools", "mails"))
    if not rounds:
        return _("nothing was due")
    return listed(
        (
            ngettext("%(number)s round ends soon", "%(number)s rounds end soon", rounds) % {"number": number(rounds)},
            ngettext("%(number)s school written to", "%(number)s schools written to", schools)
            % {"number": number(schools)},
            ngettext("%(number)s mail", "%(number)s mails", mails) % {"number": number(mails)},
        )
    )


def register_all() -> None:
    """Called when the app is ready."""
    register(
        JobKind(
            REMINDING_JOB,
            gettext_lazy("Remind schools of a round that ends"),
            54,
            task=REMINDING_JOB,
            rhythm=gettext_lazy("every morning"),
            by_schedule=True,
            words=_words,
            repeated=True,
        )
    )
