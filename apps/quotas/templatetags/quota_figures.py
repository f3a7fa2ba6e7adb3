"""Figures in templates: `{% quota_card figure %}`, `{{ figure|quota }}` and the like."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.templatetags.portal import figure_card
from apps.quotas import wording
from apps.quotas.figures import Figure

register = template.Library()
register.filter("quota", wording.quota)
register.filter("quota_target", wording.target)
register.filter("made_of", wording.made_of)
register.filter("basis", wording.basis)
register.filter("school_address", wording.school_address)
register.filter("without_count", wording.without_count)


@register.inclusion_tag("core/figure_card.html", takes_context=True)
def quota_card(context: template.Context, figure: Figure, label: str = "", pending: Any = False) -> dict[str, object]:
    """A quota with what it is made of and its target; the card leads to the devices behind it.

    Where the page says as of when all its figures are (`status`), the card does not say it a second time.
    """
    state, tone = wording.distance(figure)
    return figure_card(
        label=label or _("Device quota"),
        value=wording.quota(figure),
        made_of=wording.made_of(figure),
        target=wording.target(figure),
        as_of=None if context.get("status") else figure.computed_at,
        url=_address(context, figure, "pupils"),
        pending=bool(pending) or figure.stale,
        tone=tone,
        state=state,
    )


@register.inclusion_tag("core/figure_card.html", takes_context=True)
def count_card(context: template.Context, figure: Figure, counts: str) -> dict[str, object]:
    """A line beside the quota: `counts` is parent_financed or presentation."""
    if counts == "parent_financed":
        number, label = figure.numbers.parent_financed, _("Parent-financed devices")
        made_of = _("pupils' devices beside the quota: they do not count for it")
    else:
        number, label = figure.numbers.presentation_devices, _("Presentation devices")
        made_of = _("projectors and displays; they do not count for the quota")
    return figure_card(
        label=label, value=formats.number(number), made_of=made_of, url=_address(context, figure, counts)
    )


def _address(context: template.Context, figure: Figure, counts: str) -> str:
    request = context.get("request")
    if request is None or not wording.may_follow(figure, request.user):
        return ""
    return wording.rows_address(figure, counts)
