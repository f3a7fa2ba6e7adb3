"""What must be the same at every load, in every database: one digest for each kind of rows, without their keys.

`python -m tests.demo.digest` loads the city into an empty database and prints the digests as JSON.
"""

import datetime
import hashlib
import json
from io import StringIO

LAST_DAY = datetime.date(2026, 2, 28)
SITE = ("site__school__number", "site__name")
DEVICE = ("serial", "product__model", "ownership", "price", "bought_on", "status", "school__number", "room")
PLACEMENT = ("device__tag", "school__number", "site__name", "room", "since", "until", "countable", "presentation")
VOUCHER = ("order_line__school__number", "order_line__product__model", "amount", "grant_amount", "own_amount")
FIGURE = ("plan__name", "school__number", "day", "devices", "parent_financed", "presentation_devices", "pupils")
TICKET = ("school__number", "title", "state", "device__serial", "room", "reporter__email", "created_at__time")
RECORD = ("tag", "history_date", "history_type", "history_change_reason", "history_user__email", "status", "room")


def digests() -> dict[str, str]:
    """Rows in an order of their own; what moves with the real today is left out."""
    from apps.funding.models import Budget, DrawdownItem, InvoiceLine, LedgerEntry, ProofOfUse, PurchasedDevice
    from apps.inventory.models import Device, KitPart, Placement, ProductPrice
    from apps.quotas.models import QuotaFigure
    from apps.schools.models import FibreLine, ItStaffing, PlatformStatus, PupilCount, RoomNetwork
    from apps.tickets.models import Ticket, TicketMessage

    past = {"fiscal_year__range": (2020, 2025)}
    rows = {
        "devices": Device.objects.values_list("tag", "created_at", "last_school__number", *DEVICE),
        "placements": Placement.objects.values_list(*PLACEMENT),
        "records": Device.history.values_list(*RECORD),
        "prices": ProductPrice.objects.values_list("product__model", "gross_price", "valid_from"),
        "kits": KitPart.objects.values_list("kit__name", "product__model", "quantity"),
        "counts": PupilCount.objects.values_list("school__number", "counted_on", "pupils", "generated"),
        "budgets": Budget.objects.filter(**past).values_list("fiscal_year", "name", "appropriation", "spent"),
        "entries": LedgerEntry.objects.filter(budget__fiscal_year__range=(2020, 2025)).values_list(
            "budget__fiscal_year", "budget__name", "at", "kind", "amount", "note"
        ),
        "vouchers": InvoiceLine.objects.values_list("invoice__voucher_number", "invoice__paid_on", *VOUCHER),
        "purchases": PurchasedDevice.objects.values_list("device__tag", "order_line__order__number"),
        "drawdowns": DrawdownItem.objects.values_list("drawdown__grant__file_reference", "drawdown__number", "amount"),
        "proofs": ProofOfUse.objects.values_list("grant__file_reference", "state", "handed_in_on", "purpose"),
        "fibre": FibreLine.objects.values_list(*SITE, "since", "mbits"),
        "rooms": RoomNetwork.objects.values_list(*SITE, "counted_on", "rooms", "rooms_with_lan", "rooms_with_wifi"),
        "platforms": PlatformStatus.objects.values_list("school__number", "platform__name", "state", "since"),
        "staff": ItStaffing.objects.values_list("year", "full_time_posts"),
        "tickets": Ticket.objects.values_list(*TICKET),
        "messages": TicketMessage.objects.values_list("ticket__pk", "at__time", "by__email", "text", "internal"),
        "figures": QuotaFigure.objects.filter(day__lte=LAST_DAY).values_list(*FIGURE, "target_devices"),
    }
    return {name: _digest(values) for name, values in rows.items()}


def _digest(rows: object) -> str:
    lines = sorted(repr([str(value) for value in row]) for row in rows.order_by())  # type: ignore[attr-defined]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, skip_checks=True)
    call_command("load_demo", stdout=StringIO(), skip_checks=True)
    print(json.dumps(digests()))  # noqa: T201 - this is what the module is started for
