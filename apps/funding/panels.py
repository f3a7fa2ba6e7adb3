"""What other apps' pages show of applications and purchases."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.funding.choices import ApplicationState
from apps.funding.purchase_selectors import purchase_of
from apps.funding.purchasing import LIVE_ORDERS
from apps.funding.scan_selectors import goods_of, receipt_of
from apps.funding.school_money import money_of_school
from apps.funding.selectors import application_rows
from apps.inventory.models import Device, ScanSession
from apps.schools.models import School

SHOWN = 5


def applications_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """The newest applications of a school with state and sum, and the way to a new one."""
    user: Any = request.user
    if not user.has_perm("funding.view_equipmentapplication"):
        return None
    rows = list(application_rows(user).filter(school=school).order_by("-pk")[: SHOWN + 1])
    query = urlencode({"school": school.number})
    return {
        "applications": rows[:SHOWN],
        "states": ApplicationState,
        "money": money_of_school(school),
        "sees_sources": user.has_perm("funding.view_budget"),
        "more_url": f"{reverse('funding:list')}?{query}" if len(rows) > SHOWN else "",
        "concepts_url": (
            reverse("funding:concepts", args=[school.number]) if user.has_perm("funding.view_mediaconcept") else ""
        ),
        "create_url": f"{reverse('funding:create')}?{query}" if user.has_perm("funding.draft_application") else "",
    }


def purchase_of_device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    """With which order and money a device was bought, for those who see the city's money."""
    user: Any = request.user
    if not user.has_perm("funding.view_budget"):
        return None
    purchase = purchase_of(device, user)
    if purchase is None:
        return None
    return {"purchase": purchase, "line": purchase.order_line, "in_admin": user.is_staff}


def order_of_scan(request: HttpRequest, session: ScanSession) -> dict[str, Any] | None:
    """The order whose goods are scanned in, for those who see it, and the way to what is still missing of it."""
    user: Any = request.user
    if not (user.is_staff and user.has_perm("funding.view_order")):
        return None
    receipt = receipt_of(session)
    if receipt is None:
        return None
    order = receipt.order
    goods = goods_of(receipt, order.lines.select_related("product", "school").order_by("pk"))
    goes_on = goods.number and order.state in LIVE_ORDERS and user.has_perm("funding.receive_goods")
    asked = {"line": goods.line.pk} | ({"kit": goods.kit.pk} if goods.kit else {})
    return {
        "order": order,
        "order_url": reverse("admin:funding_order_change", args=[order.pk]),
        "kit": goods.kit,
        "parts": goods.parts,
        "missing": goods.number,
        "scan_url": f"{reverse('admin:funding_order_scan', args=[order.pk])}?{urlencode(asked)}" if goes_on else "",
    }
