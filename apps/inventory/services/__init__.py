"""Writes to devices. Each function is one step of `workflow.TRANSITIONS` or one correction, in one transaction.

Order in each: lock (kind, then device), check, write, then raise the versions of the schools whose figures moved.
All raise `DomainError` for what the person can mend and `PermissionDenied` for what their role may not do.
Days (`on`, `since`) default to today, are never in the future and never before the device's last change.
"""

from apps.inventory.scan_checks import SentSerial
from apps.inventory.services.adding import (
    add_device,
    add_devices,
    add_devices_once,
)
from apps.inventory.services.attachments import add_attachment, remove_attachment
from apps.inventory.services.binding import bind_device, bind_devices, lengthen_bindings, rename_bindings
from apps.inventory.services.bulk import (
    begin_undo,
    choose_devices,
    confirm_change,
    forget_changes,
    plan_of,
    run_waiting,
    show_change,
    try_again,
)
from apps.inventory.services.catalogue import set_price
from apps.inventory.services.corrections import (
    change_condition,
    change_details,
    change_kind,
    change_kind_counting,
    change_ownership,
    refresh_devices_of,
    refresh_search_text,
)
from apps.inventory.services.kits import add_kits, add_kits_once
from apps.inventory.services.loans import (
    extend_loan,
    hand_out,
    report_loan_lost,
    report_loan_stolen,
    take_back,
    take_back_device,
    undo_hand_out,
    undo_take_back,
)
from apps.inventory.services.reminding import remind_of_ageing
from apps.inventory.services.scanning import (
    cancel_scanning,
    change_scanning,
    record_scans,
    release_scanning,
    remove_scan,
    start_scanning,
    take_in,
)
from apps.inventory.services.settling import NEEDS_REASON, Settled, settle_item, settle_items
from apps.inventory.services.steps import (
    lend_device,
    move_device,
    record_disposal,
    report_lost,
    report_stolen,
    retire_device,
    return_from_repair,
    return_loan,
    return_to_supplier,
    send_to_repair,
    take_to_stock,
)
from apps.inventory.services.stocktakes import (
    Answer,
    SentScan,
    cancel_stocktake,
    close_stocktake,
    count_scans,
    start_stocktake,
)

__all__ = [
    "NEEDS_REASON",
    "Answer",
    "SentScan",
    "SentSerial",
    "Settled",
    "add_attachment",
    "add_device",
    "add_devices",
    "add_devices_once",
    "add_kits",
    "add_kits_once",
    "begin_undo",
    "bind_device",
    "bind_devices",
    "cancel_scanning",
    "cancel_stocktake",
    "change_condition",
    "change_details",
    "change_kind",
    "change_kind_counting",
    "change_ownership",
    "change_scanning",
    "choose_devices",
    "close_stocktake",
    "confirm_change",
    "count_scans",
    "extend_loan",
    "forget_changes",
    "hand_out",
    "lend_device",
    "lengthen_bindings",
    "move_device",
    "plan_of",
    "record_disposal",
    "record_scans",
    "refresh_devices_of",
    "refresh_search_text",
    "release_scanning",
    "remind_of_ageing",
    "remove_attachment",
    "remove_scan",
    "rename_bindings",
    "report_loan_lost",
    "report_loan_stolen",
    "report_lost",
    "report_stolen",
    "retire_device",
    "return_from_repair",
    "return_loan",
    "return_to_supplier",
    "run_waiting",
    "send_to_repair",
    "set_price",
    "settle_item",
    "settle_items",
    "show_change",
    "start_scanning",
    "start_stocktake",
    "take_back",
    "take_back_device",
    "take_in",
    "take_to_stock",
    "try_again",
    "undo_hand_out",
    "undo_take_back",
]
