"""The catalogue, the devices with the places where they stood, their loans, and the stocktakes that look for them."""

from apps.inventory.models.adding import AddRequest, TagSequence
from apps.inventory.models.ageing import AgeingNotice
from apps.inventory.models.attachments import Attachment
from apps.inventory.models.bulk import BulkChange, BulkItem
from apps.inventory.models.catalogue import DeviceKind, Kit, KitPart, KitSet, Product, ProductPrice
from apps.inventory.models.devices import Device, Placement, tag_validator
from apps.inventory.models.loans import Loan, LoanChange, LoanReminder, LoanRules
from apps.inventory.models.scanning import Scan, ScanSession, SerialPattern
from apps.inventory.models.stocktakes import Stocktake, StocktakeItem, StocktakeScan

__all__ = [
    "AddRequest",
    "AgeingNotice",
    "Attachment",
    "BulkChange",
    "BulkItem",
    "Device",
    "DeviceKind",
    "Kit",
    "KitPart",
    "KitSet",
    "Loan",
    "LoanChange",
    "LoanReminder",
    "LoanRules",
    "Placement",
    "Product",
    "ProductPrice",
    "Scan",
    "ScanSession",
    "SerialPattern",
    "Stocktake",
    "StocktakeItem",
    "StocktakeScan",
    "TagSequence",
    "tag_validator",
]
