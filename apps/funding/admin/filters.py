"""Filters of the office's lists. Without a choice the queue shows what waits for a decision."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.choices import StateChoices
from apps.core.text import as_key
from apps.funding.choices import (
    ApplicationState,
    BudgetChangeKind,
    LedgerKind,
    ProposalState,
    ReasonKind,
    RuleKind,
)
from apps.funding.models import ApplicationRound, Budget, EquipmentApplication, FundingProgramme
from apps.schools.models import School, SchoolType

ALL = "all"


class StateFilter(admin.SimpleListFilter):
    """Submitted ones by default; "all" shows every state that the person sees."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        states = [state for state in ApplicationState if state != ApplicationState.SUBMITTED]
        if not request.user.has_perm("funding.see_drafts"):
            states.remove(ApplicationState.DRAFT)
        return [*((state.value, state.label) for state in states), (ALL, _("all states"))]

    def choices(self, changelist: Any) -> Any:
        """The default stands first and is named as what it is, not as "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": _("waiting for a decision")} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ALL:
            return queryset
        return queryset.filter(state=self.value() or ApplicationState.SUBMITTED)


class RoundFilter(admin.SimpleListFilter):
    title = _("round")
    parameter_name = "round"
    NONE = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        rounds = ApplicationRound.objects.visible_to(request.user)[:20]
        return [*((str(row.pk), row.name) for row in rounds), (self.NONE, _("without a round"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.NONE:
            return queryset.filter(round__isnull=True)
        if as_key(self.value()):
            return queryset.filter(round=self.value())
        return queryset


class LateFilter(admin.SimpleListFilter):
    title = _("in time")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [("no", _("in time")), ("yes", _("late"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_late=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class ProposalFilter(admin.SimpleListFilter):
    """By what somebody has proposed to approve; `another`: what this person may approve."""

    title = _("proposal")
    parameter_name = "proposal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [
            ("yes", _("proposed")),
            ("another", _("proposed by another person")),
            ("none", _("not proposed yet")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "none":
            return queryset.filter(proposal__isnull=True)
        if self.value() in ("yes", "another"):
            queryset = queryset.filter(proposal__isnull=False)
        return queryset.exclude(proposal__by=request.user.pk) if self.value() == "another" else queryset


class SchoolTypeFilter(admin.SimpleListFilter):
    title = _("school type")
    parameter_name = "school_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        schools = School.objects.visible_to(request.user).order_by()
        types = SchoolType.objects.filter(pk__in=schools.values("school_type"))
        return [(row.key, row.name) for row in types]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(school__school_type=self.value()) if self.value() else queryset


class ReservationFilter(admin.SimpleListFilter):
    """By the budget that an application is pencilled into."""

    title = _("pencilled into")
    parameter_name = "budget"
    NONE = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        budgets = Budget.objects.visible_to(request.user).filter(reservations__isnull=False).distinct()
        return [(self.NONE, _("no budget")), *((str(row.pk), str(row)) for row in budgets[:20])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.NONE:
            return queryset.filter(reservation__isnull=True)
        if as_key(self.value()):
            return queryset.filter(reservation__budget=self.value())
        return queryset


class YearFilter(admin.SimpleListFilter):
    """By the year in which an application was handed in."""

    title = _("year handed in")
    parameter_name = "year"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = EquipmentApplication.objects.visible_to(request.user).filter(submitted_at__isnull=False)
        oldest = rows.order_by("submitted_at").values_list("submitted_at", flat=True).first()
        this_year = clock.today().year
        first = oldest.year if oldest else this_year
        return [(str(year), str(year)) for year in range(this_year, first - 1, -1)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if as_key(self.value()):
            return queryset.filter(submitted_at__year=int(str(self.value())))
        return queryset


class FiscalYearFilter(admin.SimpleListFilter):
    """Years as words, so that no language groups their digits."""

    title = _("fiscal year")
    parameter_name = "year"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        years = Budget.objects.visible_to(request.user).order_by("-fiscal_year").values_list("fiscal_year", flat=True)
        return [(str(year), str(year)) for year in years.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if as_key(self.value()):
            return queryset.filter(fiscal_year=int(str(self.value())))
        return queryset


class SourceFilter(admin.SimpleListFilter):
    title = _("source")
    parameter_name = "source"
    MUNICIPAL = "municipal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        programmes = FundingProgramme.objects.visible_to(request.user)
        return [(self.MUNICIPAL, _("municipal money")), *((str(row.pk), row.name) for row in programmes)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.MUNICIPAL:
            return queryset.filter(grant__isnull=True)
        if as_key(self.value()):
            return queryset.filter(grant__programme=self.value())
        return queryset


class LedgerKindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LedgerKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class BudgetFilter(admin.SimpleListFilter):
    title = _("budget")
    parameter_name = "budget"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(row.pk), str(row)) for row in Budget.objects.visible_to(request.user)[:50]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if as_key(self.value()):
            return queryset.filter(budget=self.value())
        return queryset


class TargetStateFilter(admin.SimpleListFilter):
    title = _("new state")
    parameter_name = "to_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ApplicationState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(to_state=self.value()) if self.value() else queryset


class ProgrammeFilter(admin.SimpleListFilter):
    title = _("funding programme")
    parameter_name = "programme"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(row.pk), row.name) for row in FundingProgramme.objects.visible_to(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if as_key(self.value()):
            return queryset.filter(programme=self.value())
        return queryset


class ReasonKindFilter(admin.SimpleListFilter):
    title = _("used")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ReasonKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class OpenStateFilter(admin.SimpleListFilter):
    """What still has to be done by default; each state, and all of them, on request."""

    title = _("state")
    parameter_name = "state"
    states: type[StateChoices]
    open_states: frozenset[str]
    open_words: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((state.value, state.label) for state in self.states), (ALL, _("all states"))]

    def choices(self, changelist: Any) -> Any:
        """The default stands first and is named as what it is, not as "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": self.open_words} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ALL:
            return queryset
        return queryset.filter(state__in=[self.value()] if self.value() else self.open_states)


class ProposalStateFilter(OpenStateFilter):
    states = ProposalState
    open_states = frozenset({ProposalState.PROPOSED})
    open_words = _("waiting for a decision")


class ChangeKindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(BudgetChangeKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class RuleKindFilter(admin.SimpleListFilter):
    title = _("rule")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RuleKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset
