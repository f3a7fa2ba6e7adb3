"""Addresses of pages about schools."""

from django.urls import path

from apps.schools import views

app_name = "schools"

urlpatterns = [
    path("", views.SchoolListView.as_view(), name="list"),
    path("network/", views.CityNetworkView.as_view(), name="network"),
    path("suggest/", views.SuggestSchoolsView.as_view(), name="suggest"),
    path("<str:number>/", views.SchoolDetailView.as_view(), name="detail"),
]
