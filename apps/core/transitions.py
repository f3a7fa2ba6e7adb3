"""State machines as data: the legal transitions of a kind of row, and the check that every service calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

if TYPE_CHECKING:
    from apps.core.choices import StateChoices


@dataclass(frozen=True)
class Transition:
    """One verb: the states it may start from, and where it may lead."""

    sources: frozenset[str]
    targets: frozenset[str]
    permission: str


class TransitionTable:
    """Legal transitions by name of the service function that makes them."""

    def __init__(self, states: type[StateChoices], transitions: Mapping[str, Transition]) -> None:
        self.states = states
        self.transitions = dict(transitions)

    def __iter__(self) -> Any:
        return iter(self.transitions.items())

    def allowed(self, name: str, *, source: str) -> bool:
        return source in self.transitions[name].sources

    def actions_from(self, source: str) -> list[str]:
        """Names of all transitions that may start in this state."""
        return [name for name, transition in self.transitions.items() if source in transition.sources]

    def ensure(self, name: str, *, source: str, target: str) -> None:
        """Raises `DomainError` when the table does not hold this step."""
        transition = self.transitions[name]
        if source not in transition.sources or target not in transition.targets:
            raise DomainError(
                _("This is no longer possible: the state is now “%(state)s”. Please load the page again.")
                % {"state": self.states(source).label},
                code="illegal_transition",
            )


def transition(sources: Iterable[str], targets: Iterable[str] | str, permission: str) -> Transition:
    """Shorthand for tables."""
    goals = frozenset({targets}) if isinstance(targets, str) else frozenset(targets)
    return Transition(frozenset(sources), goals, permission)


class StatusChange(models.Model):
    """Append-only: who changed a state, when, from what, to what, and why. Subclasses name their subject."""

    from_state = models.CharField(_("from"), max_length=32, blank=True)
    to_state = models.CharField(_("to"), max_length=32)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        abstract = True
        ordering = ("at", "pk")
