from django.urls import path

from apps.funding.views import actions, concepts, details, drafts, lists

app_name = "funding"

urlpatterns = [
    path("", lists.ApplicationListView.as_view(), name="list"),
    path("new/", drafts.CreateView.as_view(), name="create"),
    path("concepts/<str:number>/", concepts.ConceptsView.as_view(), name="concepts"),
    path("concepts/<str:number>/<int:pk>/", concepts.ConceptView.as_view(), name="concept"),
    path("concepts/<str:number>/<int:pk>/remove/", concepts.RemoveConceptView.as_view(), name="remove_concept"),
    path("<int:pk>/", details.ApplicationView.as_view(), name="detail"),
    path("<int:pk>/edit/", drafts.EditView.as_view(), name="edit"),
    path("<int:pk>/submit/", actions.SubmitView.as_view(), name="submit"),
    path("<int:pk>/withdraw/", actions.WithdrawView.as_view(), name="withdraw"),
    path("<int:pk>/answer/", actions.AnswerView.as_view(), name="answer"),
    path("<int:pk>/discard/", actions.DiscardView.as_view(), name="discard"),
]
