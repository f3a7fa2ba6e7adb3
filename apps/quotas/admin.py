"""Plans, targets and stored figures in the admin. Whatever moves a target goes through the services."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin, ReadOnlyInline, ScopedAdmin, ScopedInline
from apps.quotas import services
from apps.quotas.forms import TargetForm, TargetGroupForm
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure, Target, TargetGroup, TargetGroupMember


class TargetGroupInline(ReadOnlyInline):
    """The groups of a plan, each a link to its own page."""

    model = TargetGroup
    fields = ("name",)
    show_change_link = True


@admin.register(MediaDevelopmentPlan)
class PlanAdmin(ScopedAdmin):
    list_display = ("name", "starts_on", "ends_on")
    search_fields = ("name",)
    inlines = (TargetGroupInline,)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """A plan with figures stays; they are counted, not named one by one."""
        figures = QuotaFigure.objects.filter(plan__in=objs).count()
        if not figures:
            return super().get_deleted_objects(objs, request)
        kind = QuotaFigure._meta
        return [], {str(kind.verbose_name_plural): figures}, {kind.verbose_name}, []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """New first and last days move which figures are stored."""
        super().save_related(request, form, formsets, change)
        services.nudge_recalculation()


class TargetInline(ScopedInline):
    model = Target
    form = TargetForm
    fields = ("valid_from", "pupils_per_device", "source")


@admin.register(TargetGroup)
class TargetGroupAdmin(ScopedAdmin):
    form = TargetGroupForm
    list_display = ("name", "plan", "types")
    list_filter = ("plan",)
    search_fields = ("name",)
    inlines = (TargetInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("plan").prefetch_related("members__school_type")

    def get_fields(self, request: HttpRequest, obj: TargetGroup | None = None) -> tuple[str, ...]:
        """Those who only read get the school types as words."""
        return ("plan", "name", "school_types" if self._may_write(request, obj) else "types")

    def get_readonly_fields(self, request: HttpRequest, obj: TargetGroup | None = None) -> tuple[str, ...]:
        """A group stays in its plan."""
        if not self._may_write(request, obj):
            return ("plan", "name", "types")
        return ("plan",) if obj else ()

    def _may_write(self, request: HttpRequest, obj: TargetGroup | None) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    @admin.display(description=_("School types"))
    def types(self, group: TargetGroup) -> str:
        return ", ".join(sorted(member.school_type.name for member in group.members.all()))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.set_members(
            by=request.user, group=form.instance, school_types=[row.pk for row in form.cleaned_data["school_types"]]
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        changed = formset.save(commit=False)
        services.save_targets(by=request.user, group=form.instance, changed=changed, deleted=formset.deleted_objects)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """The group with its school types and targets; Django would ask for each school type by itself."""
        members = TargetGroupMember.objects.filter(group__in=objs).select_related("group", "school_type")
        parts = [*members, *Target.objects.filter(group__in=objs).select_related("group")]
        kinds = Counter(str(row._meta.verbose_name_plural) for row in (*objs, *parts))
        return [*map(str, objs), [str(row) for row in parts]], dict(kinds), set(), []

    def delete_model(self, request: HttpRequest, obj: TargetGroup) -> None:
        services.delete_group(by=request.user, group=obj)


@admin.register(Target)
class TargetAdmin(ScopedAdmin):
    """Targets of all plans with their history; they are added and edited on the page of their group."""

    list_display = ("group", "plan", "valid_from", "pupils_per_device", "source")
    list_filter = ("group__plan",)
    list_select_related = ("group__plan",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Target) -> None:
        services.delete_target(by=request.user, target=obj)

    @admin.display(description=_("plan"))
    def plan(self, target: Target) -> str:
        return str(target.group.plan)


@admin.register(QuotaFigure)
class QuotaFigureAdmin(ReadOnlyAdmin):
    """Numerators and denominators as the job stored them."""

    list_display = ("school", "day", "plan", "counted", "devices", "parent_financed", "presentation_devices", "pupils",
                    "target_devices", "computed_at")  # fmt: skip
    list_filter = ("plan", "counted", "school__school_type")
    list_select_related = ("school", "plan")
    search_fields = ("school__number", "school__search_text")
    ordering = ("-day", "school__sort_key", "pk")
