"""Applications for equipment, and the money they are decided against."""

from apps.funding.models.applications import (
    ApplicationLine,
    ApplicationMessage,
    ApplicationStatusChange,
    EquipmentApplication,
    ReasonTemplate,
    ReplacedDevice,
)
from apps.funding.models.budgets import (
    Budget,
    FundingProgramme,
    Grant,
)
from apps.funding.models.ledger import (
    LedgerEntry,
    LineAllocation,
    Reservation,
)

__all__ = [
    "ApplicationLine",
    "ApplicationMessage",
    "ApplicationStatusChange",
    "Budget",
    "EquipmentApplication",
    "FundingProgramme",
    "Grant",
    "LedgerEntry",
    "LineAllocation",
    "ReasonTemplate",
    "ReplacedDevice",
    "Reservation",
]
