"""Forms of the stocktake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.form_layout import KernFormHelper
from apps.inventory.forms import PlaceMixin, ReasonField, SiteChoice
from apps.inventory.models import Stocktake
from apps.schools.models import School, Site


class StartForm(PlaceMixin):
    """Which school, and whether only one of its sites or rooms."""

    school = forms.ModelChoiceField(School.objects.none(), label=_("School"))
    site = SiteChoice(
        Site.objects.none(), label=_("Only this site"), required=False, help_text=_("Empty: the whole school.")
    )
    room = forms.CharField(label=_("Only this room"), required=False, max_length=60, help_text=_("Empty: all rooms."))

    def __init__(self, *args: Any, user: User, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose_place(user, school_optional=False)
        self.helper = KernFormHelper(self, submit=_("Begin stocktake"), cancel_url=cancel_url)


class ScanForm(forms.Form):
    """One scan without script: the number, and the room in which the person stands."""

    id = forms.UUIDField()
    code = forms.CharField(max_length=500, required=False)
    room = forms.CharField(max_length=60, required=False)
    site = forms.IntegerField(required=False)


class ReasonForm(forms.Form):
    """Asks once more before something is settled for good. `required` None: no reason is asked for."""

    reason = ReasonField(_("Reason"))

    def __init__(
        self, *args: Any, submit: Any, cancel_url: str, required: bool | None, danger: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if required is None:
            del self.fields["reason"]
        else:
            self.fields["reason"].required = required
        kind = "danger" if danger else "primary"
        self.helper = KernFormHelper(self, submit=submit, submit_kind=kind, cancel_url=cancel_url)
        self.helper.form_tag = False


def sites_of(stocktake: Stocktake) -> list[Site]:
    """The sites to choose from while scanning; none where there is nothing to choose."""
    if stocktake.site_id is not None:
        return []
    sites = list(Site.objects.filter(school=stocktake.school).order_by("name"))
    return sites if len(sites) > 1 else []
