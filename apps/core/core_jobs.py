"""The jobs of `core` and what of its work waits."""

from __future__ import annotations

from django.db.models import Count, Max
from django.utils.translation import gettext_lazy as _
from post_office.mail import get_queued
from post_office.models import STATUS, Email, Log

from apps.core.imports.engine import APPLY_JOB, CHECK_JOB
from apps.core.job_kinds import JobKind, Waiting, import_words, listed, mail_words, register, register_waiting
from apps.core.mail import SENDING_JOB
from apps.core.models import ImportRun, ImportState

CLEARING_JOB = "core.clear_expired"
REASONS_SHOWN = 3


def mails_due() -> bool:
    """Whether a mail may go out now; one that failed waits for its next attempt."""
    return bool(get_queued().exists())


def queued_mails() -> int:
    return Email.objects.filter(status__in=(STATUS.queued, STATUS.requeued)).count()


def failed_mails() -> int:
    return Email.objects.filter(status=STATUS.failed).count()


def reasons_of_failed_mails() -> str:
    """The kinds of errors, most frequent first; never an address."""
    newest = Log.objects.filter(email__status=STATUS.failed).values("email").annotate(newest=Max("pk"))
    kinds = Log.objects.filter(pk__in=newest.values("newest")).values("exception_type").annotate(times=Count("pk"))
    return listed(f"{row['exception_type']} ({row['times']})" for row in kinds.order_by("-times")[:REASONS_SHOWN])


def imports_for_the_worker() -> int:
    return ImportRun.objects.filter(state__in=(ImportState.CHECKING, ImportState.APPLYING)).count()


def imports_for_a_person() -> int:
    return ImportRun.objects.filter(state=ImportState.CHECKED).count()


def register_all() -> None:
    """Called when the app is ready."""
    register(
        JobKind(
            SENDING_JOB, _("Send mails"), 30, task=SENDING_JOB, rhythm=_("when needed"), words=mail_words, repeated=True
        ),
        JobKind(CHECK_JOB, _("Check an uploaded file"), 40, rhythm=_("when needed"), words=import_words),
        JobKind(APPLY_JOB, _("Apply an uploaded file"), 50, rhythm=_("when needed"), words=import_words),
        JobKind(
            CLEARING_JOB,
            _("Clear what has expired"),
            60,
            task=CLEARING_JOB,
            rhythm=_("every night"),
            repeated=True,
            by_schedule=True,
        ),
    )
    register_waiting("mails", Waiting(_("Mails to be sent"), queued_mails, 20))
    register_waiting(
        "failed_mails",
        Waiting(_("Mails that failed for good"), failed_mails, 30, reasons_of_failed_mails, is_fault=True),
    )
    register_waiting("imports", Waiting(_("Files to be checked or applied"), imports_for_the_worker, 40))
    register_waiting("checked", Waiting(_("Checked files that wait for a decision"), imports_for_a_person, 50))
