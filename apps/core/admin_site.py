"""The portal's admin site: Django's, without what this portal offers elsewhere or to nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

NOT_OFFERED = frozenset(
    {
        "password_change",  # the sign-in pages do it, with a limit on attempts
        "password_change_done",
        "view_on_site",  # leads to any row's page, also past the scope; `ScopeMixin` links to the page itself
    }
)

INDEX_WORDS = (_("Model name"), _("Add link"), _("Change or view list link"))
"""Django's column headings of the index, here so that the portal's catalogue words them plainly in German."""


class PortalAdminSite(admin.AdminSite):
    site_header = site_title = _("School media office")
    index_title = _("Administration")
    enable_nav_sidebar = False
    empty_value_display = _("not known")

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leads to the portal's own sign-in: Django's form would take passwords without a limit on attempts."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:index"))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes models of the portal only: no role has a right to those of packages, such as mails with their links."""
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        own = [model for model in models if model.__module__.startswith("apps.")]
        super().register(own, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What is needed daily stands first: each app's configuration says its place and the order of its models."""
        rows = super().get_app_list(request, app_label)
        configs = {row["app_label"]: apps.get_app_config(row["app_label"]) for row in rows}
        for row in rows:
            first = [name.lower() for name in getattr(configs[row["app_label"]], "admin_models", ())]
            places = {name: place for place, name in enumerate(first)}
            row["models"].sort(key=lambda model: places.get(model["object_name"].lower(), len(places)))
        return sorted(rows, key=lambda row: getattr(configs[row["app_label"]], "admin_place", len(rows)))

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in NOT_OFFERED]
