"""The list of applications."""

from __future__ import annotations

import datetime

from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_tables2 import A

from apps.core import clock
from apps.core.tables import DateColumn, LinkColumn, MoneyColumn, PortalColumn, PortalTable, StateColumn
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from apps.funding.selectors import OPEN_STATES


class SubmittedColumn(DateColumn):
    """The day, or that there was none yet."""

    empty_values = ()

    def render(self, value: datetime.datetime | None) -> str:
        return gettext("not submitted yet") if value is None else super().render(value)


class AgeColumn(PortalColumn):
    """Days since it was submitted (a draft: since it was begun), while it is open."""

    numeric = True

    def render(self, record: EquipmentApplication) -> str:
        days = self.value(record)
        if days is None:
            return gettext("closed")
        return gettext("today") if days == 0 else ngettext("%(days)s day", "%(days)s days", days) % {"days": days}

    def value(self, record: EquipmentApplication) -> int | None:
        if record.state not in OPEN_STATES:
            return None
        if record.waiting_days is not None:
            return record.waiting_days
        return (clock.today() - timezone.localtime(record.created_at).date()).days


class ApplicationTable(PortalTable):
    title = LinkColumn(linkify=("funding:detail", {"pk": A("pk")}), verbose_name=_("Application"))
    school = PortalColumn(verbose_name=_("School"), order_by=("school__sort_key", "pk"))
    state = StateColumn(choices=ApplicationState, verbose_name=_("State"))
    amount = MoneyColumn(verbose_name=_("Sum"))
    submitted_at = SubmittedColumn(verbose_name=_("Submitted on"), order_by=("submitted_at", "pk"))
    age = AgeColumn(accessor="created_at", verbose_name=_("Age"))

    class Meta(PortalTable.Meta):
        model = EquipmentApplication
        fields = ("title", "school", "state", "amount", "submitted_at", "age")
        sortable = ("school", "state", "submitted_at")
        cards = ("state", "school", "amount")
