"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path

handler500 = "apps.core.outages.server_error"

urlpatterns = [
    path("", include("apps.summaries.urls")),
    path("", include("apps.core.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("schools/", include("apps.schools.urls")),
    path("", include("apps.inventory.urls")),
    path("quotas/", include("apps.quotas.urls")),
    path("applications/", include("apps.funding.urls")),
    path("tickets/", include("apps.tickets.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]
