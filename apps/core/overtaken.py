"""What to say where somebody else (or another window) was faster: who did what, and when."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.form_layout import FieldError

MOST = 50
"""So many changes back the last change of a state is looked for."""


def what_happened(row: Any, user: Any, errors: Iterable[FieldError]) -> str:
    """The last thing that happened to a row with a history, as a sentence; "" where nobody was faster.

    `errors`: those of the page. The row is read anew, so that the page shows it as it is now.
    """
    codes = {error.code for error in errors if error.is_overtaken}
    if row is None or not codes:
        return ""
    row.refresh_from_db()
    records = list(row.history.select_related("history_user").order_by("-history_date", "-history_id")[:MOST])
    steps = [newer for newer, older in pairwise(records) if getattr(newer, "state", "") != getattr(older, "state", "")]
    is_step = bool(steps) and ("stale" not in codes or steps[0] == records[0])
    last = steps[0] if is_step else next(iter(records), None)
    if last is None:
        return ""
    return _sentence(is_step=is_step, by_oneself=last.history_user_id == user.pk) % {
        "person": last.history_user or _("The portal"),
        "moment": formats.moment(last.history_date),
        "state": last.get_state_display() if is_step else "",
    }


def _sentence(*, is_step: bool, by_oneself: bool) -> str:
    if is_step and by_oneself:
        return _("You set it to “%(state)s” yourself on %(moment)s, perhaps in another window.")
    if is_step:
        return _("%(person)s set it to “%(state)s” on %(moment)s.")
    if by_oneself:
        return _("You saved it yourself on %(moment)s, perhaps in another window.")
    return _("%(person)s saved it on %(moment)s.")
