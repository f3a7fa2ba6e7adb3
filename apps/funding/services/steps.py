"""What every write here begins or ends with: lock, check the right, change the state, name broken constraints."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError, StaleError
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationStatusChange, ApprovalProposal, Budget, EquipmentApplication, Reservation
from apps.funding.workflow import TRANSITIONS

logger = logging.getLogger(__name__)

UNSEEN = -1
"""The revision that none has: whoever cannot say what they saw has seen something else."""


def ensure_may(by: User, permission: str) -> None:
    """`PermissionDenied` when the person's role does not hold the permission."""
    if not by.has_perm(permission):
        raise PermissionDenied(permission)


def lock_application(application: EquipmentApplication, *, by: User, permission: str) -> EquipmentApplication:
    """The application as it is now, locked until the transaction ends; `Http404` outside the person's scope."""
    ensure_may(by, permission)
    rows = EquipmentApplication.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: EquipmentApplication = get_object_or_404(rows, pk=application.pk)
    return row


def lock_for(action: str, application: EquipmentApplication, *, by: User) -> EquipmentApplication:
    """Locks for a transition and refuses when the table does not let it start in the present state."""
    transition = TRANSITIONS.transitions[action]
    row = lock_application(application, by=by, permission=transition.permission)
    TRANSITIONS.ensure(action, source=row.state, target=min(transition.targets))
    return row


def lock_budgets(ids: Iterable[int], *, by: User) -> dict[int, Budget]:
    """Budgets as they are now, locked in the order of their keys; `DomainError` when one is missing."""
    wanted = sorted(set(ids))
    rows = (
        Budget.objects.visible_to(by)
        .select_related("grant__programme")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    found = {row.pk: row for row in rows}
    if len(found) != len(wanted):
        raise DomainError(_("A chosen budget no longer exists. Please choose another one."), field="budget")
    return found


def ensure_revision(application: EquipmentApplication, revision: int | None) -> None:
    """`StaleError` when the application was saved since the person read it; None: not asked."""
    if revision is not None and revision != application.revision:
        raise StaleError(
            _(
                "Somebody has changed this application in the meantime. "
                "Please load the page again and carry your changes over."
            ),
            code="stale",
        )


def ensure_submitted(application: EquipmentApplication, message: str | Promise) -> None:
    """Refuses with the message, which may name the `state`, what does not wait for a decision."""
    if application.state != ApplicationState.SUBMITTED:
        raise DomainError(message % {"state": application.get_state_display()}, code="illegal_transition")


def change_state(
    application: EquipmentApplication, action: str, target: str, *, by: User, reason: str = "", **facts: object
) -> None:
    """The only place that assigns a state; the caller saves the row.

    Writes the append-only status change; `facts`: more of its fields. What is no longer submitted is no longer
    pencilled in, and what was proposed about it no longer holds.
    """
    TRANSITIONS.ensure(action, source=application.state, target=target)
    ApplicationStatusChange.objects.create(
        application=application, from_state=application.state, to_state=target, by=by, reason=reason, **facts
    )
    Reservation.objects.filter(application=application).delete()
    ApprovalProposal.objects.filter(application=application).delete()
    application.state = target


def told_proposer(person: User) -> str:
    """For a history, which names only who confirmed. In German, as mails are."""
    with translation.override("de"):
        return gettext("proposed by %(person)s") % {"person": person}


def required_text(text: str, message: str | Promise, *, field: str) -> str:
    """The text without blanks around it; `DomainError` with the message when nothing is left."""
    stripped = text.strip()
    if not stripped:
        raise DomainError(message, code="required", field=field)
    return stripped


def validated(row: models.Model, *, exclude: Iterable[str] = ()) -> None:
    """Checks the row's fields (lengths, ranges, choices) and names the first fault as a `DomainError`."""
    try:
        row.clean_fields(exclude=set(exclude))
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        name = getattr(row._meta.get_field(field), "verbose_name", field)
        raise DomainError(f"{name}: {messages[0]}", field=field) from error


@contextmanager
def money_transaction() -> Iterator[None]:
    """A transaction in which a broken constraint of this app becomes a sentence (the constraint's, if it has one).

    The locks make that unreachable in normal work; it is the second line of defence and is logged.
    What is not ours is raised on.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        constraint = _broken_constraint(error)
        if constraint is None:
            raise
        logger.warning("The constraint %s refused what the services let pass", constraint.name)
        raise DomainError(_sentence_of(constraint), code="constraint") from error


def _broken_constraint(error: IntegrityError) -> models.BaseConstraint | None:
    """The constraint that the database names (SQLite: its columns); None when it is no constraint of this app."""
    text = str(error)
    for model in apps.get_app_config("funding").get_models():
        for constraint in model._meta.constraints:
            if constraint.name in text or _columns_of(constraint, model) in text:
                return constraint
    return None


def _columns_of(constraint: models.BaseConstraint, model: type[models.Model]) -> str:
    """How SQLite names a unique constraint: "UNIQUE constraint failed: table.column, table.column"."""
    if not isinstance(constraint, models.UniqueConstraint):
        return constraint.name
    columns = [model._meta.get_field(name).column for name in constraint.fields]  # type: ignore[union-attr]
    return ", ".join(f"{model._meta.db_table}.{column}" for column in columns) or constraint.name


def _sentence_of(constraint: models.BaseConstraint) -> str | Promise:
    message = constraint.violation_error_message
    if message and message != constraint.default_violation_error_message:
        return message
    return _("Something has changed in the meantime. Please load the page again.")
