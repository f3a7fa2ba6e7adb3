"""The chart of quotas against targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.charts import Bar, BarChart, LineChart, Series
from apps.quotas import wording
from apps.quotas.course import CoursePoint
from apps.quotas.figures import Figure


def reached(figure: Figure) -> Decimal:
    """Devices per device of the target; what has no target comes last."""
    numbers = figure.numbers
    return Decimal(numbers.devices) / numbers.target_devices if numbers.target_devices else Decimal("Infinity")


def chart_of_school_types(figures: Sequence[Figure], addresses: Mapping[str, str] | None = None) -> BarChart | None:
    """Quotas of school types in percent, each against its target; None when no type has a quota.

    `addresses`: key of a school type -> its schools, for the links in the chart's table.
    """
    known = [figure for figure in sorted(figures, key=reached) if figure.percent is not None]
    if not known:
        return None
    return BarChart(
        title=_("Device quota by school type"),
        description=_(
            "Pupils' devices per hundred pupils, sorted by how far the target is reached, lowest first. "
            "The dashed mark on each bar is the target of its school type."
        ),
        label_header=_("School type"),
        value_header=_("Quota"),
        target_word=_("Target"),
        bars=[_bar(figure, (addresses or {}).get(figure.key, "")) for figure in known],
        unit="%",
    )


def chart_of_course(points: Sequence[CoursePoint], name: str) -> LineChart | None:
    """Quota in percent over time against its target; None until there are two days to compare."""
    if sum(1 for point in points if point.percent is not None) < 2:
        return None
    return LineChart(
        title=_("Course of the device quota: %(name)s") % {"name": name},
        description=_(
            "Pupils' devices per hundred pupils on each first of a month, up to the latest day. The dashed line is "
            "the target of the plan in force."
        ),
        label_header=_("Day"),
        labels=[formats.day(point.day) for point in points],
        series=[Series(_("Quota"), [point.percent for point in points])],
        targets=[point.target_percent for point in points],
        target_label=_("Target"),
        unit="%",
        places=1,
    )


def _bar(figure: Figure, url: str) -> Bar:
    return Bar(
        label=figure.name,
        value=figure.percent or Decimal(0),
        text=wording.quota(figure),
        target=figure.target_percent,
        target_text=formats.percent(figure.target_percent) if figure.target_percent else _("no target"),
        note=_("below target") if figure.below_target else "",
        url=url,
    )
