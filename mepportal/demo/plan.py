"""The finished plan 2020-2024 with Hamm's published targets, and the open plan that goes on with them."""

from __future__ import annotations

from decimal import Decimal

from apps.accounts.models import User
from apps.quotas.services import GroupInput, create_plan
from apps.schools.models import SchoolType
from mepportal.demo.days import FINISHED_PLAN, OPEN_PLAN

PUBLISHED = "Stadt Hamm, Pressemitteilung vom 25.08.2025"
ASSUMED = "Ziele des MEP 2020–2024 fortgeführt, für die Demonstration angenommen"
ONE_FOR_THREE = ("08", "19", "30", "83", "85", "87", "88")


def load_plans(*, by: User) -> None:
    """1:3 for special needs schools and vocational colleges, 1:5 for the others. 2025 belongs to the finished plan."""
    for name, (first, last), source in (
        ("MEP 2020–2024", FINISHED_PLAN, PUBLISHED),
        ("MEP 2026–2030", OPEN_PLAN, ASSUMED),
    ):
        create_plan(by=by, name=name, starts_on=first, ends_on=last, groups=_groups(source))


def _groups(source: str) -> list[GroupInput]:
    keys = SchoolType.objects.filter(is_school=True).order_by("key").values_list("key", flat=True)
    others = [key for key in keys if key not in ONE_FOR_THREE]
    special = [key for key in keys if key in ONE_FOR_THREE]
    return [
        GroupInput("Förderschulen und Berufskollegs", special, Decimal(3), source),
        GroupInput("Alle anderen Schulen", others, Decimal(5), source),
    ]
