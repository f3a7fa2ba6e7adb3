from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    name = "mepportal.demo"
    label = "demo"

    def ready(self) -> None:
        from apps.core.job_kinds import JobKind, register
        from mepportal.demo.loader import KIND

        register(JobKind(KIND, _("Load the demonstration city"), 90, rhythm=_("once")))
