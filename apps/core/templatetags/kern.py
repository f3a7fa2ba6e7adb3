"""Tags of the template pack `kern`."""

from collections.abc import Iterable
from typing import Any

from django import forms, template
from django.utils.safestring import SafeString

from apps.core.form_layout import FieldError, collect_errors

register = template.Library()

_SHORT_TYPES = ("date", "datetime-local", "month", "time")


@register.filter
def kern_kind(field: forms.BoundField) -> str:
    """Which part of the pack shows a field: hidden, check, choices, select, file, many or input."""
    widget = field.field.widget
    widget = getattr(widget, "widget", widget)
    if field.is_hidden:
        return "hidden"
    kinds: list[tuple[type[forms.Widget], str]] = [
        (forms.CheckboxInput, "check"),
        (forms.CheckboxSelectMultiple, "choices"),
        (forms.RadioSelect, "choices"),
        (forms.Select, "select"),
        (forms.FileInput, "file"),
        (forms.MultiWidget, "many"),
    ]
    return next((kind for cls, kind in kinds if isinstance(widget, cls)), "input")


@register.simple_tag
def kern_widget(field: forms.BoundField, css: str) -> SafeString:
    """The control itself with KERN's classes, never with a placeholder (labels and hints say what belongs in).

    Django adds required, aria-describedby and aria-invalid.
    """
    classes = [css]
    if field.errors:
        classes.append(f"{css}--error")
    if own := field.field.widget.attrs.get("class"):
        classes.append(own)
    if is_short(field):
        classes.append("portal-input--short")
    return field.as_widget(attrs={"class": " ".join(classes), "placeholder": False})


@register.filter
def is_short(field: forms.BoundField) -> bool:
    """Numbers and dates do not need the whole width."""
    widget = field.field.widget
    return "inputmode" in widget.attrs or getattr(widget, "input_type", "") in _SHORT_TYPES


@register.filter
def kern_options(field: forms.BoundField) -> list[Any]:
    """The single controls of a group of radio buttons or checkboxes."""
    return list(field.subwidgets)


@register.filter
def at_fields(errors: Iterable[FieldError]) -> list[tuple[str, str]]:
    """The entries that a person can mend, each once however many sentences there are about it."""
    return list(dict.fromkeys((error.target, error.label) for error in errors if error.target or error.label))


@register.filter
def overtaken(errors: Iterable[FieldError]) -> bool:
    """Whether somebody was faster, so that only loading the page anew helps."""
    return any(error.is_overtaken for error in errors)


@register.inclusion_tag("kern/error_summary.html")
def error_summary(*parts: Any, autosaves: bool = False) -> dict[str, Any]:
    """All errors of the given forms and formsets, each linking to its field; nothing when there are none.

    `autosaves`: the form saves itself, so that an earlier state of it may be saved already. A chosen file is lost with
    the page, and the person is told.
    """
    errors: list[FieldError] = collect_errors(*(part for part in parts if part))
    return {
        "errors": errors,
        "autosaves": autosaves or any(_saves_itself(part) for part in parts),
        "lost_file": any(getattr(part, "files", None) for part in parts),
    }


@register.inclusion_tag("kern/error_summary.html", takes_context=True)
def admin_error_summary(context: template.Context) -> dict[str, Any]:
    """As `error_summary`, for a form of Django's admin with its inlines."""
    inlines = (row.formset for row in context.get("inline_admin_formsets") or ())
    return {"errors": collect_errors(context["adminform"].form, *inlines)}


def _saves_itself(part: Any) -> bool:
    helper = getattr(part, "helper", None)
    return "data-autosave" in getattr(helper, "attrs", {})
