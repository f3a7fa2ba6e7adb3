from django.urls import path

from apps.summaries import views

app_name = "summaries"

urlpatterns = [
    path("", views.StartView.as_view(), name="start"),
    path("summary/", views.SummaryView.as_view(), name="summary"),
    path("summary/budgets/<int:pk>/", views.BudgetView.as_view(), name="budget"),
]
