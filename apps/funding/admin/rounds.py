"""Rounds of applications, kept by the office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.admin import ScopedAdmin
from apps.core.form_layout import ConstraintsAtFields
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationRound


class RoundForm(ConstraintsAtFields):
    constraint_fields = {"funding_round_ends": "closes_on"}


@admin.register(ApplicationRound)
class ApplicationRoundAdmin(ScopedAdmin):
    form = RoundForm
    list_display = ("name", "programme", "opens_on", "closes_on", "stage", "handed_in", "late", "reminder")
    search_fields = ("name",)
    ordering = ("-closes_on", "pk")
    fields = (
        "name",
        "programme",
        "opens_on",
        "closes_on",
        "requires_media_concept",
        "remind_days",
        "note",
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Where an open round ends earlier now, its schools hear of it."""
        before = form.initial.get("closes_on")
        super().save_model(request, obj, form, change)
        told = services.tell_of_earlier_end(row=obj, before=before) if change and before else 0
        if told:
            sentence = ngettext(
                "The round ends earlier. %(count)s coordinator is told by mail.",
                "The round ends earlier. %(count)s coordinators are told by mail.",
                told,
            )
            messages.info(request, sentence % {"count": told})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        handed_in = ~Q(applications__state=ApplicationState.DRAFT)
        return (
            super()
            .get_queryset(request)
            .select_related("programme")
            .annotate(
                handed_in=Count("applications", filter=handed_in),
                late=Count("applications", filter=handed_in & Q(applications__is_late=True)),
            )
        )

    @admin.display(description=pgettext_lazy("of a round", "stage"))
    def stage(self, row: ApplicationRound) -> str:
        if row.is_open(clock.today()):
            return pgettext("of a round", "open")
        return gettext("over") if row.is_over(clock.today()) else gettext("not open yet")

    @admin.display(description=_("handed in"))
    def handed_in(self, row: Any) -> str:
        """Leads to the queue with what waits of the round."""
        address = f"{reverse('admin:funding_equipmentapplication_changelist')}?state=all&round={row.pk}"
        return format_html('<a href="{}">{}</a>', address, formats.number(row.handed_in))

    @admin.display(description=_("late"))
    def late(self, row: Any) -> str:
        return formats.number(row.late)

    @admin.display(description=_("reminder"))
    def reminder(self, row: ApplicationRound) -> str:
        if row.reminded_on is not None:
            return gettext("sent on %(day)s") % {"day": formats.day(row.reminded_on)}
        return gettext("none") if not row.remind_days else gettext("%(days)s days before") % {"days": row.remind_days}
