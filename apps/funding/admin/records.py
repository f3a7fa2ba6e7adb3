"""What was written down once and for all: the ledger and the changes of applications. And the office's templates."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ReadOnlyAdmin, ScopedAdmin
from apps.core.admin_pages import shown_as_text
from apps.core.templatetags.portal import icon
from apps.funding.admin.columns import DatedRows, euros
from apps.funding.admin.filters import BudgetFilter, LedgerKindFilter, ReasonKindFilter, TargetStateFilter
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationStatusChange, EquipmentApplication, LedgerEntry, ReasonTemplate
from apps.funding.overruns import overruns_of


@admin.register(LedgerEntry)
class LedgerEntryAdmin(DatedRows, ReadOnlyAdmin):
    """Append-only: corrected by counter-entries, which the services write."""

    list_display = ("when", "budget", "kind", "shown_amount", "application", "by", "note")
    list_display_links = ("when",)
    list_filter = (LedgerKindFilter, BudgetFilter)
    list_select_related = ("budget", "line__application", "by")
    sortable_by = ("when",)
    search_fields = ("note", "line__application__title")
    fields = (
        "when",
        "budget",
        "kind",
        "shown_amount",
        "line",
        "application",
        shown_as_text(LedgerEntry, "by"),
        "note",
    )
    readonly_fields = fields

    @admin.display(description=_("amount"))
    def shown_amount(self, row: LedgerEntry) -> str:
        return euros(row.amount)

    @admin.display(description=_("application"))
    def application(self, row: LedgerEntry) -> str:
        if row.line is None:
            return formats.missing()
        url = reverse("admin:funding_equipmentapplication_change", args=[row.line.application_id])
        return format_html('<a href="{}">{}</a>', url, row.line.application.title)


@admin.register(ApplicationStatusChange)
class ApplicationStatusChangeAdmin(DatedRows, ReadOnlyAdmin):
    list_display = ("when", "subject", "was", "became_and_overran", "first_person", "by", "reasons")
    list_display_links = ("when",)
    list_filter = (TargetStateFilter,)
    list_select_related = ("application__school", "proposed_by", "by")
    sortable_by = ("when",)
    search_fields = ("application__title",)
    fields = (
        "when",
        "subject",
        "was",
        "became",
        "first_person",
        shown_as_text(ApplicationStatusChange, "by"),
        "reason",
        "shown_overrun",
        "overrun_reason",
    )
    readonly_fields = fields

    @admin.display(description=_("application"))
    def subject(self, row: ApplicationStatusChange) -> str:
        application: EquipmentApplication = row.application
        url = reverse("admin:funding_equipmentapplication_change", args=[application.pk])
        return format_html('<a href="{}">{}</a>, {}', url, application.title, application.school)

    @admin.display(description=_("proposed by"))
    def first_person(self, row: ApplicationStatusChange) -> str:
        """Most changes are one person's."""
        return "–" if row.proposed_by is None else str(row.proposed_by)

    @admin.display(description=_("beyond the budget"))
    def shown_overrun(self, row: ApplicationStatusChange) -> str:
        told = overruns_of(row)
        return format_html_join("", "<div>{}</div>", ((words,) for words in told)) or "–"

    @admin.display(description=_("from"))
    def was(self, row: ApplicationStatusChange) -> str:
        return str(ApplicationState(row.from_state).label) if row.from_state else gettext("new")

    @admin.display(description=_("to"))
    def became(self, row: ApplicationStatusChange) -> str:
        return str(ApplicationState(row.to_state).label)

    @admin.display(description=_("to"))
    def became_and_overran(self, row: ApplicationStatusChange) -> str:
        """Few go over a budget: that stands below, without a column of its own."""
        mark = '<br><span class="desk-warning">{}{}</span>'
        told = format_html_join("", mark, ((icon("warning"), words) for words in overruns_of(row)))
        return format_html("{}{}", self.became(row), told)

    @admin.display(description=_("reason"))
    def reasons(self, row: ApplicationStatusChange) -> str:
        """Of the decision, and of going over a budget."""
        given = [row.reason] if row.reason else []
        if row.overrun_reason:
            given.append(gettext("On the budget: %(reason)s") % {"reason": row.overrun_reason})
        return format_html_join("", "<div>{}</div>", ((text,) for text in given)) or formats.missing()


@admin.register(ReasonTemplate)
class ReasonTemplateAdmin(ScopedAdmin):
    list_display = ("name", "kind", "text")
    sortable_by = ("name", "kind")
    list_filter = (ReasonKindFilter,)
    search_fields = ("name", "text")
