"""How schools are called in the portal of one city."""


def official_name(*parts: str | None) -> str:
    """The official designation out of the up to three cells that it is spread over; they break it anywhere."""
    return " ".join(filter(None, parts))


def short_name(official: str, town: str) -> str:
    """The register's Kurzbezeichnung ("Hamm, GG Stephanus") without its town, which is noise on every page here.

    A name that does not begin with exactly "<town>, ", or that is nothing else, stays as it is.
    """
    prefix = f"{town}, "
    rest = official.removeprefix(prefix).strip() if town else official
    return rest or official
