"""What both kinds of charts measure and write with."""

import zlib
from decimal import Decimal

from django.utils.functional import Promise

from apps.core import formats

Text = str | Promise
HUNDRED = Decimal(100)


def nice_ceiling(value: Decimal) -> Decimal:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten; 1 for nothing above zero."""
    if value <= 0:
        return Decimal(1)
    magnitude = Decimal(1).scaleb(value.adjusted())
    return next(
        step * magnitude
        for step in (
            Decimal(1),
            Decimal("1.5"),
            Decimal(2),
            Decimal("2.5"),
            Decimal(3),
            Decimal(4),
            Decimal(5),
            Decimal(6),
            Decimal(8),
            Decimal(10),
        )
        if step * magnitude >= value
    )


def share(value: Decimal, whole: Decimal) -> Decimal:
    """In percent of the whole, two places; nothing below zero."""
    return (max(value, Decimal(0)) * HUNDRED / whole).quantize(Decimal("0.01"))


def shown(value: Decimal, unit: str, places: int) -> str:
    """A value as people read it, with its unit if it has one."""
    return formats.with_unit(value, unit, places) if unit else formats.number(value, places)


def uid(kind: str, title: Text) -> str:
    """An id for the page, the same at each call."""
    return f"{kind}-{zlib.crc32(str(title).encode()):08x}"
