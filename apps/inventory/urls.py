from django.urls import path, re_path

from apps.inventory import attachment_views, label_views, views

app_name = "inventory"

urlpatterns = [
    path("inventory/", views.DeviceListView.as_view(), name="list"),
    path("inventory/add/", views.DeviceAddView.as_view(), name="add"),
    path("inventory/labels/", label_views.LabelsView.as_view(), name="labels"),
    path("inventory/<str:tag>/", views.DeviceDetailView.as_view(), name="detail"),
    *(
        path(f"inventory/<str:tag>/{action.slug}/", views.DeviceActionView.as_view(action=action), name=action.slug)
        for action in views.ACTIONS.values()
    ),
    path("inventory/<str:tag>/files/<int:pk>/", attachment_views.AttachmentView.as_view(), name="attachment"),
    path(
        "inventory/<str:tag>/files/<int:pk>/remove/",
        attachment_views.RemoveAttachmentView.as_view(),
        name="remove_attachment",
    ),
    re_path(r"^d/(?P<tag>[^/]+)/?$", views.ShortView.as_view(), name="short"),
]
