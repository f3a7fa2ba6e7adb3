"""Generated tickets in every state, made by the same services that people use."""

from __future__ import annotations

from collections.abc import Callable

from apps.inventory.models import Device
from apps.schools.models import School
from apps.tickets import services
from apps.tickets.models import Ticket
from mepportal.demo.people import People

_REPORTS = (
    ("120698", "Kein Bild am Beamer", "Seit heute Morgen bleibt das Bild schwarz.", "new"),
    ("120674", "WLAN bricht ab", "In Raum 204 fällt die Verbindung alle paar Minuten aus.", "new"),
    ("130461", "Tablet lädt nicht", "Das Tablet lädt an keinem Kabel.", "accepted"),
    ("161380", "Anmeldung geht nicht", "Am Notebook erscheint eine Fehlermeldung.", "waiting_for_reporter"),
    ("169560", "Display flackert", "Das Bild flackert nach dem Einschalten.", "waiting_for_supplier"),
    ("189807", "Tastatur klemmt", "Drei Tasten reagieren nicht.", "solved"),
    ("194177", "Drucker zieht kein Papier", "Der Papierstau kommt immer wieder.", "closed"),
)


def load_tickets(schools: list[School], people: People) -> int:
    """Reports each ticket and brings it to its state; returns how many."""
    by_number = {school.number: school for school in schools}
    for number, title, text, state in _REPORTS:
        school = by_number[number]
        reporter = people.coordinators[number]
        tablets = Device.objects.filter(school=school, kind__code="tablet").order_by("-tag")
        device = tablets.first() if state == "accepted" else None
        ticket = services.report_ticket(
            by=reporter, school=school, title=title, text=text, device=device, room="" if device else "101"
        )
        _bring_to(ticket, state, people)
    return len(_REPORTS)


def _bring_to(ticket: Ticket, state: str, people: People) -> None:
    support = people.support
    steps: dict[str, Callable[[], None]] = {
        "waiting_for_reporter": lambda: services.ask_reporter(
            ticket=ticket, by=support, text="Wie lautet die Fehlermeldung genau?"
        ),
        "waiting_for_supplier": lambda: services.wait_for_supplier(
            ticket=ticket, by=support, text="Das Ersatzteil ist bestellt."
        ),
        "solved": lambda: services.solve(ticket=ticket, by=support, text="Die Tastatur ist getauscht."),
        "closed": lambda: services.solve(ticket=ticket, by=support, text="Die Rolle ist gereinigt."),
    }
    if state == "new":
        return
    services.accept(ticket=ticket, by=support)
    if state == "accepted":
        services.note_internally(ticket=ticket, by=support, text="Ersatzkabel mitnehmen.")
        return
    steps[state]()
    if state == "closed":
        services.close(ticket=ticket, by=ticket.reporter)
