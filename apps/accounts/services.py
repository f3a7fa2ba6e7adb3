"""People: the system administrator makes accounts, everybody sets their own password."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.mail import queue_mail

DAY = 24 * 60 * 60


@transaction.atomic
def create_person(*, email: str, name: str, role: str, by: Any, invite: bool = True) -> User:
    """A new account without a password; the person gets a mail with the link to set one.

    Raises `DomainError` when the address belongs to somebody already.
    """
    address = email.strip().lower()
    if User.objects.filter(email__iexact=address).exists():
        raise DomainError(_("A person with this e-mail address exists already."), field="email")
    user = User(email=address, name=name.strip(), role=role)
    user.set_unusable_password()
    save_by(user, by=by)
    if invite:
        send_password_link(user=user)
    return user


@transaction.atomic
def save_person(*, user: User, by: Any, reason: str = "") -> User:
    """Saves name, address, role and whether the person may sign in.

    Nobody takes away their own role or sign-in, so that an administrator always remains. A former address of the
    person no longer signs in. Raises `DomainError`.
    """
    before = User.objects.select_for_update().get(pk=user.pk)
    user.email = user.email.strip().lower()
    if by is not None and by.pk == user.pk and (user.role != before.role or not user.is_active):
        raise DomainError(_("You cannot change your own role or lock yourself out. Please ask another administrator."))
    save_by(user, by=by, update_fields=["email", "name", "role", "is_active"], reason=reason)
    if user.email != before.email:
        EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    return user


def send_password_link(*, user: User) -> None:
    """Queues a mail with a link to set the password; it works once, for PASSWORD_RESET_TIMEOUT seconds.

    Raises `DomainError` for a person who may not sign in.
    """
    if not user.is_active:
        raise DomainError(_("%(name)s may not sign in at present and gets no link.") % {"name": user.name})
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Your access to the MEP portal: please set your password")
    days = settings.PASSWORD_RESET_TIMEOUT // DAY
    queue_mail(
        to=user.email, subject=subject, template="set_password", context={"user": user, "path": path, "days": days}
    )
