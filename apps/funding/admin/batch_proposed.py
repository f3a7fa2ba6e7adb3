"""Several applications that somebody has proposed to approve: another person approves exactly that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext

from apps.core.errors import DomainError
from apps.funding import selectors, services
from apps.funding.admin.batch import Batch, Proposed, Row, Single
from apps.funding.admin_forms import BulkForm
from apps.funding.calculations import SeveralPreview
from apps.funding.models import ApplicationLine, ApprovalProposal, EquipmentApplication
from apps.funding.proposal_preview import preview_of_proposals
from apps.quotas.calculations import Effect


class ProposedBatch(Batch):
    """Nothing is typed here: what was proposed is shown at once, and either approved as it stands or left alone."""

    @cached_property
    def form(self) -> BulkForm:
        return BulkForm({}, budgets=(), templates=(), with_budgets=False, with_own_share=False, text_required=None)

    @cached_property
    def proposals(self) -> Mapping[int, Proposed]:
        """Application -> what is proposed about it."""
        rows = ApprovalProposal.objects.visible_to(self.user).filter(application__in=self.applications)
        lines: defaultdict[int, list[ApplicationLine]] = defaultdict(list)
        for line in ApplicationLine.objects.filter(application__in=self.applications).select_related("product"):
            lines[line.application_id].append(line)
        return {row.application_id: _proposed(row, lines[row.application_id]) for row in rows.select_related("by")}

    def obstacle(self, application: EquipmentApplication) -> str:
        found = super().obstacle(application)
        if found:
            return found
        proposed = self.proposals.get(application.pk)
        if proposed is None:
            return gettext("Nothing is proposed about it.")
        if proposed.proposal.revision != application.revision:
            return gettext("It has changed since the proposal.")
        if proposed.proposal.by_id == self.user.pk:
            return gettext("You proposed it yourself; another person approves it.")
        if proposed.proposal.overrun_reason:
            return gettext("It goes over a budget; please decide it on its own page.")
        return ""

    @property
    def seen(self) -> str:
        """Each application with its revision and the proposal that this page shows."""
        shown = ((row, self.proposals.get(row.pk)) for row in self.applications)
        return ",".join(f"{row.pk}:{row.revision}:{found.proposal.pk}" for row, found in shown if found is not None)

    @cached_property
    def _seen_proposals(self) -> Mapping[int, tuple[int, int]]:
        """Application -> the revision and the proposal that the person saw when pressing the button."""
        entries = (entry.split(":") for entry in self.request.POST.get("seen", "").split(","))
        whole = (entry for entry in entries if len(entry) == 3 and all(part.isdecimal() for part in entry))
        return {int(pk): (int(revision), int(proposal)) for pk, revision, proposal in whole}

    def answer(self) -> HttpResponse:
        if self.request.method == "POST":
            if self.request.POST.get("step") != "confirm":
                return HttpResponseRedirect(self.request.get_full_path())
            self.kept.keep_outcome(self._run())
            return self.kept.look(outcome=self.action.name)
        if self.kept.asked()[0] == "outcome" and self.kept.outcome:
            return self._outcome()
        return self._preview()

    @cached_property
    def _money(self) -> SeveralPreview:
        return preview_of_proposals([(row, self.proposals[row.pk].lines) for row in self.possible])

    def _rows(self, preview: SeveralPreview | None) -> list[Row]:
        steps = {step.application_id: step for step in self._money.steps}
        effects = self._effects(steps)
        return [
            Row(row, self.obstacle(row), steps.get(row.pk), effects.get(row.pk), self.proposals.get(row.pk))
            for row in self.applications
        ]

    def _blocked(self, preview: SeveralPreview | None) -> str:
        found = super()._blocked(preview)
        return gettext("The money is not enough for any of these proposals.") if found and self.possible else found

    def _single_effects(self) -> Mapping[int, Effect]:
        pieces = {
            line.pk: decision.approved_quantity
            for row in self.possible
            for line, decision in self.proposals[row.pk].lines
        }
        return selectors.application_effects(self.possible, approved=pieces)

    def _single(self, application: EquipmentApplication, revision: int | None = None) -> Single:
        found = self.proposals[application.pk]
        return Single(revision, services.decisions_of(found.proposal), found.proposal.reason)

    def _run(self) -> dict[str, Any]:
        refusals = {str(row.pk): self._run_one(row) for row in self.applications}
        budgets = {effect.budget_id for effect in self._money.budgets}
        return {"refusals": refusals, "budgets": sorted(budgets)}

    def _run_one(self, application: EquipmentApplication) -> str:
        obstacle = self.obstacle(application)
        if obstacle:
            return obstacle
        revision, proposal_id = self._seen_proposals.get(application.pk, (services.UNSEEN, 0))
        try:
            services.approve_proposed(application=application, by=self.user, proposal_id=proposal_id, revision=revision)
        except DomainError as error:
            return str(error)
        return ""


def _proposed(proposal: ApprovalProposal, lines: Sequence[ApplicationLine]) -> Proposed:
    decisions = {row.line_id: row for row in services.decisions_of(proposal)}
    return Proposed(proposal, [(line, decisions[line.pk]) for line in lines if line.pk in decisions])
