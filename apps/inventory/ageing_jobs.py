"""The reminder of what falls due as operators read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core.formats import day, number
from apps.core.job_kinds import JobKind, listed, register

REMINDER_JOB = "inventory.remind_of_ageing"


def _not_mailed(result: Mapping[str, Any]) -> str:
    done, following = (result.get(name, "") for name in ("done", "next_on"))
    return listed(
        (
            _("no mail, for those of %(day)s are out already") % {"day": day(date.fromisoformat(done))}
            if done
            else _("no mail, for no reminder is due"),
            _("the next one on %(day)s") % {"day": day(date.fromisoformat(following))} if following else "",
        )
    )


def reminder_words(result: Mapping[str, Any]) -> str:
    """ "2 mails, 120 devices fall due, 15 are overdue", or why no mail went out."""
    if "next_on" in result:
        return _not_mailed(result)
    mails, soon, overdue = (int(result.get(name, 0)) for name in ("mails", "soon", "overdue"))
    return listed(
        (
            ngettext("%(number)s mail", "%(number)s mails", mails) % {"number": number(mails)},
            ngettext("%(number)s device falls due", "%(number)s devices fall due", soon) % {"number": number(soon)},
            _("%(number)s due already") % {"number": number(overdue)},
        )
    )


def register_all() -> None:
    """Called when the app is ready."""
    register(
        JobKind(
            REMINDER_JOB,
            gettext_lazy("Remind the office of what falls due"),
            35,
            task=REMINDER_JOB,
            rhythm=gettext_lazy("twice a year"),
            by_schedule=True,
            words=reminder_words,
            repeated=True,
        )
    )
