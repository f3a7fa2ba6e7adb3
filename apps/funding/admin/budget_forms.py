"""Forms of the budgets. A refusal of the service stands at its field, and everything typed stays."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.form_fields import EuroField
from apps.core.form_layout import refuse
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.carry_over import CarryOverRow
from apps.funding.models import Budget, BudgetChange
from apps.funding.services.budgets import ensure_left

VALUE_FIELDS = (
    "name",
    "fiscal_year",
    "measure_number",
    "product",
    "ledger_account",
    "virement_group",
    "expenditure_type",
    "grant",
    "appropriation",
    "carried_over",
    "supplement",
    "freeze",
)


class ReasonField(forms.CharField):
    """Why: for the person who confirms, and for those who check later."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Reason"),
            max_length=300,
            widget=forms.Textarea({"rows": 2}),
            help_text=_("For the person who confirms it. Stands in the history, for those who check later."),
            **kwargs,
        )


class BudgetAdminForm(forms.ModelForm):
    """`by` is set by the admin. The proposal is rehearsed while the form is checked, and taken back.

    `beyond_free` is asked for once a freeze was refused because it is higher than what is free.
    """

    by: Any = None
    change_reason = ReasonField()
    beyond_free = forms.BooleanField(
        label=_("The freeze may be higher than what is free"),
        help_text=_("Then nothing is available until orders are closed or the freeze falls."),
        required=False,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Budget
        fields = VALUE_FIELDS

    def propose(self, budget: Budget | None) -> BudgetChange:
        """The change that waits now; `budget` None: a new one."""
        values = {name: self.cleaned_data[name] for name in VALUE_FIELDS if name in self.cleaned_data}
        reason = self.cleaned_data["change_reason"]
        if budget is None:
            return services.propose_budget(by=self.by, reason=reason, **values)
        beyond_free = self.cleaned_data["beyond_free"]
        return services.propose_edit(budget=budget, by=self.by, reason=reason, beyond_free=beyond_free, **values)

    def _post_clean(self) -> None:
        """After the model's own checks, so that one fault is said once."""
        super()._post_clean()
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.propose(self.instance if self.instance.pk else None)
                transaction.set_rollback(True)
        except DomainError as error:
            if self.instance.pk:
                self.instance.refresh_from_db()  # the page shows beside what is typed how the budget stands
            refuse(self, error, {"reason": "change_reason"})
            if error.code == services.BEYOND_FREE:
                self.fields["beyond_free"].widget = forms.CheckboxInput()


class OverrunForm(forms.Form):
    """By how much more a budget may be overrun, and why."""

    amount = EuroField(label=_("Additional amount"))
    reason = ReasonField()

    def propose(self, budget: Budget, by: User) -> BudgetChange:
        return services.propose_overrun(budget=budget, by=by, **self.cleaned_data)


class VirementForm(forms.Form):
    """To which budget of the group money goes, how much, and why."""

    counterpart = forms.ModelChoiceField(Budget.objects.none(), label=_("Goes to"), empty_label=_("Please choose"))
    amount = EuroField(label=_("Amount"))
    reason = ReasonField()

    def __init__(self, *args: Any, others: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["counterpart"].queryset = others  # type: ignore[attr-defined]  # a choice of rows

    def typed(self) -> str:
        """All of it as the query of an address, to show it and to tell whether it was changed since."""
        return urlencode({name: self[name].data or "" for name in self.fields})

    def propose(self, budget: Budget, by: User) -> BudgetChange:
        return services.propose_virement(budget=budget, by=by, **self.cleaned_data)


class CarryOverForm(forms.Form):
    """A tick and an amount for each budget that may go into the next year, and one reason for all."""

    reason = ReasonField(initial=_("Carry-over of what is left (§ 22 KomHVO NRW)"))

    def __init__(self, *args: Any, rows: Sequence[CarryOverRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = [row for row in rows if row.may_go]
        for row in self.rows:
            words = {"budget": row.budget}
            self.fields[f"chosen_{row.budget.pk}"] = forms.BooleanField(
                required=False, label=_("Carry “%(budget)s” over") % words
            )
            self.fields[f"amount_{row.budget.pk}"] = EuroField(
                required=False, initial=row.left, label=_("Amount out of “%(budget)s”") % words
            )

    def fields_of(self, row: CarryOverRow) -> tuple[Any, Any]:
        """The bound fields of a row: its tick and its amount."""
        return self[f"chosen_{row.budget.pk}"], self[f"amount_{row.budget.pk}"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for row in self._chosen(cleaned):
            name = f"amount_{row.budget.pk}"
            if name in cleaned:
                self._check(row, name, cleaned[name] or ZERO)
        if not self._chosen(cleaned):
            self.add_error(None, _("Please choose at least one budget."))
        return cleaned

    def _check(self, row: CarryOverRow, name: str, amount: Decimal) -> None:
        """What is wrong with an amount stands at its field; the service checks it again."""
        if amount <= ZERO:
            self.add_error(name, _("Please enter an amount above zero."))
        try:
            ensure_left(row.budget, amount)
        except DomainError as error:
            self.add_error(name, forms.ValidationError(str(error), code=error.code))

    def _chosen(self, cleaned: dict[str, Any]) -> list[CarryOverRow]:
        return [row for row in self.rows if cleaned.get(f"chosen_{row.budget.pk}")]

    def propose(self, by: User) -> list[BudgetChange]:
        chosen = [
            services.CarryOver(row.budget.pk, self._amount(row), row.target.pk if row.target else None)
            for row in self._chosen(self.cleaned_data)
        ]
        return services.propose_carry_overs(rows=chosen, reason=self.cleaned_data["reason"], by=by)

    def _amount(self, row: CarryOverRow) -> Decimal:
        amount: Decimal = self.cleaned_data[f"amount_{row.budget.pk}"]
        return amount


class TakeBackForm(forms.Form):
    """How much of a carry-over goes back into the year it came from, and why."""

    amount = EuroField(label=_("Amount that goes back"))
    reason = ReasonField()


class DecisionForm(forms.Form):
    """What is said about a proposed change."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Needed when you decline: why."),
    )
