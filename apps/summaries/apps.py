from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SummariesConfig(AppConfig):
    name = "apps.summaries"
    verbose_name = _("Summaries")

    def ready(self) -> None:
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.permissions import register
        from apps.summaries.permissions import ROLE_PERMISSIONS

        register(ROLE_PERMISSIONS)
        register_navigation(NavigationItem(_("Overview"), "summaries:start", 10))
        register_navigation(NavigationItem(_("Summary"), "summaries:summary", 15, ("summaries.view_summary",)))
