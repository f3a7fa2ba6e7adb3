from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FundingConfig(AppConfig):
    name = "apps.funding"
    verbose_name = _("Applications and budgets")
    admin_place = 1
    admin_models = (
        "EquipmentApplication",
        "ApplicationRound",
        "Order",
        "Invoice",
        "Supplier",
        "FrameworkContract",
        "Budget",
        "BudgetChange",
        "Grant",
        "FundingProgramme",
        "Drawdown",
        "ProofOfUse",
        "LedgerEntry",
        "DatedRule",
        "AwardThreshold",
        "ReasonTemplate",
        "ApplicationStatusChange",
    )

    def ready(self) -> None:
        from apps.core import navigation, panels
        from apps.core.permissions import register
        from apps.funding.panels import applications_of_school, order_of_scan, purchase_of_device
        from apps.funding.permissions import ROLE_PERMISSIONS
        from apps.funding.round_jobs import register_all as register_round_jobs
        from apps.funding.services.scanned_receipts import OrderFollower
        from apps.inventory import taking_in

        taking_in.register(OrderFollower())
        register(ROLE_PERMISSIONS)
        register_round_jobs()
        navigation.register(
            navigation.NavigationItem(
                _("Applications"), "funding:list", order=40, permissions=("funding.view_equipmentapplication",)
            )
        )
        panels.register("schools.school", panels.Panel("funding/panels/school.html", applications_of_school, order=40))
        panels.register("inventory.device", panels.Panel("funding/panels/device.html", purchase_of_device, order=20))
        panels.register("inventory.scan", panels.Panel("funding/panels/scan.html", order_of_scan, order=10))
        panels.register("inventory.device.recorded", panels.Panel("funding/panels/scan_order.html", order_of_scan, 10))
        panels.register("inventory.scan.ended", panels.Panel("funding/panels/scan_ended.html", order_of_scan, order=10))
