"""Orders and invoices of the small city: a draft, one that is proposed, one placed, two of which something came."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apps.accounts.choices import Role
from apps.core import clock
from apps.funding import services
from apps.funding.models import FrameworkContract, OrderLine, Supplier
from apps.funding.purchasing import InvoiceLineInput, OrderLineInput
from apps.inventory.scan_checks import SentSerial
from apps.inventory.services import record_scans

if TYPE_CHECKING:
    from tests.access.world import World


def make_purchases(world: World) -> None:
    """Bought by the office on its own, for the first school; the invoice is recorded by the clerk."""
    by, budget = world.people[Role.OFFICE_CLERK], world.row("budget")
    supplier = Supplier.objects.create(name="Lieferhaus Geldwort")
    contract = FrameworkContract.objects.create(
        supplier=supplier, reference="RV Geldwort", title="Geräte", valid_from=clock.today()
    )
    known: dict[str, Any] = {"budget_id": budget.pk, "school_id": world.row("school").pk}
    lines = [
        OrderLineInput(3, Decimal(100), product_id=world.row("product").pk, **known),
        OrderLineInput(5, Decimal(10), description="Kabel Geldwort", **known),
    ]
    award = {"estimated_net": Decimal(300), "award_reason": "Geldwort"}
    facts: dict[str, Any] = {"by": by, "supplier": supplier, "contract": contract, "lines": lines, **award}
    draft, *others = (services.create_order(**facts, note="Geldwort") for _number in range(5))
    proposed, *others = (services.place_order(order=row, by=by) for row in others)
    approver = world.people[Role.OFFICE_APPROVER]
    placed, came, ending = (services.approve_order(order=row, by=approver) for row in others)
    last = OrderLine.objects.filter(order=ending).order_by("-pk")[0]
    services.receive_goods(order=ending, by=by, quantities={last.pk: 1})
    scanned, cables = OrderLine.objects.filter(order=came).order_by("pk")
    services.receive_goods(order=came, by=by, quantities={cables.pk: 2}, note=services.Note("LS Geldwort"))
    scan = services.begin_scan(order_line=scanned, by=by, token=uuid.uuid4())
    scans = [SentSerial(uuid.uuid4(), f"GELDWORT-{number}") for number in range(scanned.quantity + 1)]
    record_scans(session=scan, scanned=scans, by=by)
    invoice = services.record_invoice(
        order=came,
        by=by,
        number="R Geldwort",
        voucher_number="B Geldwort",
        dated_on=clock.today(),
        lines=[InvoiceLineInput(cables.pk, 1, Decimal(10))],
    )
    came.refresh_from_db()
    world.shared |= {"supplier": supplier, "contract": contract, "order_draft": draft, "order_placed": placed}
    world.shared |= {"scan_of_order": scan, "order_ending": ending, "order_proposed": proposed}
    world.shared |= {"order": came, "orderline": scanned, "cableline": cables, "invoice": invoice}
