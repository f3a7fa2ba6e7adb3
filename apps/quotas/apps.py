from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QuotasConfig(AppConfig):
    name = "apps.quotas"
    verbose_name = _("Quotas")
    admin_place = 4
    admin_models = ("MediaDevelopmentPlan", "TargetGroup", "Target", "QuotaFigure")

    def ready(self) -> None:
        from apps.core.navigation import NavigationItem
        from apps.core.navigation import register as register_navigation
        from apps.core.panels import Panel
        from apps.core.panels import register as register_panel
        from apps.core.permissions import register
        from apps.quotas.jobs import register_jobs
        from apps.quotas.panels import plan_of_day, quota_of_school
        from apps.quotas.permissions import ROLE_PERMISSIONS
        from apps.quotas.services import nudge_recalculation
        from apps.schools.services import register_inputs_listener

        register(ROLE_PERMISSIONS)
        register_jobs()
        register_inputs_listener(nudge_recalculation)
        register_navigation(NavigationItem(_("Quotas"), "quotas:overview", 50, ("quotas.view_quotafigure",)))
        register_panel("schools.school", Panel("quotas/school_panel.html", quota_of_school, 10))
        register_panel("schools.school.head", Panel("quotas/plan_of_day.html", plan_of_day, 10))
