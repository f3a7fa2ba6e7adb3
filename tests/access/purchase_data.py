"""What people send about orders and invoices; see `sent`."""

import uuid
from collections.abc import Callable
from typing import Any

from apps.accounts.choices import Role
from apps.core import clock
from tests.access.world import World
from tests.funding.purchases import mark_of

Data = dict[str, Any]


def _today() -> str:
    return f"{clock.today():%d.%m.%Y}"


def _chosen(world: World, *_known: Any) -> Data:
    line = world.row("ledgerentry").line_id
    return {
        "form_key": uuid.uuid4(), "target": "new", "contract": world.row("contract").pk,
        f"line-{line}": "on", f"pieces-{line}": 1,
    }  # fmt: skip


def _draft(step: str) -> Callable[[World, Any, Role | None], Data]:
    """The lines as they stand, one more piece of the first."""

    def data(world: World, row: Any, _role: Role | None) -> Data:
        lines = list(row.lines.order_by("pk"))
        sent: Data = {
            "step": step, "revision": row.revision, "supplier": row.supplier_id, "contract": row.contract_id,
            "estimated_net": "300,00", "award_reason": "Geldwort",
            "lines-TOTAL_FORMS": len(lines), "lines-INITIAL_FORMS": len(lines),
        }  # fmt: skip
        for number, line in enumerate(lines):
            sent |= {
                f"lines-{number}-line_id": line.pk,
                f"lines-{number}-product_id": line.product_id or "",
                f"lines-{number}-description": line.description,
                f"lines-{number}-school_id": line.school_id or "",
                f"lines-{number}-quantity": line.quantity + 1,
                f"lines-{number}-unit_price": "10,00",
                f"lines-{number}-budget_id": line.budget_id,
            }
        return sent

    return data


def _goods(**more: Any) -> Callable[[World, Any, Role | None], Data]:
    """One piece of the line that nobody scans."""

    def data(world: World, _row: Any, _role: Role | None) -> Data:
        return {"form_key": uuid.uuid4(), f"pieces-{world.row('cableline').pk}": 1, **more}

    return data


PURCHASES: dict[str, Callable[[World, Any, Role | None], Data]] = {
    "admin:funding_order_to_order": _chosen,
    "admin:funding_order_change#save": _draft("save"),
    "admin:funding_order_change#place": _draft("place"),
    "admin:funding_budgetchange_confirm_several": lambda _world, row, _role: {"shown": row.pk},
    "admin:funding_order_approve": lambda _world, row, _role: {"revision": row.revision},
    "admin:funding_order_send-back": lambda _world, row, _role: {"revision": row.revision, "reason": "Weil"},
    "admin:funding_order_receive": _goods(received_on=_today()),
    "admin:funding_order_return": _goods(on=_today(), reason="Defekt"),
    "admin:funding_order_scan": lambda *_: {"form_key": uuid.uuid4(), "received_on": _today()},
    "admin:funding_order_invoice": lambda world, *_: {
        "form_key": uuid.uuid4(), "voucher_number": "Neu", "number": "Neu", "dated_on": _today(), "payee": "Neu",
        f"pieces-{world.row('cableline').pk}": 1, f"amount-{world.row('cableline').pk}": "10,00",
    },
    "admin:funding_invoice_change#pay": lambda _world, row, _role: {
        "step": "pay", "pay-paid_on": _today(), "seen": mark_of(row),
    },
    "admin:funding_invoice_pay_several": lambda _world, row, _role: {
        "paid_on": _today(), f"seen-{row.pk}": mark_of(row),
    },
}  # fmt: skip
