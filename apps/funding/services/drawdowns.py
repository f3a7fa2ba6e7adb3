"""Money called from a grant (Mittelabruf): collected from paid vouchers, requested, received or cancelled.

Each function locks the grant first and then the vouchers in the order of their keys, so that two people who draw from
one grant follow each other; the database lets a voucher stand in one drawdown only.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Max
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import day as in_words
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO, total
from apps.funding.choices import DrawdownState
from apps.funding.drawdown_selectors import (
    credits_in_other_drafts,
    drawable_lines,
    drawn_before,
    missing_numbers,
    owed_credits,
)
from apps.funding.models import Drawdown, DrawdownItem, FreedItem, Grant, InvoiceLine
from apps.funding.services.steps import ensure_may, money_transaction, validated
from apps.funding.workflow import DRAWDOWN_TRANSITIONS

_KEEP = "funding.keep_proofs"


def create_drawdown(*, grant: Grant, by: User, lines: Iterable[int] | None = None, remark: str = "") -> Drawdown:
    """A draft with the paid vouchers of these keys (None: all that are not drawn yet).

    Refuses to leave out credits of what is drawn, and credits that outweigh the rest: they reduce the next drawdown.
    """
    ensure_may(by, _KEEP)
    with money_transaction():
        locked = _lock_grant(grant.pk, by=by)
        chosen = _lock_lines(locked, lines)
        last = Drawdown.objects.filter(grant=locked).aggregate(last=Max("number"))["last"] or 0
        drawdown = Drawdown(grant=locked, number=last + 1, by=by, remark=remark.strip())
        validated(drawdown, exclude=("by", "grant"))
        save_by(drawdown, by=by)
        _hold(drawdown, chosen)
    return drawdown


def choose_lines(*, drawdown: Drawdown, lines: Iterable[int], by: User, remark: str = "") -> Drawdown:
    """A draft's vouchers anew: those of these keys, out of its own and those that are not drawn yet."""
    with money_transaction():
        row = _lock_drawdown(drawdown, by=by, permission=_KEEP)
        if row.state != DrawdownState.DRAFT:
            raise DomainError(_("Only a draft can be changed. Please load the page again."), code="illegal_transition")
        row.items.all().delete()
        _hold(row, _lock_lines(row.grant, lines))
        row.remark = remark.strip()
        validated(row, exclude=("by", "grant"))
        save_by(row, by=by, update_fields=["remark"])
    return row


def request_drawdown(*, drawdown: Drawdown, by: User, on: datetime.date | None = None) -> Drawdown:
    """Sends it off: copies file reference and Lucom number of the grant and the day (None: today).

    Refuses without either number, without vouchers, without a credit of what is drawn, also where another draft holds
    it, what would exceed the grant, and a day before the last voucher was paid: what is drawn here was spent before.
    """
    with money_transaction():
        row = _lock_for("request_drawdown", drawdown, by=by)
        day = _day(on, not_before=row.grant.notice_on, field="requested_on")
        _ensure_paid_by(row, day)
        _ensure_numbers(row.grant)
        _ensure_credits(row.grant, row.items.values_list("invoice_line", flat=True))
        _ensure_no_credit_elsewhere(row)
        _ensure_amount(row)
        row.file_reference, row.lucom_number = row.grant.file_reference, row.grant.lucom_number
        row.requested_on = day
        return _change_state(row, "request_drawdown", ["file_reference", "lucom_number", "requested_on"], by=by)


def receive_drawdown(*, drawdown: Drawdown, by: User, on: datetime.date | None = None) -> Drawdown:
    """The money has come (None: today)."""
    with money_transaction():
        row = _lock_for("receive_drawdown", drawdown, by=by)
        row.received_on = _day(on, not_before=row.requested_on, field="received_on")
        return _change_state(row, "receive_drawdown", ["received_on"], by=by)


def cancel_drawdown(*, drawdown: Drawdown, by: User, reason: str = "") -> Drawdown:
    """Frees its vouchers for another drawdown; of one that was requested, what it had called is kept with it."""
    with money_transaction():
        row = _lock_for("cancel_drawdown", drawdown, by=by)
        items = list(row.items.values_list("invoice_line__invoice", "amount"))
        vouchers = len({invoice for invoice, _amount in items})
        _free_items(row)
        sentence = ngettext(
            "%(count)s voucher with %(amount)s is free again.",
            "%(count)s vouchers with %(amount)s are free again.",
            vouchers,
        )
        freed = sentence % {"count": vouchers, "amount": euro(total(amount for _invoice, amount in items))}
        return _change_state(row, "cancel_drawdown", [], by=by, reason=f"{_with_full_stop(reason)} {freed}".strip())


def _with_full_stop(text: str) -> str:
    """As a sentence that another may follow; "" stays."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _lock_grant(pk: int, *, by: User) -> Grant:
    rows = Grant.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    grant: Grant = get_object_or_404(rows, pk=pk)
    return grant


def _lock_drawdown(drawdown: Drawdown, *, by: User, permission: str) -> Drawdown:
    ensure_may(by, permission)
    grant = _lock_grant(drawdown.grant_id, by=by)
    rows = Drawdown.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: Drawdown = get_object_or_404(rows, pk=drawdown.pk)
    row.grant = grant
    return row


def _lock_for(action: str, drawdown: Drawdown, *, by: User) -> Drawdown:
    transition = DRAWDOWN_TRANSITIONS.transitions[action]
    row = _lock_drawdown(drawdown, by=by, permission=transition.permission)
    DRAWDOWN_TRANSITIONS.ensure(action, source=row.state, target=min(transition.targets))
    return row


def _lock_lines(grant: Grant, wanted: Iterable[int] | None) -> list[InvoiceLine]:
    """The vouchers that may be drawn now, locked; refuses when one of them is drawn already or there is none."""
    keys = None if wanted is None else set(wanted)
    rows = drawable_lines(grant)
    if keys is not None:
        rows = rows.filter(pk__in=keys)
    found = list(InvoiceLine.objects.select_for_update(no_key=True).filter(pk__in=rows.values("pk")).order_by("pk"))
    if keys is not None and len(found) < len(keys):
        raise DomainError(
            _("Somebody has drawn one of these vouchers in the meantime. Please load the page again."),
            code="drawn",
            field="lines",
        )
    if not found:
        raise DomainError(_("Please choose at least one paid voucher."), code="required", field="lines")
    _ensure_credits(grant, [line.pk for line in found])
    _ensure_something_to_call(total(line.grant_amount or ZERO for line in found))
    return found


def _hold(drawdown: Drawdown, lines: Iterable[InvoiceLine]) -> None:
    DrawdownItem.objects.bulk_create(
        [DrawdownItem(drawdown=drawdown, invoice_line=line, amount=line.grant_amount or ZERO) for line in lines],
        batch_size=500,
    )


def _free_items(drawdown: Drawdown) -> None:
    if drawdown.requested_on is not None:
        held = drawdown.items.order_by("pk")
        FreedItem.objects.bulk_create(
            [FreedItem(drawdown=drawdown, invoice_line_id=item.invoice_line_id, amount=item.amount) for item in held],
            batch_size=500,
        )
    drawdown.items.all().delete()


def _ensure_numbers(grant: Grant) -> None:
    if missing_numbers(grant):
        raise DomainError(
            _("A drawdown names the file reference and the Lucom number. Please enter them at the grant first."),
            code="numbers",
        )


def _ensure_paid_by(drawdown: Drawdown, day: datetime.date) -> None:
    last = drawdown.items.select_related("invoice_line__invoice").order_by("-invoice_line__invoice__paid_on").first()
    if last is not None and last.invoice_line.invoice.paid_on > day:
        invoice = last.invoice_line.invoice
        raise DomainError(
            _("The voucher %(number)s was paid on %(day)s only. Please enter a day from then on.")
            % {"number": invoice.voucher_number, "day": in_words(invoice.paid_on)},
            code="too_early",
            field="requested_on",
        )


def _ensure_credits(grant: Grant, chosen: Iterable[int]) -> None:
    """Without the credits, more would come than was spent, and what is too much could not be called alone later."""
    chosen = set(chosen)
    left_out = [line.invoice.voucher_number for line in owed_credits(grant, chosen) if line.pk not in chosen]
    if left_out:
        raise DomainError(
            _("Credit notes of vouchers that are drawn come along. Please choose these as well: %(numbers)s.")
            % {"numbers": ", ".join(dict.fromkeys(left_out))},
            code="credits",
            field="lines",
        )


def _ensure_no_credit_elsewhere(drawdown: Drawdown) -> None:
    """A draft is not sent yet: what it sets off may never be set off."""
    held = list(credits_in_other_drafts(drawdown))
    if held:
        numbers = dict.fromkeys(str(line.drawdown_item.drawdown.number) for line in held)
        raise DomainError(
            _(
                "Credit notes of vouchers that are drawn stand in the draft of drawdown %(drafts)s: %(numbers)s. Please"
                " request that one first. Or cancel it: then its vouchers are free, and you choose them here."
            )
            % {
                "drafts": ", ".join(numbers),
                "numbers": ", ".join(dict.fromkeys(line.invoice.voucher_number for line in held)),
            },
            code="credits_elsewhere",
        )


def _ensure_something_to_call(amount: Decimal) -> None:
    if amount <= ZERO:
        raise DomainError(
            _(
                "There is nothing to call: the vouchers add up to %(sum)s. Credit notes reduce the next drawdown:"
                " please choose them together with paid invoices. If no drawdown follows, the money is paid back."
            )
            % {"sum": euro(amount)},
            code="nothing_to_call",
            field="lines",
        )


def _ensure_amount(drawdown: Drawdown) -> None:
    amount = total(drawdown.items.values_list("amount", flat=True))
    _ensure_something_to_call(amount)
    left = drawdown.grant.amount - drawn_before(drawdown)
    if amount > left:
        raise DomainError(
            _("Of this grant %(left)s are left to call, but the vouchers add up to %(sum)s. Please choose fewer.")
            % {"left": euro(left), "sum": euro(amount)},
            code="exceeded",
            field="lines",
        )


def _day(on: datetime.date | None, *, not_before: datetime.date | None, field: str) -> datetime.date:
    day = on or clock.today()
    if day > clock.today():
        raise DomainError(_("This day is yet to come. Please enter today or an earlier day."), field=field)
    if not_before is not None and day < not_before:
        raise DomainError(
            _("Please enter a day from %(day)s on.") % {"day": in_words(not_before)}, code="too_early", field=field
        )
    return day


def _change_state(row: Drawdown, action: str, fields: list[str], *, by: User, reason: str = "") -> Drawdown:
    """The only place that assigns a drawdown's state."""
    (row.state,) = DRAWDOWN_TRANSITIONS.transitions[action].targets
    return save_by(row, by=by, update_fields=["state", *fields], reason=reason)
