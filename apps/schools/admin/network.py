"""Network, platforms and IT staff in the admin: kept by the office, site by site and school by school."""

from __future__ import annotations

from django.contrib import admin
from django.db import models

from apps.core.admin import ScopedAdmin
from apps.core.form_fields import GermanDecimalField, GermanIntegerField
from apps.core.import_admin import ImportButtonMixin
from apps.schools.admin.schools import SchoolDetailAdmin
from apps.schools.imports.network import NetworkSource
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork

INTEGERS = {models.PositiveIntegerField: {"form_class": GermanIntegerField}}


class SiteDetailAdmin(ImportButtonMixin, SchoolDetailAdmin):
    """Lists of what belongs to sites, across all schools."""

    import_sources = ((NetworkSource.name, NetworkSource.label),)
    school_path = "site__school"
    list_select_related = ("site__school",)
    search_fields = ("site__school__search_text",)
    formfield_overrides = INTEGERS

    @admin.display(description=FibreLine._meta.get_field("site").remote_field.model._meta.verbose_name)
    def site_name(self, row: FibreLine | RoomNetwork) -> str:
        return row.site.name

    @admin.display(description=PlatformStatus._meta.get_field("school").verbose_name, ordering="site__school__sort_key")
    def school_name(self, row: FibreLine | RoomNetwork) -> str:
        return str(row.site.school)


@admin.register(FibreLine)
class FibreLineAdmin(SiteDetailAdmin):
    list_display = ("school_name", "site_name", "mbits", "since")
    date_hierarchy = "since"
    ordering = ("site__school__sort_key", "site", "-since")


@admin.register(RoomNetwork)
class RoomNetworkAdmin(SiteDetailAdmin):
    list_display = ("school_name", "site_name", "rooms", "rooms_with_lan", "rooms_with_wifi", "counted_on")
    ordering = ("site__school__sort_key", "site", "-counted_on")


@admin.register(Platform)
class PlatformAdmin(ScopedAdmin):
    list_display = ("name",)


@admin.register(PlatformStatus)
class PlatformStatusAdmin(ImportButtonMixin, SchoolDetailAdmin):
    import_sources = ((NetworkSource.name, NetworkSource.label),)
    list_display = ("school", "platform", "state", "since")
    list_filter = ("platform", "state")
    list_select_related = ("school", "platform")
    ordering = ("school__sort_key", "platform__name", "-since")


@admin.register(ItStaffing)
class ItStaffingAdmin(ScopedAdmin):
    list_display = ("year", "full_time_posts")
    formfield_overrides = {models.DecimalField: {"form_class": GermanDecimalField}}
