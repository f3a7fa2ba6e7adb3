"""How forms look: crispy-forms with the template pack `kern`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.formsets import BaseFormSet
from django.forms.utils import ErrorList, flatatt
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import OVERTAKEN, DomainError

__all__ = [
    "HTML",
    "Buttons",
    "Div",
    "Field",
    "FieldError",
    "Fieldset",
    "KernFormHelper",
    "Layout",
    "LinkButton",
    "SubmitButton",
    "UnitField",
    "collect_errors",
    "refuse",
]

Text = str | Promise
_DASHES = "---------"


class SubmitButton:
    """Sends the form; the label is a verb with its object. `kind`: primary, secondary, tertiary, danger."""

    def __init__(self, label: Text, *, name: str = "", value: str = "", kind: str = "primary", **attrs: Any) -> None:
        self.label = label
        self.kind = kind
        self.attrs = {key.replace("_", "-"): content for key, content in attrs.items()}
        if name:
            self.attrs |= {"name": name, "value": value or "1"}

    def render(self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK, **_kwargs: Any) -> SafeString:
        return render_to_string(
            "kern/layout/submit_button.html", {"label": self.label, "kind": self.kind, "attrs": flatatt(self.attrs)}
        )


class LinkButton:
    """A link that stands beside the buttons, e.g. "Cancel"."""

    def __init__(self, label: Text, url: str, *, kind: str = "tertiary") -> None:
        self.label, self.url, self.kind = label, url, kind

    def render(self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK, **_kwargs: Any) -> SafeString:
        return render_to_string(
            "kern/layout/link_button.html", {"label": self.label, "url": self.url, "kind": self.kind}
        )


class Buttons(Div):
    """The row of buttons at the end of a form."""

    def __init__(self, *buttons: SubmitButton | LinkButton) -> None:
        super().__init__(*buttons, css_class="portal-actions")


class UnitField(Field):
    """A field that shows `unit` inside itself (fields of `form_fields` with a unit of their own need no UnitField)."""

    def __init__(self, name: str, *, unit: Text, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.unit = unit

    def render(
        self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK, extra_context: Any = None, **kwargs: Any
    ) -> SafeString:
        extra = {**(extra_context or {}), "unit": self.unit}
        return super().render(form, context, template_pack=template_pack, extra_context=extra, **kwargs)


class KernFormHelper(FormHelper):
    """One column, error summary on top, optional fields marked, guarded against double submit.

    submit: label of the primary button; without it the form renders no buttons (lay out `Buttons(...)` yourself).
    cancel_url: a link beside it. keep: name under which unsaved input survives a closed tab (per person, in the
    browser) until the form is sent. autosave_url: the form saves itself there after changes. wide: no text width.
    """

    def __init__(
        self,
        form: forms.BaseForm | None = None,
        *,
        submit: Text = "",
        cancel_url: str = "",
        submit_kind: str = "primary",
        keep: str = "",
        autosave_url: str = "",
        wide: bool = False,
        mark_optional: bool = True,
        form_id: str = "",
    ) -> None:
        super().__init__(form)
        if form is not None:
            _name_empty_choices(form)
            # crispy takes an empty layout for none and leaves the buttons of a form without fields away
            self.layout = self.layout or Layout(HTML(""))
        self.form_id = form_id or keep
        self.form_class = "portal-form portal-form--wide" if wide else "portal-form"
        self.mark_optional = mark_optional
        self.attrs = {"novalidate": True, "data-portal-form": True}
        if keep:
            self.attrs["data-keep"] = keep
        if autosave_url:
            self.attrs["data-autosave"] = autosave_url
        self.buttons: list[SubmitButton | LinkButton] = []
        if submit:
            self.buttons.append(SubmitButton(submit, kind=submit_kind))
        if cancel_url:
            self.buttons.append(LinkButton(_("Cancel"), cancel_url))

    def render_layout(self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK) -> SafeString:
        """The layout, then the buttons."""
        self.render_hidden_fields = True
        html = super().render_layout(form, context, template_pack=template_pack)
        if not self.buttons:
            return html
        return SafeString(html + Buttons(*self.buttons).render(form, context, template_pack=template_pack))


def _name_empty_choices(form: forms.BaseForm) -> None:
    """Says what to do where Django shows dashes for "nothing chosen yet"."""
    for field in form.fields.values():
        if isinstance(field, forms.ModelChoiceField):
            if field.empty_label == _DASHES:
                field.empty_label = _("Please choose")
        elif isinstance(field, forms.ChoiceField) and isinstance(field.choices, list):
            field.choices = [("", _("Please choose")) if row == ("", _DASHES) else row for row in field.choices]


@dataclass(frozen=True)
class FieldError:
    """One sentence of the summary; `target` is the id of the field to jump to, "" for the whole form."""

    target: str
    label: str
    message: str
    code: str = ""

    @property
    def is_overtaken(self) -> bool:
        """Whether there is nothing to mend, because somebody was faster."""
        return self.code in OVERTAKEN


def refuse(form: forms.BaseForm, error: DomainError, names: Mapping[str, str] | None = None) -> None:
    """A service's refusal at the field that it names (`names`: what the form calls it), else above the form."""
    field = (names or {}).get(error.field or "", error.field)
    sentences = error.parts or (str(error),)
    found = [ValidationError(sentence, code=error.code) for sentence in sentences]
    form.add_error(field if field in form.fields else None, ValidationError(found))


class ConstraintsAtFields(forms.ModelForm):
    """What a constraint of the row refuses stands at the field that one would change, not above the form."""

    constraint_fields: Mapping[str, str] = {}
    """Name of the constraint -> field."""

    def _update_errors(self, errors: ValidationError) -> None:
        of_sentence = {
            str(row.violation_error_message): self.constraint_fields[row.name]
            for row in self._meta.model._meta.constraints
            if row.name in self.constraint_fields
        }
        found = errors.error_dict
        for error in found.pop(NON_FIELD_ERRORS, []):
            found.setdefault(of_sentence.get(error.messages[0], NON_FIELD_ERRORS), []).append(error)
        super()._update_errors(errors)  # type: ignore[misc]  # missing in the stubs


def collect_errors(*parts: forms.BaseForm | BaseFormSet[Any]) -> list[FieldError]:
    """All errors of bound forms and formsets in their order, for the summary on top."""
    errors: list[FieldError] = []
    for part in parts:
        if isinstance(part, BaseFormSet):
            if part.is_bound:
                errors += _whole_form_errors(part.non_form_errors())
                errors += _line_errors(part)
        elif part.is_bound:
            errors += _whole_form_errors(part.non_field_errors())
            for name in part.fields:
                bound = part[name]
                errors += [FieldError(_target(bound), _label(bound), str(message)) for message in bound.errors]
    return errors


def _label(bound: forms.BoundField) -> str:
    """With the line that the field stands in, where its form says so (`in_line` on the field)."""
    line = getattr(bound.field, "in_line", "")
    return f"{line}, {bound.label}" if line else str(bound.label)


def _whole_form_errors(found: ErrorList) -> list[FieldError]:
    return [FieldError("", "", str(text), error.code or "") for error in found.as_data() for text in error]


def _line_errors(formset: BaseFormSet[Any]) -> list[FieldError]:
    """The errors of each line, numbered as the page numbers the lines that are not removed.

    A formset may call its lines otherwise: `line_words`, with `%(number)s`. With `numbers_removed` its page goes on
    showing what is to be removed, with a number.
    """
    errors: list[FieldError] = []
    words = str(getattr(formset, "line_words", "")) or gettext("Line %(number)s")
    formset.is_valid()
    numbers_all = getattr(formset, "numbers_removed", False)
    kept = [form for form in formset.forms if numbers_all or not form.cleaned_data.get("DELETE")]
    for number, form in enumerate(kept, start=1):
        for error in collect_errors(form):
            line = words % {"number": number}
            errors.append(replace(error, label=f"{line}, {error.label}" if error.label else line))
    return errors


def _target(field: forms.BoundField) -> str:
    """The id of the control itself; of the first choice in a group of choices."""
    if isinstance(field.field.widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        return f"{field.auto_id}_0"
    return field.id_for_label or str(field.auto_id)
