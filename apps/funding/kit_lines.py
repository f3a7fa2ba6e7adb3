"""Kits in an application: whoever chooses one gets a line for each of its parts, so that they are bought together."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.form_fields import GermanIntegerField
from apps.core.formats import euro
from apps.core.money import total
from apps.funding.forms import MAX_LINES, Catalogue
from apps.inventory.models import Kit

MOST_AT_ONCE = 1_000
LINES = "lines"
_CHOOSE = _("Please choose a kit.")
TAKEN_BY = ("line_id", "product", "reason", "replaces_quantity", "replaces", "replaced_tags", "DELETE")
"""What leaves no room in a line, a removed one's mark among them; its quantity alone does."""


class KitForm(forms.Form):
    """Which kit, and how many. Offered are kits of which each part can be applied for by itself."""

    kit = forms.TypedChoiceField(label=_("Kit"), error_messages=dict.fromkeys(("required", "invalid_choice"), _CHOOSE))
    kit_quantity = GermanIntegerField(label=_("Number of kits"), min_value=1, max_value=MOST_AT_ONCE, initial=1)

    def __init__(self, *args: Any, catalogue: Catalogue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kits = {str(kit.pk): kit for kit in _kits_of(catalogue)}
        choices = [(key, f"{kit}, {euro(_price_of(kit, catalogue))}") for key, kit in self.kits.items()]
        self.fields["kit"].choices = [("", _("Please choose")), *choices]
        self.fields["kit"].coerce = self.kits.get
        self.fields["kit"].is_wide = True

    def added_to(self, data: QueryDict) -> QueryDict:
        """The draft as it was sent, with the lines of the chosen kits in empty lines and below."""
        kit, number = self.cleaned_data["kit"], self.cleaned_data["kit_quantity"]
        reason = gettext("Part of the kit “%(kit)s”") % {"kit": kit}
        changed = data.copy()
        free = [index for index in range(_lines_in(data)) if _is_empty(data, index)]
        below = iter(range(_lines_in(data), MAX_LINES + 1))
        for part in kit.parts.all():
            prefix = f"{LINES}-{free.pop(0) if free else next(below)}"
            changed[f"{prefix}-product"] = str(part.product_id)
            changed[f"{prefix}-quantity"] = str(number * part.quantity)
            changed[f"{prefix}-reason"] = reason
        changed[f"{LINES}-TOTAL_FORMS"] = str(next(below))
        return changed

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kit = data.get("kit")
        taken = sum(1 for index in range(_lines_in(self.data)) if not _is_empty(self.data, index))
        if kit is not None and taken + len(kit.parts.all()) > MAX_LINES:
            self.add_error("kit", _("There is no room for its lines. Please apply for it on its own."))
        return data


def _kits_of(catalogue: Catalogue) -> list[Kit]:
    kits = Kit.objects.filter(is_active=True).prefetch_related("parts").order_by("name")
    return [
        kit for kit in kits if kit.parts.all() and all(row.product_id in catalogue.products for row in kit.parts.all())
    ]


def _price_of(kit: Kit, catalogue: Catalogue) -> Any:
    return total(catalogue.price(part.product_id) * part.quantity for part in kit.parts.all())


def _lines_in(data: Any) -> int:
    typed = str(data.get(f"{LINES}-TOTAL_FORMS", ""))
    return min(int(typed), MAX_LINES) if typed.isdecimal() else 0


def _is_empty(data: Any, index: int) -> bool:
    return not any(data.get(f"{LINES}-{index}-{name}") for name in TAKEN_BY)
