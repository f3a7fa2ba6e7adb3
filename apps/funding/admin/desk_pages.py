"""What the pages of the desk show: the decision screen, the figures that follow the typing, the last look before it."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.overtaken import what_happened
from apps.funding.admin import reads
from apps.funding.admin.desk_contents import DeskContents
from apps.funding.admin.timeline import last_change, timeline
from apps.funding.admin.verbs import VERBS, Rehearsal, Verb
from apps.funding.admin_forms import LineDecisionForm
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine
from apps.funding.price_hints import Bought, price_hints
from apps.funding.priorities import Criterion
from apps.funding.waiting_list import values_on
from apps.quotas import selectors as quotas


class LineRow:
    """One line on the desk with its form and what it replaces."""

    def __init__(self, line: ApplicationLine, form: LineDecisionForm) -> None:
        self.line = line
        self.form = form
        self.replaced = reads.replaced_by(line)
        self.ages = reads.ages_of(self.replaced)

    @property
    def replaces_something(self) -> bool:
        return bool(self.line.replaces_quantity or self.line.replaces or self.replaced)


def screen_context(desk: DeskContents) -> dict[str, Any]:
    errors = desk.forms.errors() if desk.forms.is_bound and desk.waiting else []
    return {
        "title": desk.application.title,
        "errors": errors,
        "what_happened": what_happened(desk.application, desk.user, errors),
        "reload_url": desk.site.desk_url(desk.request, desk.application.pk),
        "overtaken": _overtaken(desk),
        "line_rows": [LineRow(line, form) for line, form in zip(desk.lines, desk.forms.lines, strict=True)],
        "states": ApplicationState,
        "sections": [_section(desk, verb) for verb in _offered(desk)],
        "approvers": [] if desk.may("approve") else reads.names_of_others("funding.approve_application", desk.user),
        "events": timeline(desk.application, desk.user),
        "place": desk.place,
        "next_url": desk.site.desk_url(desk.request, desk.next_id) if desk.next_id else "",
        "history_url": desk.site.history_url(desk.application),
        **figures_context(desk),
    }


def _offered(desk: DeskContents) -> list[Verb]:
    """Whoever may approve proposes by the same button, where two people must."""
    return [
        verb for verb in VERBS.values() if desk.may(verb.name) and not (verb.name == "propose" and desk.may("approve"))
    ]


def _section(desk: DeskContents, verb: Verb) -> dict[str, Any]:
    """One way to decide; open where something is typed or to be mended, and the approval by itself."""
    field = desk.forms.top[verb.field]
    overrun = desk.forms.top["overrun_reason"] if "overrun_reason" in desk.forms.top.fields else None
    started = bool(desk.forms.text(verb.field) or field.errors)
    return {
        "verb": verb,
        "field": field,
        "template": desk.forms.top[f"{verb.field}_template"],
        "templates": [row for row in desk.templates if row.kind == verb.kind],
        "optional": not verb.required,
        "overrun": overrun if verb.decides_lines else None,
        "overrun_open": bool(_overrun_reason(desk)),
        "open": started or verb.decides_lines,
    }


def _overtaken(desk: DeskContents) -> dict[str, Any] | None:
    """Somebody (perhaps this person, with a second click) decided before: who, what, and the unused text."""
    if desk.waiting or desk.typed is None:
        return None
    change = last_change(desk.application)
    texts = (desk.forms.text(field) for field in dict.fromkeys(verb.field for verb in VERBS.values()))
    return {
        "change": change,
        "state": ApplicationState(desk.application.state),
        "by_oneself": change is not None and change.by_id == desk.user.pk,
        "text": "\n\n".join(filter(None, texts)),
    }


def figures_context(desk: DeskContents) -> dict[str, Any]:
    """What the column on the right computes from what is typed."""
    quota = reads.effect_of_decisions(desk.application, desk.lines, desk.forms.decisions())
    touched = {effect.budget_id for effect in desk.money.effects}
    for form in desk.forms.lines:
        form.cost = desk.money.per_line[form.line.pk]
    return {
        "desk": desk,
        "forms": desk.forms,
        "application": desk.application,
        "money": desk.money,
        "budget_effects": [(effect, desk.forms.budgets[effect.budget_id]) for effect in desk.money.effects],
        "other_budgets": [budget for budget in desk.budgets if budget.pk not in touched],
        "concept_missing_for": _concept_missing_for(desk),
        "price_hints": _price_hints(desk),
        "quota": quota,
        "quota_sentence": reads.sentence_about(quota) if quota else "",
        "social_index": reads.social_index_of(desk.application.school),
        "social_weight": values_on(clock.today())[Criterion.SOCIAL_INDEX],
        "figure_status": quotas.figure_status(),
        "overrun_reason": _overrun_reason(desk),
        "two_approve": desk.two_approve if desk.may_decide_lines else "",
        "spoken": _spoken(desk),
    }


def _concept_missing_for(desk: DeskContents) -> list[str]:
    """The chosen budgets whose programme asks for the media concept that is not there."""
    if not desk.waiting or desk.concept is not None:
        return []
    chosen = (desk.forms.budgets[effect.budget_id] for effect in desk.money.effects)
    return [str(budget) for budget in chosen if budget.asks_for_concept]


def _price_hints(desk: DeskContents) -> list[tuple[ApplicationLine, str]]:
    """Lines whose price speaks for another kind of budget than the chosen one."""
    decisions = {row.line_id: row for row in desk.forms.decisions() if row.approved_quantity}
    find = desk.forms.budgets.get
    bought = {
        line.pk: Bought(
            line.product,
            line.unit_price,
            (find(decisions[line.pk].budget_id or 0), find(decisions[line.pk].own_share_budget_id or 0)),
        )
        for line in desk.lines
        if line.pk in decisions
    }
    hints = price_hints(bought, clock.today()) if desk.waiting else {}
    return [(line, hints[line.pk]) for line in desk.lines if line.pk in hints]


def _overrun_reason(desk: DeskContents) -> str:
    """Why a budget is overrun on purpose: as typed, or as proposed; "" where the person has no such right."""
    if "overrun_reason" not in desk.forms.top.fields:
        return ""
    return str(desk.forms.top["overrun_reason"].value() or "").strip()


def _cut_without_reason(desk: DeskContents) -> bool:
    """Whether less is approved than asked, with no word of why: neither for the whole nor at a line."""
    asked = {line.pk: line.quantity for line in desk.lines}
    cut = [row for row in desk.forms.decisions() if row.approved_quantity < asked[row.line_id]]
    return bool(cut) and not desk.forms.text("reason") and not any(row.note for row in cut)


def _spoken(desk: DeskContents) -> str:
    """The new figures as one sentence for screen readers."""
    parts = [gettext("To approve: %(sum)s.") % {"sum": formats.euro(desk.money.approved)}]
    for effect in desk.money.effects:
        sentence = (
            gettext("%(budget)s: %(amount)s available then.")
            if effect.sufficient
            else gettext("%(budget)s: not enough, %(amount)s are missing.")
        )
        amount = effect.available_after if effect.sufficient else effect.short_by
        parts.append(sentence % {"budget": effect.name, "amount": formats.euro(amount)})
    return " ".join(parts)


def confirm_context(desk: DeskContents, verb: Verb, rehearsal: Rehearsal) -> dict[str, Any]:
    state = ApplicationState(rehearsal.state)
    decisions = {decision.line_id: decision for decision in desk.forms.decisions()}
    return {
        "title": _("Check before it goes out"),
        "verb": verb,
        "state": state,
        "states": ApplicationState,
        "letters": rehearsal.letters,
        "text": desk.forms.text(verb.field),
        "outcome": [(line, decisions[line.pk], desk.money.per_line[line.pk]) for line in desk.lines],
        "typed": [(name, value) for name, values in (desk.typed or QueryDict()).lists() for value in values
                  if name not in ("csrfmiddlewaretoken", "step")],
        "gives_no_reason": verb.decides_lines and _cut_without_reason(desk),
        **(figures_context(desk) if verb.decides_lines else {}),
    }  # fmt: skip
