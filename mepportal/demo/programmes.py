"""Programmes as the city's own reference data, from the published guidelines.

What no source says stays empty, and `source` says what was assumed. Days are those of the guidelines.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.core.history import save_by
from apps.funding.models import FundingProgramme

CHECKED = datetime.date(2026, 11, 30)
"""When these statements were taken over from sources that had been read; the city checks them anew."""
NINETY = Decimal("0.9")
PER_DEVICE = Decimal("500.00")

PROGRAMMES: Mapping[str, Mapping[str, Any]] = {
    "DP1": {
        "name": "DigitalPakt Schule NRW",
        "legal_basis": "BASS 11-02 Nr. 34 (11.09.2019)",
        "rate": NINETY,
        "eligible": "IT-Grundstruktur, digitale Arbeitsgeräte, schulgebundene mobile Endgeräte, regionale Maßnahmen.",
        "not_eligible": "Laufender Betrieb und Wartung. Mobile Endgeräte nur bis zu einem Fünftel der Mittel.",
        "begins_on": datetime.date(2019, 5, 17),
        "implementation_until": datetime.date(2024, 10, 31),
        "earmarking_years": 5,
        "requires_media_concept": True,
        "source": "Richtlinie DigitalPakt NRW; Zweckbindung nach Auskunft des Schulministeriums",
        "checked_on": CHECKED,
    },
    "DP1-SOFORT": {
        "name": "Sofortausstattungsprogramm",
        "legal_basis": "BASS 11-02 Nr. 35 (21.07.2020)",
        "rate": NINETY,
        "eligible": "Geräte für Schülerinnen und Schüler ohne eigenes Gerät, Einrichtung, Hülle, Tastatur und Stift.",
        "not_eligible": "Verlängerte Garantie, Apps, Tabletkoffer und Smartphones.",
        "begins_on": datetime.date(2020, 3, 16),
        "implementation_until": datetime.date(2021, 7, 31),
        "source": "Richtlinie Sofortausstattung; Zweckbindung nicht geprüft",
        "checked_on": CHECKED,
    },
    "DP1-LK": {
        "name": "Dienstliche Endgeräte für Lehrkräfte",
        "legal_basis": "BASS 11-02 Nr. 36",
        "limit_per_device": PER_DEVICE,
        "eligible": "Dienstgeräte der Lehrkräfte; sie bleiben Eigentum des Schulträgers.",
        "not_eligible": "Betreuung und Wartung.",
        "source": "Richtlinie Lehrerendgeräte; Zweckbindung nicht geprüft",
        "checked_on": CHECKED,
    },
    "DP1-ADMIN": {
        "name": "IT-Administration",
        "legal_basis": "BASS 11-02 Nr. 40 (05.02.2021)",
        "eligible": "Personal und Dienstleister für die Administration, Fortbildung.",
        "not_eligible": "Geräte.",
        "begins_on": datetime.date(2020, 6, 3),
        "implementation_until": datetime.date(2025, 1, 31),
        "source": "Richtlinie IT-Administration; Fördersatz nicht geprüft, in der Demonstration angenommen",
        "checked_on": CHECKED,
    },
    "AO2": {
        "name": "Digitale Ausstattungsoffensive NRW",
        "legal_basis": "Richtlinie 2022",
        "limit_per_device": PER_DEVICE,
        "eligible": "Geräte für Schülerinnen und Schüler, vor allem an Schulen mit besonderem Bedarf.",
        "begins_on": datetime.date(2021, 3, 18),
        "source": "Zweites Ausstattungsprogramm; Zweckbindung nicht geprüft",
        "checked_on": CHECKED,
    },
    "GS2020": {
        "name": "NRW.BANK.Gute Schule 2020",
        "legal_basis": "Gesetz Gute Schule 2020",
        "eligible": "Sanierung, Modernisierung und digitale Ausstattung der Schulen.",
        "begins_on": datetime.date(2017, 1, 1),
        "implementation_until": datetime.date(2020, 12, 31),
        "source": "Gesetz Gute Schule 2020; Das Land zahlt den Kredit zurück (Bedingungen nicht geprüft)",
    },
    "DP2": {
        "name": "DigitalPakt 2.0",
        "legal_basis": "Vereinbarung vom 18.12.2025, Landesrichtlinie offen",
        "eligible": "Netze, Geräte und Betreuung; Einzelheiten regelt die Landesrichtlinie.",
        "source": "Fördersatz und Eigenanteil in NRW offen; Zeitraum 2026 bis 2030 nach Pressemitteilung",
        "checked_on": CHECKED,
    },
    "SCP": {
        "name": "Startchancen-Programm",
        "legal_basis": "Vereinbarung von Bund und Ländern",
        "source": "Bedingungen nicht geprüft",
    },
}


def load_programme(code: str, *, by: User) -> FundingProgramme:
    return save_by(FundingProgramme(code=code, **PROGRAMMES[code]), by=by)
