"""Pages without domain knowledge: the portal's own texts, the contact form, refused forms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView

from apps.core import services
from apps.core.errors import DomainError
from apps.core.forms import ContactForm
from apps.core.models import PortalText
from apps.core.pages import PageMixin
from apps.core.portal_texts import portal_text
from apps.core.stash import rescue


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's security token was missing or old. What was typed into a form that keeps it is shown again."""
    address = request.get_full_path()
    way_back = (
        address if request.user.is_authenticated else f"{reverse('account_login')}?{urlencode({'next': address})}"
    )
    return rescue(request) or render(request, "403_csrf.html", {"way_back": way_back}, status=403)


class PortalTextView(PageMixin, TemplateView):
    """A text that the city words itself."""

    template_name = "core/portal_text.html"
    key: str

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        blocks, reviewed_on = portal_text(self.key)
        return super().get_context_data(blocks=blocks, reviewed_on=reviewed_on, **kwargs)


class AccessibilityView(PortalTextView):
    key = PortalText.Key.ACCESSIBILITY
    heading = _("Accessibility statement")


class PrivacyView(PortalTextView):
    key = PortalText.Key.PRIVACY
    heading = _("Privacy notice")


class ContactView(PageMixin, FormView):
    """Report a barrier or ask a question, signed in or not."""

    template_name = "core/contact.html"
    form_class = ContactForm
    heading = _("Contact")

    def get_initial(self) -> dict[str, Any]:
        user = self.request.user
        known = {"name": user.name, "email": user.email} if user.is_authenticated else {}
        return {"page": self.request.GET.get("page", "")[:200], **known}

    def form_valid(self, form: ContactForm) -> HttpResponse:
        try:
            services.receive_contact_message(message=form.save(commit=False))
        except DomainError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Thank you. Your message has arrived, we will answer by mail."))
        return redirect("core:contact")
