"""Rules with a date: a new value is a new row, so that the past keeps its own."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.admin import ScopedAdmin
from apps.core.admin_pages import shown_as_text
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDecimalField
from apps.core.form_layout import ConstraintsAtFields
from apps.funding import services
from apps.funding.admin.budget_pages import form_page
from apps.funding.admin.columns import euros
from apps.funding.admin.filters import RuleKindFilter
from apps.funding.admin.reads import names_of_others
from apps.funding.choices import PERCENTAGES, RULES_OF_TWO
from apps.funding.models import AwardThreshold, DatedRule
from apps.funding.rules import rule_on

KEEP = "funding.change_datedrule"
_PEOPLE = {name: shown_as_text(DatedRule, name) for name in ("proposed_by", "confirmed_by", "declined_by")}
"""Field -> how it reads, without the way to an account that only administrators open."""


class AheadForm(ConstraintsAtFields):
    """What has been decided by a rule stays decided: a new one begins tomorrow at the earliest."""

    def clean_valid_from(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["valid_from"]
        if day < _first_day():
            raise forms.ValidationError(_("The day is tomorrow at the earliest. What holds today stays as it is."))
        return day


class RuleForm(AheadForm):
    constraint_fields = {"funding_rule_once_a_day": "valid_from", "funding_rule_not_negative": "value"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind", self.instance.kind) in PERCENTAGES and (cleaned.get("value") or 0) > 100:
            self.add_error("value", _("A percentage is at most 100."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """A day is taken unless its proposal was declined: that condition is checked, too."""
        return super()._get_validation_exclusions() - {"declined_by"}  # type: ignore[misc,no-any-return]


class DeclineForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))


class SeenForm(forms.Form):
    """What the person has read and confirms."""

    seen = forms.CharField(widget=forms.HiddenInput)


class ThresholdForm(AheadForm):
    constraint_fields = {"funding_threshold_once": "up_to", "funding_threshold_without_limit_once": "up_to"}


class RuleAdmin(ScopedAdmin):
    """Rows whose day has come are read only."""

    form = AheadForm

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """The browser's calendar offers no day that is refused."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "valid_from":
            first = _first_day()
            field.label = _("Valid from")
            field.help_text = _("From %(day)s on at the earliest.") % {"day": formats.day(first)}
            field.widget.attrs["min"] = first.isoformat()
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_open)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and obj.is_open

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            services.ensure_rule_open(obj)
        super().save_model(request, obj, form, change)


@admin.register(DatedRule)
class DatedRuleAdmin(RuleAdmin):
    form = RuleForm
    formfield_overrides = {models.DecimalField: {"form_class": GermanDecimalField}}
    list_display = ("kind", "valid_from", "shown_value", "source", "state_now")
    list_filter = (RuleKindFilter,)
    list_select_related = ("proposed_by", "confirmed_by", "declined_by")
    sortable_by = ("valid_from",)
    search_fields = ("source",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With `is_replaced`: a later value of the same kind holds today."""
        rows: QuerySet[Any] = super().get_queryset(request)
        later = DatedRule.objects.begun(clock.today()).filter(
            kind=OuterRef("kind"), valid_from__gt=OuterRef("valid_from")
        )
        return rows.annotate(is_replaced=Exists(later))

    @admin.display(description=_("value"))
    def shown_value(self, row: DatedRule) -> str:
        return _value(row.value)

    @admin.display(description=_("state"))
    def state_now(self, row: Any) -> str:
        if row.is_declined:
            return gettext("withdrawn") if row.is_withdrawn else gettext("declined")
        if row.is_waiting and row.valid_from <= clock.today():
            return gettext("was not confirmed in time")
        if row.is_waiting:
            return gettext("proposed, waits for another person")
        if row.valid_from > clock.today():
            return gettext("will hold")
        return gettext("replaced") if row.is_replaced else gettext("holds")

    # One rule

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or obj.proposed_by_id is None:
            return ("kind", "valid_from", "value", "source")
        answer = (_PEOPLE["declined_by"], "decline_reason") if obj.is_declined else (_PEOPLE["confirmed_by"],)
        return ("kind", "valid_from", "value", "source", _PEOPLE["proposed_by"], *answer)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The kind stays, so that nothing becomes a rule for two people that was none."""
        return () if obj is None else ("kind", *_PEOPLE.values(), "decline_reason")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whoever writes a rule for two people proposes it, also by changing what another has proposed."""
        if obj.kind in RULES_OF_TWO:
            obj.proposed_by, obj.confirmed_by = request.user, None
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._proposed(request, obj) if obj.is_waiting else super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._proposed(request, obj) if obj.is_waiting else super().response_change(request, obj)

    def _proposed(self, request: HttpRequest, row: DatedRule) -> HttpResponse:
        """Leads to the rule, which does not hold yet."""
        words = gettext("The rule is proposed. It holds from %(day)s on once another person has confirmed it.")
        told = f"{words % {'day': formats.day(row.valid_from)}} {_whom_to_ask(request.user)}"
        messages.success(request, told)
        return HttpResponseRedirect(reverse("admin:funding_datedrule_change", args=[row.pk]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        waits = row is not None and row.is_waiting
        context |= {
            "waits": waits and row.is_open,
            "may_confirm": waits and row.is_open and self._may_confirm(request, row),
            "may_decline": waits and request.user.has_perm(KEEP),
            "is_own": waits and row.proposed_by_id == request.user.pk,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _may_confirm(self, request: HttpRequest, row: DatedRule) -> bool:
        return super().has_change_permission(request, row) and row.proposed_by_id != request.user.pk

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:object_id>/confirm/", wrap(self.confirm_view), name="funding_datedrule_confirm"),
            path("<path:object_id>/decline/", wrap(self.decline_view), name="funding_datedrule_decline"),
        ]
        return own + super().get_urls()

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What another person has proposed and what holds until then; a refusal leads back to the rule."""
        row, rule_page = self._rule(request, object_id)
        if request.method == "POST":
            try:
                services.confirm_rule(rule=row, by=request.user, seen=request.POST.get("seen", ""))  # type: ignore[arg-type]
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, gettext("The rule is confirmed. It holds from its day on."))
            return rule_page
        if not (row.is_waiting and row.is_open and self._may_confirm(request, row)):
            return rule_page
        before = rule_on(row.kind, row.valid_from)
        return form_page(
            self,
            request,
            row,
            SeenForm(initial={"seen": row.content}),
            title=_("Confirm the rule"),
            facts=[
                (row.get_kind_display(), _value(row.value)),
                (_("Until then"), _value(before)),
                (_("Valid from"), formats.day(row.valid_from)),
                (_("Source of the rule"), row.source),
                (_("Proposed by"), row.proposed_by),
            ],
            text=_("From this day on the new value holds. Until another person confirms it, the present one stays."),
            button=_("Confirm the rule"),
        )

    def decline_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Why the rule does not come; a refusal leads back to the rule."""
        row, rule_page = self._rule(request, object_id)
        own = row.proposed_by_id == request.user.pk
        form = DeclineForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                services.decline_rule(rule=row, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
            except DomainError as error:
                messages.error(request, str(error))
            else:
                done = gettext("The proposal is withdrawn.") if own else gettext("The rule is declined.")
                messages.success(request, done)
            return rule_page
        if not row.is_waiting:
            return rule_page
        return form_page(
            self,
            request,
            row,
            form,
            title=_("Withdraw the proposal") if own else _("Decline the rule"),
            facts=[
                (row.get_kind_display(), _value(row.value)),
                (_("Valid from"), formats.day(row.valid_from)),
                (_("Source of the rule"), row.source),
                (_("Proposed by"), row.proposed_by),
            ],
            text=_("The present value stays. The proposal remains in the list with your reason."),
            button=_("Withdraw the proposal") if own else _("Decline the rule"),
        )

    def _rule(self, request: HttpRequest, object_id: str) -> tuple[Any, HttpResponseRedirect]:
        """With the way back to its page."""
        if not request.user.has_perm(KEEP):
            raise PermissionDenied
        row: Any = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row, HttpResponseRedirect(reverse("admin:funding_datedrule_change", args=[row.pk]))

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        records: QuerySet[Any] = super().get_history_queryset(*args, **kwargs)
        return records.select_related("proposed_by", "confirmed_by", "declined_by")


@admin.register(AwardThreshold)
class AwardThresholdAdmin(RuleAdmin):
    form = ThresholdForm
    change_list_template = "admin/funding/awardthreshold/change_list.html"
    list_display = ("procedure", "valid_from", "shown_limit", "source")
    sortable_by = ("valid_from",)
    search_fields = ("procedure", "source")

    @admin.display(description=_("up to (net)"))
    def shown_limit(self, row: Any) -> str:
        return str(_("without a limit")) if row.up_to is None else euros(row.up_to)


def _first_day() -> datetime.date:
    """On which a new rule may begin."""
    return clock.today() + datetime.timedelta(days=1)


def _whom_to_ask(user: Any) -> str:
    """Who may confirm what this person has proposed."""
    if names := names_of_others(KEEP, user):
        return gettext("These people may confirm it: %(names)s.") % {"names": ", ".join(names)}
    return gettext("At present nobody else may confirm it.")


def _value(value: Any) -> str:
    return gettext("does not apply") if value is None else formats.number(value, 2)
