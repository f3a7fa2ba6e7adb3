"""Figures as people read them: percent and 1 : n together, what they are made of, how far from the target."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formats
from apps.quotas import selectors
from apps.quotas.calculations import Totals
from apps.quotas.choices import Level
from apps.quotas.figures import Figure
from apps.schools import wording as schools
from apps.schools.querysets import serves_all


def quota(figure: Figure) -> str:
    """ "71,2 % · 1 : 1,4"; "not known" without pupils."""
    if figure.percent is None:
        return formats.missing()
    share = formats.percent(figure.percent)
    if figure.numbers.pupils_per_device is None:
        return share
    return f"{share} · {formats.ratio(figure.numbers.pupils_per_device)}"


def target(figure: Figure) -> str:
    """ "Target 20,0 % · 1 : 5 · 5.509 devices"; what is missing when there is none."""
    numbers = figure.numbers
    if numbers.target_pupils_per_device is None:
        return _("no target")
    words = [formats.percent(figure.target_percent), formats.target_ratio(numbers.target_pupils_per_device)]
    if numbers.target_devices is not None:
        words.append(devices(numbers.target_devices))
    return _("Target %(target)s") % {"target": " · ".join(words)}


def made_of(figure: Figure) -> str:
    """ "16.912 devices for 23.750 pupils"; weighted pupils too where they differ."""
    numbers = figure.numbers
    number = numbers.quota_devices if isinstance(numbers, Totals) else numbers.devices
    if numbers.pupils is None:
        return _("%(devices)s, number of pupils not known") % {"devices": devices(numbers.devices)}
    pupils = ngettext("%(number)s pupil", "%(number)s pupils", numbers.pupils) % {
        "number": formats.number(numbers.pupils)
    }
    words = _("%(devices)s for %(pupils)s") % {"devices": devices(number), "pupils": pupils}
    if numbers.weighted_pupils != numbers.pupils:
        weighted = formats.number(numbers.weighted_pupils, 2)
        words = _("%(words)s (weighted: %(weighted)s)") % {"words": words, "weighted": weighted}
    return words


def devices(number: int) -> str:
    return ngettext("%(number)s device", "%(number)s devices", number) % {"number": formats.number(number)}


def missing_devices(number: int) -> str:
    return ngettext("%(number)s device missing", "%(number)s devices missing", number) % {
        "number": formats.number(number)
    }


def more_devices(number: int) -> str:
    return ngettext("%(number)s device more", "%(number)s devices more", number) % {"number": formats.number(number)}


def basis(figure: Figure) -> str:
    """Of which count the pupils are, and whether it is rounded or made up for the demonstration."""
    numbers = figure.numbers
    if numbers.counted_on is None:
        return _("no pupil count on this day")
    first, last = formats.day(numbers.counted_on), formats.day(getattr(numbers, "counted_on_latest", None))
    if isinstance(numbers, Totals) and numbers.counted_on != numbers.counted_on_latest:
        counts = _("pupil counts from %(first)s to %(last)s") % {"first": first, "last": last}
    else:
        counts = _("pupil count of %(day)s") % {"day": first}
    if numbers.rounded:
        counts = _("%(counts)s, rounded to 5") % {"counts": counts}
    if not selectors.stands_on_generated_counts(figure):
        return counts
    if isinstance(numbers, Totals):
        return _("%(counts)s, some of them generated for the demo") % {"counts": counts}
    return _("%(counts)s, generated for the demo") % {"counts": counts}


def distance(figure: Figure) -> tuple[str, str]:
    """How far from the target in words, and the tone of it; ("", "") without a target."""
    difference = figure.numbers.difference
    if difference is None:
        return "", ""
    if difference < 0:
        return _("Below target: %(missing)s") % {"missing": missing_devices(-difference)}, "warning"
    if not difference:
        return _("Target reached"), "success"
    return _("Target reached: %(more)s") % {"more": more_devices(difference)}, "success"


def without_count(figure: Figure) -> str:
    """Which schools a total leaves out because nobody counted their pupils; "" when there are none."""
    numbers = figure.numbers
    if not isinstance(numbers, Totals) or not numbers.schools_without_count:
        return ""
    return ngettext(
        "%(number)s school without a pupil count is not part of the quota (%(devices)s).",
        "%(number)s schools without a pupil count are not part of the quota (%(devices)s).",
        numbers.schools_without_count,
    ) % {
        "number": formats.number(numbers.schools_without_count),
        "devices": devices(numbers.devices_without_count),
    }


def may_follow(figure: Figure, user: Any) -> bool:
    """Whether the person sees all devices behind a figure, so that the rows add up to it."""
    if not user.has_perm("inventory.view_device"):
        return False
    return serves_all(user) or figure.level == Level.SCHOOL


def rows_address(figure: Figure, counts: str) -> str:
    """The devices behind a figure: `counts` is pupils, parent_financed or presentation."""
    parameters = {"day": figure.day.isoformat(), "counts": counts}
    if figure.level != Level.CITY:
        parameters[str(figure.level)] = figure.key
    return f"{reverse('inventory:list')}?{urlencode(parameters)}"


def page_address(plan_id: int, day: datetime.date, **more: str) -> str:
    """The page of figures of a plan on a day."""
    return f"{reverse('quotas:overview')}?{urlencode({'plan': plan_id, 'day': day.isoformat()} | more)}"


def school_address(figure: Figure, part: str = "") -> str:
    """The page of a figure's school as of the figure's day; `part` is one of its sections."""
    address = schools.school_address(figure.key, figure.day)
    return f"{address}#{part}" if part else address
