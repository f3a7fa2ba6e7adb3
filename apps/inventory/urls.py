from django.urls import path, re_path

from apps.inventory import (
    ageing_views,
    attachment_views,
    bulk_views,
    label_views,
    loan_scan_views,
    loan_views,
    scan_views,
    short_views,
    stocktake_scan_views,
    stocktake_views,
    views,
)

app_name = "inventory"

urlpatterns = [
    path("inventory/", views.DeviceListView.as_view(), name="list"),
    path("inventory/add/", views.DeviceAddView.as_view(), name="add"),
    path("inventory/bulk/", bulk_views.BulkChooseView.as_view(), name="bulk"),
    path("inventory/bulk/<uuid:token>/", bulk_views.BulkChangeView.as_view(), name="bulk_change"),
    path("inventory/labels/", label_views.LabelsView.as_view(), name="labels"),
    path("inventory/ageing/", ageing_views.AgeingView.as_view(), name="ageing"),
    path("inventory/scan/", scan_views.ScanStartView.as_view(), name="scan_start"),
    path("inventory/scan/<int:pk>/", scan_views.ScanView.as_view(), name="scan"),
    path("inventory/scan/<int:pk>/change/", scan_views.ScanChangeView.as_view(), name="scan_change"),
    path("inventory/scan/<int:pk>/remove/", scan_views.ScanRemoveView.as_view(), name="scan_remove"),
    path("inventory/scan/<int:pk>/take-in/", scan_views.ScanTakeInView.as_view(), name="scan_take_in"),
    path("inventory/scan/<int:pk>/release/", scan_views.ScanReleaseView.as_view(), name="scan_release"),
    path("inventory/scan/<int:pk>/cancel/", scan_views.ScanCancelView.as_view(), name="scan_cancel"),
    path("inventory/stocktakes/", stocktake_views.StocktakeListView.as_view(), name="stocktakes"),
    path("inventory/stocktakes/start/", stocktake_views.StocktakeStartView.as_view(), name="stocktake_start"),
    path("inventory/stocktakes/<int:pk>/", stocktake_views.StocktakeView.as_view(), name="stocktake"),
    path(
        "inventory/stocktakes/<int:pk>/scan/", stocktake_scan_views.StocktakeScanView.as_view(), name="stocktake_scan"
    ),
    path(
        "inventory/stocktakes/<int:pk>/scan/worker.js",
        stocktake_scan_views.StocktakeWorkerView.as_view(),
        name="stocktake_worker",
    ),
    path("inventory/stocktakes/<int:pk>/items/", stocktake_views.StocktakeItemsView.as_view(), name="stocktake_items"),
    path(
        "inventory/stocktakes/<int:pk>/settle/<slug:how>/",
        stocktake_views.StocktakeSettleView.as_view(),
        name="stocktake_settle",
    ),
    path("inventory/stocktakes/<int:pk>/close/", stocktake_views.StocktakeCloseView.as_view(), name="stocktake_close"),
    path(
        "inventory/stocktakes/<int:pk>/cancel/", stocktake_views.StocktakeCancelView.as_view(), name="stocktake_cancel"
    ),
    path(
        "inventory/stocktakes/<int:pk>/result/", stocktake_views.StocktakeResultView.as_view(), name="stocktake_result"
    ),
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
    path("loans/", loan_views.LoanListView.as_view(), name="loans"),
    path("loans/hand-out/", loan_scan_views.HandOutView.as_view(), name="hand_out"),
    path("loans/take-back/", loan_scan_views.TakeBackView.as_view(), name="take_back"),
    path("loans/receipts/", loan_views.ReceiptsView.as_view(), name="receipts"),
    path("loans/<str:number>/", loan_views.LoanDetailView.as_view(), name="loan"),
    path("loans/<str:number>/receipt/", loan_views.ReceiptView.as_view(), name="receipt"),
    path("loans/<str:number>/return-receipt/", loan_views.ReceiptView.as_view(back=True), name="return_receipt"),
    *(
        path(
            f"loans/<str:number>/{action.slug}/",
            loan_views.LoanActionView.as_view(action=action),
            name=f"loan_{action.slug}",
        )
        for action in loan_views.ACTIONS.values()
    ),
    re_path(r"^d/(?P<tag>[^/]+)/?$", short_views.ShortView.as_view(), name="short"),
]
