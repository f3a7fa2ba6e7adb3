"""The catalogue, and the devices with the places where they stood."""

from apps.inventory.models.adding import AddRequest, TagSequence
from apps.inventory.models.attachments import Attachment
from apps.inventory.models.catalogue import DeviceKind, Product
from apps.inventory.models.devices import Device, Placement, tag_validator
from apps.inventory.models.scanning import Scan, ScanSession, SerialPattern

__all__ = [
    "AddRequest",
    "Attachment",
    "Device",
    "DeviceKind",
    "Placement",
    "Product",
    "Scan",
    "ScanSession",
    "SerialPattern",
    "TagSequence",
    "tag_validator",
]
