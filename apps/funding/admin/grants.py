"""Programmes and grant notices: what was granted, what became of it, and how the notice changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ScopedAdmin
from apps.core.errors import DomainError
from apps.core.form_layout import refuse
from apps.core.querysets import ensure_still_visible
from apps.core.text import as_key
from apps.funding import services
from apps.funding.admin.budget_pages import form_page
from apps.funding.admin.columns import euros
from apps.funding.admin.filters import ProgrammeFilter
from apps.funding.admin.grant_forms import BEGINS_WITH, ChangeNoticeForm, GrantAdminForm, ProgrammeForm
from apps.funding.grant_figures import grant_figures, steps_of_notice
from apps.funding.models import FundingProgramme, Grant, GrantChange
from apps.funding.services.grants import NOTICE_FIELDS


@admin.register(FundingProgramme)
class FundingProgrammeAdmin(ScopedAdmin):
    form = ProgrammeForm
    change_form_template = "admin/funding/fundingprogramme/change_form.html"
    list_display = ("name", "code", "legal_basis", "shown_rate", "implementation_until", "source", "checked_on")
    sortable_by = ("name", "code", "implementation_until")
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("code", "name", "legal_basis")}),
        (_("What it pays"), {"fields": ("rate", "limit_per_device", "eligible", "not_eligible")}),
        (_("Periods"), {"fields": ("begins_on", "implementation_until", "earmarking_years")}),
        (_("Rounds"), {"fields": ("requires_media_concept",)}),
        (_("How sure this is"), {"fields": ("source", "checked_on")}),
    )
    readonly_fields = ("shown_rate", "shown_limit")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return _in_words(self, request, obj, super().get_fieldsets(request, obj))

    @admin.display(description=_("usual funding rate"))
    def shown_rate(self, row: FundingProgramme) -> str:
        return formats.missing() if row.rate is None else _percent(row.rate)

    @admin.display(description=_("limit per device"))
    def shown_limit(self, row: FundingProgramme) -> str:
        return _limit(row)


@admin.register(Grant)
class GrantAdmin(ScopedAdmin):
    """A notice is entered here and changed by change notices once it has budgets."""

    form = GrantAdminForm
    change_form_template = "admin/funding/grant/change_form.html"
    list_display = ("file_reference", "programme", "notice_on", "amount", "shown_rate", "shown_earmarked")
    list_filter = (ProgrammeFilter,)
    list_select_related = ("programme",)
    sortable_by = ("notice_on",)
    search_fields = ("file_reference", "lucom_number")
    fieldsets = (
        (None, {"fields": ("programme", "file_reference", "lucom_number", "notice_on")}),
        (_("What it pays"), {"fields": ("amount", "rate", "limit_per_device")}),
        (
            _("Periods"),
            {"fields": ("implementation_from", "implementation_until", "earmarking_years", "proof_due_on")},
        ),
        (_("Proof of use"), {"fields": ("contact",)}),
    )
    readonly_fields = ("shown_rate", "shown_amount", "shown_limit")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What only a change notice changes."""
        fixed = NOTICE_FIELDS if obj is not None and obj.budgets.exists() else ()
        return (*self.readonly_fields, *fixed)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return _in_words(self, request, obj, super().get_fieldsets(request, obj))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new notice begins with what its programme says."""
        asked = request.GET.get("programme", "")
        rows = FundingProgramme.objects.visible_to(request.user)
        programme = rows.filter(pk=as_key(asked)).first()
        if programme is None:
            return super().get_changeform_initial_data(request)
        return {"programme": programme.pk} | {name: getattr(programme, name) for name in BEGINS_WITH}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            services.edit_grant(grant=obj, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]  # signed in
            ensure_still_visible(obj, request.user)
        else:
            super().save_model(request, obj, form, change)

    # The page of one grant

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        grant = kwargs.get("obj") or context.get("original")
        if grant is None:
            context["programmes"] = FundingProgramme.objects.visible_to(request.user)
        else:
            notices = GrantChange.objects.visible_to(request.user).filter(grant=grant).select_related("by")
            context["figures"] = grant_figures(grant, request.user)  # type: ignore[arg-type]  # signed in
            context["notices"] = [(row, list(steps_of_notice(row))) for row in notices.order_by("-notice_on", "-pk")]
            context["may_record"] = self.has_change_permission(request, grant)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.notice_view)
        return [path("<path:object_id>/notice/", view, name="funding_grant_notice"), *super().get_urls()]

    def notice_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A change notice is written down."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        grant: Any = self.get_object(request, unquote(object_id))
        if grant is None:
            raise Http404
        form = ChangeNoticeForm(request.POST if request.method == "POST" else None, grant=grant)
        if form.is_valid() and self._recorded(request, form):
            return HttpResponseRedirect(reverse("admin:funding_grant_change", args=[grant.pk]))
        return form_page(
            self,
            request,
            grant,
            form,
            title=_("Record a change notice"),
            facts=[(_("Given to budgets"), formats.euro(grant_figures(grant, request.user).given))],  # type: ignore[arg-type]
            text=_("Where the earmarking ends later, the devices bound by this notice follow. None is freed earlier."),
            button=_("Record the change notice"),
        )

    def _recorded(self, request: HttpRequest, form: ChangeNoticeForm) -> bool:
        try:
            form.record(request.user)
        except DomainError as error:
            refuse(form, error)
            return False
        messages.success(request, gettext("The change notice is recorded."))
        return True

    @admin.display(description=_("funding rate"))
    def shown_rate(self, row: Grant) -> str:
        return _percent(row.rate)

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Grant) -> str:
        return euros(row.amount)

    @admin.display(description=_("limit per device"))
    def shown_limit(self, row: Grant) -> str:
        return _limit(row)

    @admin.display(description=_("earmarked until"))
    def shown_earmarked(self, row: Grant) -> str:
        return formats.day(row.earmarked_until)


def _percent(rate: Any) -> str:
    return format_html('<span class="desk-number">{}</span>', formats.percent(rate * 100))


def _limit(row: FundingProgramme | Grant) -> str:
    return formats.missing() if row.limit_per_device is None else euros(row.limit_per_device)


def _in_words(of: Any, request: HttpRequest, row: Any, sets: Any) -> Any:
    """What is only read stands as it is read elsewhere."""
    fixed = of.get_readonly_fields(request, row)
    if row is None or (of.has_change_permission(request, row) and "rate" not in fixed):
        return sets
    words = {"rate": "shown_rate", "amount": "shown_amount", "limit_per_device": "shown_limit"}
    return [
        (title, options | {"fields": [_word(words, name) for name in options["fields"]]}) for title, options in sets
    ]


def _word(words: dict[str, str], name: Any) -> Any:
    return words.get(name, name) if isinstance(name, str) else name
