"""Small lists of devices in the shape of other programs' exports. All rows are invented.

Those of GLPI, IServ and Apple School Manager are assumed: nobody has verified these headers.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

PLAIN = ("Inventarnummer", "Seriennummer", "Hersteller", "Modell", "Geräteart", "Schulnummer", "Raum", "Eigentum",
         "Preis", "Kaufdatum", "Status", "Notiz")  # fmt: skip
ENGLISH = ("Inventory number", "Serial number", "Manufacturer", "Model", "Device kind", "School number", "Room",
           "Ownership", "Price", "Purchase Date", "Status", "Note")  # fmt: skip
SECRET = "Geheimwort"
"""Stands in every cell of a list that must not be kept."""

SNIPE_EN = ("ID", "Company", "Asset Name", "Asset Tag", "Serial", "Model", "Model No.", "Category", "Status",
            "Checked Out To", "Employee Number", "Location", "Manufacturer", "Supplier", "Purchase Date",
            "Purchase Cost", "Order Number", "Notes")  # fmt: skip
SNIPE_DE = ("ID", "Firma", "Asset Name", "Asset Tag", "Seriennummer", "Modell", "Modellnummer", "Kategorie", "Status",
            "Herausgegeben an", "Mitarbeiternummer", "Standort", "Hersteller", "Lieferant", "Kaufdatum",
            "Einkaufspreis", "Bestellnummer", "Notizen")  # fmt: skip
INTUNE = ("Device ID", "Device name", "Enrollment date", "Last check-in", "{directory} Device ID", "OS version",
          "{directory} registered", "Serial number", "Manufacturer", "Model", "IMEI", "Wi-Fi MAC", "Phone number",
          "UserId", "Primary user UPN", "Primary user email address", "Primary user display name", "WiFiIPv4Address",
          "Ownership", "SkuFamily", "JoinType")  # fmt: skip
JAMF_SCHOOL = [
    "ActivationLockBypassCode",
    "AssetTag",
    "AvailableCapacity",
    "BackupEnabled",
    "BluetoothMAC",
    "CurrentIPAddress",
    "DateModified",
    "DeviceUDID",
    "EnrollType",
    "EnrollmentDate",
    "EthernetMAC",
    "IsLostModeEnabled",
    "IsManaged",
    "IsShared",
    "IsSupervised",
    "IsTrashed",
    "LastConnected",
    "LocationName",
    "ManagementID",
    "MemberOf",
    "Model",
    "Name",
    "Notes",
    "OsVersion",
    "OwnerEmail",
    "OwnerFirstName",
    "OwnerLastName",
    "OwnerUsername",
    "Region",
    "SchoolNumber",
    "SerialNumber",
    "SupportsProfiles",
    "WiFiMAC",
    "iTunesLoggedIn",
]
GLPI = ("Name", "Entity", "Status", "Manufacturers", "Serial number", "Type", "Model", "Operating System - Name",
        "Locations", "Last update", "Components - Processor")  # fmt: skip
ISERV = ("Name", "Tag", "Raum", "IP", "MAC", "Internet")
APPLE = ("serialNumber", "deviceModel", "productFamily", "productType", "partNumber", "orderNumber", "orderDateTime",
         "status", "wifiMacAddress", "imei")  # fmt: skip


def table(header: Sequence[str], rows: Iterable[Mapping[str, str]], *, delimiter: str = ";", rest: str = "",
          encoding: str = "utf-8-sig", first: str = "") -> bytes:  # fmt: skip
    """A list with `rows` by column; what a row does not name is `rest`."""
    out = io.StringIO(newline="")
    out.write(first)
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(header)
    for row in rows:
        assert row.keys() <= set(header), row.keys() - set(header)
        writer.writerow([row.get(name, rest) for name in header])
    return out.getvalue().encode(encoding)


def intune_header(directory: str) -> list[str]:
    return [name.format(directory=directory) for name in INTUNE]
