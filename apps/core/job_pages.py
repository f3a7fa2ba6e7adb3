"""The operators' page: what runs in the background, what waits, what failed, and "run now"."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from celery import signature
from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django_filters import ChoiceFilter

from apps.core import clock, formats, heartbeats, job_kinds, jobs
from apps.core.columns import DateTimeColumn, PortalColumn, TextColumn
from apps.core.filters import PortalFilterSet
from apps.core.list_views import PortalListView
from apps.core.models import Heartbeat, Job, JobState
from apps.core.nudge import nudge
from apps.core.tables import PortalTable
from apps.core.templatetags.portal import state_badge

RUN_JOBS = "core.run_jobs"
UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)


def duration(job: Job) -> str:
    """ "0,4 s", "12 s", "3 min 20 s"; for a running one the time until now, "" for one that has not begun.

    For one that broke off the time until its last sign of life, "" where its beginning is the only one.
    """
    if job.started_at is None:
        return ""
    broken_off = jobs.is_broken_off(job)
    ended = job.ended_at or (job.beat_at if broken_off else None) or clock.now()
    if broken_off and ended <= job.started_at:
        return ""
    seconds = max((ended - job.started_at).total_seconds(), 0)
    if seconds < 10:
        return formats.with_unit(seconds, "s", 1)
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return formats.with_unit(rest, "s")
    return f"{formats.with_unit(minutes, 'min')} {formats.with_unit(rest, 's')}"


def outcome(job: Job) -> str:
    """What came out, in words: figures, the reason of a failure, or how far it is."""
    state = jobs.shown_state(job)
    if state == JobState.BROKEN_OFF:
        kind = job_kinds.kind_of(job.kind)
        if kind is not None and kind.by_schedule:
            text = _("The worker was interrupted. The work begins again by itself at its time: %(rhythm)s.")
            return text % {"rhythm": kind.rhythm}
        return _("The worker was interrupted. The next sweep takes the work up again.")
    if state == JobState.FAILED:
        return job.error
    if state == JobState.RUNNING and job.total:
        return _("%(done)s of %(total)s") % {"done": formats.number(job.done), "total": formats.number(job.total)}
    return job_kinds.words_of(job.kind, job.result)


class JobTable(PortalTable):
    kind = TextColumn(verbose_name=gettext_lazy("Job"))
    state = PortalColumn(verbose_name=gettext_lazy("State"))
    created_at = DateTimeColumn(verbose_name=gettext_lazy("Start"))
    duration = PortalColumn(verbose_name=gettext_lazy("Duration"), accessor="pk")
    outcome = PortalColumn(verbose_name=gettext_lazy("Outcome"), accessor="pk")
    started_by = TextColumn(verbose_name=gettext_lazy("Started by"), default=gettext_lazy("by itself"))

    class Meta(PortalTable.Meta):
        model = Job
        fields = ("kind", "state", "created_at", "duration", "outcome", "started_by")
        cards = ("state", "created_at", "outcome")

    def render_kind(self, record: Job) -> str:
        return job_kinds.label_of(record.kind)

    def render_state(self, record: Job) -> str:
        return state_badge(jobs.shown_state(record))

    def render_created_at(self, record: Job) -> str:
        return formats.moment(record.started_at or record.created_at)

    def render_duration(self, record: Job) -> str:
        return duration(record) or formats.missing()

    def render_outcome(self, record: Job) -> str:
        return outcome(record)

    def render_started_by(self, record: Job) -> str:
        return record.started_by.name or record.started_by.email


class JobFilters(PortalFilterSet):
    kind = ChoiceFilter(label=gettext_lazy("Job"), choices=lambda: [(k.name, k.label) for k in job_kinds.kinds()])
    state = ChoiceFilter(label=gettext_lazy("State"), choices=JobState.choices)

    class Meta:
        model = Job
        fields = ("kind", "state")


@dataclass(frozen=True)
class KindRow:
    """A kind with its newest run (`job`), and whether somebody may start one now."""

    kind: job_kinds.JobKind
    job: Job | None
    may_run: bool

    @property
    def state(self) -> JobState | None:
        return None if self.job is None else jobs.shown_state(self.job)

    @property
    def duration(self) -> str:
        return "" if self.job is None else duration(self.job)

    @property
    def outcome(self) -> str:
        return "" if self.job is None else outcome(self.job)

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY


@dataclass(frozen=True)
class PartRow:
    """A part of the portal that answers no requests."""

    label: str
    seen_at: datetime.datetime | None

    @property
    def works(self) -> bool:
        return heartbeats.is_recent(self.seen_at)


def kind_rows(user: Any) -> list[KindRow]:
    """All kinds with their newest runs, in two queries."""
    known = job_kinds.kinds()
    last = {job.kind: job for job in jobs.newest_runs(kind.name for kind in known)}
    may_run = user.has_perm(RUN_JOBS)
    return [KindRow(kind, last.get(kind.name), may_run and bool(kind.task)) for kind in known]


def part_rows() -> list[PartRow]:
    signs = heartbeats.last_signs()
    return [PartRow(str(part.label), signs.get(part)) for part in (Heartbeat.Part.WORKER, Heartbeat.Part.BEAT)]


def waiting_rows() -> list[dict[str, Any]]:
    """What waits, how much of it, and why."""
    rows = []
    for entry in job_kinds.waiting():
        count = entry.count()
        rows.append({"entry": entry, "count": count, "hint": entry.hint() if count else ""})
    return rows


class JobsView(PortalListView):
    """All runs, newest first, below what is under way and what waits. While something runs, the top renews itself."""

    template_name = "core/jobs/list.html"
    table_class = JobTable
    filterset_class = JobFilters
    permission_required = "core.view_job"
    heading = gettext_lazy("Background jobs")
    caption = gettext_lazy("All runs")
    empty_text = gettext_lazy("Nothing has run yet.")

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user).select_related("started_by")

    def get_template_names(self) -> list[str]:
        return ["core/jobs/_state.html"] if self.request.htmx else [self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = kind_rows(self.request.user)
        return super().get_context_data(
            kind_rows=rows,
            part_rows=part_rows(),
            waiting_rows=waiting_rows(),
            under_way=any(row.under_way for row in rows),
            **kwargs,
        )


class RunJobView(PermissionRequiredMixin, View):
    """Asks for a run now; a second click, or one while it runs, starts nothing more."""

    permission_required = RUN_JOBS

    def has_permission(self) -> bool:
        return bool(self.request.user.is_authenticated) and super().has_permission()

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Nothing links here: people come back to this address after they had to sign in again."""
        if job_kinds.kind_of(kind) is None:
            raise Http404
        messages.warning(request, _("Your session had ended. The job has not been started."))
        return redirect("core:jobs")

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        found = job_kinds.kind_of(kind)
        if found is None or not found.task:
            raise Http404
        with transaction.atomic():
            job = jobs.request_job(found.name, started_by=request.user)
            if job is not None:
                nudge(signature(found.task), job.pk)
        if job is None:
            messages.info(request, _("“%(job)s” is already waiting or running.") % {"job": found.label})
        else:
            messages.success(request, _("“%(job)s” begins as soon as a worker is free.") % {"job": found.label})
        return redirect("core:jobs")
