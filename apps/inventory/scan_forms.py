"""Forms of scanned deliveries."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.form_fields import EuroField, GermanDateField, GermanIntegerField
from apps.core.form_layout import Fieldset, KernFormHelper, Layout
from apps.inventory.choices import Ownership
from apps.inventory.forms import KitMixin, PlaceMixin, SiteChoice
from apps.inventory.models import Kit
from apps.inventory.scan_checks import MOST_SCANS
from apps.schools.models import School, Site


class DeliveryForm(KitMixin, PlaceMixin):
    """What the devices of a delivery share. `submit`: the label of its button; `present`: the kit that it is so far."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    expected = GermanIntegerField(
        label=_("Expected quantity"),
        required=False,
        min_value=1,
        max_value=MOST_SCANS,
        help_text=_("As on the delivery note. While you scan you see how many are still missing."),
    )
    school = forms.ModelChoiceField(School.objects.none(), label=_("School"))
    site = SiteChoice(Site.objects.none(), label=_("Site"), required=False)
    room = forms.CharField(label=_("Room"), required=False, max_length=60)
    since = GermanDateField(label=_("Stands there since"), required=False, help_text=_("Counts from this day on."))
    ownership = forms.ChoiceField(label=_("Ownership"), choices=Ownership.choices, initial=Ownership.BOUGHT)
    price = EuroField(label=_("Acquisition cost per device"), required=False, min_value=0)
    bought_on = GermanDateField(label=_("Bought on"), required=False)
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(
        self, *args: Any, user: User, submit: Any, cancel_url: str, present: Kit | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("token", uuid.uuid4())
        self.initial.setdefault("since", today())
        self.offer_products(user, present=present)
        if "kit" in self.fields:
            self.fields["kit"].help_text = _(
                "You scan its first device; the portal makes the others with it. Some of them are scanned in turn."
            )
            self.fields["expected"].help_text = _("Devices or kits, as on the delivery note. You see what is missing.")
        depot = user.has_perm("inventory.use_depot")
        self.choose_place(user, school_optional=depot)
        if depot:
            self.fields["school"].empty_label = _("None yet: into the depot")
        place = [name for name in ("school", "site", "room", "since") if name in self.fields]
        self.helper = KernFormHelper(self, submit=submit, cancel_url=cancel_url)
        self.helper.layout = Layout(
            "token",
            Fieldset(_("What"), *(name for name in ("product", "kit", "expected") if name in self.fields)),
            Fieldset(_("Where"), *place),
            Fieldset(_("Purchase"), "ownership", "price", "bought_on", "note"),
        )

    def facts(self) -> dict[str, Any]:
        """What the services take."""
        return {name: value for name, value in self.cleaned_data.items() if name != "token"}


FACTS = tuple(name for name in DeliveryForm.base_fields if name != "token")
