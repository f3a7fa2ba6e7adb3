"""The start page by role: what waits for this person, and what they most often want."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock, job_kinds, jobs
from apps.core.models import ContactMessage, Job, JobState
from apps.funding import selectors as funding
from apps.funding.choices import ApplicationState
from apps.funding.deadlines import DeadlineKind, deadlines
from apps.funding.models import EquipmentApplication
from apps.inventory import stocktake_selectors as stocktakes
from apps.inventory.stocktake_choices import StocktakeState
from apps.quotas import selectors as quotas
from apps.quotas.figures import Figure
from apps.schools.models import School
from apps.schools.querysets import serves_all
from apps.tickets import selectors as tickets
from apps.tickets.choices import TicketState
from apps.tickets.models import Ticket

SHOWN = 5
FAILURES = (JobState.FAILED, JobState.BROKEN_OFF)
FAILED_FILES_NAMED = datetime.timedelta(days=7)


@dataclass(frozen=True)
class Link:
    """One thing to do, as a button."""

    label: str | Promise
    url: str


@dataclass
class StartPage:
    """`tasks` in the shape of the tag `task_list`; `schools` whose panels or list the page goes on with.

    `figures`: number of a school -> its quota today, where there are several schools.
    """

    tasks: list[dict[str, Any]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    schools: list[School] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing waits here and nothing can be done here."""
        return not self.tasks and not self.links and not self.schools


def start_page(user: User) -> StartPage:
    """What this person sees first."""
    page = StartPage()
    page.tasks += _applications_of_school(user)
    page.tasks += _deadlines(user)
    page.tasks += _proposals_to_approve(user)
    page.tasks += _queue_of_office(user)
    page.tasks += _running_stocktakes(user)
    page.tasks += _tickets_to_answer(user)
    page.tasks += _tickets_to_work_on(user)
    page.tasks += _of_operators(user)
    page.links += _links(user)
    if not serves_all(user):
        page.schools = list(School.objects.visible_to(user).select_related("school_type"))
        page.figures = _figures(user, page.schools)
    return page


def _figures(user: User, schools: Sequence[School]) -> dict[str, Figure]:
    """Today's quotas of several schools, read together; a single school's panel shows its own."""
    plan = quotas.current_plan() if len(schools) > 1 and user.has_perm("quotas.view_quotafigure") else None
    if plan is None:
        return {}
    rows = School.objects.filter(pk__in=[school.pk for school in schools])
    return {figure.key: figure for figure in quotas.school_figures(plan, clock.today(), rows)}


def _task(what: object, verb: object, url: str, *, since: object = None, state: Any = None) -> dict[str, Any]:
    badge = (str(state.label), str(state.tone)) if state is not None else None
    return {"what": str(what), "verb": str(verb), "url": url, "since": since, "state": badge}


def _applications_of_school(user: User) -> Iterator[dict[str, Any]]:
    if not user.has_perm("funding.draft_application"):
        return
    for application in funding.waiting_for_coordinator(user):
        returned = application.state == ApplicationState.RETURNED
        yield _task(
            application.title,
            _("Answer question") if returned else _("Finish draft"),
            reverse("funding:detail" if returned else "funding:edit", args=[application.pk]),
            since=application.submitted_at if returned else application.created_at,
            state=ApplicationState(application.state),
        )


def _proposals_to_approve(user: User) -> Iterator[dict[str, Any]]:
    """One entry for all of them: they stand together in the queue."""
    proposed = funding.proposed_for(user)
    number = proposed.count()
    if number:
        what = ngettext(
            "%(count)s proposed approval waits for a second person",
            "%(count)s proposed approvals wait for a second person",
            number,
        )
        queue = reverse("admin:funding_equipmentapplication_changelist")
        yield _task(what % {"count": number}, _("Look at the proposals"), f"{queue}?proposal=another")


def _queue_of_office(user: User) -> Iterator[dict[str, Any]]:
    if not user.has_perm("funding.work_queue"):
        return
    queue: QuerySet[EquipmentApplication] = funding.waiting_for_office(user)
    for application in queue[:SHOWN]:
        yield _task(
            f"{application.title} – {application.school.short_name}",
            _("Decide application"),
            reverse("admin:funding_equipmentapplication_change", args=[application.pk]),
            since=application.submitted_at,
            state=ApplicationState(application.state),
        )
    rest = queue.count() - SHOWN
    if rest > 0:
        what = ngettext("%(count)s more application in the queue", "%(count)s more applications in the queue", rest)
        yield _task(what % {"count": rest}, _("Open queue"), reverse("admin:funding_equipmentapplication_changelist"))


_VERBS = {
    DeadlineKind.IMPLEMENTATION_ENDS: _("Open grant"),
    DeadlineKind.PROOF_DUE: _("Open grant"),
    DeadlineKind.ROUND_CLOSES: _("Open round"),
    DeadlineKind.CHANGE_WAITS: _("Decide change"),
    DeadlineKind.ORDER_WAITS: _("Decide order"),
    DeadlineKind.INVOICE_UNPAID: _("Order payment"),
    DeadlineKind.DRAWDOWN_OPEN: _("Open drawdown"),
    DeadlineKind.RULE_WAITS: _("Decide rule"),
    DeadlineKind.PROOF_MOVED: _("Look at the changes"),
}


def _deadlines(user: User) -> Iterator[dict[str, Any]]:
    """What about money is due or waits, the first of each kind; the lists of the admin hold the rest."""
    shown: Counter[DeadlineKind] = Counter()
    for deadline in deadlines(user):
        shown[deadline.kind] += 1
        if shown[deadline.kind] <= SHOWN:
            task = _task(deadline.what, _VERBS[deadline.kind], _admin_page(deadline.row, "change", deadline.row.pk))
            overdue = (str(_("overdue")), "danger") if deadline.is_overdue else None
            yield task | {"when": deadline.when, "state": overdue}
        elif shown[deadline.kind] == SHOWN + 1:
            what = _("More of this kind: %(what)s") % {"what": deadline.row._meta.verbose_name_plural}
            yield _task(what, _("Open list"), _admin_page(deadline.row, "changelist"))


def _admin_page(row: Model, page: str, *args: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


def _running_stocktakes(user: User) -> Iterator[dict[str, Any]]:
    """For those who serve schools; the office finds them in its inventory."""
    if not user.has_perm("inventory.run_stocktake") or user.has_perm("schools.scope_own_authority"):
        return
    for stocktake in stocktakes.running_stocktakes(user)[:SHOWN]:
        yield _task(
            _("Stocktake of %(place)s") % {"place": stocktake.place},
            _("Go on counting"),
            stocktake.get_absolute_url(),
            since=stocktake.started_at,
            state=StocktakeState(stocktake.state),
        )


def _tickets_to_answer(user: User) -> Iterator[dict[str, Any]]:
    if not user.has_perm("tickets.report_ticket"):
        return
    for ticket in tickets.waiting_for_reporter(user)[:SHOWN]:
        asked = ticket.state == TicketState.WAITING_FOR_REPORTER
        yield _ticket_task(ticket, _("Answer question") if asked else _("See whether it works"))


def _tickets_to_work_on(user: User) -> Iterator[dict[str, Any]]:
    if not user.has_perm("tickets.work_ticket"):
        return
    rows = tickets.waiting_for_support(user)
    for ticket in rows[:SHOWN]:
        new = ticket.state == TicketState.NEW
        yield _ticket_task(ticket, _("Accept ticket") if new else _("Work on ticket"))
    rest = rows.count() - SHOWN
    if rest > 0:
        what = ngettext("%(count)s more open ticket", "%(count)s more open tickets", rest) % {"count": rest}
        yield _task(what, _("Open tickets"), f"{reverse('tickets:list')}?state=open")


def _ticket_task(ticket: Ticket, verb: object) -> dict[str, Any]:
    return _task(
        f"{ticket.title} – {ticket.school.short_name}",
        verb,
        reverse("tickets:detail", args=[ticket.pk]),
        since=ticket.created_at,
        state=TicketState(ticket.state),
    )


def _of_operators(user: User) -> Iterator[dict[str, Any]]:
    """Messages of the contact form and runs that failed wait for the system administrator."""
    if user.has_perm("core.change_contactmessage"):
        for message in ContactMessage.objects.visible_to(user).filter(settled_at__isnull=True)[:SHOWN]:
            yield _task(
                message.text[:80],
                _("Read message"),
                reverse("admin:core_contactmessage_change", args=[message.pk]),
                since=message.created_at,
            )
    if user.has_perm("core.run_jobs") and user.has_perm("core.view_job"):
        yield from map(_failure_task, _failures())


def _failures() -> Iterator[Job]:
    """Newest runs of their kinds that failed or were broken off; nobody runs a file again, so its failure fades."""
    kinds = {kind.name: kind for kind in job_kinds.kinds()}
    for job in jobs.newest_runs(kinds):
        is_recent = job.created_at > clock.now() - FAILED_FILES_NAMED
        if jobs.shown_state(job) in FAILURES and (kinds[job.kind].task or is_recent):
            yield job


def _failure_task(job: Job) -> dict[str, Any]:
    state = jobs.shown_state(job)
    what = _("Job failed: %(job)s") if state == JobState.FAILED else _("Job broken off: %(job)s")
    return _task(
        what % {"job": job_kinds.label_of(job.kind)},
        _("Read reason"),
        reverse("core:jobs"),
        since=job.ended_at or job.beat_at or job.started_at,
        state=state,
    )


def _links(user: User) -> Iterator[Link]:
    if user.has_perm("funding.draft_application"):
        yield Link(_("New application"), reverse("funding:create"))
    if user.has_perm("funding.work_queue"):
        yield Link(_("Open queue"), reverse("admin:funding_equipmentapplication_changelist"))
    if user.has_perm("inventory.add_device"):
        yield Link(_("Add devices"), reverse("inventory:add"))
    if user.has_perm("tickets.report_ticket"):
        yield Link(_("Report ticket"), reverse("tickets:create"))
    if user.has_perm("accounts.change_user"):
        yield Link(_("Keep people"), reverse("admin:accounts_user_changelist"))
