"""What lies on the desk: one application, the budgets that could pay it, who may do what, and what waits after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from apps.accounts.models import User
from apps.funding import services
from apps.funding.admin import reads
from apps.funding.admin.figures import MoneyPreview, money_preview
from apps.funding.admin.kept import Kept
from apps.funding.admin.verbs import VERBS
from apps.funding.admin_forms import DecisionForms
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    ApplicationLine,
    ApprovalProposal,
    Budget,
    EquipmentApplication,
    MediaConcept,
    ReasonTemplate,
    Reservation,
)
from apps.funding.round_selectors import concepts_of

if TYPE_CHECKING:
    from apps.funding.admin.queue import EquipmentApplicationAdmin


class DeskContents:
    """One application inside the person's scope, with all that belongs to it; each part is read once."""

    def __init__(
        self, site: EquipmentApplicationAdmin, request: HttpRequest, application: EquipmentApplication
    ) -> None:
        self.site = site
        self.request = request
        self.user: User = request.user  # type: ignore[assignment]  # the admin lets in signed-in people only
        self.application = application
        self.kept = Kept(request, f"application:{application.pk}")

    # Who may do what

    @cached_property
    def waiting(self) -> bool:
        return self.application.state == ApplicationState.SUBMITTED

    @cached_property
    def is_own(self) -> bool:
        """Whoever asks does not decide."""
        return self.user.pk in (self.application.submitted_by_id, self.application.created_by_id)

    def may(self, verb: str) -> bool:
        """Whether the button of a verb is offered; the service checks again."""
        if not self.waiting or not self.user.has_perm(VERBS[verb].permission):
            return False
        return not VERBS[verb].decides_lines or not self.is_own

    @property
    def may_decide_lines(self) -> bool:
        """Whether quantities and budgets are typed here, to approve or to propose."""
        return self.may("approve") or self.may("propose")

    @cached_property
    def may_reserve(self) -> bool:
        return self.waiting and self.user.has_perm("funding.reserve_budget")

    @property
    def may_act(self) -> bool:
        return self.may_reserve or any(self.may(name) for name in VERBS)

    # What lies on the desk

    @cached_property
    def lines(self) -> Sequence[ApplicationLine]:
        return reads.lines_on_desk(self.application, self.user)

    @cached_property
    def budgets(self) -> Sequence[Budget]:
        return reads.budgets_to_choose(self.user)

    @cached_property
    def templates(self) -> Sequence[ReasonTemplate]:
        return list(ReasonTemplate.objects.visible_to(self.user))

    @cached_property
    def reservation(self) -> Reservation | None:
        rows = Reservation.objects.visible_to(self.user).select_related("budget", "by")
        return rows.filter(application=self.application).first()

    @cached_property
    def proposal(self) -> ApprovalProposal | None:
        """What is proposed about the application as it is now."""
        rows = ApprovalProposal.objects.visible_to(self.user).select_related("by")
        return rows.filter(application=self.application, revision=self.application.revision).first()

    @property
    def proposed_by_another(self) -> bool:
        return self.proposal is not None and self.proposal.by_id != self.user.pk

    @cached_property
    def two_approve(self) -> str:
        """Why what is typed so far needs two people; "" where one is enough."""
        goes_over = any(not effect.sufficient for effect in self.money.effects)
        if goes_over or services.needs_two(self.money.approved):
            return services.sentence_about_two(goes_over=goes_over)
        return ""

    @cached_property
    def concept(self) -> MediaConcept | None:
        """That of the application, else the school's newest, which an approval would take."""
        rows = concepts_of(self.application.school, self.user)
        own = self.application.concept_id
        return rows.filter(pk=own).first() if own is not None else rows.first()

    @cached_property
    def forms(self) -> DecisionForms:
        return DecisionForms(
            lines=self.lines,
            budgets=self.budgets,
            templates=self.templates,
            editable=self.may_decide_lines,
            may_overrun=self.user.has_perm("funding.overrun_budget"),
            revision=self.application.revision,
            initial=self._suggested_budgets(),
            proposal=self.proposal,
            data=self.typed,
        )

    def _suggested_budgets(self) -> dict[str, int]:
        """Into which it is pencilled; else those of the last decision, as far as they are of the round's programme."""
        if self.reservation:
            return {"budget": self.reservation.budget_id}
        last, of_round = self.kept.last_budgets, self.application.round
        if of_round is None or of_round.programme_id is None:
            return last
        fitting = [row for row in self.budgets if row.grant and row.grant.programme_id == of_round.programme_id]
        if not fitting or last.get("budget") in [row.pk for row in fitting]:
            return last
        best = next((row for row in fitting if row.available > 0), fitting[0])
        return last | {"budget": best.pk}

    @cached_property
    def typed(self) -> QueryDict | None:
        """What was typed: sent just now, or kept until it is decided or changed; None on a first look."""
        if self.request.method == "POST":
            return self.request.POST
        typed = self.kept.typed
        if typed is None or self.kept.asked()[0]:
            return typed
        is_the_same = typed.get("revision") == str(self.application.revision)
        return typed if self.waiting and is_the_same else None

    @cached_property
    def money(self) -> MoneyPreview:
        return money_preview(self.lines, self.forms.decisions(), self.forms.budgets)

    # The way through the queue

    @cached_property
    def queue(self) -> Sequence[tuple[Any, int]]:
        return self.site.waiting(self.request)

    @property
    def next_id(self) -> int | None:
        """The application after this one in its list, else the first; None when no other waits."""
        others = [row for row in self.queue if row[1] != self.application.pk]
        if self.place is not None:
            after = [pk for _at, pk in self.queue[self.place[0] :]]
            return next(iter(after), others[0][1] if others else None)
        here = (self.application.submitted_at, self.application.pk)
        later = (pk for at, pk in others if here[0] is not None and (at, pk) > here)
        return next(later, others[0][1] if others else None)

    @property
    def place(self) -> tuple[int, int] | None:
        """(place, of how many); None outside of the list that the person came from."""
        ids = [pk for _at, pk in self.queue]
        return (ids.index(self.application.pk) + 1, len(ids)) if self.application.pk in ids else None
