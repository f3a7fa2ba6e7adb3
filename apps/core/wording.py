"""Sentences of Django and django-allauth that our catalogue words anew, to say what to do; named here to stay in it."""

from django.utils.translation import gettext_lazy as _

REWORDED = (
    _("This field is required."),
    _("Select a valid choice. That choice is not one of the available choices."),
    _("Enter a valid email address."),
    _("You must type the same password each time."),
)
