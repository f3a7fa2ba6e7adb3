"""Forms of loans: the terms, the scan field, and one form for each step."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import formats
from apps.core.clock import end_of_school_year, today
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDateField
from apps.core.form_layout import KernFormHelper
from apps.inventory.choices import Condition
from apps.inventory.forms import ActionForm, ReasonField
from apps.inventory.loan_choices import Borrower
from apps.inventory.loan_selectors import lendable_parts, may_see_names, open_loan_of, parts_out_with
from apps.inventory.models import Device, Loan
from apps.inventory.services.loans import ensure_group
from apps.schools.models import School
from apps.schools.school_field import school_field

SCHOOL_YEAR, ON_A_DAY, ON_LEAVING = "school_year", "day", "leaving"


class DueMixin(forms.Form):
    """Until when: `due` and `due_on` become `due_on` and `until_school_year_ends`, as the services take them."""

    due = forms.ChoiceField(label=_("Until when"), widget=forms.RadioSelect, initial=SCHOOL_YEAR)
    due_on = GermanDateField(label=_("Day"), required=False, help_text=_("Only for “until a day”."))

    due_on.hint_says_when_required = True

    def word_due(self) -> None:
        year_ends = formats.day(end_of_school_year(today()))
        self.fields["due"].choices = [
            (SCHOOL_YEAR, _("until the end of the school year (%(day)s)") % {"day": year_ends}),
            (ON_A_DAY, _("until a day")),
            (ON_LEAVING, _("until the borrower leaves the school")),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        due = cleaned.pop("due", "")
        if due == ON_A_DAY and not cleaned.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("Please enter the day on which the loan ends."))
        cleaned["until_school_year_ends"] = due == SCHOOL_YEAR
        if due != ON_A_DAY:
            cleaned["due_on"] = end_of_school_year(today()) if due == SCHOOL_YEAR else None
        return cleaned


class TermsMixin(DueMixin):
    """Who borrows, until when, in which condition, with what."""

    borrower = forms.ChoiceField(
        label=_("Who borrows"),
        choices=[(Borrower.PUPIL.value, _("pupils")), (Borrower.TEACHER.value, _("teachers"))],
        widget=forms.RadioSelect,
        initial=Borrower.PUPIL.value,
    )
    group = forms.CharField(
        label=_("Class or group"),
        required=False,
        max_length=40,
        help_text=_("Pupils borrow with their class, for example 7b; teachers need none. Please enter no names."),
    )
    group.hint_says_when_required = True
    condition = forms.ChoiceField(
        label=_("Condition"), required=False, choices=[("", _("as recorded with the device")), *Condition.choices]
    )
    accessories = forms.CharField(
        label=_("Accessories"), required=False, max_length=200, help_text=_("For example charger, case, pen.")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            ensure_group(cleaned.get("borrower", ""), cleaned.get("group", ""))
        except DomainError as error:
            self.add_error("group", str(error))
        return cleaned


def offer_parts(form: forms.Form, name: str, parts: list[tuple[int, Device]]) -> None:
    """Lets people tick parts of a kit, id and device; without any the field goes."""
    if parts:
        form.fields[name].choices = [(pk, f"{device.tag}, {device.product}") for pk, device in parts]
    else:
        del form.fields[name]


class LendForm(TermsMixin, ActionForm):
    """One device to one borrower."""

    submit = _("Hand out device")
    borrower_name = forms.CharField(label=_("Name"), required=False, max_length=120)
    damage = forms.CharField(
        label=_("Damage that is there already"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    remark = forms.CharField(
        label=_("Remark"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Please enter nothing about people. It is deleted some time after the return."),
    )
    without = forms.TypedMultipleChoiceField(
        label=_("Parts of the kit that stay here"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The other parts go out with the device."),
    )
    field_order = (
        "borrower",
        "borrower_name",
        "group",
        "due",
        "due_on",
        "condition",
        "damage",
        "accessories",
        "without",
        "remark",
    )

    def prepare(self) -> None:
        self.word_due()
        self.initial.setdefault("condition", self.device.condition)
        if self.device.kit_set is not None:
            self.initial.setdefault("accessories", self.device.kit_set.accessories[:200])
        offer_parts(self, "without", [(row.pk, row) for row in lendable_parts(self.device, self.user)])
        if not may_see_names(self.user):
            del self.fields["borrower_name"]


class BackMixin(forms.Form):
    condition = forms.ChoiceField(
        label=_("Condition"), required=False, choices=[("", _("unchanged")), *Condition.choices]
    )
    damage = forms.CharField(label=_("New damage"), required=False, max_length=1000)


class MissingMixin(forms.Form):
    missing = forms.TypedMultipleChoiceField(
        label=_("Parts of the kit that are missing"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They stay on loan. The other parts come back with the device."),
    )

    def offer_missing(self, loan: Loan | None) -> None:
        offer_parts(self, "missing", [(part.pk, part.device) for part in parts_out_with(loan)] if loan else [])


class LoanReturnForm(BackMixin, MissingMixin, ActionForm):
    submit = _("Take back from loan")
    remark = ReasonField(_("Remark"))
    field_order = ("condition", "damage", "missing", "remark")

    def prepare(self) -> None:
        self.offer_missing(open_loan_of(self.device))


class ClassForm(TermsMixin):
    """What holds for every device of a class set; chosen once, and then part of the page's address."""

    school = forms.ModelChoiceField(School.objects.none(), label=_("School"), to_field_name="number")
    field_order = ("school", "borrower", "group", "due", "due_on", "condition", "accessories")

    def __init__(self, *args: Any, user: User, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.word_due()
        choose_school(self, user)
        self.helper = KernFormHelper(self, submit=_("Begin scanning"), cancel_url=cancel_url)
        self.helper.form_method = "get"
        self.helper.attrs.pop("data-portal-form", None)


def choose_school(form: forms.Form, user: User) -> None:
    """The person's schools; nobody chooses the only one."""
    schools: Any = School.objects.visible_to(user).order_by("sort_key")
    first_two = list(schools[:2])
    if len(first_two) == 1:
        form.initial["school"] = first_two[0].number
        form.fields["school"].queryset = schools
        form.fields["school"].widget = forms.HiddenInput()
    else:
        form.fields["school"] = school_field(schools, label=_("School"), empty_label=_("Please choose"))


class ShelfForm(forms.Form):
    """Whose devices come back: shows what is still missing. Any other may be taken back, too."""

    school = forms.ModelChoiceField(School.objects.none(), label=_("School"), to_field_name="number")
    group = forms.CharField(label=_("Class or group"), required=False, max_length=40)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_school(self, user)
        self.helper = KernFormHelper(self, submit=_("Show what is missing"), submit_kind="secondary")
        self.helper.form_method = "get"
        self.helper.attrs.pop("data-portal-form", None)


class ScanForm(forms.Form):
    """One field for one number after the other; `static/js/loan-desk.js` keeps the focus in it.

    `key`: the scan's own, so that one that is sent twice is done once.
    """

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    code = forms.CharField(
        label=_("Inventory number, serial number or QR code"),
        max_length=300,
        error_messages={"required": _("Please scan or type a number.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "autofocus": True,
                "data-scan-field": True,
            }
        ),
        help_text=_("Scan one device after the other, or type the number and press Enter."),
    )
    submit: Any = _("Hand out")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key"] = uuid.uuid4()
        self.helper = KernFormHelper(self, submit=self.submit, mark_optional=False)
        self.helper.attrs = {"novalidate": True, "data-scan-form": True}


class ScanBackForm(BackMixin, ScanForm):
    submit = _("Take back")
    field_order = ("key", "code", "condition", "damage")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _(
            "Scan one device after the other, or type the number and press Enter. The loan number of the receipt will"
            " do, too."
        )


class LoanActionForm(forms.Form):
    """Base of the steps of one loan."""

    submit: Any = _("Save")
    submit_kind = "primary"

    def __init__(self, *args: Any, loan: Loan, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loan = loan
        self.prepare()
        self.helper = KernFormHelper(self, submit=self.submit, submit_kind=self.submit_kind, cancel_url=cancel_url)

    def prepare(self) -> None:
        """Fills in what is known."""


class TakeBackForm(BackMixin, MissingMixin, LoanActionForm):
    submit = _("Take back from loan")
    remark = ReasonField(_("Remark"))
    field_order = ("condition", "damage", "missing", "remark")

    def prepare(self) -> None:
        self.offer_missing(self.loan)


class ExtendForm(DueMixin, LoanActionForm):
    submit = _("Extend loan")

    def prepare(self) -> None:
        self.word_due()


class LossForm(LoanActionForm):
    submit, submit_kind = _("Report as lost"), "danger"
    reason = ReasonField(_("What is known"))


class TheftForm(LossForm):
    submit = _("Report as stolen")


class UndoForm(LoanActionForm):
    submit = _("Undo")
