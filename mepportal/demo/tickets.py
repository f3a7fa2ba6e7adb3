"""Generated tickets in every state, made by the same services that people use and set back to their days.

A few are open, as of the last weeks; most are long closed, spread over three years. All days move with the real today.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from apps.accounts.models import User
from apps.core import clock
from apps.core.mail import collected_mail
from apps.inventory.models import Device
from apps.schools.models import School
from apps.tickets import services
from apps.tickets.models import Ticket, TicketMessage, TicketStatusChange
from mepportal.demo.days import last_working_day
from mepportal.demo.people import People

SEED = 4_105
PAST = 54
OLDEST, NEWEST = 1_095, 30
FIRST_BELL, PAUSE = datetime.time(7, 35), datetime.timedelta(minutes=65)
ROOMS = ("101", "112", "204", "Lehrerzimmer", "Selbstlernzentrum", "Mensa")

Step = tuple[int, str, str]
"""Days after the report, what is done, and the text that goes with it."""


@dataclass(frozen=True)
class Report:
    """A ticket, how many days ago it was reported, and its course. `kind`: of the device, "" for none."""

    school: str
    title: str
    text: str
    days_ago: int
    steps: Sequence[Step] = ()
    kind: str = ""
    room: str = "101"
    by_colleague: bool = False
    device_number: int = 0
    minutes: int = 0


@dataclass(frozen=True)
class Problem:
    """What breaks again and again, and how its repair went."""

    kind: str
    title: str
    text: str
    steps: tuple[Step, ...]


_ACCEPT, _CLOSE = (0, "accept", ""), (2, "close", "")

OPEN = (
    Report("169560", "Display flackert", "Das Bild flackert nach dem Einschalten.", 24,
           ((1, "accept", ""), (3, "wait_for_supplier", "Das Ersatzteil ist bestellt.")), "display"),
    Report("194177", "Drucker zieht kein Papier", "Der Papierstau kommt immer wieder.", 20,
           ((0, "accept", ""), (4, "solve", "Die Rolle ist gereinigt."), (6, "close", "")), room="Lehrerzimmer"),
    Report("189807", "Tastatur klemmt", "Drei Tasten reagieren nicht.", 13,
           ((1, "accept", ""), (9, "solve", "Die Tastatur ist getauscht.")), "notebook"),
    Report("161380", "Anmeldung geht nicht", "Am Notebook erscheint eine Fehlermeldung.", 8,
           ((1, "accept", ""), (2, "ask_reporter", "Wie lautet die Fehlermeldung genau?")), "notebook"),
    Report("130461", "Tablet lädt nicht", "Das Tablet lädt an keinem Kabel.", 6,
           ((1, "accept", ""), (1, "note", "Ersatzkabel mitnehmen.")), "tablet"),
    Report("120686", "Ton fehlt am Display", "Beim Abspielen von Filmen bleibt es still.", 5,
           ((0, "accept", ""), (1, "ask_reporter", "Welche Quelle ist eingestellt?"),
            (2, "answer", "Es ist das Notebook am HDMI-Kabel.")), "display", by_colleague=True),
    Report("120674", "WLAN bricht ab", "In Raum 204 fällt die Verbindung alle paar Minuten aus.", 2, room="204"),
    Report("120698", "Kein Bild am Beamer", "Seit heute Morgen bleibt das Bild schwarz.", 1),
)  # fmt: skip

PROBLEMS = (
    Problem("tablet", "Tablet startet nicht", "Der Bildschirm bleibt schwarz, auch am Ladekabel.",
            (_ACCEPT, (1, "solve", "Nach einem erzwungenen Neustart läuft das Tablet wieder."), _CLOSE)),
    Problem("tablet", "Riss im Glas", "Das Tablet ist vom Tisch gefallen.",
            ((1, "accept", ""), (2, "wait_for_supplier", "Das Glas wird beim Lieferanten getauscht."),
             (11, "resume", "Das Tablet ist zurück."), (12, "solve", "Das Glas ist neu."), (14, "close", ""))),
    Problem("tablet", "App fehlt", "Die App für den Matheunterricht ist auf drei Tablets nicht da.",
            (_ACCEPT, (0, "ask_reporter", "Wie heißt die App genau?"), (1, "answer", "Es ist „Anton“."),
             (2, "solve", "Die App ist verteilt."), (3, "close", ""))),
    Problem("notebook", "Notebook ist sehr langsam", "Der Start dauert zehn Minuten.",
            ((1, "accept", ""), (3, "solve", "Das Notebook ist neu aufgesetzt."), (5, "close", ""))),
    Problem("notebook", "Akku hält nicht", "Nach zwanzig Minuten geht das Notebook aus.",
            ((2, "accept", ""), (2, "wait_for_supplier", "Ein neuer Akku ist bestellt."),
             (9, "solve", "Der Akku ist getauscht."), (10, "close", ""))),
    Problem("display", "Stift schreibt versetzt", "Die Linie erscheint zwei Finger neben dem Stift.",
            (_ACCEPT, (1, "solve", "Das Display ist neu kalibriert."), _CLOSE)),
    Problem("display", "Display lässt sich nicht einschalten", "Die Lampe blinkt rot.",
            (_ACCEPT, (1, "ask_reporter", "Blinkt sie zweimal oder dreimal?"), (2, "answer", "Dreimal."),
             (2, "wait_for_supplier", "Ein Techniker kommt zu Ihnen."), (8, "solve", "Das Netzteil ist getauscht."),
             (9, "close", ""))),
    Problem("document_camera", "Dokumentenkamera bleibt dunkel", "Es kommt kein Bild.",
            (_ACCEPT, (1, "solve", "Das Kabel war gebrochen und ist ersetzt."), (4, "close", ""))),
    Problem("", "WLAN fehlt im Raum", "Kein Tablet findet das Netz.",
            (_ACCEPT, (0, "note", "Der Zugangspunkt im Flur antwortet nicht."),
             (1, "solve", "Der Zugangspunkt ist neu gestartet."), _CLOSE)),
    Problem("", "Internet sehr langsam", "Seiten laden erst nach einer Minute.",
            ((0, "accept", ""), (2, "solve", "Die Störung des Anbieters ist behoben."), (3, "close", ""))),
    Problem("", "Drucker druckt nicht", "Die Aufträge bleiben in der Warteschlange.",
            (_ACCEPT, (1, "solve", "Die Warteschlange ist geleert, der Treiber ist neu."), (1, "close", ""))),
    Problem("", "Passwort vergessen", "Eine Kollegin kommt nicht mehr in IServ.",
            ((0, "withdraw", "Das Passwort hat sich wiedergefunden."),)),
)  # fmt: skip


def load_tickets(schools: list[School], people: People) -> int:
    """Reports each ticket and brings it to its state, the oldest first; returns how many.

    No mail is queued: what the portal would have written went out on those days.
    """
    today, began = clock.today(), clock.now()
    by_number = {school.number: school for school in schools}
    reports = sorted([*_past(sorted(by_number)), *OPEN], key=lambda report: -report.days_ago)
    with collected_mail():
        for report in reports:
            _play(report, by_number[report.school], people, today=today, began=began)
    return len(reports)


def _past(numbers: Sequence[str]) -> list[Report]:
    """Closed tickets of the last three years, the same ones at every run."""
    chance = random.Random(SEED)
    return [
        Report(
            chance.choice(numbers),
            problem.title,
            problem.text,
            days_ago,
            problem.steps,
            problem.kind,
            chance.choice(ROOMS),
            device_number=chance.randrange(40),
            minutes=chance.randrange(45),
        )
        for days_ago in chance.sample(range(NEWEST, OLDEST), PAST)
        for problem in [chance.choice(PROBLEMS)]
    ]


def _play(report: Report, school: School, people: People, *, today: datetime.date, began: datetime.datetime) -> None:
    moments = [_moment(report, today, 0, 0)]
    device = _device(report, school, timezone.localtime(moments[0]).date())
    reporter = people.colleague if report.by_colleague else people.coordinators[report.school]
    ticket = services.report_ticket(
        by=reporter,
        school=school,
        title=report.title,
        text=report.text,
        device=device,
        room="" if device else report.room,
    )
    _set_back(ticket, moments, began)
    for place, (days, name, text) in enumerate(report.steps, start=1):
        _do(ticket, name, text, reporter=reporter, support=people.support)
        moments.append(_moment(report, today, days, place))
        _set_back(ticket, moments, began)


def _moment(report: Report, today: datetime.date, days: int, place: int) -> datetime.datetime:
    """When a step was taken: on a working day, each step of a day later than the one before."""
    day = last_working_day(today - datetime.timedelta(days=report.days_ago - days))
    start = datetime.datetime.combine(day, FIRST_BELL) + datetime.timedelta(minutes=report.minutes)
    return timezone.make_aware(start + place * PAUSE)


def _device(report: Report, school: School, day: datetime.date) -> Device | None:
    """A device of the kind that stood at the school already on that day."""
    there = Device.objects.filter(
        school=school,
        kind__code=report.kind,
        placements__school=school,
        placements__until=None,
        placements__since__lte=day,
    )
    pks = list(there.order_by("tag").values_list("pk", flat=True))
    return Device.objects.get(pk=pks[report.device_number % len(pks)]) if pks else None


def _do(ticket: Ticket, name: str, text: str, *, reporter: User, support: User) -> None:
    steps: dict[str, Callable[[], object]] = {
        "accept": lambda: services.accept(ticket=ticket, by=support),
        "note": lambda: services.note_internally(ticket=ticket, by=support, text=text),
        "ask_reporter": lambda: services.ask_reporter(ticket=ticket, by=support, text=text),
        "answer": lambda: services.answer(ticket=ticket, by=reporter, text=text),
        "wait_for_supplier": lambda: services.wait_for_supplier(ticket=ticket, by=support, text=text),
        "resume": lambda: services.resume(ticket=ticket, by=support, text=text),
        "solve": lambda: services.solve(ticket=ticket, by=support, text=text),
        "close": lambda: services.close(ticket=ticket, by=reporter),
        "withdraw": lambda: services.withdraw(ticket=ticket, by=reporter, text=text),
    }
    steps[name]()


def _set_back(ticket: Ticket, moments: Sequence[datetime.datetime], began: datetime.datetime) -> None:
    """Moves what the last step wrote to its moment; the earlier steps stand before the loading began already."""
    reported, moment = moments[0], moments[-1]
    Ticket.objects.filter(pk=ticket.pk).update(created_at=reported, changed_at=moment)
    TicketStatusChange.objects.filter(ticket=ticket, at__gte=began).update(at=moment)
    TicketMessage.objects.filter(ticket=ticket, at__gte=began).update(at=moment)
    Ticket.history.filter(id=ticket.pk, history_date__gte=began).update(
        history_date=moment, created_at=reported, changed_at=moment
    )
