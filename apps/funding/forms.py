"""The draft of an application: its head, its lines, and the short texts around it.

A draft may be saved before it is complete. `complete=True` asks for everything that submitting needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import clock
from apps.core.form_fields import GermanDateField, GermanIntegerField
from apps.core.form_layout import KernFormHelper
from apps.core.formats import day, euro
from apps.core.money import ZERO
from apps.funding.calculations import LineInput
from apps.funding.models import ApplicationLine, ApplicationRound, EquipmentApplication
from apps.funding.services.rounds import MOST_BYTES
from apps.inventory.models import Device, Product
from apps.inventory.numbering import tag_of
from apps.schools.models import School

MAX_LINES = 50
MAX_QUANTITY = 100_000
_TAG_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Catalogue:
    """What can be applied for, read once per page: the active products, and those that a draft already names."""

    products: dict[int, Product]

    @classmethod
    def load(cls, application: EquipmentApplication | None = None) -> Catalogue:
        wanted = Q(is_active=True, price_of_day__isnull=False)
        if application is not None:
            named = ApplicationLine.objects.filter(application=application).values("product")
            wanted |= Q(pk__in=named)
        rows = (
            Product.objects.priced()
            .filter(wanted)
            .select_related("kind")
            .order_by("kind__name", "manufacturer", "model")
        )
        return cls({product.pk: product for product in rows})

    @cached_property
    def choices(self) -> list[Any]:
        """Products with their price, grouped by kind."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for product in self.products.values():
            label = f"{product}, {euro(product.gross_price)}"
            groups.setdefault(product.kind.name, []).append((str(product.pk), label))
        return [("", _("Please choose")), *groups.items()]

    def price(self, product_id: int) -> Decimal:
        return self.products[product_id].gross_price or ZERO


class RoundChoice(forms.ModelChoiceField):
    """Says until when, and of one that is over, what that means."""

    def __init__(self, rounds: Sequence[ApplicationRound]) -> None:
        super().__init__(
            ApplicationRound.objects.filter(pk__in=[row.pk for row in rounds]).select_related("programme"),
            label=_("Round of applications"),
            required=False,
            empty_label=_("Please choose") if len(rounds) > 1 else None,
            help_text=_notes_of(rounds),
        )

    def label_from_instance(self, row: ApplicationRound) -> str:
        names = {"name": row.name, "day": day(row.closes_on)}
        if row.is_over(clock.today()):
            return _("%(name)s (ended on %(day)s, would be marked as late)") % names
        return _("%(name)s (until %(day)s)") % names


def _notes_of(rounds: Sequence[ApplicationRound]) -> str:
    """What the office says about the rounds; of several with the name of each."""
    noted = [row for row in rounds if row.note.strip()]
    if len(rounds) == 1:
        return " ".join(row.note.strip() for row in noted)
    return " ".join(f"{row.name}: {row.note.strip()}" for row in noted)


class DraftForm(forms.Form):
    """Title, reason and, where there are `rounds` to choose from, the round: the only one is chosen already.

    `revision` is what this tab has read; `form_key` makes sending twice harmless.
    """

    title = forms.CharField(
        label=_("Title"),
        required=False,
        max_length=120,
        help_text=_("In a few words, for example: tablets for years 5 and 6."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "What is it needed for? A reference to the media concept helps the decision. Please name no pupils."
        ),
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, rounds: Sequence[ApplicationRound] = (), complete: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.complete = complete
        if rounds:
            self.fields["in_round"] = RoundChoice(rounds)
            if len(rounds) == 1:
                self.initial.setdefault("in_round", rounds[0])
        self.helper = KernFormHelper(self)
        self.helper.form_tag = False

    def clean_in_round(self) -> ApplicationRound | None:
        """A draft without one is saved all the same."""
        chosen: ApplicationRound | None = self.cleaned_data["in_round"]
        if chosen is None and self.complete:
            raise forms.ValidationError(_("Please choose the round of applications."), code="required")
        return chosen

    def clean_title(self) -> str:
        """A draft without a title is saved all the same, under a name that can be found."""
        title = str(self.cleaned_data["title"])
        if not title and self.complete:
            raise forms.ValidationError(_("Please enter a title."), code="required")
        return title or str(_("Application of %(day)s") % {"day": day(clock.today())})

    def clean_reason(self) -> str:
        """One kind of line end, so that the same text is the same."""
        return str(self.cleaned_data["reason"]).replace("\r\n", "\n")


class LineForm(forms.Form):
    """One product. Empty lines do not count."""

    line_id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    product = forms.TypedChoiceField(label=_("Product"), coerce=int, empty_value=None)
    quantity = GermanIntegerField(label=_("Quantity"), min_value=1, max_value=MAX_QUANTITY, initial=1)
    reason = forms.CharField(label=_("What is it for?"), required=False, max_length=300)
    replaces_quantity = GermanIntegerField(
        label=_("How many?"),
        required=False,
        min_value=0,
        max_value=MAX_QUANTITY,
        help_text=_("Leave empty if the new devices come on top."),
    )
    replaces = forms.CharField(
        label=_("Which ones?"),
        required=False,
        max_length=200,
        help_text=_("For example: the tablets of 2018 in room 104."),
    )
    replaced_tags = forms.CharField(
        label=_("Inventory numbers of the old devices"),
        required=False,
        max_length=4000,
        help_text=format_lazy(
            _("If you know them, separated by commas, for example: {first}, {second}."),
            first=tag_of(12),
            second=tag_of(13),
        ),
    )

    def __init__(self, *args: Any, catalogue: Catalogue, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue = catalogue
        self.school = school
        self.fields["product"].choices = catalogue.choices
        self.fields["product"].is_wide = self.fields["reason"].is_wide = True

    @cached_property
    def changed_data(self) -> list[str]:
        """A quantity that is left empty does not make a line of an empty one."""
        names = super().changed_data
        return [name for name in names if name != "quantity" or self["quantity"].data]

    def clean_replaced_tags(self) -> list[str]:
        typed = self.cleaned_data["replaced_tags"].upper()
        return list(dict.fromkeys(tag for tag in _TAG_SEPARATORS.split(typed) if tag))

    def clean(self) -> dict[str, Any]:
        """A line replaces at most what it asks for, and at least the devices that it names."""
        data: dict[str, Any] = super().clean() or {}
        named = len(data.get("replaced_tags") or ())
        replaced = data.get("replaces_quantity") or 0
        quantity = data.get("quantity")
        if named and not replaced and "replaces_quantity" not in self.errors:
            replaced = data["replaces_quantity"] = named
        if named > replaced and "replaces_quantity" not in self.errors:
            self.add_error("replaces_quantity", _("You name more inventory numbers than devices that are replaced."))
        elif quantity and replaced > quantity:
            self.add_error("replaces_quantity", _("Please enter at most the quantity that you apply for."))
        return data

    @property
    def names_replaced(self) -> bool:
        """Whether the page shows the part about old devices from the start."""
        names = ("replaces_quantity", "replaces", "replaced_tags")
        return any(self[name].value() or self[name].errors for name in names)

    @property
    def stored_id(self) -> int | None:
        """The row that this line is known as."""
        return getattr(self, "cleaned_data", {}).get("line_id")

    def to_input(self, devices: dict[str, int]) -> LineInput:
        data = self.cleaned_data
        return LineInput(
            product_id=data["product"],
            quantity=data["quantity"],
            reason=data["reason"],
            replaces=data["replaces"],
            replaces_quantity=data["replaces_quantity"] or 0,
            replaced_device_ids=tuple(devices[tag] for tag in data["replaced_tags"]),
            line_id=data["line_id"],
        )


class BaseLineFormSet(BaseFormSet):
    """All lines; knows the devices behind the inventory numbers, looked up once."""

    line_words = pgettext_lazy("of an application", "Line %(number)s")

    def __init__(self, *args: Any, catalogue: Catalogue, school: School, complete: bool = False, **kwargs: Any) -> None:
        self.school = school
        self.complete = complete
        self.devices: dict[str, int] = {}
        super().__init__(*args, form_kwargs={"catalogue": catalogue, "school": school}, **kwargs)

    def clean(self) -> None:
        """Inventory numbers must be devices of this school; an application that is handed in has a line."""
        wanted = self.wanted()
        named = {tag for form in wanted for tag in form.cleaned_data.get("replaced_tags") or ()}
        self.devices = _devices_of(self.school, named)
        for form in wanted:
            missing = [tag for tag in form.cleaned_data.get("replaced_tags") or () if tag not in self.devices]
            if missing:
                form.add_error("replaced_tags", _unknown_tags(missing))
        if self.complete and not wanted and not any(form.errors for form in self.forms):
            raise forms.ValidationError(_("Please add at least one line: what do you need, and how many?"))

    def wanted(self) -> list[LineForm]:
        """Lines that are filled in and not marked for removal."""
        return [form for form in self.forms if form.has_changed() and not self._is_removed(form)]

    def inputs(self) -> list[LineInput]:
        """The valid lines as the services take them."""
        self.is_valid()
        return [form.to_input(self.devices) for form in self.wanted() if not form.errors]

    def unfinished(self) -> list[LineForm]:
        """Lines that cannot be saved yet."""
        return [form for form in self.wanted() if form.errors]

    def unfinished_numbers(self) -> list[int]:
        """Their positions as the page counts them: from 1, without removed ones."""
        shown = [form for form in self.forms if not self._is_removed(form)]
        return [number for number, form in enumerate(shown, start=1) if form in self.unfinished()]

    def tags_of(self, line: LineInput) -> list[str]:
        """Inventory numbers of the devices that a line replaces."""
        tags = {pk: tag for tag, pk in self.devices.items()}
        return [tags[pk] for pk in line.replaced_device_ids]

    def _is_removed(self, form: LineForm) -> bool:
        return bool(self._should_delete_form(form)) if hasattr(form, "cleaned_data") else False


def _devices_of(school: School, tags: Iterable[str]) -> dict[str, int]:
    """Inventory number -> device of this school; whether others exist elsewhere is not told."""
    if not tags:
        return {}
    return dict(Device.objects.filter(school=school, tag__in=list(tags)).values_list("tag", "pk"))


def _unknown_tags(tags: Sequence[str]) -> forms.ValidationError:
    return forms.ValidationError(
        _("There is no device %(tags)s at this school. Please check the number, or leave it out."),
        params={"tags": ", ".join(tags[:10])},
    )


LineFormSet = formset_factory(
    LineForm,
    formset=BaseLineFormSet,
    extra=0,
    can_delete=True,
    max_num=MAX_LINES,
    absolute_max=MAX_LINES + 1,
    validate_max=True,
)


class SchoolChoiceForm(forms.Form):
    """For which of their schools, asked only of those who serve several."""

    school = forms.ModelChoiceField(School.objects.none(), label=_("School"), to_field_name="number")

    def __init__(self, *args: Any, schools: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools
        self.helper = KernFormHelper(self, submit=_("Continue"))
        self.helper.form_method = "get"


class TextForm(forms.Form):
    """One text: an answer, or why something is withdrawn."""

    text = forms.CharField(label=_("Text"), max_length=5000, widget=forms.Textarea(attrs={"rows": 5}))

    def __init__(self, *args: Any, label: Any, required: bool = True, help_text: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label
        self.fields["text"].required = required
        self.fields["text"].help_text = help_text
        self.helper = KernFormHelper(self)
        self.helper.form_tag = False


class ConceptForm(forms.Form):
    """A media concept to be kept, with the date that stands on it."""

    file = forms.FileField(
        label=_("Media concept"),
        allow_empty_file=True,
        help_text=_("PDF of at most %(megabytes)s MB. Please name no pupils.")
        % {"megabytes": MOST_BYTES // 1024 // 1024},
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
        error_messages={"required": _("Please choose a file.")},
    )
    dated_on = GermanDateField(
        label=_("Date of the concept"),
        help_text=_("As it stands on the concept, for example 15.09.2026."),
        error_messages={"required": _("Please enter the date that stands on the concept.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = KernFormHelper(self, submit=_("Upload media concept"))
