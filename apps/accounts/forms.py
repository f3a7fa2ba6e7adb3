"""Forms about people."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User


class PersonForm(forms.ModelForm):
    """No password: people set their own through a mailed link."""

    class Meta:
        model = User
        fields = ("name", "email", "role", "is_active")
        help_texts = {
            "email": _("The person signs in with it. A new person gets a mail with a link to set a password."),
            "is_active": _("Without the tick the person cannot sign in; all they did stays on record."),
        }

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()
