"""Writes without domain knowledge."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.mail import queue_mail
from apps.core.models import ContactMessage

MOST_MESSAGES_AN_HOUR = 30


def receive_contact_message(*, message: ContactMessage) -> None:
    """Keeps the message and sends it on to SUPPORT_EMAIL. The form is public, so an hour takes 30 at most."""
    with transaction.atomic():
        an_hour_ago = clock.now() - datetime.timedelta(hours=1)
        if ContactMessage.objects.filter(created_at__gte=an_hour_ago).count() >= MOST_MESSAGES_AN_HOUR:
            raise DomainError(
                _("Too many messages came in at once. Please write to %(address)s, or try again in an hour.")
                % {"address": settings.SUPPORT_EMAIL}
            )
        message.save()
        queue_mail(
            to=settings.SUPPORT_EMAIL,
            subject=_("Message through the contact form"),
            template="contact_message",
            context={"message": message},
        )
