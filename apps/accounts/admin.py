"""Accounts in the admin. Higher apps add inlines, e.g. the schools that a person serves."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts import services
from apps.accounts.forms import PersonForm
from apps.accounts.models import User
from apps.core.admin import ScopedAdmin
from apps.core.errors import DomainError
from apps.core.history import delete_by, save_by


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """People are deactivated, never deleted: their name stands in histories and decisions."""

    form = PersonForm
    list_display = ("name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    readonly_fields = ("last_login", "date_joined")
    actions = ("send_password_link", "deactivate")
    inlines: tuple[Any, ...] = ()

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = ("name", "email", "role")
        return fields if obj is None else (*fields, "is_active", "last_login", "date_joined")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            services.save_person(user=obj, by=request.user)
            return
        person = services.create_person(email=obj.email, name=obj.name, role=obj.role, by=request.user)
        obj.pk, obj._state.adding, obj.password = person.pk, False, person.password
        self.message_user(request, _("A mail with a link to set a password is on its way to %s.") % obj.email)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            delete_by(row, by=request.user)
        for row in rows:
            save_by(row, by=request.user)

    @admin.action(description=_("Send a link to set a new password"), permissions=["change"])
    def send_password_link(self, request: HttpRequest, people: QuerySet[User]) -> None:
        sent = 0
        for person in people:
            try:
                services.send_password_link(user=person)
                sent += 1
            except DomainError as error:
                self.message_user(request, str(error), messages.WARNING)
        if sent:
            text = ngettext("%(count)s mail is on its way.", "%(count)s mails are on their way.", sent)
            self.message_user(request, text % {"count": sent})

    @admin.action(description=_("Deactivate: may no longer sign in"), permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        done = 0
        for person in people.filter(is_active=True):
            person.is_active = False
            try:
                services.save_person(user=person, by=request.user)
                done += 1
            except DomainError as error:
                self.message_user(request, str(error), messages.WARNING)
        if done:
            text = ngettext("%(count)s person may no longer sign in.", "%(count)s people may no longer sign in.", done)
            self.message_user(request, text % {"count": done})
