"""How long a grant binds what it paid for. A leaf, so that the models' properties may call it, too."""

from __future__ import annotations

import datetime


def earmarked_until(implementation_until: datetime.date | None, years: int | None) -> datetime.date | None:
    """The last bound day: the end of the `years`-th calendar year after the one in which the implementation ends.

    None where the notice binds nothing or an end is not known. Source: "Zweckbindung und Widerruf" of the ministry for
    DigitalPakt NRW (five years); its devices of measures that ended in 2024 are bound until 31.12.2029.
    """
    if implementation_until is None or not years:
        return None
    return datetime.date(implementation_until.year + years, 12, 31)
