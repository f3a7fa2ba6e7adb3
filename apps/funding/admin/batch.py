"""One request about several applications: first what it would do to the budgets and quotas, then how each came out.

GET shows what is chosen, what would happen (`preview`) or what happened (`outcome`); POST only leads there, so that the
way back never asks to send a form again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors
from apps.core.mail import Letter
from apps.funding import selectors, services
from apps.funding.admin import reads
from apps.funding.admin.bulk_actions import BulkAction
from apps.funding.admin.kept import Kept
from apps.funding.admin.verbs import rehearse
from apps.funding.admin_forms import BulkForm
from apps.funding.calculations import LineDecision, SeveralPreview, Step, may_need_own_share
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, ApprovalProposal, Budget, EquipmentApplication, ReasonTemplate
from apps.quotas.calculations import Effect

if TYPE_CHECKING:
    from apps.funding.admin.queue import EquipmentApplicationAdmin

FOLDER = "admin/funding/equipmentapplication"
Rows = Sequence[EquipmentApplication]
BUDGETS = ("budget", "own_share_budget")
"""Fields of the form that the address may fill."""


@dataclass(frozen=True)
class Result:
    """How one application came out; `message` is the refusal, "" where it is done."""

    application: EquipmentApplication
    message: str


@dataclass(frozen=True)
class Proposed:
    """What somebody has proposed about one application: each line with what would be approved of it."""

    proposal: ApprovalProposal
    lines: Sequence[tuple[ApplicationLine, LineDecision]]


@dataclass(frozen=True)
class Row:
    """One application of the preview; `obstacle` says why it will be left out."""

    application: Any
    obstacle: str
    step: Step | None = None
    effect: Effect | None = None
    proposed: Proposed | None = None

    @property
    def is_short(self) -> bool:
        return self.step is not None and not self.step.affordable


@dataclass(frozen=True)
class Single:
    """What a verb needs to know about one application of several, in the shape of the desk's form."""

    revision: int | None
    lines: Sequence[LineDecision]
    reason: str

    def decisions(self) -> Sequence[LineDecision]:
        return self.lines

    def text(self, name: str) -> str:
        return "" if name == "overrun_reason" else self.reason


class Batch:
    """One request about several applications of the person's scope."""

    def __init__(self, site: EquipmentApplicationAdmin, request: HttpRequest, action: BulkAction, rows: Rows) -> None:
        self.site = site
        self.request = request
        self.user: User = request.user  # type: ignore[assignment]  # the admin lets in signed-in people only
        self.action = action
        self.applications = rows
        self.kept = Kept(request, f"{action.name}:{','.join(str(row.pk) for row in rows)}")

    @cached_property
    def budgets(self) -> Sequence[Budget]:
        return reads.budgets_to_choose(self.user)

    @cached_property
    def form(self) -> BulkForm:
        kind = self.action.kind
        templates = ReasonTemplate.objects.visible_to(self.user).filter(kind=kind) if kind else []
        sent = self.request.method == "POST"
        typed = (self.request.POST if sent else self.kept.typed or QueryDict()).dict()
        judged = sent or (self.kept.asked()[0] in ("preview", "mend") and self.kept.typed is not None)
        return BulkForm(
            typed if judged else None,
            initial=self._named_budgets() | typed,
            budgets=self.budgets,
            templates=list(templates),
            with_budgets=self.action.budgets,
            with_own_share=self.action.decides_lines,
            text_required=self.action.verb.required if self.action.verb else None,
        )

    def _named_budgets(self) -> dict[str, str]:
        """Those that the address names, where the waiting list led here."""
        return {name: self.request.GET[name] for name in BUDGETS if name in self.request.GET}

    def obstacle(self, application: EquipmentApplication) -> str:
        """Why this one cannot be part of it; "" where nothing stands in the way."""
        if application.state != ApplicationState.SUBMITTED:
            return gettext("The state is now “%(state)s”.") % {"state": application.get_state_display()}
        own = self.user.pk in (application.submitted_by_id, application.created_by_id)
        if self.action.decides_lines and own:
            return gettext("You drafted or submitted it yourself; another person decides.")
        if self.action.name == "approve" and self._takes_two(application):
            return self._about_two
        return ""

    @cached_property
    def _limit_for_two(self) -> Decimal | None:
        return services.limit_for_two()

    @cached_property
    def _about_two(self) -> str:
        return services.sentence_about_two()

    def _takes_two(self, application: Any) -> bool:
        return self._limit_for_two is not None and application.amount >= self._limit_for_two

    @property
    def seen(self) -> str:
        """For the hidden field: each application with the revision that this page shows."""
        return ",".join(f"{row.pk}:{row.revision}" for row in self.applications)

    @cached_property
    def _seen(self) -> dict[int, int]:
        """Application -> the revision that the person saw when pressing the button."""
        pairs = (entry.partition(":") for entry in self.request.POST.get("seen", "").split(","))
        return {int(pk): int(revision) for pk, _colon, revision in pairs if pk.isdecimal() and revision.isdecimal()}

    @cached_property
    def possible(self) -> Rows:
        return [row for row in self.applications if not self.obstacle(row)]

    # Steps

    def answer(self) -> HttpResponse:
        """A page for a GET; a POST leads to one."""
        if self.request.method == "POST":
            return self._take(self.request.POST.get("step", ""))
        page, _name = self.kept.asked()
        if page == "outcome" and self.kept.outcome:
            return self._outcome()
        is_complete = self.form.is_bound and self._is_complete()
        if is_complete and page == "preview":
            return self._preview()
        return self._choose()

    def _take(self, step: str) -> HttpResponse:
        """Does what the button says, or keeps what is typed for the page that shows it or says what is missing."""
        if step in ("edit", "insert"):
            typed = self.request.POST.copy()
            if step == "insert":
                typed["reason"] = self.form.text_with_template()
            self.kept.keep_typed(typed)
            return self.kept.look()
        if not self._is_complete():
            self.kept.keep_typed(self.request.POST)
            return self.kept.look(mend=self.action.name)
        if step == "confirm" or self.action.verb is None:
            self.kept.keep_outcome(self._run())
            return self.kept.look(outcome=self.action.name)
        self.kept.keep_typed(self.request.POST)
        return self.kept.look(preview=self.action.name)

    def _is_complete(self) -> bool:
        return self.form.is_valid() and (not self.action.decides_lines or self._money is not None)

    def _choose(self) -> HttpResponse:
        rows = [Row(row, self.obstacle(row)) for row in self.applications]
        return self._page("bulk.html", {"rows": rows, "errors": collect_errors(self.form)})

    def _preview(self) -> HttpResponse:
        preview = self._money if self.action.decides_lines else None
        shown = self._shown()
        context = {
            "rows": self._rows(preview),
            "preview": preview,
            "blocked": self._blocked(preview),
            "shown": shown,
            "letters": self._letters(shown) if shown else (),
            "typed": self.form.typed(),
        }
        return self._page("bulk_preview.html", context)

    def _blocked(self, preview: SeveralPreview | None) -> str:
        """Why nothing at all would happen, so that no button promises it; "" where something would."""
        if not self.possible:
            return gettext("None of these applications can be decided. The list says why.")
        if preview is not None and not preview.affordable:
            return gettext("The money is not enough for any of these applications. Please choose another budget.")
        return ""

    @cached_property
    def _money(self) -> SeveralPreview | None:
        """What the approvals would do to the budgets; None where the form must be mended first, which it then says."""
        budget, own = self.form.chosen()
        try:
            return selectors.decision_preview(self.possible, budget, own)
        except DomainError as error:
            self.form.refuse(error)
            return None

    def _rows(self, preview: SeveralPreview | None) -> list[Row]:
        steps = {step.application_id: step for step in preview.steps} if preview else {}
        effects = self._effects(steps) if preview else {}
        return [Row(row, self.obstacle(row), steps.get(row.pk), effects.get(row.pk)) for row in self.applications]

    def _effects(self, steps: Mapping[int, Step]) -> dict[int, Effect]:
        """Each school's quota before and after; the second application of a school starts where the first ended."""
        single = self._single_effects()
        reached: dict[int, int] = {}
        effects = {}
        for row in self.possible:
            if row.pk not in single:
                continue
            effect = single[row.pk]
            devices = reached.get(row.school_id, effect.before.devices)
            after = devices + effect.devices_after - effect.before.devices
            effects[row.pk] = Effect(dataclasses.replace(effect.before, devices=devices), after)
            if steps[row.pk].affordable:
                reached[row.school_id] = after
        return effects

    def _single_effects(self) -> Mapping[int, Effect]:
        """What each would do by itself."""
        return selectors.application_effects(self.possible)

    def _shown(self) -> EquipmentApplication | None:
        """The application whose mail is shown: the one asked for, else the first."""
        asked = self.request.GET.get("show", "")
        return next((row for row in self.possible if str(row.pk) == asked), self.possible[0] if self.possible else None)

    def _letters(self, application: EquipmentApplication) -> tuple[Letter, ...]:
        """The mail exactly as it would go out; none where the decision would be refused."""
        verb = self.action.verb
        if verb is None:
            return ()
        try:
            return rehearse(verb, application, by=self.user, typed=self._single(application)).letters
        except DomainError:
            return ()

    def _single(self, application: EquipmentApplication, revision: int | None = None) -> Single:
        if not self.action.decides_lines:
            return Single(revision, (), self.form.cleaned_data["reason"])
        budget, own = self.form.chosen()
        own_id = own.pk if own is not None and may_need_own_share(budget) else None
        lines = application.lines.values_list("pk", "quantity")
        decisions = [LineDecision(pk, quantity, budget.pk, own_id) for pk, quantity in lines]
        return Single(revision, decisions, self.form.cleaned_data["reason"])

    def _run(self) -> dict[str, Any]:
        """Does it, each application in a transaction of its own; a refusal does not keep the next from it.

        Comes back as what the session can hold: the refusals by application ("" where it went well), the budgets.
        """
        if self.action.name == "approve":
            budget, own = self.form.chosen()
            outcomes = services.decide_several(
                applications=self.possible,
                by=self.user,
                budget=budget,
                own_share_budget=own,
                reason=self.form.cleaned_data["reason"],
                revisions=self._seen,
            )
            refusals = {str(row.pk): self.obstacle(row) for row in self.applications}
            refusals |= {str(row.application.pk): "" if row.approved else row.message for row in outcomes}
        else:
            refusals = {str(row.pk): self._run_one(row) for row in self.applications}
        return {"refusals": refusals, "budgets": self.form.chosen_ids()}

    def _run_one(self, application: EquipmentApplication) -> str:
        """Why not; "" where it is done."""
        revision = self._seen.get(application.pk, services.UNSEEN)
        try:
            if self.action.verb is None:
                budget, _own = self.form.chosen()
                services.reserve(application=application, budget=budget, by=self.user, revision=revision)
            else:
                self.action.verb.run(application, self.user, self._single(application, revision))
        except DomainError as error:
            return str(error)
        return ""

    def _outcome(self) -> HttpResponse:
        refusals = self.kept.outcome["refusals"]
        results = [Result(row, refusals[str(row.pk)]) for row in self.applications]
        return self._page(
            "bulk_outcome.html",
            {
                "title": _("What happened"),
                "done": [result for result in results if not result.message],
                "refused": [result for result in results if result.message],
                "budgets": selectors.budget_rows(self.user).filter(pk__in=self.kept.outcome["budgets"]),
            },
        )

    def _page(self, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {
            **self.site.admin_site.each_context(self.request),
            "opts": self.site.opts,
            "title": self.action.heading,
            "action": self.action,
            "batch": self,
            "form": self.form,
            "list_url": self.site.list_url(self.request),
        }
        return TemplateResponse(self.request, f"{FOLDER}/{template}", {**shared, **context})
