"""The half-yearly mail to the office about what falls due and which warranties end."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import formats
from apps.core.clock import today
from apps.core.mail import queue_mail
from apps.inventory.ageing_selectors import due_within, warranties_ending
from apps.inventory.calculations import months_later
from apps.inventory.models import AgeingNotice


def notice_due_on(day: datetime.date) -> datetime.date | None:
    """The last day of AGEING_NOTICE_ON up to a day, unless it lies too far back to be made up for."""
    years = (day.year - 1, day.year)
    days = [datetime.date(year, month, date) for year in years for month, date in settings.AGEING_NOTICE_ON]
    past = [due for due in days if due <= day <= due + datetime.timedelta(days=settings.AGEING_NOTICE_LATE_DAYS)]
    return max(past, default=None)


def next_notice_on(day: datetime.date) -> datetime.date:
    """The first day of AGEING_NOTICE_ON after a day."""
    years = (day.year, day.year + 1)
    return min(
        due
        for year in years
        for month, date in settings.AGEING_NOTICE_ON
        if (due := datetime.date(year, month, date)) > day
    )


@transaction.atomic
def remind_of_ageing() -> dict[str, Any]:
    """Mails the office what falls due, once for each day of AGEING_NOTICE_ON; nobody is mailed where nothing is due.

    Returns what it did: `due_on`, `mails`, `overdue`, `soon`, `cost` (euros as text), `warranties`; or why it did
    nothing: `done` with the day whose mails are out already, or `next_on`.
    """
    day = today()
    due_on = notice_due_on(day)
    if due_on is None:
        return {"next_on": next_notice_on(day).isoformat()}
    try:
        with transaction.atomic():
            notice = AgeingNotice.objects.create(due_on=due_on)
    except IntegrityError:
        return {"done": due_on.isoformat(), "next_on": next_notice_on(day).isoformat()}
    notice.result = _mailed(day) | {"due_on": due_on.isoformat()}
    notice.save(update_fields=["result"])
    result: dict[str, Any] = notice.result
    return result


def _mailed(day: datetime.date) -> dict[str, Any]:
    until = months_later(day, settings.AGEING_NOTICE_MONTHS)
    warranty_until = day + datetime.timedelta(days=settings.WARRANTY_NOTICE_DAYS)
    overdue, soon = due_within(day, until)
    warranties = warranties_ending(day, warranty_until)
    recipients = list(
        User.objects.with_permission("inventory.plan_replacement").order_by("pk").values_list("email", flat=True)
    )
    if not (overdue or soon.number or warranties):
        recipients = []
    queue_mail(
        to=recipients,
        subject=_("Age of the devices: %(number)s fall due by %(day)s")
        % {"number": formats.number(soon.number), "day": formats.day(until)},
        template="ageing_notice",
        context={
            "overdue": overdue,
            "soon": soon,
            "until": until,
            "warranties": warranties,
            "warranty_until": warranty_until,
            "address": f"{settings.PORTAL_URL}{reverse('inventory:ageing')}",
        },
    )
    return {
        "mails": len(recipients),
        "overdue": overdue,
        "soon": soon.number,
        "cost": str(soon.cost),
        "warranties": warranties,
    }
