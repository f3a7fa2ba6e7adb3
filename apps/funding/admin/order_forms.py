"""Forms of what is to be ordered and of a draft order. They read what is typed; the services check it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.form_fields import EuroField, GermanIntegerField
from apps.core.form_layout import refuse
from apps.core.formats import euro
from apps.core.money import ZERO
from apps.funding.admin.purchase_forms import (
    FormKeyMixin,
    PurchaseForm,
    choice_field,
    labelled_choice_field,
    number_field,
    text_area,
)
from apps.funding.contract_selectors import left_of
from apps.funding.models import Budget, FrameworkContract, Order, OrderLine, Supplier
from apps.funding.purchase_selectors import LineToOrder
from apps.funding.purchasing import OrderLineInput
from apps.funding.rules import sets_thresholds
from apps.inventory.models import Product
from apps.schools.models import School

NEW_ORDER = "new"
_NEEDED_SUM = _("Of the whole need, before offers came in. Do not split it. Needed for placing.")
_NEEDED_SUM_OR_CONTRACT = _(
    "Of the whole need, before offers came in. Do not split it. Needed for placing without a framework contract."
)


class ContractField(forms.ModelChoiceField):
    """Contracts that hold today and are not used up; one that a draft names stays in sight and says what it is."""

    left: Mapping[int, Decimal] = {}
    """Contract id -> euros that may still be called off; without those that have no volume."""

    def offer(self, contracts: Any, *, named: int | None = None) -> None:
        """`contracts`: of the user's scope; `named`: the one that stands in the draft."""
        holding = list(contracts.holding_on(today()))
        self.left = left_of([*holding, *contracts.filter(pk=named)])
        open_ones = [row.pk for row in holding if row.volume is None or self.left[row.pk] > ZERO]
        self.queryset = contracts.filter(pk__in={*open_ones, named}).select_related("supplier")

    def label_from_instance(self, contract: FrameworkContract) -> str:
        day, left = today(), self.left.get(contract.pk)
        if day < contract.valid_from:
            words = gettext("%(contract)s (not yet valid)")
        elif not contract.holds_on(day):
            words = gettext("%(contract)s (ended)")
        elif left is None:
            return str(contract)
        else:
            words = gettext("%(contract)s (%(left)s left)") if left > ZERO else gettext("%(contract)s (used up)")
        return words % {"contract": contract, "left": euro(left)}


class BundleForm(FormKeyMixin, PurchaseForm):
    """Which approved lines go where: into a new order, or into a draft."""

    target = forms.ChoiceField(label=_("Order"))
    supplier = forms.ModelChoiceField(
        Supplier.objects.none(), label=_("Supplier"), required=False, help_text=_("For a new order without a contract.")
    )
    contract = ContractField(
        FrameworkContract.objects.none(),
        label=_("Framework contract"),
        required=False,
        help_text=_("It names the supplier, too."),
    )

    def __init__(self, *args: Any, user: User, rows: Sequence[LineToOrder], drafts: Sequence[Order], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [
            (NEW_ORDER, _("New order")),
            *((str(order.pk), f"{order.number}, {order.supplier}") for order in drafts),
        ]
        self.fields["supplier"].queryset = Supplier.objects.visible_to(user).filter(is_active=True)
        self.fields["contract"].offer(FrameworkContract.objects.visible_to(user))
        for name in ("supplier", "contract"):
            self.fields[name].empty_label = _("Please choose")
        self.rows = rows
        for row in rows:
            self.fields[f"line-{row.line.pk}"] = forms.BooleanField(required=False, label=str(row.line.application))
            self.fields[f"pieces-{row.line.pk}"] = number_field(
                _("Pieces to order"), initial=row.pieces, min_value=1, max_value=row.pieces
            )
            self.fields[f"pieces-{row.line.pk}"].in_line = f"{row.line.product}, {row.line.application.school}"

    def fields_of(self, rows: Sequence[LineToOrder]) -> list[tuple[LineToOrder, forms.BoundField, forms.BoundField]]:
        """For the template: lines with their two fields."""
        return [(row, self[f"line-{row.line.pk}"], self[f"pieces-{row.line.pk}"]) for row in rows]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for row in self.rows:
            if not data.get(f"line-{row.line.pk}"):
                self.errors.pop(f"pieces-{row.line.pk}", None)
        gone = self._gone()
        if gone:
            raise forms.ValidationError(
                ngettext(
                    "A chosen line is no longer to be ordered: somebody has put it into an order or given it up. Please"
                    " look at the list again.",
                    "%(number)s chosen lines are no longer to be ordered: somebody has put them into an order or given"
                    " them up. Please look at the list again.",
                    gone,
                )
                % {"number": gone}
            )
        if not self.errors and not self.lines():
            raise forms.ValidationError(_("Please choose at least one line."))
        if data.get("target") == NEW_ORDER and not data.get("supplier") and not data.get("contract"):
            self.add_error("supplier", _("Please choose the supplier or a framework contract."))
        return data

    def _gone(self) -> int:
        """How many lines were chosen on a page that is older than what has become of them."""
        return sum(name.startswith("line-") and name not in self.fields for name in self.data)

    def _chosen(self) -> list[LineToOrder]:
        return [row for row in self.rows if self.cleaned_data.get(f"line-{row.line.pk}")]

    def lines(self) -> list[OrderLineInput]:
        typed = [(row, self.cleaned_data.get(f"pieces-{row.line.pk}")) for row in self._chosen()]
        return [
            OrderLineInput(row.pieces if pieces is None else pieces, application_line_id=row.line.pk)
            for row, pieces in typed
        ]

    def refuse(self, error: DomainError) -> None:
        """Also at the pieces of a chosen line; those of a draft that it joins have no field here."""
        chosen = self._chosen()
        own = error.line is not None and error.line <= len(chosen)
        refuse(self, error, {"quantity": f"pieces-{chosen[error.line - 1].line.pk}"} if own and error.line else {})

    def supplier_and_contract(self) -> dict[str, Any]:
        contract = self.cleaned_data["contract"]
        supplier = self.cleaned_data["supplier"] or (contract.supplier if contract else None)
        return {"supplier": supplier, "contract": contract}


class OrderForm(PurchaseForm):
    """Facts and award record of a draft."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    supplier = forms.ModelChoiceField(Supplier.objects.none(), label=_("Supplier"), empty_label=_("Please choose"))
    contract = ContractField(
        FrameworkContract.objects.none(), label=_("Framework contract"), required=False, empty_label=_("None")
    )
    no_price_reason = forms.CharField(
        label=_("Why a line costs nothing"),
        required=False,
        max_length=300,
        help_text=_("A gift of the supplier, for example. Needed for placing."),
    )
    note = forms.CharField(label=_("Note"), required=False, widget=text_area())
    estimated_net = EuroField(
        label=_("Estimated sum (net)"),
        required=False,
    )
    procedure = forms.CharField(
        label=_("Award procedure"),
        required=False,
        max_length=120,
        help_text=_(
            "Where a step of the city's rules holds for the sum, its procedure is taken. "
            "Needed for placing where none holds and no framework contract is called from."
        ),
    )
    award_reason = forms.CharField(
        label=_("Reason of the award"),
        required=False,
        widget=text_area(3),
        help_text=_(
            "Why this supplier, and for this price. "
            "Needed for placing without a framework contract, and where a step of the city's rules holds."
        ),
    )

    def __init__(self, *args: Any, user: User, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suppliers = Supplier.objects.visible_to(user)
        self.fields["supplier"].queryset = suppliers.filter(is_active=True) | suppliers.filter(pk=order.supplier_id)
        self.fields["contract"].offer(FrameworkContract.objects.visible_to(user), named=order.contract_id)
        self.fields["estimated_net"].help_text = _NEEDED_SUM if sets_thresholds(today()) else _NEEDED_SUM_OR_CONTRACT
        if not order.no_price_reason and all(line.unit_price for line in order.lines.all()):
            del self.fields["no_price_reason"]
        for name in self.fields.keys() & {"estimated_net", "procedure", "award_reason", "no_price_reason"}:
            self.fields[name].hint_says_when_required = True

    def facts(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class OrderLineForm(forms.Form):
    """One line of a draft; of an application's line only quantity, price and note can be typed."""

    line_id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    application_line_id = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, choices: dict[str, Sequence[Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self["application_line_id"].value():
            self.fields["product_id"] = choice_field(_("Product"), choices["products"], _("None of the catalogue"))
            self.fields["description"] = forms.CharField(label=_("Description"), required=False, max_length=200)
            self.fields["school_id"] = choice_field(_("School"), choices["schools"], _("No school: the depot or all"))
        self.fields["quantity"] = GermanIntegerField(label=_("Quantity"), min_value=1)
        self.fields["unit_price"] = EuroField(label=_("Unit price gross"), min_value=0)
        if not self["application_line_id"].value():
            self.fields["budget_id"] = labelled_choice_field(_("Budget"), choices["budgets"], _("Please choose"))
            self.fields["own_share_budget_id"] = labelled_choice_field(
                _("Budget of the own share"), choices["municipal"], _("None")
            )
        self.fields["DELETE"] = forms.BooleanField(label=_("Take out of the order"), required=False)

    def as_input(self) -> OrderLineInput:
        known = {name: value for name, value in self.cleaned_data.items() if name != "DELETE"}
        return OrderLineInput(**known)


class BaseOrderLines(forms.BaseFormSet):
    """Lines of a draft; one that stays empty is none."""

    line_words = pgettext_lazy("of an application", "Line %(number)s")
    numbers_removed = True

    def __init__(self, *args: Any, order: Order, user: User, **kwargs: Any) -> None:
        related = ("product", "school", "application_line__application", "budget", "own_share_budget")
        self.lines = {line.pk: line for line in order.lines.select_related(*related)}
        budgets = _offered_budgets(user, self.lines.values())
        choices = {
            "products": list(Product.objects.visible_to(user).filter(is_active=True)),
            "schools": list(School.objects.visible_to(user)),
            "budgets": _labelled(budgets),
            "municipal": _labelled([row for row in budgets if row.grant_id is None]),
        }
        super().__init__(*args, form_kwargs={"choices": choices}, **kwargs)

    def inputs(self) -> list[OrderLineInput]:
        return [form.as_input() for form in self._kept()]

    def refuse(self, error: DomainError) -> None:
        """A refusal about one of `inputs`, at the field of its line that it names."""
        names = {name: f"{name}_id" for name in ("product", "school", "budget", "own_share_budget")}
        refuse(self._kept()[(error.line or 1) - 1], error, names)

    def _kept(self) -> list[OrderLineForm]:
        typed = [form for form in self.forms if form.initial or form.has_changed()]
        return [form for form in typed if not form.cleaned_data.get("DELETE")]


OrderLines = forms.formset_factory(OrderLineForm, formset=BaseOrderLines, extra=1)


def _offered_budgets(user: User, lines: Iterable[OrderLine]) -> list[Budget]:
    """Those of this and the last fiscal year, and what the lines name already, however old."""
    named = {pk for line in lines for pk in (line.budget_id, line.own_share_budget_id) if pk is not None}
    year = today().year
    rows = Budget.objects.visible_to(user).filter(Q(fiscal_year__in=(year, year - 1)) | Q(pk__in=named))
    return list(rows.order_by("-fiscal_year", "name"))


def _labelled(budgets: Iterable[Budget]) -> list[tuple[int, str]]:
    words = gettext("%(budget)s, %(available)s available")
    return [(row.pk, words % {"budget": row, "available": euro(row.available)}) for row in budgets]


def line_initial(line: OrderLine) -> dict[str, Any]:
    names = ("application_line_id", "product_id", "description", "school_id", "quantity", "unit_price", "budget_id")
    return {"line_id": line.pk, "own_share_budget_id": line.own_share_budget_id} | {
        name: getattr(line, name) for name in names
    }
