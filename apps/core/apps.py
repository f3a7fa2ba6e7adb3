from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    verbose_name = _("Portal")
    admin_place = 7
    admin_models = ("ImportRun", "ImportMapping", "Job", "PortalText", "ContactMessage")

    def ready(self) -> None:
        from apps.core import core_jobs
        from apps.core.navigation import NavigationItem, register

        core_jobs.register_all()
        register(NavigationItem(_("Background jobs"), "core:jobs", 85, ("core.run_jobs",)))
