"""Which lists of devices are known, how each is told by its header, and which of its columns are taken.

Headers are facts about other programs. Those of Snipe-IT, Intune and Jamf School are documented or seen; those of
GLPI, of IServ and of Apple School Manager's download are assumed (for the last, the names of its interface are used).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.imports.columns import Column, folded
from apps.inventory.imports import cells

PERSONAL = ("activationlock", "bypass", "passcode", "owner", "user", "upn", "mail", "phone", "telefon", "firstname",
            "lastname", "vorname", "nachname", "fullname", "personname", "ipaddress", "ipadresse", "ipv4", "ipv6",
            "subnet", "mac", "imei", "meid", "iccid", "udid", "checkedout", "herausgegebenan", "employee",
            "mitarbeiter", "schuler", "lehrkraft", "lehrer", "ausgeliehenan", "geburt", "memberof", "fullgroup",
            "managementname", "devicename", "assetname", "itunes")  # fmt: skip
"""Parts of folded header names that tell of secrets, of people, or of their devices' addresses."""
PERSONAL_NAMES = frozenset({"ip", "eid", "name", "group", "notes", "notizen"})
"""Whole folded names that tell of people where no column of the format takes them ("iPad of Mia")."""


@dataclass(frozen=True)
class Format:
    """`marks`: each group has one name at least that stands in the header of such a list.

    An `own` list is the word on a device; any other names products in its own way, so that they count for new devices
    only, and what its tags and kinds do not fit is a hint. `maker` is the maker of all its devices.
    """

    name: str
    label: str | Promise
    columns: tuple[Column, ...]
    marks: tuple[tuple[str, ...], ...] = ()
    own: bool = False
    maker: str = ""

    def fits(self, header: Sequence[str]) -> bool:
        names = {folded(name) for name in header}
        return all(not names.isdisjoint(map(folded, group)) for group in self.marks)


def _column(name: str, parse: Callable[[str], Any], *aliases: str, required: bool = False,
            lenient: bool = False) -> Column:  # fmt: skip
    return Column(name, aliases, parse, required=required, lenient=lenient)


_text80, _text120, _text200 = cells.text(80), cells.text(120), cells.text(200)
_html = cells.from_html(cells.one_line(longest=120))

PLAIN = Format(
    "plain",
    _("plain table"),
    (
        _column("tag", cells.tag, "Inventarnummer", "Inventory number", "Inventar-Nr.", "Inv.-Nr.", "Inventarnr",
                "Asset Tag", "Tag"),
        _column("serial", cells.serial, "Seriennummer", "Serial number", "Serien-Nr.", "Seriennr", "Serial", "S/N"),
        _column("manufacturer", _text80, "Hersteller", "Manufacturer", "Maker", "Marke", "Brand"),
        _column("model", _text120, "Modell", "Model"),
        _column("product", _text200, "Produkt", "Product"),
        _column("kind", _text80, "Geräteart", "Device kind", "Art", "Kind", "Gerätetyp", "Typ", "Type", "Kategorie",
                "Category"),
        _column("kind_code", cells.text(32), "Kürzel der Geräteart", "Code of the kind", "kind_code"),
        _column("school_number", cells.text(20), "Schulnummer", "School number"),
        _column("school", _text200, "Schule", "School"),
        _column("site", _text80, "Schulstandort", "Site", "Standort", "Gebäude"),
        _column("room", cells.text(60), "Raum", "Room"),
        _column("last_school_number", cells.text(20), "Nummer der letzten Schule", "Number of the last school"),
        _column("last_school", _text200, "Letzte Schule", "Last school", "Zuletzt an Schule"),
        _column("ownership", cells.ownership, "Eigentum", "Ownership", "Besitzart", "Finanzierung"),
        _column("price", cells.amount, "Anschaffungskosten", "Acquisition cost", "Preis", "Price", "Kaufpreis",
                "Bruttopreis", "Purchase Cost"),
        _column("bought_on", cells.day, "Gekauft am", "Bought on", "Kaufdatum", "Anschaffungsdatum", "Purchase Date"),
        _column("status", cells.status, "Status"),
        _column("since", cells.day, "Steht dort seit", "Stands there since", "Seit", "Since"),
        _column("condition", cells.condition, "Zustand", "Condition", "Gerätezustand"),
        _column("use_until", cells.day, "Geplantes Nutzungsende", "Planned end of use", "Nutzungsende", "Nutzung bis",
                "Use until"),
        _column("bound_until", cells.day, "Zweckgebunden bis", "Bound until", "Zweckbindung bis",
                "Ende der Zweckbindung"),
        _column("bound_by", _text120, "Aktenzeichen der Zuwendung", "File reference of the grant", "Aktenzeichen",
                "File reference", "Bound by"),
        _column("disposal", cells.disposal, "Verbleib nach der Aussonderung", "Whereabouts after retirement",
                "Verbleib", "Whereabouts"),
        _column("disposed_on", cells.day, "Abgegangen am", "Left on", "Abgangsdatum"),
        _column("proceeds", cells.amount, "Erlös", "Proceeds", "Verkaufserlös"),
        _column("note", cells.note, "Notiz", "Note", "Notizen", "Notes", "Bemerkung", "Bemerkungen"),
    ),
    own=True,
)  # fmt: skip

SNIPE_IT = Format(
    "snipe-it",
    "Snipe-IT",
    (
        _column("tag", cells.tag, "Asset Tag", lenient=True),
        _column("serial", cells.serial, "Serial", "Seriennummer", "Serial Number", "Serial No.", lenient=True),
        _column("manufacturer", cells.from_html(cells.one_line(longest=80)), "Manufacturer", "Hersteller"),
        _column("model", _html, "Model", "Modell", "Model name"),
        _column("kind", cells.from_html(cells.one_line(longest=80)), "Category", "Kategorie"),
        _column("school", _html, "Location", "Standort"),
        _column("price", cells.amount, "Purchase Cost", "Einkaufspreis"),
        _column("bought_on", cells.day, "Purchase Date", "Kaufdatum"),
        _column("status", cells.snipe_status, "Status"),
        _column("note", cells.from_html(cells.note), "Asset Notes", "Notes", "Notizen"),
    ),
    marks=(
        ("Asset Tag",),
        ("Checked Out To", "Herausgegeben an", "Checkout Type", "Checked Out To: Username", "Model No.",
         "Model Number", "Modellnummer", "EOL Rate", "EOL Date", "Ende der Nutzungsdauer", "Asset EOL Date",
         "Requestable", "Anforderbar", "Checkouts", "Herausgaben"),
    ),
)  # fmt: skip

INTUNE = Format(
    "intune",
    "Microsoft Intune",
    (
        _column("serial", cells.serial, "Serial number", required=True, lenient=True),
        _column("manufacturer", _text80, "Manufacturer"),
        _column("model", _text120, "Model", required=True),
        _column("private", cells.text(40), "Ownership"),
    ),
    marks=(
        ("Serial number",),
        ("Microsoft Entra Device ID", "Azure AD Device ID", "Microsoft Entra registered", "Azure AD registered"),
    ),
)

JAMF_SCHOOL = Format(
    "jamf-school",
    "Jamf School",
    (
        _column("tag", cells.tag, "AssetTag", lenient=True),
        _column("serial", cells.serial, "SerialNumber", required=True),
        _column("model", _text120, "Model"),
        _column("school_number", cells.text(20), "SchoolNumber"),
        _column("school", _text200, "LocationName"),
        _column("trashed", cells.text(10), "IsTrashed"),
    ),
    marks=(("SerialNumber",), ("SchoolNumber", "DeviceUDID"), ("LocationName", "ActivationLockBypassCode")),
    maker="Apple",
)

GLPI = Format(
    "glpi",
    "GLPI",
    (
        _column("serial", cells.serial, "Serial number", "Seriennummer", required=True, lenient=True),
        _column("tag", cells.tag, "Inventory number", "Inventarnummer", lenient=True),
        _column("manufacturer", _text80, "Manufacturers", "Manufacturer", "Hersteller"),
        _column("model", _text120, "Model", "Modell"),
        _column("kind", _text80, "Type", "Typ"),
        _column("school", _text200, "Locations", "Location", "Standorte", "Standort", "Orte", "Ort"),
    ),
    marks=(
        ("Entity", "Entität", "Operating System - Name", "Betriebssystem - Name", "Components - Processor",
         "Komponenten - Prozessor"),
        ("Serial number", "Seriennummer"),
        ("Manufacturers", "Hersteller", "Locations", "Standorte", "Orte"),
    ),
)  # fmt: skip

ISERV = Format(
    "iserv",
    "IServ",
    (_column("tag", cells.tag, "Name", required=True, lenient=True), _column("room", cells.text(60), "Raum", "Room")),
    marks=(("Name",), ("Raum", "Room"), ("MAC", "MAC-Adresse"), ("IP", "IP-Adresse")),
)

APPLE = Format(
    "apple-school-manager",
    "Apple School Manager",
    (
        _column("serial", cells.serial, "serialNumber", required=True),
        _column("model", _text120, "deviceModel"),
        _column("kind", _text80, "productFamily"),
        _column("bought_on", cells.day, "orderDateTime"),
    ),
    marks=(("serialNumber",), ("deviceModel", "productFamily"), ("partNumber", "addedToOrgDateTime", "orderNumber")),
    maker="Apple",
)

FORMATS = {row.name: row for row in (JAMF_SCHOOL, INTUNE, APPLE, SNIPE_IT, GLPI, ISERV, PLAIN)}
"""By name, in the order in which they are tried: the plain table fits any header."""

ALL_COLUMNS = tuple(column for row in FORMATS.values() for column in row.columns)


def recognised(header: Sequence[str]) -> Format:
    return next(row for row in FORMATS.values() if row.fits(header))


def is_personal(name: str) -> bool:
    """Whether a column that no format takes tells of secrets or people, by its name."""
    word = folded(name)
    return word in PERSONAL_NAMES or any(part in word for part in PERSONAL)
