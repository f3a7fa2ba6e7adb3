"""The course of an application as one list: states, questions and answers in the order in which they happened."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from apps.accounts.models import User
from apps.core.choices import StateChoices
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationMessage, ApplicationStatusChange, EquipmentApplication
from apps.funding.overruns import overruns_of


@dataclass(frozen=True)
class Event:
    """A change of state (`state` and `change` set) or a message; `text` is its reason or wording."""

    at: datetime.datetime
    by: User
    text: str
    state: StateChoices | None = None
    change: ApplicationStatusChange | None = None

    @property
    def overruns(self) -> list[str]:
        return [] if self.change is None else overruns_of(self.change)


def timeline(application: EquipmentApplication, user: User) -> list[Event]:
    """Newest first. A question is a message already, so its change of state does not repeat it."""
    changes = ApplicationStatusChange.objects.visible_to(user).filter(application=application)
    messages = ApplicationMessage.objects.visible_to(user).filter(application=application).select_related("by")
    events = [
        Event(
            change.at,
            change.by,
            "" if change.to_state == ApplicationState.RETURNED else change.reason,
            ApplicationState(change.to_state),
            change,
        )
        for change in changes.select_related("by", "proposed_by")
    ]
    events += [Event(message.at, message.by, message.text) for message in messages]
    return sorted(events, key=lambda event: event.at, reverse=True)


def last_change(application: EquipmentApplication) -> ApplicationStatusChange | None:
    """Who moved the application last, and whereto."""
    changes = ApplicationStatusChange.objects.filter(application=application).select_related("by")
    return changes.order_by("-at", "-pk").first()
