"""What the office's pages read beside `funding.selectors`: the lines, budgets and figures on one desk."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock, formats
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication
from apps.funding.selectors import budget_rows, planned
from apps.quotas.calculations import Effect
from apps.schools.models import School, SocialIndex


@dataclass(frozen=True)
class OldDevice:
    """A device that a line replaces, and its age in full years (None: not known when it was bought)."""

    tag: str
    kind: str
    years: int | None

    @property
    def age(self) -> str:
        return _in_years(self.years)


def replaced_by(line: ApplicationLine) -> list[OldDevice]:
    """The devices that a line of `lines_on_desk` replaces, the oldest first."""
    today = clock.today()
    devices = [
        OldDevice(row.device.tag, row.device.kind.name, _full_years(row.device.bought_on, today))
        for row in line.replaced_devices.all()
    ]
    return sorted(devices, key=lambda device: (-(device.years if device.years is not None else -1), device.tag))


def ages_of(devices: Sequence[OldDevice]) -> str:
    """The span of ages in words; "" where none is known."""
    years = [device.years for device in devices if device.years is not None]
    if not years:
        return ""
    if min(years) == max(years):
        return _in_years(years[0])
    return _("%(youngest)s to %(oldest)s years old") % {"youngest": min(years), "oldest": max(years)}


def _full_years(bought_on: datetime.date | None, today: datetime.date) -> int | None:
    if bought_on is None:
        return None
    return today.year - bought_on.year - ((today.month, today.day) < (bought_on.month, bought_on.day))


def _in_years(years: int | None) -> str:
    if years is None:
        return _("age not known")
    return ngettext("%(years)s year old", "%(years)s years old", years) % {"years": years}


def lines_on_desk(application: EquipmentApplication, user: User) -> Sequence[ApplicationLine]:
    """The lines in their order with product, kind, replaced devices and, once decided, who pays."""
    rows = ApplicationLine.objects.visible_to(user).filter(application=application)
    return list(
        rows.select_related("product__kind")
        .prefetch_related("replaced_devices__device__kind", "allocations__budget")
        .order_by("pk")
    )


def budgets_to_choose(user: User) -> Sequence[Budget]:
    """The budgets of this fiscal year (else of the newest year there is), each with `reserved` in euros."""
    rows: Any = budget_rows(user, clock.today().year)
    if not rows:
        newest = Budget.objects.visible_to(user).order_by("-fiscal_year").values_list("fiscal_year", flat=True).first()
        rows = budget_rows(user, newest) if newest else []
    return list(rows)


def effect_of_decisions(
    application: EquipmentApplication, lines: Sequence[ApplicationLine], decisions: Sequence[LineDecision]
) -> Effect | None:
    """The school's quota before and after what is typed, by the formula of the application itself."""
    by_line = {decision.line_id: decision.approved_quantity for decision in decisions}
    inputs = [
        LineInput(line.product_id, by_line[line.pk], replaces_quantity=min(line.replaces_quantity, by_line[line.pk]))
        for line in lines
        if by_line[line.pk]
    ]
    products = {line.product_id: line.product for line in lines}
    return planned(application.school, inputs, products).effect


def social_index_of(school: School) -> SocialIndex | None:
    """The newest level there is; some school types have none."""
    index: SocialIndex | None = SocialIndex.objects.filter(school=school).order_by("-school_year").first()
    return index


def names_of_others(permission: str, user: User) -> list[str]:
    """Who has the right, apart from this person; for the sentence that says whom to ask."""
    people = User.objects.with_permission(permission).exclude(pk=user.pk)
    return [person.name for person in people.order_by("name")[:5]]


def sentence_about(effect: Effect) -> str:
    """Where the school would stand against its target, in words."""
    missing = effect.difference_after
    if missing is None:
        return _("There is no target for this school.")
    if missing < 0:
        return ngettext(
            "%(number)s device would still be missing to the target.",
            "%(number)s devices would still be missing to the target.",
            -missing,
        ) % {"number": formats.number(-missing)}
    if missing == 0:
        return _("The target would be reached exactly.")
    return ngettext(
        "That would be %(number)s device above the target.",
        "That would be %(number)s devices above the target.",
        missing,
    ) % {"number": formats.number(missing)}
