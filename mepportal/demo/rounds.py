"""Generated rounds of applications of the present days, media concepts, and the city's rule for large approvals."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal

import typst
from django.core.files.base import ContentFile

from apps.core import clock
from apps.core.history import save_by
from apps.funding import services
from apps.funding.choices import RuleKind
from apps.funding.models import ApplicationRound, DatedRule
from apps.schools.models import School
from mepportal.demo.people import People

TWO_APPROVE_FROM = Decimal("25000.00")
"""Assumed for the demonstration: the city's own rule is not published."""
_CONCEPT = """#set document(title: "Medienkonzept")
#set text(lang: "de", font: "Libertinus Serif")
= Medienkonzept
SCHOOL

Für die Demonstration des Portals erzeugt, ohne Inhalt.
"""


def load_rounds(*, people: People) -> dict[str, ApplicationRound]:
    """Two rounds by short name: "present", which is open and asks for the media concept, and "past"."""
    today = clock.today()
    DatedRule(
        kind=RuleKind.SECOND_APPROVER_FROM,
        valid_from=today.replace(month=1, day=1),
        value=TWO_APPROVE_FROM,
        source="Für die Demonstration angenommen",
    ).save()
    days = datetime.timedelta
    rows = {
        "present": ApplicationRound(
            name="Laufende Antragsrunde",
            opens_on=today - days(60),
            closes_on=today + days(20),
            requires_media_concept=True,
            note="Bitte nennen Sie die Geräte, die ersetzt werden, mit ihren Inventarnummern.",
        ),
        "past": ApplicationRound(
            name="Nachtragsrunde",
            opens_on=today - days(90),
            closes_on=today - days(8),
            reminded_on=today - days(22),
        ),
    }
    return {key: save_by(row, by=people.clerk) for key, row in rows.items()}


def load_concepts(schools: Iterable[School], people: People) -> None:
    """A media concept of each of these schools, uploaded by its coordinator."""
    for school in schools:
        pdf = typst.compile(
            {"main.typ": _CONCEPT.replace("SCHOOL", school.official_name).encode()},
            format="pdf",
            ignore_system_fonts=True,
        )
        services.add_concept(
            school=school,
            file=ContentFile(pdf, name=f"Medienkonzept {school.number}.pdf"),
            dated_on=clock.today() - datetime.timedelta(days=200),
            by=people.coordinators[school.number],
        )
