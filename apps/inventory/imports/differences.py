"""What a row would do to a device: the facts to write, and the faults that forbid it.

An empty cell says nothing: what is on file stays. A school makes a device from the depot one in use; without a status
in the file the present one stays otherwise.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop as _

from apps.core import clock, formats
from apps.core.imports.faults import Fault
from apps.inventory.binding import bound_words, is_bound, is_loosened, is_plausible
from apps.inventory.choices import ENDED_STATUSES, LENT_OWNERSHIPS, PLACED_STATUSES, DeviceStatus, Disposal, Ownership
from apps.inventory.imports.catalogue import Days
from apps.inventory.imports.cells import tidy_lines
from apps.inventory.models import Device, DeviceKind, Product
from apps.inventory.placing import EARLIEST_DAY
from apps.inventory.workflow import TRANSITIONS
from apps.schools.models import School, Site

AWAY = frozenset({DeviceStatus.ON_LOAN, DeviceStatus.IN_REPAIR})
PLAIN_FACTS = ("serial", "price", "bought_on", "use_until", "condition", "note")
SPOT = ("school", "site", "room")
DISPOSAL = ("disposal", "disposed_on", "proceeds")


@dataclass(slots=True)
class Said:
    """What a row says, resolved against what is on file; None or empty for what it does not say.

    `by_option`: the school comes from the import's option, not from the row. `last_school`: where a new device that is
    lost, stolen or retired already stood; on file it follows from the device's own past. `only_site`: that of a school
    that has no other; a device that comes there stands there.
    """

    values: dict[str, Any]
    product: Product | None = None
    kind: DeviceKind | None = None
    school: School | None = None
    site: Site | None = None
    by_option: bool = False
    last_school: School | None = None
    only_site: Site | None = None


@dataclass
class Outcome:
    """`facts` as fields of the device; `faults` and `hints` as (column name, message, params)."""

    facts: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    hints: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    day: datetime.date = field(default_factory=clock.today)
    day_column: str = "since"
    """Where the row names that day."""
    moves: bool = False
    """Whether a device on file stands elsewhere, or counts otherwise, from that day on."""

    def fault(self, column: str, message: str, **params: Any) -> None:
        self.faults.append((column, message, params))

    def hint(self, column: str, message: str, **params: Any) -> None:
        self.hints.append((column, message, params))

    def told(self, title: Any) -> list[Fault]:
        return [Fault(title(column), message, params) for column, message, params in self.faults]

    def hinted(self, title: Any) -> list[Fault]:
        return [Fault(title(column), message, params) for column, message, params in self.hints]


def of_new(said: Said) -> Outcome:
    """A device that is not on file: everything that the row says, and what follows from it."""
    outcome, values = Outcome(day=said.values.get("since") or clock.today()), said.values
    status = values.get("status") or (DeviceStatus.IN_USE if said.school else DeviceStatus.IN_STOCK)
    facts = {
        "product": said.product,
        "kind": said.kind or (said.product.kind if said.product else None),
        "tag": values.get("tag") or "",
        "status": status,
        "ownership": values.get("ownership") or Ownership.BOUGHT,
    }
    facts |= {name: values[name] for name in PLAIN_FACTS if _is_said(values, name)}
    if status in PLACED_STATUSES:
        facts |= {"school": said.school, "site": said.site or said.only_site, "room": values.get("room") or ""}
        if said.school is None:
            outcome.fault("school", _("A device that is in use, lent or in repair stands at a school. Please name it."))
    elif status in ENDED_STATUSES:
        facts["last_school"] = said.last_school or said.school
    else:
        _refuse_place(said, status, outcome)
    facts |= _bound(None, values, outcome)
    facts |= _gone(None, values, facts, outcome)
    _check_use(None, facts, outcome)
    _check_days(outcome, said, Days(), known_bought=None, school=facts.get("school"))
    outcome.facts = facts
    return outcome


def of_known(device: Device, said: Said, days: Days) -> Outcome:
    """A device on file: only what is different."""
    values = said.values
    day, day_column = _day(device, said)
    outcome = Outcome(day=day, day_column=day_column)
    facts = {
        name: values[name] for name in PLAIN_FACTS if _is_said(values, name) and values[name] != _on_file(device, name)
    }
    if values.get("ownership") and values["ownership"] != device.ownership:
        facts["ownership"] = values["ownership"]
    if said.product is not None and said.product.pk != device.product_id:
        facts |= {"product": said.product, "kind": said.product.kind}
    if said.kind is not None:
        facts["kind"] = said.kind
    if "kind" in facts and facts["kind"].pk == device.kind_id:
        del facts["kind"]
    status = _status(device, said)
    if status != device.status:
        facts["status"] = status
        _check_step(device, status, outcome)
    facts |= _gone(device, values, {"status": status, "ownership": device.ownership} | facts, outcome)
    _check_binding(device, facts, outcome)
    facts |= _bound(device, values, outcome)
    _check_use(device, facts, outcome)
    if status in PLACED_STATUSES:
        facts |= _moved(device, said, status, outcome)
    elif status not in ENDED_STATUSES and values.get("status"):
        _refuse_place(said, status, outcome)
    if device.status in PLACED_STATUSES and status not in PLACED_STATUSES:
        facts |= {name: "" if name == "room" else None for name in SPOT if getattr(device, name)}
    _check_loan(facts, days, outcome)
    _check_left(facts, days, outcome)
    outcome.facts = facts
    ends = device.status in PLACED_STATUSES and status not in PLACED_STATUSES
    begins = status in PLACED_STATUSES and not facts.keys().isdisjoint({*SPOT, "ownership", "kind"})
    _check_days(
        outcome,
        said,
        days,
        known_bought=device.bought_on,
        school=facts.get("school", device.school) if begins else None,
        ends=ends,
    )
    outcome.moves = begins or ends
    return outcome


def _day(device: Device, said: Said) -> tuple[datetime.date, str]:
    """From when it is so, and the column for that. A device that the row retires left on the day that it names."""
    values = said.values
    retires = values.get("status") == DeviceStatus.RETIRED != device.status
    if retires and values.get("disposed_on") and not values.get("since"):
        return values["disposed_on"], "disposed_on"
    return values.get("since") or clock.today(), "since"


def _status(device: Device, said: Said) -> str:
    if said.values.get("status"):
        return str(said.values["status"].value)
    if said.school is not None and device.status in {DeviceStatus.IN_STOCK, DeviceStatus.ORDERED}:
        return DeviceStatus.IN_USE
    return str(device.status)


def _check_step(device: Device, status: str, outcome: Outcome) -> None:
    """A status changes by one step of the workflow, or in the file by none."""
    if not any(device.status in step.sources and status in step.targets for _name, step in TRANSITIONS):
        outcome.fault("status", _("A device with the status “%(old)s” cannot become “%(new)s” in one step."),
                      old=str(DeviceStatus(device.status).label), new=str(DeviceStatus(status).label))  # fmt: skip


def _check_binding(device: Device, facts: dict[str, Any], outcome: Outcome) -> None:
    """While a grant binds a device, no list retires it or hands it over to another owner."""
    if not is_bound(device, outcome.day):
        return
    leaves = {"status": facts.get("status") == DeviceStatus.RETIRED, "ownership": "ownership" in facts}
    leaves["disposal"] = "disposal" in facts and not leaves["status"]
    for column, is_leaving in leaves.items():
        if is_leaving:
            outcome.fault(column, _("A grant binds this device until %(bound)s. Until then it is not retired, sold or"
                                    " given away."), bound=bound_words(device))  # fmt: skip


def _bound(device: Device | None, values: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """The binding that the row names, as far as that is new. No list ends or shortens one that still runs."""
    known = (device.bound_until, device.bound_by) if device is not None else (None, "")
    until, reference = values.get("bound_until") or known[0], values.get("bound_by") or known[1]
    if (until, reference) == known:
        return {}
    if until is None:
        outcome.fault("bound_until", _("Please enter the last day of the binding, or leave both fields empty."))
    elif not reference:
        outcome.fault("bound_by", _("Please enter the file reference of the grant that binds the device."))
    elif not is_plausible(until):
        outcome.fault("bound_until", _("No grant binds until this day. Please check the year."))
    elif device is not None and is_loosened(device, until):
        outcome.fault("bound_until", _("A grant binds this device until %(bound)s. No list shortens that; please ask"
                                       " the approving office."), bound=bound_words(device))  # fmt: skip
    new = {"bound_until": until, "bound_by": reference}
    return {name: value for name, value in new.items() if device is None or value != getattr(device, name)}


def _gone(device: Device | None, values: dict[str, Any], facts: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Where a retired device went, as far as that is new; `facts` say its status and ownership from now on."""
    said = {name: values[name] for name in DISPOSAL if _is_said(values, name)}
    known = {name: getattr(device, name) if device else None for name in DISPOSAL}
    if all(known[name] == value for name, value in said.items()):
        return {}
    if facts["status"] != DeviceStatus.RETIRED:
        outcome.fault(next(iter(said)), _("Only a retired device has left. Please leave the cell empty, or change the"
                                          " status."))  # fmt: skip
        return {}
    told = known | {"disposed_on": known["disposed_on"] or outcome.day} | said
    if told["disposal"] != Disposal.SOLD and "proceeds" not in said:
        told["proceeds"] = None
    _check_gone(told, facts["ownership"], outcome)
    return {name: value for name, value in told.items() if value != known[name]}


def _check_gone(told: dict[str, Any], ownership: str, outcome: Outcome) -> None:
    """The rules of `services.retire_device` for where a device goes."""
    if not told["disposal"]:
        outcome.fault("disposal", _("Please say where the device went."))
    elif told["proceeds"] is not None and told["disposal"] != Disposal.SOLD:
        outcome.fault("proceeds", _("Only a sale brings proceeds. Please leave the amount empty, or choose “sold”."))
    elif (told["disposal"] == Disposal.RETURNED) != (ownership in LENT_OWNERSHIPS):
        outcome.fault(
            "disposal",
            _("The device belongs to others: it goes back to its owner. Please choose that, or correct the ownership.")
            if ownership in LENT_OWNERSHIPS
            else _("The device belongs to the city, so there is no owner to return it to. Please choose another way."),
        )


def _check_left(facts: dict[str, Any], days: Days, outcome: Outcome) -> None:
    """No device leaves before it is retired, nor before it moved for the last time."""
    left = facts.get("disposed_on")
    earliest = max(filter(None, (days.last, outcome.day if "status" in facts else None)), default=None)
    if left and earliest and EARLIEST_DAY <= left < earliest:
        outcome.fault(
            "disposed_on",
            _("Something changed on %(day)s already. Please enter that day or a later one."),
            day=formats.day(earliest),
        )


def _check_loan(facts: dict[str, Any], days: Days, outcome: Outcome) -> None:
    """No loan ends before it began, and no device moves, is lost, stolen or retired before it came back from one."""
    leaves = facts.get("status") in ENDED_STATUSES or not facts.keys().isdisjoint(SPOT)
    last = days.last_loan if leaves else None
    if last and EARLIEST_DAY <= outcome.day < last.back and (days.last is None or days.last <= last.back):
        outcome.fault(
            outcome.day_column,
            _("It was on loan from %(since)s to %(day)s and came back. Please enter %(day)s or a later day."),
            since=formats.day(last.since),
            day=formats.day(last.back),
        )
    if "status" in facts and days.lent and EARLIEST_DAY <= outcome.day < days.lent:
        outcome.fault(outcome.day_column, _("It was lent on %(day)s. Please enter that day or a later one."),
                      day=formats.day(days.lent))  # fmt: skip


def _check_use(device: Device | None, facts: dict[str, Any], outcome: Outcome) -> None:
    """The planned end of use is not before the purchase, whichever of them the row names."""
    if facts.keys().isdisjoint({"use_until", "bought_on"}):
        return
    use_until = facts.get("use_until", device.use_until if device else None)
    bought_on = facts.get("bought_on", device.bought_on if device else None)
    if use_until is not None and use_until < (bought_on or EARLIEST_DAY):
        column = "use_until" if "use_until" in facts else "bought_on"
        outcome.fault(column, _("The use cannot end before the purchase. Please enter a later day, or leave the field"
                                " empty."))  # fmt: skip


def _moved(device: Device, said: Said, status: str, outcome: Outcome) -> dict[str, Any]:
    """Where the device stands from now on, as far as that is new."""
    school = said.school or device.school
    if school is None:
        outcome.fault("school", _("A device that is in use, lent or in repair stands at a school. Please name it."))
        return {}
    same = device.school_id == school.pk
    site = said.site or (device.site if same else None)
    room = said.values.get("room") or (device.room if same else "")
    moved = {
        name: new
        for name, old, new in (
            ("school", device.school, school), ("site", device.site, site), ("room", device.room, room)
        )
        if old != new
    }  # fmt: skip
    says_only_room = moved.keys() == {"room"} and (said.school is None or said.by_option)
    if says_only_room and device.status == status and status in AWAY:
        outcome.hint("room", _("The device is lent or in repair, so it stays where it is. The cell is left out."))
        return {}
    if moved and (device.status in AWAY or (status in AWAY and device.status in PLACED_STATUSES)):
        outcome.fault("school", _("A device that is lent or in repair comes back before it moves."))
    return moved | ({"site": said.only_site} if moved and site is None and said.only_site != device.site else {})


def _refuse_place(said: Said, status: str, outcome: Outcome) -> None:
    if said.school is not None and not said.by_option:
        outcome.fault("school", _("A device in the depot or on order stands at no school. Please leave the cell empty,"
                                  " or change the status."))  # fmt: skip
    for column in ("site", "room"):
        if said.values.get(column):
            outcome.fault(column, _("Please choose the school of this site and room."))


def _check_days(
    outcome: Outcome,
    said: Said,
    days: Days,
    *,
    known_bought: datetime.date | None,
    school: School | None,
    ends: bool = False,
) -> None:
    """`school` where a placement begins: the device was not there before it was bought, nor while it was closed."""
    _check_named_days(outcome, said, days, known_bought=known_bought)
    if (school is None and not ends) or outcome.faults:
        return
    if days.last and outcome.day < days.last:
        outcome.fault(
            "since",
            _("Something changed on %(day)s already. Please enter that day or a later one."),
            day=formats.day(days.last),
        )
    bought = said.values.get("bought_on") or known_bought
    if school is not None and bought and outcome.day < bought:
        outcome.fault(
            "since",
            _("The device was bought on %(day)s. Please enter that day or a later one."),
            day=formats.day(bought),
        )
    if school is not None and not _is_open(school, outcome.day):
        outcome.fault("school", _("%(school)s is not open on this day."), school=str(school))


def _check_named_days(outcome: Outcome, said: Said, days: Days, *, known_bought: datetime.date | None) -> None:
    """Days in the row itself: neither in the future nor long gone, and bought before it stood anywhere."""
    for column in ("bought_on", "since", "disposed_on"):
        day = said.values.get(column)
        if day and day > clock.today():
            outcome.fault(column, _("This day lies in the future. Please enter today or an earlier day."))
        elif day and day < EARLIEST_DAY:
            message = _("This day is too early. Please enter %(day)s or a later day.")
            outcome.fault(column, message, day=formats.day(EARLIEST_DAY))
    bought = said.values.get("bought_on")
    if bought and bought != known_bought and days.first and days.first < bought:
        outcome.fault(
            "bought_on",
            _("The device stands at a school since %(day)s. Please enter that day or an earlier one."),
            day=formats.day(days.first),
        )


def _is_open(school: School, day: datetime.date) -> bool:
    is_begun = school.opened_on is None or day >= school.opened_on
    return is_begun and (school.closed_on is None or day < school.closed_on)


def _is_said(values: dict[str, Any], name: str) -> bool:
    return values.get(name) not in (None, "")


def _on_file(device: Device, name: str) -> Any:
    value = getattr(device, name)
    return tidy_lines(value) if name == "note" else value
