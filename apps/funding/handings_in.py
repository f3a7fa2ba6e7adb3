"""The times that a proof of use was handed in, numbered: two of one day are told apart by number and hour."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from itertools import count

from django.utils.translation import gettext as _

from apps.core import formats
from apps.funding.choices import ProofState
from apps.funding.models import ProofOfUse


@dataclass(frozen=True)
class HandingIn:
    """`replaces`: the moment of the one before, None for the first."""

    key: int
    number: int
    at: datetime.datetime
    replaces: datetime.datetime | None


def numbered(proof: ProofOfUse) -> list[HandingIn]:
    """All of a proof, the first on top."""
    rows = list(proof.handings_in.order_by("at", "pk").values_list("pk", "at"))
    earlier = [None, *(at for _key, at in rows)]
    return [
        HandingIn(key, number, at, before)
        for number, (key, at), before in zip(count(1), rows, earlier, strict=False)
    ]  # fmt: skip


def shown_of(proof: ProofOfUse) -> HandingIn | None:
    """The one that is asked for, else the last; None for a draft, and where none was kept."""
    if proof.state == ProofState.DRAFT:
        return None
    rows = numbered(proof)
    asked = proof.shown_handing_in
    found = [row for row in rows if asked in (None, row.key)]
    return found[-1] if found else None


def in_words(row: HandingIn) -> str:
    """Which it is, when it was, and which one it replaces."""
    named = {"number": row.number, "moment": formats.moment(row.at), "earlier": formats.moment(row.replaces)}
    if row.replaces is None:
        return _("Handing in no. %(number)s on %(moment)s") % named
    return _("Handing in no. %(number)s on %(moment)s, replaces that of %(earlier)s") % named
