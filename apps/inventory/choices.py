"""States and ownership of devices."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.choices import StateChoices, Tone


class DeviceStatus(StateChoices):
    ORDERED = "ordered", _("ordered")
    IN_STOCK = "in_stock", _("in stock")
    IN_USE = "in_use", _("in use")
    ON_LOAN = "on_loan", _("on loan")
    IN_REPAIR = "in_repair", _("in repair")
    LOST = "lost", _("lost")
    STOLEN = "stolen", _("stolen")
    RETIRED = "retired", _("retired")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "ordered": Tone.INFO,
            "in_use": Tone.SUCCESS,
            "on_loan": Tone.SUCCESS,
            "in_repair": Tone.WARNING,
            "lost": Tone.DANGER,
            "stolen": Tone.DANGER,
        }


PLACED_STATUSES = frozenset({DeviceStatus.IN_USE, DeviceStatus.ON_LOAN, DeviceStatus.IN_REPAIR})
"""Statuses of a device that stands at a school and counts there; all others have no placement."""

ENDED_STATUSES = frozenset({DeviceStatus.LOST, DeviceStatus.STOLEN, DeviceStatus.RETIRED})
"""Statuses that ended a placement; the school where the device stood last keeps seeing it."""

PRESENT_STATUSES = (
    DeviceStatus.ORDERED,
    DeviceStatus.IN_STOCK,
    DeviceStatus.IN_USE,
    DeviceStatus.ON_LOAN,
    DeviceStatus.IN_REPAIR,
)
"""Statuses of devices that there are: all but ENDED_STATUSES."""


class Ownership(models.TextChoices):
    BOUGHT = "bought", _("bought")
    LEASED = "leased", _("leased")
    RENTED = "rented", _("rented")
    DONATED = "donated", _("donated")
    PARENT_FINANCED = "parent_financed", _("parent-financed")


class Condition(StateChoices):
    """How a device looks and works; empty where nobody has said."""

    NEW = "new", _("new")
    GOOD = "good", _("good")
    WORN = "worn", _("worn")
    DAMAGED = "damaged", _("damaged")
    DEFECTIVE = "defective", _("defective")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"new": Tone.SUCCESS, "good": Tone.SUCCESS, "damaged": Tone.WARNING, "defective": Tone.DANGER}


class Disposal(models.TextChoices):
    """Where a retired device went; empty while that is open."""

    SCRAPPED = "scrapped", _("scrapped")
    SOLD = "sold", _("sold")
    GIVEN_AWAY = "given_away", _("given away")
    RETURNED = "returned", _("returned to its owner")
    SUPPLIER = "supplier", _("returned to the supplier")


LENT_OWNERSHIPS = frozenset({Ownership.LEASED, Ownership.RENTED, Ownership.PARENT_FINANCED})
"""Devices that belong to others: they go back to their owner, and nobody else disposes of them."""


class CountedAs(models.TextChoices):
    """The lines of a quota figure that are made of devices."""

    PUPILS = "pupils", _("pupils' devices")
    PARENT_FINANCED = "parent_financed", _("parent-financed devices")
    PRESENTATION = "presentation", _("presentation devices")


class ScanState(StateChoices):
    """A delivery that is being scanned; what is open may go on, the others only be looked at."""

    OPEN = "open", pgettext_lazy("of a delivery", "open")
    TAKEN_IN = "taken_in", _("taken in")
    CANCELLED = "cancelled", _("cancelled")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"open": Tone.INFO, "taken_in": Tone.SUCCESS}


class BulkAction(models.TextChoices):
    """What can be done with many devices at once, in the order of the form."""

    MOVE = "move", _("Move to a school")
    ROOM = "room", _("Change room")
    STOCK = "stock", _("Take into the depot")
    REPAIR = "repair", _("Send to repair")
    REPAIRED = "repaired", _("Take back from repair")
    RETIRE = "retire", _("Retire")
    LOST = "lost", _("Report as lost")
    STOLEN = "stolen", _("Report as stolen")
    NOTE = "note", _("Add to the note")
    OWNERSHIP = "ownership", _("Change ownership")
    KIND = "kind", _("Change kind")


class BulkState(models.TextChoices):
    CHOSEN = "chosen", _("chosen")
    SHOWN = "shown", _("shown")
    WAITING = "waiting", _("waiting for the worker")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
