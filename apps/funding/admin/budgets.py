"""Budgets and what happened to the money. Amounts are proposed here; committed and spent are written elsewhere."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ScopedAdmin
from apps.core.money import total
from apps.funding import selectors
from apps.funding.admin.budget_changes import changes_of, proposed, shown_changes
from apps.funding.admin.budget_forms import BudgetAdminForm
from apps.funding.admin.budget_pages import BudgetPages
from apps.funding.admin.carry_over import CarryOverPages
from apps.funding.admin.columns import euros
from apps.funding.admin.filters import FiscalYearFilter, SourceFilter
from apps.funding.carry_over import carried_into
from apps.funding.models import Budget, Grant, LedgerEntry
from apps.funding.rules import highest_operating_price

SHOWN_CHANGES = 10
SHOWN_ENTRIES = 50
AS_TEXT = {
    "fiscal_year": "year",
    "appropriation": "shown_appropriation",
    "carried_over": "shown_carried_over",
    "supplement": "shown_supplement",
    "freeze": "shown_freeze",
}
"""Field -> how it reads for those who change nothing."""
FROM_CARRY_OVER = {"carried_over": "from_carry_over"}
"""Field -> how it reads once a carry-over was confirmed, which alone changes it."""


@admin.register(Budget)
class BudgetAdmin(BudgetPages, CarryOverPages, ScopedAdmin):
    """To save is to propose: each change waits until another person confirms it."""

    form = BudgetAdminForm
    change_form_template = "admin/funding/budget/change_form.html"
    change_list_template = "admin/funding/budget/change_list.html"
    list_display = (
        "name",
        "short_year",
        "source_and_account",
        "shown_appropriation",
        "shown_added",
        "shown_freeze",
        "shown_committed",
        "shown_spent",
        "shown_left",
    )
    list_filter = (FiscalYearFilter, SourceFilter)
    sortable_by = ("name", "short_year")
    search_fields = ("name", "measure_number", "product", "ledger_account", "virement_group")
    search_help_text = _("Searches names, measure numbers, products, ledger accounts and virement groups.")
    fieldsets = (
        (None, {"fields": ("name", "fiscal_year", "grant", "expenditure_type")}),
        (_("Account"), {"fields": ("measure_number", "product", "ledger_account", "virement_group")}),
        (_("Amounts"), {"fields": ("appropriation", "carried_over", "supplement", "freeze")}),
        (
            _("Used so far"),
            {
                "fields": (
                    "shown_virement",
                    "shown_overrun",
                    "shown_carried_out",
                    "shown_committed",
                    "shown_spent",
                    "shown_reserved",
                    "shown_available",
                )
            },
        ),
        (_("Reason of the change"), {"fields": ("change_reason",)}),
    )
    readonly_fields = (
        "year",
        "shown_appropriation",
        "shown_carried_over",
        "from_carry_over",
        "shown_supplement",
        "shown_freeze",
        "shown_virement",
        "shown_overrun",
        "shown_carried_out",
        "shown_committed",
        "shown_spent",
        "shown_reserved",
        "shown_available",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = selectors.budget_rows(request.user)  # type: ignore[arg-type]  # signed in
        return rows.order_by("-fiscal_year", "name", "pk")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A grant is named with its programme."""
        if db_field.name == "grant":
            kwargs["queryset"] = Grant.objects.visible_to(request.user).select_related("programme")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """With the programmes that the grants are named by."""
        records: QuerySet[Any] = super().get_history_queryset(*args, **kwargs)
        return records.select_related("grant__programme")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new budget has used nothing yet; who only reads gives no reason."""
        sets = list(self.fieldsets)
        if obj is None:
            return [*sets[:3], sets[4]]
        if self.has_change_permission(request, obj):
            name, row = sets[2]
            sets[2] = (name, {"fields": (*row["fields"], "beyond_free")})
            return _with_texts(sets, FROM_CARRY_OVER) if carried_into(obj).exists() else sets
        return _with_texts(sets[:4], AS_TEXT)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Proposes; the form has rehearsed it, so that a refusal stands at its field."""
        request.proposed = form.propose(obj if change else None)  # type: ignore[attr-defined]  # for the answer

    def log_addition(self, *_args: Any) -> None:
        """There is no budget yet; the proposal is the record."""

    def log_change(self, *_args: Any) -> None:
        """Nothing has changed yet."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return proposed(request, request.proposed)  # type: ignore[attr-defined]  # set by `save_model`

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return proposed(request, request.proposed)  # type: ignore[attr-defined]  # set by `save_model`

    # Columns

    @admin.display(description=_("year"), ordering="fiscal_year")
    def short_year(self, row: Budget) -> str:
        return self.year(row)

    @admin.display(description=_("fiscal year"), ordering="fiscal_year")
    def year(self, row: Budget) -> str:
        return str(row.fiscal_year)

    @admin.display(description=_("source and account"))
    def source_and_account(self, row: Budget) -> str:
        """With the numbers by which the city's bookkeeping knows the budget; zeros in front count."""
        source = gettext("municipal money") if row.grant is None else str(row.grant.programme)
        numbers = (
            (gettext("Budget product"), row.product),
            (gettext("Ledger account"), row.ledger_account),
            (gettext("Measure number"), row.measure_number),
        )
        named = ((label, value) for label, value in numbers if value)
        parts = format_html_join(" · ", '<span class="desk-sr">{} </span>{}', named)
        return format_html('{}<span class="desk-account">{}</span>', source, parts)

    @admin.display(description=_("appropriation"))
    def shown_appropriation(self, row: Budget) -> str:
        return euros(row.appropriation)

    @admin.display(description=_("carried over"))
    def shown_carried_over(self, row: Budget) -> str:
        return euros(row.carried_over)

    @admin.display(description=_("carried over"))
    def from_carry_over(self, row: Budget) -> str:
        """With the way to the carry-overs that it comes from; of several, each with its amount."""
        changes = list(carried_into(row))
        several = len(changes) > 1
        links = format_html_join(
            ", ",
            '<a href="{}">{}{}</a>',
            (
                (
                    reverse("admin:funding_budgetchange_change", args=[change.pk]),
                    change.budget,
                    f" ({formats.euro(change.amount)})" if several else "",
                )
                for change in changes
            ),
        )
        return format_html("{} {} {}", euros(row.carried_over), gettext("by carry-over out of"), links)

    @admin.display(description=_("supplement"))
    def shown_supplement(self, row: Budget) -> str:
        return euros(row.supplement)

    @admin.display(description=_("added and taken"))
    def shown_added(self, row: Budget) -> str:
        """All between the appropriation and what may be committed, so that the row adds up."""
        parts = [(str(label), amount) for label, amount in row.added if amount]
        return euros(total(amount for _label, amount in parts)) + _parts(parts)

    @admin.display(description=_("virements"))
    def shown_virement(self, row: Budget) -> str:
        return euros(row.virement)

    @admin.display(description=_("frozen"))
    def shown_freeze(self, row: Budget) -> str:
        return euros(row.freeze)

    @admin.display(description=_("allowed overrun"))
    def shown_overrun(self, row: Budget) -> str:
        return euros(row.overrun_allowed)

    @admin.display(description=_("carried into the next year"))
    def shown_carried_out(self, row: Budget) -> str:
        return euros(row.carried_out)

    @admin.display(description=_("committed"))
    def shown_committed(self, row: Budget) -> str:
        return euros(row.committed)

    @admin.display(description=_("spent"))
    def shown_spent(self, row: Budget) -> str:
        return euros(row.spent)

    @admin.display(description=_("pencilled in"))
    def shown_reserved(self, row: Any) -> str:
        return euros(row.reserved)

    @admin.display(description=_("available"))
    def shown_available(self, row: Budget) -> str:
        """As it is stored: a form that is refused has changed the row it shows."""
        return _available(row if row.pk is None else Budget.objects.get(pk=row.pk))

    @admin.display(description=_("available"))
    def shown_left(self, row: Any) -> str:
        """What is pencilled in stands below: it is shown and not subtracted."""
        return _available(row) + _parts([(gettext("pencilled in"), row.reserved)] if row.reserved else [])

    # The page of one budget

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        budget = kwargs.get("obj") or context.get("original")
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if budget is not None:
            entries = LedgerEntry.objects.visible_to(request.user).filter(budget=budget)
            newest = entries.select_related("by", "line__application", "line__product").order_by("-at", "-pk")
            context["entries"] = list(newest[: SHOWN_ENTRIES + 1])
            context["shown_entries"] = SHOWN_ENTRIES
            context["reservations"] = budget.reservations.select_related("application__school", "by")
            context["changes"] = shown_changes(changes_of(budget, request.user)[:SHOWN_CHANGES])
            context["may_overrun"] = request.user.has_perm("funding.overrun_budget")
            context["may_move"] = self.has_change_permission(request, budget) and budget.virement_group
            context["operating_up_to"] = highest_operating_price(datetime.date(budget.fiscal_year, 12, 31))
        return super().render_change_form(request, context, *args, **kwargs)


def _available(row: Budget) -> str:
    return format_html('<strong class="desk-number">{}</strong>', formats.euro(row.available))


def _parts(parts: Iterable[tuple[str, Decimal]]) -> str:
    """Small lines below an amount: what it is made of."""
    rows = ((label, euros(amount)) for label, amount in parts)
    return format_html_join("", '<span class="desk-part"><span>{}</span> {}</span>', rows)


def _with_texts(sets: Sequence[Any], texts: Mapping[str, str]) -> list[Any]:
    """The fieldsets, with these fields as text."""
    return [(name, {"fields": tuple(texts.get(field, field) for field in row["fields"])}) for name, row in sets]
