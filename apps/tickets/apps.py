from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "apps.tickets"
    verbose_name = _("Tickets")
    admin_place = 5

    def ready(self) -> None:
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.panels import Panel
        from apps.core.panels import register as register_panel
        from apps.core.permissions import register
        from apps.inventory.codes import register_way
        from apps.schools.services import register_renamed_listener
        from apps.tickets.panels import address_to_report, tickets_of_device, tickets_of_school
        from apps.tickets.permissions import ROLE_PERMISSIONS
        from apps.tickets.services import refresh_tickets_of

        register(ROLE_PERMISSIONS)
        register_renamed_listener(refresh_tickets_of)
        register_way(address_to_report)
        register_navigation(
            NavigationItem(_("Tickets"), "tickets:list", 60, ("tickets.view_ticket", "tickets.report_ticket"))
        )
        register_panel("schools.school", Panel("tickets/panel.html", tickets_of_school, 60))
        register_panel("inventory.device", Panel("tickets/panel.html", tickets_of_device, 60))
