"""What a change of many devices asks for: the action first, then its own fields."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.form_layout import KernFormHelper
from apps.inventory.bulk import permission_of
from apps.inventory.choices import BulkAction, Ownership
from apps.inventory.forms import OnField, ReasonField
from apps.inventory.models import DeviceKind
from apps.inventory.numbering import tidy
from apps.schools.models import School
from apps.schools.school_field import school_field

FIELDS: dict[str, tuple[str, ...]] = {
    BulkAction.MOVE: ("school", "room", "on"),
    BulkAction.ROOM: ("room", "on"),
    BulkAction.STOCK: ("on",),
    BulkAction.REPAIR: ("reason",),
    BulkAction.REPAIRED: ("reason",),
    BulkAction.RETIRE: ("reason", "on"),
    BulkAction.LOST: ("reason", "on"),
    BulkAction.STOLEN: ("reason", "on"),
    BulkAction.NOTE: ("note",),
    BulkAction.OWNERSHIP: ("ownership", "on"),
    BulkAction.KIND: ("kind", "on"),
}
REASONS = {
    BulkAction.REPAIR: _("What is broken"),
    BulkAction.REPAIRED: _("What was done"),
    BulkAction.LOST: _("What is known"),
    BulkAction.STOLEN: _("What is known"),
}


def actions_for(user: User) -> list[BulkAction]:
    """The actions that this person may do, in the order of the form."""
    return [action for action in BulkAction if user.has_perm(permission_of(action))]


class BulkForm(forms.Form):
    """The fields of one action. `values()` is what a `BulkChange` keeps."""

    def __init__(self, *args: Any, user: User, action: BulkAction, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        for name in FIELDS[action]:
            self.fields[name] = getattr(self, f"_{name}")(user)
        self.initial.setdefault("on", today())
        self.helper = KernFormHelper(self, submit=_("Check what would happen"), cancel_url=cancel_url, keep="")
        self.fields["action"] = forms.CharField(widget=forms.HiddenInput, initial=action.value)

    def _school(self, user: User) -> forms.Field:
        schools = School.objects.visible_to(user).order_by("sort_key")
        return school_field(schools, label=_("School"), empty_label="---------")

    def _room(self, _user: User) -> forms.Field:
        return forms.CharField(
            label=_("Room"),
            required=self.action == BulkAction.ROOM,
            max_length=60,
            help_text=_("All chosen devices get this room.") if self.action == BulkAction.MOVE else "",
        )

    def _on(self, _user: User) -> forms.Field:
        return OnField()

    def _reason(self, _user: User) -> forms.Field:
        return ReasonField(REASONS.get(self.action, _("Reason")), required=self.action == BulkAction.RETIRE)

    def _note(self, _user: User) -> forms.Field:
        return forms.CharField(
            label=_("Note"),
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=1000,
            help_text=_("Is added below the note that a device has already."),
        )

    def _ownership(self, _user: User) -> forms.Field:
        return forms.ChoiceField(label=_("Ownership"), choices=Ownership.choices)

    def _kind(self, user: User) -> forms.Field:
        return forms.ModelChoiceField(
            DeviceKind.objects.visible_to(user),
            label=_("Device kind"),
            help_text=_("Decides what the devices count as."),
        )

    def clean_room(self) -> str:
        return tidy(self.cleaned_data["room"])

    def values(self) -> dict[str, Any]:
        """Keys for rows, ISO days, words."""
        return {name: _kept(self.cleaned_data[name]) for name in FIELDS[self.action]}


def _kept(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value.pk
    return value.isoformat() if isinstance(value, datetime.date) else value
