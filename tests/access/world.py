"""A small city for the access matrix: three schools with the same kinds of rows, and words that give away each secret.

The people of the matrix serve the first school. The second belongs to the same city, the third to another authority.
Every text of a row holds a word that is used for nothing else: where it is read, the row was read.
"""

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Model

from apps.accounts.choices import SCHOOL_ROLES, Role
from apps.accounts.models import User
from apps.core import clock
from apps.funding import services as funding
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    ApplicationStatusChange,
    LedgerEntry,
)
from apps.inventory import services as inventory
from apps.inventory.models import BulkChange, Device, LoanRules, ScanSession, Stocktake
from apps.quotas.models import QuotaFigure, Target, TargetGroup
from apps.quotas.services import recalculate_stale
from apps.schools.models import (
    FibreLine,
    Membership,
    PlatformStatus,
    PupilCount,
    RoomNetwork,
    School,
    SocialIndex,
)
from apps.schools.services import save_school
from apps.tickets import services as tickets
from tests.access.office_rows import make_catalogue, make_money, make_portal_rows
from tests.access.purchases import make_purchases
from tests.factories import (
    ForeignAuthorityFactory,
    SchoolFactory,
    SiteFactory,
    UserFactory,
    photo_file,
)
from tests.funding.factories import pdf_file
from tests.quotas.factories import count_pupils, make_plan


class Place(StrEnum):
    """Whose row it is: of the person's school, of the city's other one, or of another authority's."""

    OWN = "own"
    CITY = "city"
    ELSEWHERE = "elsewhere"


CITY_OFFICE = frozenset({Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.IT_SUPPORT})
SEES_ALL = frozenset({Role.HEAD, Role.AUDITOR, Role.ADMIN})
OFFICE = CITY_OFFICE - {Role.IT_SUPPORT}
SEES_MONEY = OFFICE | {Role.HEAD, Role.AUDITOR}

SECRETS: dict[str, frozenset[Role]] = {
    "Heimwort": frozenset(Role),  # of the person's own school
    "Nachbarwort": CITY_OFFICE | SEES_ALL,  # of the city's other school
    "Fernwort": SEES_ALL,  # of another authority's school
    "Depotwort": CITY_OFFICE | SEES_ALL,  # a device that stands at no school
    "Entwurfwort": frozenset({Role.COORDINATOR, Role.AUDITOR}),  # not submitted yet
    "Kollegenwort": frozenset(Role) - {Role.SCHOOL_STAFF, Role.ADMIN},  # a colleague's ticket
    "Internwort": CITY_OFFICE | {Role.AUDITOR},  # a note that is not for the school
    "Leutewort": CITY_OFFICE | {Role.AUDITOR, Role.ADMIN},  # who else serves the school
    "Leihwort": CITY_OFFICE | {Role.COORDINATOR, Role.AUDITOR},  # a loan
    "Namenwort": CITY_OFFICE | {Role.COORDINATOR},  # who has borrowed, where the city stores names
    "Kontowort": frozenset({Role.AUDITOR, Role.ADMIN}),  # an account without a school
    "Geldwort": SEES_MONEY,  # budgets, grants, who pays
    "Wortlautwort": OFFICE | {Role.AUDITOR},  # the office's templates
    "Laufwort": OFFICE | {Role.AUDITOR, Role.ADMIN},  # jobs
    "Dateiwort": OFFICE | {Role.AUDITOR, Role.ADMIN},  # imports
    "Zuschriftwort": frozenset({Role.AUDITOR, Role.ADMIN}),  # messages of the contact form
}
"""Word -> who may read it."""

WORD_OF = {Place.OWN: "Heimwort", Place.CITY: "Nachbarwort", Place.ELSEWHERE: "Fernwort"}


@dataclass
class World:
    """`people` by role; `rows` by kind and place; `shared` rows that belong to no school."""

    people: dict[Role, User]
    rows: dict[str, dict[Place, Any]] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)

    def row(self, kind: str, place: Place = Place.OWN) -> Any:
        return self.rows[kind][place] if kind in self.rows else self.shared[kind]

    def is_scoped(self, kind: str) -> bool:
        return kind in self.rows

    def put(self, kind: str, place: Place, row: Model) -> None:
        self.rows.setdefault(kind, {})[place] = row


def foreign_to(role: Role) -> Place:
    """Where the rows lie that are foreign to a role; those who see all schools see these, too."""
    return Place.CITY if role in SCHOOL_ROLES else Place.ELSEWHERE


def make_world() -> World:
    year = clock.today().year
    schools = {place: _school(place) for place in Place}
    people = {
        role: UserFactory(role=role, name=f"Person {role.value}", schools=_served(role, schools[Place.OWN]))
        for role in Role
    }
    UserFactory(role=Role.COORDINATOR, name="Person ohne Schule", email="person@stadt.example")
    world = World(people)
    plan = make_plan(f"{year}-01-01", f"{year + 4}-12-31", by=people[Role.ADMIN])
    world.shared |= {"plan": plan, "target_group": TargetGroup.objects.first(), "target": Target.objects.first()}
    make_catalogue(world)
    make_money(world, year)
    world.shared["loanrules"] = LoanRules.objects.create(valid_from=clock.today(), names_allowed=True)
    for place, school in schools.items():
        world.put("school", place, school)
        _details(world, place, school, year)
        _devices(world, place, school)
        _scanned(world, place, school)
        _loans(world, place)
        _applications(world, place, school)
        _concept(world, place, school)
        _tickets(world, place, school)
    make_purchases(world)
    _depot(world)
    for place, school in schools.items():
        _stocktake(world, place, school)
    _bulk_changes(world)
    _give_away(schools[Place.ELSEWHERE])
    make_portal_rows(world)
    recalculate_stale()
    for place, school in schools.items():
        world.put("quotafigure", place, _figure(world, school))
    return world


def _served(role: Role, school: School) -> list[School]:
    return [school] if role in SCHOOL_ROLES else []


def _school(place: Place) -> School:
    """A school of the city; the third one is given away once it has its rows."""
    word, number = WORD_OF[place], {Place.OWN: "100001", Place.CITY: "100002", Place.ELSEWHERE: "100003"}[place]
    school = SchoolFactory(number=number)
    school.short_name, school.official_name = f"Schule {word}", f"Schule {word} mit langem Namen"
    school.homepage = f"https://{word}.eineschulemitlangemnamen.schulnetz.stadt.example/"
    return save_school(school=school, by=None)


def _give_away(school: School) -> None:
    """Another authority keeps the school from now on, so that the office and IT support no longer see it."""
    school.authority = ForeignAuthorityFactory()
    save_school(school=school, by=None)


def _details(world: World, place: Place, school: School, year: int) -> None:
    word = WORD_OF[place]
    for name in ("Haupthaus", "Nebenhaus"):
        world.put("site", place, SiteFactory(school=school, name=f"{name} {word}"))
    count_pupils(school, 100, f"{year - 1}-10-15")
    world.put("pupilcount", place, PupilCount.objects.get(school=school))
    _network(world, place, school)
    SocialIndex.objects.create(school=school, school_year=f"{year - 1}/{year % 100:02d}", level=5)
    name = "Frau Leutewort" if place == Place.OWN else f"Frau {word}"
    colleague = UserFactory(role=Role.SCHOOL_STAFF, name=name, schools=[school])
    world.put("membership", place, Membership.objects.get(user=colleague))


def _concept(world: World, place: Place, school: School) -> None:
    word, by = WORD_OF[place], _coordinator(world, place, school)
    file = pdf_file(f"Konzept {word}.pdf", f"Konzept {word}")
    world.put("concept", place, funding.add_concept(school=school, file=file, dated_on=clock.today(), by=by))


def _network(world: World, place: Place, school: School) -> None:
    site, day = world.row("site", place), datetime.date(2020, 1, 1)
    counted = {"rooms": 9, "rooms_with_lan": 5, "rooms_with_wifi": 4}
    world.put("fibreline", place, FibreLine.objects.create(site=site, since=day, mbits=1000))
    world.put("roomnetwork", place, RoomNetwork.objects.create(site=site, counted_on=day, **counted))
    status = PlatformStatus.objects.create(school=school, platform=world.row("platform"), since=day)
    world.put("platformstatus", place, status)


def _devices(world: World, place: Place, school: School) -> None:
    word, by = WORD_OF[place], world.people[Role.IT_SUPPORT]
    facts: dict[str, Any] = {
        "product": world.shared["product"],
        "by": by,
        "school": school,
        "site": world.row("site", place),
        "room": f"Raum {word}",
        "note": f"Notiz {word}",
    }
    steps = {
        "device": None,
        "device_in_repair": inventory.send_to_repair,
        "device_on_loan": None,
        "device_given_back": None,
        "device_lost": inventory.report_lost,
    }
    for number, (kind, step) in enumerate(steps.items(), start=1):
        device = inventory.add_device(
            tag=f"GERAET-{place.value.upper()}-{number}", serial=f"{word}-SN{number}", **facts
        )
        if step is not None:
            step(device=device, by=by, reason=f"Grund {word}")
        world.put(kind, place, Device.objects.get(pk=device.pk))
    retired = inventory.add_device(tag=f"GERAET-{place.value.upper()}-ALT", serial=f"{word}-ALT", **facts)
    inventory.retire_device(device=retired, by=by, reason=f"Grund {word}")
    world.put("device_retired", place, Device.objects.get(pk=retired.pk))
    photo = inventory.add_attachment(
        device=world.row("device", place),
        by=_coordinator(world, place, school),
        file=photo_file(f"{word}.jpg"),
        description=f"Foto {word}",
    )
    world.put("attachment", place, photo)


def _scanned(world: World, place: Place, school: School) -> None:
    """Two deliveries scanned by the school's coordinator: one to be taken in, and one that was."""
    word, by = WORD_OF[place], _coordinator(world, place, school)
    facts = {"product": world.shared["product"], "school": school, "room": f"Raum {word}", "note": f"Notiz {word}"}
    world.put("scan", place, _delivery(by, word, **facts))
    ended = _delivery(by, f"{word}-neu", **facts)
    inventory.take_in(session=ended, revision=1, by=by)
    world.put("scan_taken_in", place, ended)


def _delivery(by: User, word: str, **facts: Any) -> ScanSession:
    session = inventory.start_scanning(token=uuid.uuid4(), by=by, **facts)
    inventory.record_scans(session=session, scanned=[inventory.SentSerial(uuid.uuid4(), f"{word}-SCAN")], by=by)
    return session


def _loans(world: World, place: Place) -> None:
    """One that is out and one that has ended, with names: the city stores them here."""
    by = world.people[Role.IT_SUPPORT]
    word = "Leihwort" if place == Place.OWN else WORD_OF[place]
    name = "Namenwort" if place == Place.OWN else WORD_OF[place]
    facts: dict[str, Any] = {
        "by": by, "borrower": "pupil", "group": f"Klasse {word}", "due_on": clock.today() + datetime.timedelta(days=9),
        "condition": "good", "remark": f"Bemerkung {word}", "borrower_name": f"Kind {name}",
    }  # fmt: skip
    for kind, device in (("loan", "device_on_loan"), ("loan_returned", "device_given_back")):
        loan = inventory.hand_out(device=world.row(device, place), **facts)
        if kind == "loan_returned":
            loan = inventory.take_back(loan=loan, by=by, damage=f"Kratzer {word}")
        world.row(device, place).refresh_from_db()
        world.put(kind, place, loan)


def _depot(world: World) -> None:
    """One in the depot, and one that came from the other school to the own one."""
    by, product = world.people[Role.IT_SUPPORT], world.shared["product"]
    world.shared["device_in_depot"] = inventory.add_device(
        product=product, by=by, tag="LAGER-1", serial="Depotwort-SN", note="Depotwort"
    )
    begun = clock.today() - datetime.timedelta(days=30)
    world.shared["scan_in_depot"] = _delivery(by, "Depotwort", product=product)
    moved = inventory.add_device(
        product=product, by=by, tag="GEWANDERT-1", school=world.row("school", Place.CITY),
        site=world.row("site", Place.CITY), room="Raum Nachbarwort", since=begun,
    )  # fmt: skip
    inventory.move_device(device=moved, school=world.row("school"), by=by, room="Raum Heimwort")
    world.shared["device_moved"] = Device.objects.get(pk=moved.pk)


def _stocktake(world: World, place: Place, school: School) -> None:
    """One that runs, with a finding of each kind; at the city's other school it is given up, so that one can begin."""
    word, by = WORD_OF[place], world.people[Role.IT_SUPPORT]
    row = inventory.start_stocktake(school=school, by=by)
    foreign = "GERAET-CITY-1" if place == Place.OWN else "GERAET-OWN-1"
    codes = (f"GERAET-{place.value.upper()}-1", foreign, "LAGER-1", f"{word}-UNBEKANNT")
    scans = [inventory.SentScan(uuid.uuid4(), code, room=f"Kammer {word}") for code in codes]
    inventory.count_scans(stocktake=row, scans=scans, by=by)
    if place == Place.CITY:
        inventory.cancel_stocktake(stocktake=row, by=by, reason=f"Grund {word}")
    world.put("stocktake", place, Stocktake.objects.get(pk=row.pk))


def _bulk_changes(world: World) -> None:
    """The clerk's own: one just chosen, one shown, one done, one that came to nothing."""
    by, device = world.people[Role.OFFICE_CLERK], world.row("device", Place.CITY)
    world.shared["bulk_change"], begun, done = (
        inventory.choose_devices(ids=[device.pk], query="", by=by) for _number in range(3)
    )
    done = inventory.show_change(token=done.token, action="note", values={"note": "Geprüft"}, by=by)
    world.shared["bulk_change_done"] = inventory.confirm_change(token=done.token, revision=done.revision, by=by)
    world.shared["bulk_change_shown"] = inventory.show_change(
        token=begun.token, action="note", values={"note": "Neu"}, by=by
    )
    world.shared["bulk_change_failed"] = BulkChange.objects.create(
        by=by, ids=[device.pk], action="note", values={"note": "Neu"}, state="failed", result={"error": "Abgebrochen"}
    )


def _coordinator(world: World, place: Place, school: School) -> User:
    if place == Place.OWN:
        return world.people[Role.COORDINATOR]
    name = f"Koordination {WORD_OF[place]}"
    found = User.objects.filter(name=name).first()
    return found or UserFactory(role=Role.COORDINATOR, name=name, schools=[school])


def _applications(world: World, place: Place, school: School) -> None:
    by, approver = _coordinator(world, place, school), world.people[Role.OFFICE_APPROVER]
    for state in ("draft", "submitted", "returned", "approved"):
        word = "Entwurfwort" if (place, state) == (Place.OWN, "draft") else WORD_OF[place]
        line = LineInput(world.shared["product"].pk, 2, reason=f"Zeile {word}")
        row = funding.create_draft(by=by, school=school, title=f"Antrag {word}", reason=f"Weil {word}", lines=[line])
        if state != "draft":
            row = funding.submit(application=row, by=by)
        if state == "returned":
            row = funding.return_with_question(application=row, by=approver, question=f"Frage {word}")
        if state == "approved":
            lines = [LineDecision(entry.pk, 1, world.shared["budget"].pk) for entry in row.lines.all()]
            row = funding.approve(application=row, by=approver, decisions=lines, reason=f"Bescheid {word}")
            world.put("ledgerentry", place, LedgerEntry.objects.get(line__application=row))
        if state == "submitted":
            funding.reserve(application=row, budget=world.shared["budget"], by=approver)
            proposed = [LineDecision(entry.pk, 2, world.shared["budget"].pk) for entry in row.lines.all()]
            clerk = world.people[Role.OFFICE_CLERK]
            funding.propose_approval(application=row, by=clerk, decisions=proposed, reason=f"Vorschlag {word}")
            world.put("statuschange", place, ApplicationStatusChange.objects.get(application=row))
        assert row.state in (state, ApplicationState.PARTIALLY_APPROVED)
        world.put(state, place, row)


def _tickets(world: World, place: Place, school: School) -> None:
    """The own ones are those of the colleague; one more is the coordinator's."""
    word, support = WORD_OF[place], world.people[Role.IT_SUPPORT]
    coordinator = _coordinator(world, place, school)
    reporter = world.people[Role.SCHOOL_STAFF] if place == Place.OWN else coordinator
    for kind in ("ticket", "ticket_accepted", "ticket_asked", "ticket_solved"):
        row = tickets.report_ticket(by=reporter, school=school, title=f"Störung {word}", text=f"Text {word}")
        if kind != "ticket":
            tickets.accept(ticket=row, by=support)
        if kind == "ticket_asked":
            tickets.ask_reporter(ticket=row, by=support, text=f"Rückfrage {word}")
        if kind == "ticket_solved":
            tickets.solve(ticket=row, by=support, text=f"Lösung {word}")
        secret = "Internwort" if place == Place.OWN else word
        tickets.note_internally(ticket=row, by=support, text=f"Vermerk {secret}")
        row.refresh_from_db()
        world.put(kind, place, row)
    if place == Place.OWN:
        row = tickets.report_ticket(by=coordinator, school=school, title="Störung Kollegenwort", text="Kollegenwort")
        world.shared["colleagues_ticket"] = row


def _figure(world: World, school: School) -> QuotaFigure:
    """The stored figure; schools of other authorities have none unless they were the city's before."""
    found = QuotaFigure.objects.filter(school=school).order_by("-day").first()
    return found or QuotaFigure.objects.create(
        plan=world.shared["plan"], school=school, day=clock.today(), counted=False, devices=1, parent_financed=0,
        presentation_devices=0, inputs_version=1, targets_version=1, computed_at=clock.now(),
    )  # fmt: skip


def words_in(text: str) -> Iterator[str]:
    """The secrets that a text gives away."""
    folded = text.casefold()
    return (word for word in SECRETS if word.casefold() in folded)
