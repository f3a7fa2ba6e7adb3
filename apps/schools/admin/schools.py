"""Schools in the admin. Whatever can move a figure goes through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin import UserAdmin
from apps.core.admin import ScopedAdmin, ScopedInline
from apps.core.form_fields import GermanDecimalField, GermanIntegerField
from apps.core.history import delete_by
from apps.core.import_admin import ImportButtonMixin
from apps.core.text import sort_key
from apps.schools import services
from apps.schools.imports.counts import CountsSource
from apps.schools.imports.directory import DirectorySource
from apps.schools.imports.schuldaten import SchuldatenSource
from apps.schools.imports.social_index import SocialIndexSource
from apps.schools.models import (
    Membership,
    PlatformStatus,
    PupilCount,
    PupilWeight,
    School,
    SchoolAuthority,
    SchoolType,
    Site,
    SocialIndex,
)

GERMAN_NUMBERS = {
    models.DecimalField: {"form_class": GermanDecimalField},
    models.PositiveIntegerField: {"form_class": GermanIntegerField},
}


class SiteForm(forms.ModelForm):
    """The formset sees to one main site; the database's constraint would not know which row gives it up."""

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | {"is_main"}


class SiteFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        if sum(1 for form in kept if form.cleaned_data.get("is_main")) > 1:
            raise forms.ValidationError(_("A school has one main site."))


class SiteInline(ScopedInline):
    model = Site
    form = SiteForm
    formset = SiteFormSet


class PupilCountInline(ScopedInline):
    model = PupilCount
    formfield_overrides = GERMAN_NUMBERS
    fields = ("school_year", "counted_on", "pupils", "rounded", "source")


class SocialIndexInline(ScopedInline):
    model = SocialIndex


class PlatformInline(ScopedInline):
    model = PlatformStatus


class MembershipInline(ScopedInline):
    model = Membership
    verbose_name_plural = _("people at this school")


class MembershipOfPersonInline(MembershipInline):
    verbose_name_plural = _("schools of this person")


UserAdmin.inlines = (*UserAdmin.inlines, MembershipOfPersonInline)


@admin.register(School)
class SchoolAdmin(ImportButtonMixin, ScopedAdmin):
    """The office's list of schools. Numbers never change: everything else hangs on them."""

    import_sources = (
        (SchuldatenSource.name, _("Import from official file")),
        (CountsSource.name, _("Import pupil counts")),
        (SocialIndexSource.name, _("Import social index")),
        (DirectorySource.name, _("Import directory")),
    )
    list_display = ("number", "short_name", "school_type", "authority", "operating_state", "startchancen")
    list_display_links = ("number", "short_name")
    list_filter = ("school_type", "authority", "startchancen", "operating_state", "legal_form")
    list_select_related = ("school_type", "authority")
    search_fields = ("search_text",)
    ordering = ("sort_key", "pk")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (SiteInline, PupilCountInline, SocialIndexInline, PlatformInline, MembershipInline)
    fieldsets = (
        (None, {"fields": ("number", "short_name", "official_name", "school_type", "authority", "legal_form",
                           "startchancen")}),
        (_("Operation"), {"fields": ("operating_state", "opened_on", "closed_on")}),
        (_("Contact"), {"fields": ("email", "phone", "homepage", "municipality_key")}),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: School | None = None) -> tuple[str, ...]:
        return ("number",) if obj is not None else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: School, form: Any, change: bool) -> None:
        services.save_school(school=obj, by=request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            delete_by(row, by=request.user)
        services.save_details(rows=rows, by=request.user)


@admin.register(SchoolAuthority)
class SchoolAuthorityAdmin(ScopedAdmin):
    list_display = ("number", "name", "is_own")
    list_display_links = ("number", "name")
    search_fields = ("name", "number")

    def save_model(self, request: HttpRequest, obj: SchoolAuthority, form: Any, change: bool) -> None:
        services.save_authority(authority=obj, by=request.user)


class PupilWeightInline(ScopedInline):
    model = PupilWeight
    formfield_overrides = GERMAN_NUMBERS


@admin.register(SchoolType)
class SchoolTypeAdmin(ScopedAdmin):
    list_display = ("key", "name", "is_school")
    list_display_links = ("key", "name")
    inlines = (PupilWeightInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: SchoolType | None = None) -> tuple[str, ...]:
        return ("key",) if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: SchoolType, form: Any, change: bool) -> None:
        services.save_school_type(school_type=obj, by=request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for weight in formset.save(commit=False):
            services.save_weight(weight=weight, by=request.user)


class SchoolDetailAdmin(ScopedAdmin):
    """Lists of what belongs to schools, across all of them."""

    search_fields = ("school__search_text",)
    list_select_related = ("school",)
    school_path = "school"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for word in sort_key(search_term).split():
            queryset = queryset.filter(**{f"{self.school_path}__search_text__contains": word})
        return queryset, False

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        services.save_details(rows=[obj], by=request.user)


@admin.register(Site)
class SiteAdmin(SchoolDetailAdmin):
    list_display = ("school", "name", "is_main", "street", "postal_code", "city")
    list_filter = ("is_main",)
    ordering = ("school__sort_key", "-is_main", "name")


@admin.register(PupilCount)
class PupilCountAdmin(SchoolDetailAdmin):
    list_display = ("school", "school_year", "counted_on", "pupils", "rounded", "generated", "source")
    list_filter = ("school_year", "rounded", "generated")
    ordering = ("school__sort_key", "-counted_on")
    exclude = ("generated",)
    formfield_overrides = GERMAN_NUMBERS
