from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "apps.inventory"
    verbose_name = _("Inventory")
    admin_place = 2
    admin_models = ("Device", "Product", "Kit", "DeviceKind", "SerialPattern", "LoanRules")

    def ready(self) -> None:
        from apps.core.imports import sources
        from apps.core.job_kinds import JobKind
        from apps.core.job_kinds import register as register_jobs
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.panels import Panel
        from apps.core.panels import register as register_panel
        from apps.core.permissions import register
        from apps.inventory.ageing_jobs import register_all as register_ageing_jobs
        from apps.inventory.imports.devices import DevicesSource
        from apps.inventory.jobs import register_loan_jobs
        from apps.inventory.panels import devices_of_school, loans_of_device, loans_of_school
        from apps.inventory.permissions import ROLE_PERMISSIONS
        from apps.inventory.services import refresh_devices_of
        from apps.inventory.services.bulk import BULK_JOB, words_of_change
        from apps.schools.services import register_renamed_listener

        register(ROLE_PERMISSIONS)
        register_ageing_jobs()
        register_loan_jobs()
        sources.register(DevicesSource)
        register_jobs(
            JobKind(
                BULK_JOB, _("Change many devices"), 45, rhythm=_("when needed"), words=words_of_change, repeated=True
            )
        )
        register_renamed_listener(refresh_devices_of)
        register_navigation(NavigationItem(_("Inventory"), "inventory:list", 30, ("inventory.view_device",)))
        register_navigation(NavigationItem(_("Loans"), "inventory:loans", 35, ("inventory.view_loan",)))
        register_panel("schools.school", Panel("inventory/school_panel.html", devices_of_school, 30))
        register_panel("schools.school", Panel("inventory/school_loans_panel.html", loans_of_school, 32))
        register_panel("inventory.device", Panel("inventory/device_loans_panel.html", loans_of_device, 10))
