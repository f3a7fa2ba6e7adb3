"""Forms of the office's workplace: what is typed while an application is decided. They decide nothing themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.form_fields import GermanIntegerField
from apps.core.form_layout import FieldError, collect_errors, refuse
from apps.funding.calculations import LineDecision, line_cost, may_need_own_share, needs_own_share
from apps.funding.choices import ReasonKind
from apps.funding.models import ApplicationLine, ApprovalProposal, Budget, ReasonTemplate
from apps.funding.services import UNSEEN, decisions_of

Choice = tuple[Any, str | Promise]
REASON_FIELDS = {ReasonKind.APPROVE: "reason", ReasonKind.RETURN: "question", ReasonKind.REJECT: "rejection"}


def budget_choices(budgets: Iterable[Budget], *, empty: str | Promise) -> list[Choice]:
    """Each budget with what it has available, so that the list alone answers which one is enough."""
    return [("", empty), *((budget.pk, f"{budget} ({formats.euro(budget.available)})") for budget in budgets)]


def _budget_field(label: str | Promise, help_text: str | Promise = "") -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=False, coerce=int, empty_value=None, choices=[("", "")], help_text=help_text
    )


def _text_field(label: str | Promise, help_text: str | Promise = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=2000, widget=forms.Textarea({"rows": 4}), help_text=help_text
    )


class BudgetsForm(forms.Form):
    """Which budget pays, and which one the own share where it is a grant's."""

    budget = _budget_field(_("Budget"), _("In brackets: available now."))
    own_share_budget = _budget_field(_("Budget for the own share"), _("Only needed with a grant's budget."))

    def __init__(self, *args: Any, budgets: Sequence[Budget], empty: str | Promise, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        municipal = [budget for budget in budgets if budget.grant_id is None]
        self.fields["budget"].choices = budget_choices(budgets, empty=empty)
        self.fields["own_share_budget"].choices = budget_choices(municipal, empty=empty)


class LineDecisionForm(BudgetsForm):
    """One line: how many, out of which budgets if not out of those for all lines, and a note to the school."""

    approved_quantity = GermanIntegerField(label=_("Quantity to approve"), min_value=0)
    note = forms.CharField(label=_("Note to the school"), required=False, max_length=300)
    field_order = ("approved_quantity", "note", "budget", "own_share_budget")

    def __init__(self, *args: Any, line: ApplicationLine, initial: Mapping[str, Any], **kwargs: Any) -> None:
        decided = line.approved_quantity is not None
        self.suggested = line.approved_quantity if decided else initial.get("approved_quantity", line.quantity)
        kwargs["initial"] = {"approved_quantity": self.suggested, **initial}
        super().__init__(*args, prefix=f"line-{line.pk}", empty=_("As for all lines"), **kwargs)
        self.line = line
        self.fields["approved_quantity"].widget.attrs["data-asked"] = str(line.quantity)
        self.fields["budget"].help_text = self.fields["own_share_budget"].help_text = ""

    @property
    def has_own_budget(self) -> bool:
        """Whether this line differs from all lines, so that its budgets are shown."""
        return bool(self["budget"].value() or self["own_share_budget"].value())

    def clean_approved_quantity(self) -> int:
        quantity: int = self.cleaned_data["approved_quantity"]
        if quantity > self.line.quantity:
            raise forms.ValidationError(
                _("At most %(quantity)s were applied for.") % {"quantity": self.line.quantity}, code="too_many"
            )
        return quantity


class ApplicationDecisionForm(BudgetsForm):
    """What holds for the whole application: the budgets for all lines, and a text for each kind of decision."""

    reason = _text_field(_("Reason"), _("Stands in the mail. Please say why where you approve less than asked."))
    question = _text_field(_("Question to the school"))
    rejection = _text_field(_("Reason for the rejection"))
    overrun_reason = forms.CharField(
        label=_("Reason for going over the budget"),
        required=False,
        max_length=300,
        help_text=_("Only where a budget is not enough and you go over it on purpose."),
    )
    reason_template = forms.ChoiceField(label=_("Template"), required=False)
    question_template = forms.ChoiceField(label=_("Template"), required=False)
    rejection_template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(self, *args: Any, templates: Sequence[ReasonTemplate], may_overrun: bool, **kwargs: Any) -> None:
        super().__init__(*args, empty=_("Please choose"), **kwargs)
        for kind, name in REASON_FIELDS.items():
            own = [(template.pk, template.name) for template in templates if template.kind == kind]
            self.fields[f"{name}_template"].choices = [("", _("No template")), *own]
        if not may_overrun:
            del self.fields["overrun_reason"]


def _as_typed(decisions: Sequence[LineDecision]) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """Proposed decisions as somebody would have typed them: by line, and the budgets for all lines.

    Those of the first line that is paid stand for all; the others name theirs where they differ.
    """
    paid = [row for row in decisions if row.budget_id is not None]
    common = {} if not paid else {"budget": paid[0].budget_id}
    own = next((row.own_share_budget_id for row in paid if row.own_share_budget_id is not None), None)
    if own is not None:
        common["own_share_budget"] = own
    by_line: dict[int, dict[str, Any]] = {}
    for row in decisions:
        typed = {"budget": row.budget_id, "own_share_budget": row.own_share_budget_id}
        different = {name: value for name, value in typed.items() if value is not None and value != common.get(name)}
        by_line[row.line_id] = {"approved_quantity": row.approved_quantity, "note": row.note, **different}
    return by_line, common


class DecisionForms:
    """All forms of one decision screen. Reads what is typed, complete or not, and says what is missing for a step.

    `editable`: whether quantities are typed here at all; otherwise the lines stand as applied for.
    """

    def __init__(
        self,
        *,
        lines: Sequence[ApplicationLine],
        budgets: Sequence[Budget],
        templates: Sequence[ReasonTemplate],
        editable: bool,
        may_overrun: bool,
        revision: int,
        initial: Mapping[str, Any] | None = None,
        proposal: ApprovalProposal | None = None,
        data: Any = None,
    ) -> None:
        proposed = [] if proposal is None else decisions_of(proposal)
        self._proposed, common = _as_typed(proposed)
        if proposal is not None:
            initial = common | {"reason": proposal.reason, "overrun_reason": proposal.overrun_reason}
        self.budgets = {budget.pk: budget for budget in budgets}
        self.templates = {str(template.pk): template for template in templates}
        self._options = {"budgets": budgets, "templates": templates, "may_overrun": may_overrun, "initial": initial}
        self._editable = editable
        self._revision = revision
        self._rows = lines
        self._read(data)

    def _read(self, data: Any) -> None:
        budgets = self._options["budgets"]
        self.data = data
        self.top = ApplicationDecisionForm(data, **self._options)
        self.lines = [
            LineDecisionForm(
                data if self._editable else None, budgets=budgets, line=line, initial=self._proposed.get(line.pk, {})
            )
            for line in self._rows
        ]

    @property
    def is_bound(self) -> bool:
        return self.data is not None

    @property
    def editable(self) -> bool:
        return self._editable

    @property
    def shown_revision(self) -> str:
        """For the hidden field: the first one that was seen, also after a refusal."""
        return str(self.data.get("revision", "")) if self.is_bound else str(self._revision)

    @property
    def revision(self) -> int | None:
        """The state of the application that the person saw; what is no number matches none."""
        return int(self.shown_revision) if self.shown_revision.isdecimal() else UNSEEN

    def change(self, values: Mapping[str, str]) -> None:
        """Puts values in as if they had been typed."""
        data = self.data.copy()
        for name, value in values.items():
            data[name] = value
        self._read(data)

    def errors(self) -> list[FieldError]:
        """All errors in the order of the screen, each with the field to jump to and the number of its line."""
        found = collect_errors(self.top)
        for number, form in enumerate(self.lines, start=1):
            for error in collect_errors(form):
                label = _("Line %(number)s, %(label)s") % {"number": number, "label": error.label}
                found.append(replace(error, label=str(label)))
        return found

    def refuse(self, error: DomainError, *, field: str) -> None:
        """Puts a service's refusal at the field it names; `field` is where its `reason` was typed."""
        name = field if error.field in ("reason", "question") else error.field
        self._complain(name if name in self.top.fields else None, str(error), code=error.code)

    def text(self, name: str) -> str:
        """A text as typed so far."""
        return str(self.data.get(name, "") if self.is_bound else "").strip()

    def template_text(self, field: str) -> str:
        """The text of the template chosen for a field; "" without one."""
        chosen = self.templates.get(self.text(f"{field}_template"))
        return chosen.text if chosen else ""

    def typed_budgets(self) -> tuple[int | None, int | None]:
        """Budget and own-share budget for all lines, as far as chosen."""
        return self._chosen(self.top, "budget"), self._chosen(self.top, "own_share_budget")

    def decisions(self) -> list[LineDecision]:
        """What is typed, line by line; a quantity that cannot be read stands as asked for."""
        top_budget, top_own = self.typed_budgets()
        decisions = []
        for form in self.lines:
            budget_id = self._chosen(form, "budget") or top_budget
            own_id = self._chosen(form, "own_share_budget") or top_own
            decisions.append(
                LineDecision(
                    line_id=form.line.pk,
                    approved_quantity=self._quantity(form),
                    budget_id=budget_id,
                    own_share_budget_id=own_id if self.takes_own_share(budget_id) else None,
                    note=self._note(form),
                )
            )
        return decisions

    def takes_own_share(self, budget_id: int | None) -> bool:
        """Whether a budget's grant may pay less than all, so that a municipal budget pays the rest."""
        budget = self.budgets.get(budget_id or 0)
        return budget is not None and may_need_own_share(budget)

    def _lacks_own_share(self, line: ApplicationLine, decision: LineDecision) -> bool:
        budget = self.budgets.get(decision.budget_id or 0)
        if budget is None or decision.own_share_budget_id is not None:
            return False
        cost = line_cost(line.unit_price, decision.approved_quantity)
        return needs_own_share(cost, budget, decision.approved_quantity)

    def check_approval(self) -> bool:
        """Says at the field what is missing for an approval."""
        self._full_clean()
        for form, decision in zip(self.lines, self.decisions(), strict=True):
            if decision.approved_quantity and decision.budget_id is None:
                self._complain("budget", _("Please choose a budget."))
            elif decision.approved_quantity and self._lacks_own_share(form.line, decision):
                field = "own_share_budget"
                target = form if self._chosen(form, "budget") else self.top
                self._complain(field, _("Please choose a municipal budget for the own share."), target)
        return not self.errors()

    def check_text(self, name: str, message: str | Promise) -> bool:
        """For a question or a rejection only its text counts."""
        self._full_clean(only=name)
        if not self.text(name):
            self._complain(name, message)
        return not self.errors()

    def check_budget(self, message: str | Promise) -> bool:
        """For a reservation only the budget counts."""
        self._full_clean(only="budget")
        if self.typed_budgets()[0] is None:
            self._complain("budget", message)
        return not self.errors()

    def _full_clean(self, only: str = "") -> None:
        """Cleans everything, or keeps the errors of one field of the upper form only."""
        for form in (self.top, *self.lines):
            form.full_clean()
            if not only:
                continue
            kept = form.errors.get(only) if form is self.top else None
            form.errors.clear()
            if kept:
                form.errors[only] = kept

    def _complain(
        self, field: str | None, message: str | Promise, form: forms.Form | None = None, *, code: str = "invalid"
    ) -> None:
        form = form or self.top
        if message not in form.errors.get(field or "__all__", []):
            form.add_error(field, forms.ValidationError(message, code=code))

    def _chosen(self, form: forms.Form, field: str) -> int | None:
        value = form[field].value()
        known = {str(key) for key, _label in form.fields[field].choices if key}
        return int(value) if str(value) in known else None

    def _quantity(self, form: LineDecisionForm) -> int:
        try:
            typed = form.fields["approved_quantity"].clean(form["approved_quantity"].value())
        except forms.ValidationError:
            return form.suggested
        return min(int(typed), form.line.quantity)

    @staticmethod
    def _note(form: LineDecisionForm) -> str:
        return str(form["note"].value() or "").strip()


class BulkForm(BudgetsForm):
    """What holds for all chosen applications: the budgets, or one question or reason."""

    reason = _text_field(_("Reason"))
    template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(
        self,
        *args: Any,
        budgets: Sequence[Budget],
        templates: Sequence[ReasonTemplate],
        with_budgets: bool,
        with_own_share: bool,
        text_required: str | Promise | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, budgets=budgets, empty=_("Please choose"), **kwargs)
        self._budgets = {budget.pk: budget for budget in budgets}
        self._templates = {str(template.pk): template for template in templates}
        self.fields["template"].choices = [("", _("No template")), *((row.pk, row.name) for row in templates)]
        self.fields["budget"].required = with_budgets
        self.fields["budget"].error_messages["required"] = _("Please choose a budget.")
        self.fields["reason"].required = bool(text_required)
        self.fields["reason"].error_messages["required"] = text_required
        unused = {
            "budget": not with_budgets,
            "own_share_budget": not with_own_share,
            "reason": text_required is None,
            "template": text_required is None,
        }
        for name, is_unused in unused.items():
            if is_unused:
                del self.fields[name]

    @property
    def template_rows(self) -> Sequence[ReasonTemplate]:
        return list(self._templates.values())

    def chosen(self) -> tuple[Budget, Budget | None]:
        """Budget and own-share budget of a valid form."""
        own = self.cleaned_data.get("own_share_budget")
        return self._budgets[self.cleaned_data["budget"]], self._budgets.get(own)

    def chosen_ids(self) -> list[int]:
        """The budgets that were chosen, for reading them anew."""
        values = (self.cleaned_data.get(name) for name in ("budget", "own_share_budget"))
        return [value for value in values if value]

    def refuse(self, error: DomainError) -> None:
        refuse(self, error)

    def text_with_template(self) -> str:
        """The chosen template's text behind what is typed already."""
        chosen = self._templates.get(str(self.data.get("template", "")))
        typed = str(self.data.get("reason", "")).strip()
        return "\n\n".join(filter(None, (typed, chosen.text if chosen else "")))

    def typed(self) -> list[tuple[str, str]]:
        """What goes along as hidden fields to the next page."""
        return [(name, str(self.data.get(name, ""))) for name in self.fields]
