from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SchoolsConfig(AppConfig):
    name = "apps.schools"
    verbose_name = _("Schools")
    admin_place = 3
    admin_models = (
        "School",
        "Site",
        "PupilCount",
        "FibreLine",
        "RoomNetwork",
        "PlatformStatus",
        "Platform",
        "ItStaffing",
        "SchoolType",
        "SchoolAuthority",
    )

    def ready(self) -> None:
        from apps.core.imports import sources
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.panels import Panel
        from apps.core.panels import register as register_panel
        from apps.core.permissions import register
        from apps.schools.imports.counts import CountsSource
        from apps.schools.imports.directory import DirectorySource
        from apps.schools.imports.network import NetworkSource
        from apps.schools.imports.schuldaten import SchuldatenSource
        from apps.schools.imports.social_index import SocialIndexSource
        from apps.schools.panels import network_of_school
        from apps.schools.permissions import ROLE_PERMISSIONS

        register(ROLE_PERMISSIONS)
        register_navigation(NavigationItem(_("Schools"), "schools:list", 20, ("schools.view_school",)))
        register_panel("schools.school", Panel("schools/network_panel.html", network_of_school, 45))
        for source in (SchuldatenSource, CountsSource, SocialIndexSource, DirectorySource, NetworkSource):
            sources.register(source)
