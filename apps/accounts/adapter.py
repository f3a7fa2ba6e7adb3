"""How sign-in differs from django-allauth's own: people do not sign up, the office gives them their account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.nudge import nudge
from apps.core.tasks import send_queued_mail


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed; accounts are made in the admin. Errors say what to do."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is not active. Please write to the school office if you need it again."),
        "email_password_mismatch": _("E-mail address and password do not match. Please check both."),
        "enter_current_password": _("This is not your present password. Please enter it again."),
        "incorrect_password": _("This is not your present password. Please enter it again."),
        "invalid_login": _("E-mail address and password do not match. Please check both."),
        "invalid_password_reset": _("This link is no longer valid. Please ask for a new one."),
        "rate_limited": _("Too many attempts. Please wait five minutes and try again."),
        "too_many_login_attempts": _("Too many failed attempts. Please wait five minutes and try again."),
        "unknown_email": _("There is no account with this e-mail address. Please check it."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_user_search_fields(self) -> list[str]:
        return ["email"]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Into the queue like all mail; the worker is told, so that nobody waits for a link until the next sweep."""
        super().send_mail(template_prefix, email, context)
        nudge(send_queued_mail)

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Says nothing on sign-in and sign-out: the page that follows shows it."""
        template = kwargs.get("message_template") or (args[0] if args else "")
        if template in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            return
        super().add_message(request, level, *args, **kwargs)
