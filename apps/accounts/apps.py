from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = _("People")
    admin_place = 6

    def ready(self) -> None:
        from apps.accounts.permissions import OPEN_ADMIN, ROLE_PERMISSIONS
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.permissions import register

        register(ROLE_PERMISSIONS)
        register_navigation(NavigationItem(_("Administration"), "admin:index", 90, (OPEN_ADMIN,)))
