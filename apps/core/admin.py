"""The admin's base: scope, permissions and history are structure, not reminders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from apps.core.admin_pages import AmountsMixin, DaysMixin, ListPage
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDateTimeField
from apps.core.history_pages import HistoryPageMixin
from apps.core.models import ContactMessage, PortalText
from apps.core.querysets import ensure_still_visible


class ScopeMixin:
    """Rows, and choices of foreign keys, come from `visible_to`; nobody sees more here than in the portal."""

    model: type[models.Model]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)  # type: ignore[misc]
        return rows.filter(pk__in=self.model._default_manager.visible_to(request.user).values("pk"))  # type: ignore[attr-defined]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        manager = db_field.remote_field.model._default_manager
        if hasattr(manager, "visible_to"):
            kwargs.setdefault("queryset", manager.visible_to(request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def get_view_on_site_url(self, obj: models.Model | None = None) -> str | None:
        """The row's own page in the portal."""
        page = getattr(obj, "get_absolute_url", None)
        return page() if page is not None else None


class OneRowMixin(ScopeMixin):
    """Pages about one row: the wrong role gets 403; outside of the scope is 404, as if the row did not exist."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is not None:
            self._ensure_row(request, object_id, allowed=self.has_view_or_change_permission(request))  # type: ignore[attr-defined]
        response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._ensure_row(request, object_id, allowed=self.has_view_or_change_permission(request))  # type: ignore[attr-defined]
        response: HttpResponse = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._ensure_row(request, object_id, allowed=self.has_delete_permission(request))  # type: ignore[attr-defined]
        response: HttpResponse = super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
        return response

    def _ensure_row(self, request: HttpRequest, object_id: str, *, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied
        if self.get_object(request, unquote(object_id)) is None:  # type: ignore[attr-defined]
            raise Http404


class ScopedAdmin(ListPage, DaysMixin, AmountsMixin, HistoryPageMixin, OneRowMixin, SimpleHistoryAdmin):
    """Base of every model admin. A `DomainError` in a save becomes a message; nothing is written then."""

    actions_on_bottom = False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Saves with the actor and refuses a row that would leave the writer's scope."""
        obj._history_user = request.user  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        ensure_still_visible(obj, request.user)


class _AskedOnce(forms.models.ModelChoiceIterator):
    """The choices, read by the first of a field's copies for all of them."""

    def __iter__(self) -> Iterator[Any]:
        if not self.field.asked:
            self.field.asked.extend(super().__iter__())
        return iter(self.field.asked)


class SharedChoiceField(forms.ModelChoiceField):
    """A choice that stands in each row of an inline: its copies ask for the choices once, not once per row."""

    iterator = _AskedOnce

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.asked: list[Any] = []
        super().__init__(*args, **kwargs)


class ScopedInline(ScopeMixin, DaysMixin, admin.TabularInline):
    """Base of inlines. Rows come with what their foreign keys name, however many there are."""

    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        named = [field.name for field in self.model._meta.concrete_fields if field.is_relation]
        return super().get_queryset(request).select_related(*named)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **{"form_class": SharedChoiceField} | kwargs)


class ReadOnlyMixin:
    """Rows that are read here and written by services only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnlyMixin, ScopedInline):
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of them, so that those can stand here, too, which no form takes, such as moments."""
        return self.fields or ()


class ReadOnlyAdmin(ListPage, AmountsMixin, ReadOnlyMixin, OneRowMixin, admin.ModelAdmin):
    """For append-only rows such as ledger entries."""

    actions = None


@admin.register(PortalText)
class PortalTextAdmin(ListPage, OneRowMixin, admin.ModelAdmin):
    list_display = ("key", "language", "reviewed_on")


class SettledForm(forms.ModelForm):
    """One field for the moment: the two of Django's admin have no labels of their own."""

    settled_at = GermanDateTimeField(label=_("Settled at"), required=False)


@admin.register(ContactMessage)
class ContactMessageAdmin(ListPage, OneRowMixin, admin.ModelAdmin):
    form = SettledForm
    list_display = ("created_at", "email", "page", "settled_at")
    readonly_fields = ("name", "email", "page", "text", "created_at")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
