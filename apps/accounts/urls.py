"""Addresses of the sign-in: django-allauth's, without those that this portal does not offer."""

from allauth.account.urls import urlpatterns as _sign_in

NOT_OFFERED = frozenset(
    {
        "account_email",  # the administrator changes addresses
        "account_confirm_email",
        "account_email_verification_sent",
        "account_confirm_login_code",
    }
)

urlpatterns = [pattern for pattern in _sign_in if pattern.name not in NOT_OFFERED]
