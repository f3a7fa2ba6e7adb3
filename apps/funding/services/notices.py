"""The mails about decisions, in German, into the queue of the caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.formats import euro
from apps.core.mail import queue_mail
from apps.core.money import ZERO, total
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, EquipmentApplication

logger = logging.getLogger(__name__)


def returned(application: EquipmentApplication, *, by: User, question: str) -> None:
    with translation.override("de"):
        subject = _("Question about the application “%(title)s”") % {"title": application.title}
        _send(application, subject, "application_returned", {"by": by, "question": question})


def rejected(application: EquipmentApplication, *, by: User, reason: str) -> None:
    with translation.override("de"):
        subject = _("Rejected: application “%(title)s”") % {"title": application.title}
        lines = [_result(line, 0) for line in application.lines.select_related("product").order_by("pk")]
        _send(application, subject, "application_rejected", {"by": by, "reason": reason, "lines": lines})


def approved(application: EquipmentApplication, lines: Sequence[ApplicationLine], *, by: User, reason: str) -> None:
    """Of an approval in full or in part; `lines` with their approved quantities."""
    sums = {
        "asked": total(line.amount for line in lines),
        "approved": total(line.approved_amount or ZERO for line in lines),
    }
    with translation.override("de"):
        shown = {"title": application.title} | {name: euro(amount) for name, amount in sums.items()}
        if application.state == ApplicationState.APPROVED:
            subject = _("Approved: application “%(title)s”, %(approved)s") % shown
        else:
            subject = _("Approved in part: application “%(title)s”, %(approved)s of %(asked)s") % shown
        results = [_result(line, line.approved_quantity or 0) for line in lines]
        context = {"by": by, "reason": reason, "lines": results, **sums}
        _send(application, subject, f"application_{application.state}", context)


def _result(line: ApplicationLine, approved: int) -> dict[str, Any]:
    return {
        "product": line.product,
        "quantity": line.quantity,
        "approved": approved,
        "amount": line.unit_price * approved,
        "note": line.decision_note,
    }


def _send(application: EquipmentApplication, subject: str, template: str, context: Mapping[str, Any]) -> None:
    recipients = recipients_of(application)
    if not recipients:
        logger.warning("Nobody to mail about application %s: its school has no active coordinator", application.pk)
        return
    queue_mail(
        to=recipients,
        subject=subject,
        template=template,
        context={"application": application, "school": application.school, **context},
    )


def recipients_of(application: EquipmentApplication) -> list[str]:
    """Whoever submitted it, while they still serve the school; else all who may submit for it now."""
    submitter = application.submitted_by
    if submitter is not None and _serves(submitter, application):
        return [submitter.email]
    coordinators = User.objects.with_permission("funding.submit_application")
    return list(
        coordinators.filter(memberships__school=application.school_id).order_by("email").values_list("email", flat=True)
    )


def _serves(person: User, application: EquipmentApplication) -> bool:
    return EquipmentApplication.objects.visible_to(person).filter(pk=application.pk).exists()
