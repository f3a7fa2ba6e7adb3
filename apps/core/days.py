"""The day that a page shows: `?day=` of the address, as people type it; today by default."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.form_fields import GermanDateField

NO_DAY = _("This is no day. Please enter one such as 31.12.2024.")
TO_COME = _("There are no figures for days to come. Please choose today or an earlier day.")


@dataclass(frozen=True)
class AskedDay:
    """`problem` says what is wrong with the day that was asked for; then `day` is today."""

    day: datetime.date
    problem: str | Promise = ""

    @property
    def is_today(self) -> bool:
        return self.day == clock.today()

    @property
    def query(self) -> dict[str, str]:
        """What links to pages of the same day carry; nothing for today, which moves on."""
        return {} if self.is_today else {"day": self.day.isoformat()}


def asked_day(request: HttpRequest) -> AskedDay:
    """Reads `day` from the address."""
    today = clock.today()
    try:
        day = GermanDateField(required=False).clean(request.GET.get("day", "")) or today
    except ValidationError:
        return AskedDay(today, NO_DAY)
    return AskedDay(day) if day <= today else AskedDay(today, TO_COME)
