"""Small files in the shape of the official ones, for several school authorities."""

from collections.abc import Iterable
from typing import Any

COLUMNS = ["Schulnummer", "Schulform", "Schulbezeichnung_1", "Schulbezeichnung_2", "Schulbezeichnung_3",
           "Kurzbezeichnung", "PLZ", "Ort", "Strasse", "Telefonvorwahl", "Telefon", "Faxvorwahl", "Fax", "E-Mail",
           "Homepage", "Rechtsform", "Traegernummer", "Gemeindeschluessel", "Schulbetriebsschluessel",
           "Schulbetriebsdatum", "EPSG", "UTMRechtswert", "UTMHochwert"]  # fmt: skip
NEWER_COLUMNS = [*COLUMNS[:6], "Bezirksregierung", *COLUMNS[6:]]

SCHOOL = {
    "Schulnummer": "100001",
    "Schulform": "02",
    "Schulbezeichnung_1": "Birkenschule",
    "Schulbezeichnung_2": "Städt. Gem. Grundschule",
    "Schulbezeichnung_3": "",
    "Kurzbezeichnung": "Musterstadt, GG Birken",
    "Bezirksregierung": "9",
    "PLZ": "01234",
    "Ort": "Musterstadt",
    "Strasse": "Birkenweg 1",
    "Telefonvorwahl": "02381",
    "Telefon": "123",
    "Faxvorwahl": "",
    "Fax": "",
    "E-Mail": "100001@schule.example",
    "Homepage": "http://www.birken.example",
    "Rechtsform": "1",
    "Traegernummer": "10315",
    "Gemeindeschluessel": "05915000",
    "Schulbetriebsschluessel": "1",
    "Schulbetriebsdatum": "01.08.1973",
    "EPSG": "EPSG:25832",
    "UTMRechtswert": "413185",
    "UTMHochwert": "5723914",
}


def school(number: str = "100001", **cells: str) -> dict[str, str]:
    """One row; keys of `cells` with "_" for "-" ("E_Mail")."""
    changed = {name.replace("E_Mail", "E-Mail"): value for name, value in cells.items()}
    assert changed.keys() <= SCHOOL.keys()
    return SCHOOL | {"Schulnummer": number} | changed


def schuldaten(rows: Iterable[dict[str, Any]], *, newer: bool = False, encoding: str = "utf-8") -> bytes:
    """The file as the ministry writes it: `sep=;`, bare header with a trailing semicolon, all cells quoted."""
    columns = NEWER_COLUMNS if newer else COLUMNS
    lines = ["sep=;", ";".join(columns) + ";"]
    lines += [";".join('"' + row[name].replace('"', '""') + '"' for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode(encoding)


REGION = [
    school("100001"),
    school("100002", Kurzbezeichnung="Musterstadt, GY Eiche", Schulform="20", Schulbezeichnung_1='Gymnasium "Eiche"'),
    school("100003", Kurzbezeichnung="Musterstadt, BK Land", Schulform="30", Traegernummer="72000"),
    school("100004", Kurzbezeichnung="Nachbarort, RS", Schulform="10", Traegernummer="20777",
           Gemeindeschluessel="05978000"),
    school("600001", Kurzbezeichnung="Musterstadt, Schulamt", Schulform="0A", Traegernummer="99"),
    school("600002", Kurzbezeichnung="Seminar", Schulform="56", Traegernummer="99"),
    school("100005", Kurzbezeichnung="Musterstadt, gelöscht", Schulbetriebsschluessel="5"),
    school("100006", Kurzbezeichnung="Musterstadt, gelöscht", Schulbetriebsschluessel="9"),
]  # fmt: skip
"""Two schools of the own authority, two of others, two that are no schools, two deleted ones."""

DIRECTORY_COLUMNS = ["Schuljahr", "Schulform", "Amtlicher Gemeindeschlüssel", "Verwaltungsbezirk", "Schulnummer",
                     "Amtliche Bezeichnung 1", "Amtliche Bezeichnung 2", "Amtliche Bezeichnung 3",
                     "Straße und Hausnummer", "Postleitzahl", "Ort", "Rechtsstatus", "Telefonnummer Vorwahl",
                     "Telefonnummer Durchwahl", "Faxnummer Vorwahl", "Faxnummer Durchwahl",
                     "Offizielle E-Mail-Adresse", "Anzahl", "Sozialindex"]  # fmt: skip
LISTED = ["2024/25", "Grundschule", "05915000", "Krfr. Stadt Musterstadt", "100001", "Birkenschule",
          "Städt. Gem. Grundschule", "", "Birkenweg 1", "01234", "Musterstadt", "Öffentlich", "02381", "123", "", "",
          "100001@schule.example", "190", "6"]  # fmt: skip


def counts(rows: Iterable[tuple[str, str]], *, bom: bool = False) -> bytes:
    """The ministry's pupil counts: `sep=;`, header, quoted rows."""
    lines = ["sep=;", "Schulnummer;Anzahl", *(f'"{number}";"{pupils}"' for number, pupils in rows)]
    return ("\n".join(lines) + "\n").encode("utf-8-sig" if bom else "utf-8")


def social_index(rows: Iterable[tuple[str, str]], *, encoding: str = "cp850") -> bytes:
    """The list of social indices, in the encoding that it comes in."""
    lines = ["Schulnummer;Kurzbezeichnung;Bezirksregierung;Kreis;Gemeinde;Sozialindexstufe"]
    lines += [f"{number};Düsseldorf, GG Öl;BR Düsseldorf;Stadt Düsseldorf;Düsseldorf;{level}" for number, level in rows]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def directory(rows: Iterable[dict[str, str]]) -> bytes:
    """IT.NRW's directory; keys of a row are its columns, what is not given is as in LISTED."""
    lines = [",".join(DIRECTORY_COLUMNS)]
    for row in rows:
        assert row.keys() <= set(DIRECTORY_COLUMNS)
        cells = dict(zip(DIRECTORY_COLUMNS, LISTED, strict=True)) | row
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells.values()))
    return ("\n".join(lines) + "\n").encode()
