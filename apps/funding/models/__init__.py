"""Applications for equipment, and the money they are decided against, ordered with, paid and accounted for."""

from apps.funding.models.applications import (
    ApplicationLine,
    ApplicationMessage,
    ApplicationStatusChange,
    EquipmentApplication,
    ReasonTemplate,
    ReplacedDevice,
)
from apps.funding.models.budgets import Budget, BudgetChange
from apps.funding.models.deliveries import DeliveredItem, Delivery, PurchasedDevice, ScannedLine, ScannedReceipt
from apps.funding.models.grants import FundingProgramme, Grant, GrantChange
from apps.funding.models.ledger import ApprovalProposal, LedgerEntry, LineAllocation, Reservation
from apps.funding.models.papers import (
    Drawdown,
    DrawdownItem,
    FreedItem,
    Invoice,
    InvoiceLine,
    ProofHandingIn,
    ProofOfUse,
)
from apps.funding.models.purchasing import (
    FrameworkContract,
    Order,
    OrderLine,
    OrderNumber,
    OrderStatusChange,
    Supplier,
)
from apps.funding.models.rounds import ApplicationRound, MediaConcept
from apps.funding.models.rules import AwardThreshold, DatedRule

__all__ = [
    "ApplicationLine",
    "ApplicationMessage",
    "ApplicationRound",
    "ApplicationStatusChange",
    "ApprovalProposal",
    "AwardThreshold",
    "Budget",
    "BudgetChange",
    "DatedRule",
    "DeliveredItem",
    "Delivery",
    "Drawdown",
    "DrawdownItem",
    "EquipmentApplication",
    "FrameworkContract",
    "FreedItem",
    "FundingProgramme",
    "Grant",
    "GrantChange",
    "Invoice",
    "InvoiceLine",
    "LedgerEntry",
    "LineAllocation",
    "MediaConcept",
    "Order",
    "OrderLine",
    "OrderNumber",
    "OrderStatusChange",
    "ProofHandingIn",
    "ProofOfUse",
    "PurchasedDevice",
    "ReasonTemplate",
    "ReplacedDevice",
    "Reservation",
    "ScannedLine",
    "ScannedReceipt",
    "Supplier",
]
