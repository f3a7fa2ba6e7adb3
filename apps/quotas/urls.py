from django.urls import path

from apps.quotas import views

app_name = "quotas"

urlpatterns = [path("", views.QuotaOverviewView.as_view(), name="overview")]
