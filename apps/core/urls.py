from django.urls import path

from apps.core import health, job_pages, views

app_name = "core"

urlpatterns = [
    path("accessibility/", views.AccessibilityView.as_view(), name="accessibility"),
    path("privacy/", views.PrivacyView.as_view(), name="privacy"),
    path("contact/", views.ContactView.as_view(), name="contact"),
    path("jobs/", job_pages.JobsView.as_view(), name="jobs"),
    path("jobs/<str:kind>/run/", job_pages.RunJobView.as_view(), name="run_job"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
