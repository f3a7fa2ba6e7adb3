"""Plans, targets, counts and days for tests of quota figures."""

import datetime
from decimal import Decimal
from typing import Any

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure
from apps.quotas.services import GroupInput, create_plan
from apps.schools.models import PupilCount, School
from apps.schools.services import raise_inputs_version
from tests.factories import SchoolTypeFactory, UserFactory

DAY = datetime.timedelta(days=1)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def an_admin() -> User:
    return User.objects.filter(role=Role.ADMIN).first() or UserFactory(role=Role.ADMIN)


def make_plan(starts_on: str = "2021-01-01", ends_on: str = "2025-12-31", **changes: Any) -> MediaDevelopmentPlan:
    """A plan as Hamm has it: 1 : 3 for special needs schools and vocational colleges, 1 : 5 for the others."""
    for key, name in (("02", "Grundschule"), ("20", "Gymnasium"), ("08", "Förderschule"), ("30", "Berufskolleg")):
        SchoolTypeFactory(key=key, name=name)
    values: dict[str, Any] = {
        "by": an_admin(),
        "name": f"MEP {starts_on[:4]}–{ends_on[:4]}",
        "starts_on": day(starts_on),
        "ends_on": day(ends_on),
        "groups": [
            GroupInput("Förderschulen und Berufskollegs", ["08", "30"], Decimal(3)),
            GroupInput("Übrige Schulen", ["02", "20"], Decimal(5)),
        ],
    }
    return create_plan(**values | changes)


def count_pupils(school: School, pupils: int, counted_on: str = "2020-10-15", *, rounded: bool = True) -> PupilCount:
    """An official count, with the version raised as a service would."""
    on = day(counted_on)
    count, _created = PupilCount.objects.update_or_create(
        school=school,
        counted_on=on,
        defaults={"pupils": pupils, "rounded": rounded, "school_year": f"{on.year}/{(on.year + 1) % 100:02d}"},
    )
    raise_inputs_version([school.pk])
    return count


def figure(school: School, on: str | None = None) -> QuotaFigure:
    """The stored figure of a school on a day, today's when none is named."""
    return QuotaFigure.objects.get(school=school, day=day(on) if on else clock.today())
