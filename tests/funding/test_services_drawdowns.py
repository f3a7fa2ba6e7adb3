"""Drawdowns: every state and role, what is refused, and what becomes of the vouchers."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import DrawdownState, InvoiceState
from apps.funding.drawdown_selectors import (
    credits_in_other_drafts,
    drawable_lines,
    grants_to_draw,
    items_of,
    owed_credits,
    sums_of,
)
from apps.funding.models import Drawdown, DrawdownItem, Grant
from apps.funding.workflow import DRAWDOWN_TRANSITIONS
from tests.factories import ClerkFactory, UserFactory
from tests.funding.papers import DAY, credit, make_drawdown, make_grant, money_of, pay

pytestmark = pytest.mark.django_db
D = Decimal
PAID_ON = DAY + datetime.timedelta(days=14)
S = DrawdownState
ACTIONS: dict[str, Callable[..., Drawdown]] = {
    "request_drawdown": services.request_drawdown,
    "receive_drawdown": services.receive_drawdown,
    "cancel_drawdown": services.cancel_drawdown,
}
# Written down by hand from the domain, not read from the code under test.
TARGETS = {
    ("request_drawdown", S.DRAFT): S.REQUESTED,
    ("receive_drawdown", S.REQUESTED): S.RECEIVED,
    ("cancel_drawdown", S.DRAFT): S.CANCELLED,
    ("cancel_drawdown", S.REQUESTED): S.CANCELLED,
}
MAY = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER}


def test_the_table_holds_what_is_tested() -> None:
    steps = {(name, source) for name, step in DRAWDOWN_TRANSITIONS for source in step.sources}
    assert steps == set(TARGETS)


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_state(action: str, state: S) -> None:
    drawdown = make_drawdown(state)
    target = TARGETS.get((action, state))
    if target is None:
        with pytest.raises(DomainError) as refused:
            ACTIONS[action](drawdown=drawdown, by=ClerkFactory())
        assert refused.value.code == "illegal_transition"
    else:
        ACTIONS[action](drawdown=drawdown, by=ClerkFactory())
    drawdown.refresh_from_db()
    assert drawdown.state == (target or state)
    assert drawdown.items.count() == (0 if S.CANCELLED in (state, target) else 1)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", [*ACTIONS, "create_drawdown", "choose_lines"])
def test_every_action_by_every_role(action: str, role: Role) -> None:
    by = UserFactory(role=role)
    drawdown = make_drawdown(S.REQUESTED if action == "receive_drawdown" else S.DRAFT)
    free = pay(drawdown.grant, money_of(drawdown.grant))

    def act() -> Any:
        if action == "create_drawdown":
            return services.create_drawdown(grant=drawdown.grant, by=by)
        if action == "choose_lines":
            return services.choose_lines(drawdown=drawdown, lines=[free.pk], by=by)
        return ACTIONS[action](drawdown=drawdown, by=by)

    if role in MAY:
        act()
        return
    before = list(Drawdown.objects.values()), list(DrawdownItem.objects.values())
    with pytest.raises(PermissionDenied):
        act()
    assert (list(Drawdown.objects.values()), list(DrawdownItem.objects.values())) == before


@pytest.fixture
def clerk() -> User:
    return ClerkFactory()


@pytest.fixture
def grant() -> Grant:
    return make_grant()


class TestCollecting:
    def test_takes_all_that_is_paid_and_not_drawn(self, grant: Grant, clerk: User) -> None:
        budgets = money_of(grant)
        lines = [pay(grant, budgets, amount) for amount in ("1000.00", "33.33", "-10.00")]
        pay(grant, budgets, state=InvoiceState.RECORDED)
        pay(grant, budgets, "50.00", eligible="0.00")
        pay(make_grant(), money_of(make_grant()))
        assert [(row.grant, row.vouchers, row.amount) for row in grants_to_draw(clerk) if row.grant == grant] == [
            (grant, 3, D("920.99"))
        ]

        first = services.create_drawdown(grant=grant, by=clerk, lines=[lines[0].pk], remark=" Erste Rate ")
        second = services.create_drawdown(grant=grant, by=clerk)

        assert (first.number, second.number, first.remark) == (1, 2, "Erste Rate")
        assert [(item.invoice_line, item.amount) for item in items_of(first)] == [(lines[0], D("900.00"))]
        assert {item.invoice_line: item.amount for item in items_of(second)} == {
            lines[1]: D("29.99"),
            lines[2]: D("-9.00"),
        }
        assert not drawable_lines(grant).exists()

    def test_nothing_to_draw(self, grant: Grant, clerk: User) -> None:
        with pytest.raises(DomainError, match="mindestens einen"):
            services.create_drawdown(grant=grant, by=clerk)
        assert Drawdown.objects.count() == 0

    def test_a_voucher_is_drawn_once_and_only_from_its_own_grant(self, clerk: User) -> None:
        drawn = make_drawdown().items.get().invoice_line
        foreign = pay(make_grant(), money_of(make_grant()))
        for line in (drawn, foreign):
            with pytest.raises(DomainError) as refused:
                services.create_drawdown(grant=drawn.order_line.budget.grant, by=clerk, lines=[line.pk])
            assert refused.value.code == "drawn"

    def test_a_draft_chooses_anew_and_keeps_its_vouchers_when_refused(self, clerk: User) -> None:
        drawdown = make_drawdown()
        own, free = drawdown.items.get().invoice_line, pay(drawdown.grant, money_of(drawdown.grant))

        services.choose_lines(drawdown=drawdown, lines=[own.pk, free.pk], by=clerk, remark="Beide")
        with pytest.raises(DomainError):
            services.choose_lines(drawdown=drawdown, lines=[], by=clerk)

        assert {item.invoice_line for item in items_of(drawdown)} == {own, free}
        assert not drawable_lines(drawdown.grant).exists()

    def test_what_is_requested_is_not_changed(self, clerk: User) -> None:
        drawdown = make_drawdown(S.REQUESTED)
        free = pay(drawdown.grant, money_of(drawdown.grant))
        with pytest.raises(DomainError, match="Entwurf"):
            services.choose_lines(drawdown=drawdown, lines=[free.pk], by=clerk)


class TestCredits:
    """What a supplier gave back of vouchers that are drawn was received too much: it comes along with the next."""

    def test_a_credit_of_what_is_drawn_is_not_left_out(self, grant: Grant, clerk: User) -> None:
        bought, other = pay(grant, money_of(grant)), pay(grant, money_of(grant))
        back = credit(bought, "100.00")

        with pytest.raises(DomainError, match=f"Gutschrift.*{back.invoice.voucher_number}") as refused:
            services.create_drawdown(grant=grant, by=clerk, lines=[bought.pk, other.pk])
        assert (refused.value.code, refused.value.field) == ("credits", "lines")
        assert not Drawdown.objects.exists()

        first = services.create_drawdown(grant=grant, by=clerk, lines=[bought.pk, back.pk])
        assert sums_of(first, items_of(first)).amount == D("810.00")

    def test_a_credit_of_what_is_not_drawn_may_wait(self, grant: Grant, clerk: User) -> None:
        bought, other = pay(grant, money_of(grant)), pay(grant, money_of(grant))
        credit(bought, "100.00")
        assert services.create_drawdown(grant=grant, by=clerk, lines=[other.pk]).items.count() == 1

    @pytest.mark.parametrize("state", [S.REQUESTED, S.RECEIVED])
    def test_a_credit_of_what_was_drawn_earlier_comes_with_the_next(self, state: S, clerk: User) -> None:
        earlier = make_drawdown(state, grant=make_grant(amount=D("5000.00")))
        back = credit(earlier.items.get().invoice_line, "100.00")
        new = pay(earlier.grant, money_of(earlier.grant))

        with pytest.raises(DomainError, match=back.invoice.voucher_number):
            services.create_drawdown(grant=earlier.grant, by=clerk, lines=[new.pk])

        assert [line.pk for line in owed_credits(earlier.grant, [new.pk])] == [back.pk]
        taken = services.create_drawdown(grant=earlier.grant, by=clerk, lines=[new.pk, back.pk])
        assert sums_of(taken, items_of(taken)).amount == D("810.00")

    def test_a_draft_that_chooses_anew_keeps_its_credits(self, grant: Grant, clerk: User) -> None:
        bought = pay(grant, money_of(grant))
        back = credit(bought, "100.00")
        drawdown = services.create_drawdown(grant=grant, by=clerk)

        with pytest.raises(DomainError, match=back.invoice.voucher_number):
            services.choose_lines(drawdown=drawdown, lines=[bought.pk], by=clerk)

        assert {item.invoice_line for item in items_of(drawdown)} == {bought, back}

    def test_credits_alone_reduce_the_next_drawdown(self, clerk: User) -> None:
        earlier = make_drawdown(S.RECEIVED)
        back = credit(earlier.items.get().invoice_line, "100.00")

        for lines in (None, [back.pk]):
            with pytest.raises(DomainError, match="mindern den nächsten Mittelabruf") as refused:
                services.create_drawdown(grant=earlier.grant, by=clerk, lines=lines)
            assert refused.value.code == "nothing_to_call"
        assert Drawdown.objects.get() == earlier


class TestRequesting:
    def test_copies_the_numbers_of_the_grant_and_the_day(self, clerk: User) -> None:
        drawdown = make_drawdown()

        services.request_drawdown(drawdown=drawdown, by=clerk, on=PAID_ON)
        Grant.objects.update(lucom_number="anders", file_reference="anders")

        row = Drawdown.objects.get()
        assert (row.lucom_number, row.requested_on) == ("LU-1", PAID_ON)
        assert row.file_reference.startswith("48.2-")
        assert row.history.first().history_user == clerk

    @pytest.mark.parametrize("field", ["lucom_number", "file_reference"])
    def test_needs_both_numbers(self, field: str, clerk: User) -> None:
        drawdown = make_drawdown()
        Grant.objects.update(**{field: " "})

        with pytest.raises(DomainError, match="Lucom-Nummer") as refused:
            services.request_drawdown(drawdown=drawdown, by=clerk)
        assert refused.value.code == "numbers"

    def test_never_more_than_the_grant(self, clerk: User) -> None:
        grant = make_grant(amount=D("1799.99"))
        make_drawdown(S.RECEIVED, grant=grant)
        drawdown = make_drawdown(grant=grant)

        with pytest.raises(DomainError) as refused:
            services.request_drawdown(drawdown=drawdown, by=clerk)
        assert refused.value.code == "exceeded"
        Grant.objects.update(amount=D("1800.00"))
        services.request_drawdown(drawdown=drawdown, by=clerk)

        drawdown.refresh_from_db()
        sums = sums_of(drawdown, items_of(drawdown))
        assert (sums.eligible, sums.amount, sums.before, sums.remaining) == (D("1000"), D("900"), D("900"), D("0"))

    def test_a_draft_without_a_credit_that_came_since_is_not_sent(self, clerk: User) -> None:
        drawdown = make_drawdown()
        drawn = drawdown.items.get().invoice_line
        back = credit(drawn, "100.00")

        with pytest.raises(DomainError, match=back.invoice.voucher_number) as refused:
            services.request_drawdown(drawdown=drawdown, by=clerk)
        assert (refused.value.code, Drawdown.objects.get().state) == ("credits", S.DRAFT)

        services.choose_lines(drawdown=drawdown, lines=[drawn.pk, back.pk], by=clerk)
        services.request_drawdown(drawdown=drawdown, by=clerk)
        assert sums_of(drawdown, items_of(drawdown)).amount == D("810.00")

    def test_a_credit_in_another_draft_goes_first_or_is_freed(self, clerk: User) -> None:
        """One credit of what was called, two drafts: the one without it would call what the supplier gave back."""
        earlier = make_drawdown(S.RECEIVED)
        grant = earlier.grant
        back = credit(earlier.items.get().invoice_line, "100.00")
        first_line, second_line = (pay(grant, money_of(grant), "500.00") for _number in range(2))
        first = services.create_drawdown(grant=grant, by=clerk, lines=[first_line.pk, back.pk])
        second = services.create_drawdown(grant=grant, by=clerk, lines=[second_line.pk])
        assert list(credits_in_other_drafts(second)) == [back]
        assert not credits_in_other_drafts(first)

        with pytest.raises(DomainError) as refused:
            services.request_drawdown(drawdown=second, by=clerk)

        assert refused.value.code == "credits_elsewhere"
        assert f"Mittelabruf {first.number}" in str(refused.value)
        assert back.invoice.voucher_number in str(refused.value)
        second.refresh_from_db()
        assert second.state == S.DRAFT

        services.request_drawdown(drawdown=first, by=clerk)
        assert not credits_in_other_drafts(second)
        services.request_drawdown(drawdown=second, by=clerk)
        called = sum(item.amount for row in (first, second) for item in row.items.all())
        assert called == Decimal("810.00"), "two vouchers of 450 euros less a credit of 90"

    def test_two_drafts_that_hold_each_others_credits_are_solved_by_cancelling_one(self, clerk: User) -> None:
        earlier = make_drawdown(S.RECEIVED)
        grant = earlier.grant
        held = [credit(earlier.items.get().invoice_line, "10.00")]
        drafts = [services.create_drawdown(grant=grant, by=clerk, lines=[pay(grant, money_of(grant)).pk, held[0].pk])]
        held.append(credit(earlier.items.get().invoice_line, "20.00"))
        drafts.append(
            services.create_drawdown(grant=grant, by=clerk, lines=[pay(grant, money_of(grant)).pk, held[1].pk])
        )
        for row in drafts:
            with pytest.raises(DomainError, match="Gutschriften"):
                services.request_drawdown(drawdown=row, by=clerk)

        services.cancel_drawdown(drawdown=drafts[1], by=clerk, reason="Zusammenlegen")
        own = list(drafts[0].items.values_list("invoice_line", flat=True))
        services.choose_lines(drawdown=drafts[0], by=clerk, lines=[*own, held[1].pk])
        assert services.request_drawdown(drawdown=drafts[0], by=clerk).state == S.REQUESTED

    @pytest.mark.parametrize("days", [1, -4000])
    def test_neither_tomorrow_nor_before_the_notice(self, days: int, clerk: User) -> None:
        with pytest.raises(DomainError) as refused:
            services.request_drawdown(
                drawdown=make_drawdown(), by=clerk, on=clock.today() + datetime.timedelta(days=days)
            )
        assert refused.value.field == "requested_on"

    def test_not_before_its_last_voucher_was_paid(self, clerk: User) -> None:
        drawdown = make_drawdown()
        with pytest.raises(DomainError) as refused:
            services.request_drawdown(drawdown=drawdown, by=clerk, on=PAID_ON - datetime.timedelta(days=1))
        assert (refused.value.code, refused.value.field) == ("too_early", "requested_on")
        assert "ist erst am 16.03.2026 bezahlt" in str(refused.value)
        assert Drawdown.objects.get().state == S.DRAFT

    def test_is_received_on_its_day_or_later(self, clerk: User) -> None:
        drawdown = make_drawdown(S.REQUESTED)
        with pytest.raises(DomainError):
            services.receive_drawdown(drawdown=drawdown, by=clerk, on=DAY - datetime.timedelta(days=1))
        services.receive_drawdown(drawdown=drawdown, by=clerk, on=DAY)
        drawdown.refresh_from_db()
        assert drawdown.received_on == DAY


def test_cancelling_frees_the_vouchers_and_says_which_sum(clerk: User) -> None:
    drawdown = make_drawdown(S.REQUESTED)

    services.cancel_drawdown(drawdown=drawdown, by=clerk, reason="Falscher Bescheid.")
    again = services.create_drawdown(grant=drawdown.grant, by=clerk)

    assert again.items.get().amount == D("900.00")
    assert drawdown.history.first().history_change_reason.replace("\u202f", " ") == (
        "Falscher Bescheid. 1 Beleg mit 900,00 € ist wieder frei."
    )


@pytest.mark.parametrize(("reason", "begins"), [
    (" falsche Auswahl ", "falsche Auswahl. 1 Beleg"), ("Warum?", "Warum? 1 Beleg"), ("", "1 Beleg"),
])  # fmt: skip
def test_reason_and_sum_are_two_sentences(reason: str, begins: str, clerk: User) -> None:
    drawdown = make_drawdown(S.REQUESTED)
    services.cancel_drawdown(drawdown=drawdown, by=clerk, reason=reason)
    assert drawdown.history.first().history_change_reason.startswith(begins)
