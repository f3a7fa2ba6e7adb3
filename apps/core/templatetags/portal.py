"""Filters and tags of the portal's pages."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.charts import BarChart, LineChart

register = template.Library()

TONES = ("neutral", "info", "success", "warning", "danger")
_MESSAGE_TONES = {"debug": "info", "error": "danger"}

register.filter("number", formats.number)
register.filter("euro", formats.euro)
register.filter("percent", formats.percent)
register.filter("ratio", formats.ratio)
register.filter("target_ratio", formats.target_ratio)
register.filter("less", formats.less)
register.filter("day", formats.day)
register.filter("moment", formats.moment)


@register.filter
def with_unit(value: object, unit: str) -> str:
    """`{{ 24.5|with_unit:"kg" }}` shows whole numbers; give the places with `number` if they matter."""
    return formats.with_unit(value, unit)


@register.filter
def missing(value: Any) -> Any:
    """The value itself, or "not known" for None and ""."""
    return formats.missing() if value is None or value == "" else value


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A KERN icon beside words; it says nothing to screen readers."""
    modifier = f" kern-icon--{size}" if size else ""
    return format_html('<span class="kern-icon kern-icon--{}{}" aria-hidden="true"></span>', name, modifier)


@register.simple_tag
def state_badge(state: Any, choices: Any = None) -> SafeString:
    """A state as word, icon and colour. `choices` (a StateChoices) turns a stored value into its member."""
    if state is None or state == "":
        return format_html('<span class="portal-missing">{}</span>', formats.missing())
    member = choices(state) if choices is not None else state
    return badge(str(getattr(member, "label", member)), str(getattr(member, "tone", "neutral")))


def badge(label: str, tone: str = "neutral") -> SafeString:
    """The HTML of one badge; it begins with a capital letter wherever its word comes from."""
    label = capfirst(label)
    if tone not in TONES[1:]:
        return format_html(
            '<span class="kern-badge portal-badge--neutral"><span class="kern-label">{}</span></span>', label
        )
    return format_html(
        '<span class="kern-badge kern-badge--{}">{}<span class="kern-label">{}</span></span>', tone, icon(tone), label
    )


@register.simple_tag(name="badge")
def badge_tag(label: str, tone: str = "neutral") -> SafeString:
    """`{% badge _("Below target") "warning" %}` for what is no stored state."""
    return badge(str(label), tone)


@register.inclusion_tag("core/alert.html")
def alert(tone: str, title: object, text: object = "") -> dict[str, object]:
    """A KERN alert; `tone` may be a message's level tag."""
    name = _MESSAGE_TONES.get(tone, tone)
    return {"tone": name if name in TONES[1:] else "info", "title": title, "text": text}


@register.inclusion_tag("core/fact.html")
def fact(key: str, value: Any = None, url: str = "") -> dict[str, Any]:
    """One line of a description list; a value that is not there is said to be not known."""
    return {"key": key, "value": missing(value), "known": value is not None and value != "", "url": url}


@register.simple_tag
def as_of(value: datetime.datetime | datetime.date | None) -> str:
    """ "As of 22.11.2026, 10:42"."""
    shown = formats.moment(value) if isinstance(value, datetime.datetime) else formats.day(value)
    return _("As of %(moment)s") % {"moment": shown}


@register.inclusion_tag("core/figure_card.html")
def figure_card(
    label: str,
    value: object,
    made_of: str = "",
    target: str = "",
    as_of: datetime.datetime | None = None,
    url: str = "",
    pending: bool = False,
    tone: str = "",
    state: str = "",
) -> dict[str, object]:
    """One large number, what it is made of, its target, and when it was computed; the card is the link.

    `value`, `made_of`, `target` are ready texts. `state` is a word ("Below target") shown as a badge in `tone`.
    """
    return {
        "label": label,
        "value": missing(value),
        "made_of": made_of,
        "target": target,
        "as_of": as_of,
        "url": url,
        "pending": pending,
        "tone": tone if tone in TONES[1:] else "",
        "state": state,
    }


@register.inclusion_tag("core/task_list.html")
def task_list(tasks: Sequence[Mapping[str, Any]], empty: str = "") -> dict[str, Any]:
    """What waits: each task has `what`, `url`, `verb`, perhaps `since` (day or moment), `when` (words), `state`.

    `state`: label and tone.
    """
    return {"tasks": tasks, "empty": empty}


@register.simple_tag
def bar_chart(chart: BarChart) -> SafeString:
    """Horizontal bars with their table."""
    return mark_safe(render_to_string("core/bar_chart.html", {"chart": chart}))  # noqa: S308 - rendered with escaping


@register.simple_tag
def line_chart(chart: LineChart) -> SafeString:
    """A course over time with its table."""
    return mark_safe(render_to_string("core/line_chart.html", {"chart": chart}))  # noqa: S308 - rendered with escaping


@register.simple_tag(takes_context=True)
def portal_theme(context: template.Context) -> SafeString:
    """The chosen appearance as attributes of <html>; none means: like the device."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request is not None else None
    if chosen not in ("light", "dark"):
        return SafeString("")
    return format_html(' data-kern-theme="{}" data-theme="{}"', chosen, chosen)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's address with some parameters changed; None takes one away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"
