"""The contact form for barriers and questions (BITVNRW § 5)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.form_layout import KernFormHelper
from apps.core.models import ContactMessage


class ContactForm(forms.ModelForm):
    class Meta:
        model = ContactMessage
        fields = ("text", "page", "name", "email")
        labels = {
            "text": _("What is the matter?"),
            "page": _("Which page is it about?"),
            "name": _("Your name"),
            "email": _("Your e-mail address"),
        }
        help_texts = {"email": _("So that we can answer you.")}
        widgets = {"text": forms.Textarea(attrs={"rows": 6, "maxlength": 5000})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        self.helper = KernFormHelper(self, submit=_("Send message"), keep="contact")
