"""Generated applications in every state, made by the same services that people use."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from apps.core import clock
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.models import ApplicationRound, ApplicationStatusChange, Budget, EquipmentApplication
from apps.inventory.models import Product
from apps.schools.models import School
from mepportal.demo.people import People
from mepportal.demo.rounds import load_concepts


@dataclass(frozen=True)
class Wish:
    """What a school applies for, how long ago, and what becomes of it."""

    school: str
    title: str
    reason: str
    lines: tuple[tuple[str, int, int, str], ...]
    outcome: str = "submitted"
    days_ago: int = 0
    money: str = "city"
    in_round: str = "present"


WISHES = (
    Wish("100051", "Tablets für den Jahrgang 5", "Der neue Jahrgang hat sechs Klassen.", (("tablet", 30, 0, ""),),
         days_ago=34),
    Wish("120674", "Ersatz für alte Notebooks", "Die Geräte starten nicht mehr zuverlässig.",
         (("notebook", 16, 16, "Notebooks von 2020, Raum 204"),), days_ago=28),
    Wish("120704", "Zwei Klassensätze Tablets", "Für die Sprachförderung.",
         (("tablet", 32, 0, ""), ("charging_cart", 2, 0, "")), "proposed", days_ago=21),
    Wish("136037", "Tablets bis zum Ziel", "Wir liegen unter der Zielquote.", (("tablet", 24, 0, ""),), days_ago=19),
    Wish("148349", "Displays für drei Räume", "Die Beamer sind zu dunkel.",
         (("display", 3, 3, "Beamer in 101, 102, 105"),), days_ago=12),
    Wish("169560", "Dokumentenkameras für die Naturwissenschaften", "Für Versuche im Unterricht.",
         (("document_camera", 6, 2, "zwei defekte Kameras"),), days_ago=9),
    Wish("189807", "Notebooks für die Oberstufe", "Für Facharbeiten.", (("notebook", 20, 0, ""),), days_ago=5,
         in_round="past"),
    Wish("194177", "Ladewagen", "Die Koffer sind zu schwer.", (("charging_cart", 2, 0, ""),), days_ago=2),
    Wish("120686", "Tablets für die Eingangsstufe", "", (("tablet", 15, 0, ""),), "draft"),
    Wish("161380", "Desktops für den Informatikraum", "Der Raum wird neu eingerichtet.",
         (("desktop", 28, 28, "Rechner von 2020"),), "draft"),
    Wish("120698", "Tablets für alle Klassen", "Die Quote ist die niedrigste der Stadt.", (("tablet", 40, 0, ""),),
         "returned", 16),
    Wish("135999", "Displays für die Turnhalle", "Für Bewegungsangebote.", (("display", 2, 0, ""),), "returned", 11),
    Wish("121459", "Tablets für die Lerninseln", "Für die Freiarbeit.", (("tablet", 20, 10, "Tablets von 2020"),),
         "approved", 48),
    Wish("130461", "Notebooks für den Offenen Ganztag", "Für die Hausaufgaben.", (("notebook", 12, 0, ""),),
         "approved", 45, "grant"),
    Wish("162980", "Displays im Neubau", "Vier neue Räume.", (("display", 4, 0, ""),), "approved", 40, "grant"),
    Wish("186107", "Dokumentenkameras", "Für jede Klasse eine.", (("document_camera", 8, 0, ""),), "approved", 39,
         "small"),
    Wish("169572", "Tablets und Displays", "Für den Jahrgang 8.", (("tablet", 60, 0, ""), ("display", 4, 2, "Beamer")),
         "partially_approved", 37, "grant"),
    Wish("130485", "Tablets für drei Klassen", "Für den Matheunterricht.", (("tablet", 45, 15, "Tablets von 2020"),),
         "partially_approved", 33),
    Wish("144174", "Konferenzraum mit großem Display", "Für die Lehrerkonferenz.", (("display", 1, 0, ""),),
         "rejected", 30),
    Wish("150782", "Notebooks für die Schulleitung", "Die Geräte sind langsam.", (("notebook", 4, 4, ""),),
         "rejected", 26),
    Wish("161548", "Ladewagen für die Mensa", "Wird doch nicht gebraucht.", (("charging_cart", 1, 0, ""),),
         "withdrawn", 20),
)  # fmt: skip

REJECTION = "Aus diesen Mitteln beschaffen wir nur Ausstattung für den Unterricht."


def load_applications(
    schools: list[School],
    products: dict[str, Product],
    people: People,
    budgets: dict[str, Budget],
    rounds: dict[str, ApplicationRound],
) -> int:
    """Plays each wish to its outcome and sets its days back; returns how many."""
    by_number = {school.number: school for school in schools}
    load_concepts((by_number[number] for number in sorted({wish.school for wish in WISHES})), people)
    for wish in WISHES:
        application = _drafted(wish, by_number[wish.school], products, people, rounds)
        if wish.outcome != "draft":
            _play(wish, application, people, budgets)
    return len(WISHES)


def _drafted(
    wish: Wish,
    school: School,
    products: dict[str, Product],
    people: People,
    rounds: dict[str, ApplicationRound],
) -> EquipmentApplication:
    lines = [
        LineInput(products[code].pk, quantity, replaces=text, replaces_quantity=replaced)
        for code, quantity, replaced, text in wish.lines
    ]
    return services.create_draft(
        by=people.coordinators[wish.school],
        school=school,
        title=wish.title,
        reason=wish.reason,
        lines=lines,
        in_round=rounds[wish.in_round],
    )


def _play(wish: Wish, application: EquipmentApplication, people: People, budgets: dict[str, Budget]) -> None:
    coordinator = people.coordinators[wish.school]
    services.submit(application=application, by=coordinator)
    _set_back(application, wish.days_ago)
    application.refresh_from_db()
    if wish.outcome == "returned":
        services.return_with_question(
            application=application, by=people.clerk, question="Für welche Klassen brauchen Sie die Geräte?"
        )
    elif wish.outcome == "rejected":
        services.reject(application=application, by=people.clerk, reason=REJECTION)
    elif wish.outcome == "withdrawn":
        services.withdraw(application=application, by=coordinator, reason=wish.reason)
    elif wish.outcome == "proposed":
        services.propose_approval(
            application=application, by=people.clerk, decisions=_decisions(wish, application, budgets)
        )
    elif wish.outcome in {"approved", "partially_approved"}:
        _approve(wish, application, people, budgets)


def _decisions(wish: Wish, application: EquipmentApplication, budgets: dict[str, Budget]) -> list[LineDecision]:
    share = 2 if wish.outcome == "partially_approved" else 1
    budget = budgets[wish.money]
    return [
        LineDecision(
            line.pk,
            approved_quantity=line.quantity // share,
            budget_id=budget.pk,
            own_share_budget_id=budgets["own_share"].pk if wish.money == "grant" else None,
            note="Zunächst die Hälfte." if share > 1 else "",
        )
        for line in application.lines.all()
    ]


def _approve(wish: Wish, application: EquipmentApplication, people: People, budgets: dict[str, Budget]) -> None:
    """What the clerk has proposed."""
    decisions = _decisions(wish, application, budgets)
    services.propose_approval(application=application, by=people.clerk, decisions=decisions)
    services.approve(application=application, by=people.approver, decisions=decisions)


def _set_back(application: EquipmentApplication, days: int) -> None:
    moment = clock.now() - datetime.timedelta(days=days)
    EquipmentApplication.objects.filter(pk=application.pk).update(
        created_at=moment - datetime.timedelta(days=1), submitted_at=moment
    )
    ApplicationStatusChange.objects.filter(application=application).update(at=moment)
