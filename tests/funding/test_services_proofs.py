"""Proofs of use: every state and role, what is refused, and that what was handed in stays."""

from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.funding import services
from apps.funding.choices import LedgerKind, ProofState
from apps.funding.models import ProofHandingIn, ProofOfUse
from apps.funding.proof_figures import TEXTS
from apps.funding.proof_keeping import from_json
from apps.funding.proof_selectors import as_handed_in, figures_of, shown_figures
from apps.funding.workflow import PROOF_TRANSITIONS
from apps.inventory.models import Device
from tests.factories import ApproverFactory, SchoolFactory, UserFactory
from tests.funding.papers import DAY, make_grant, make_proof, money_of, pay, post

pytestmark = pytest.mark.django_db
D = Decimal
S = ProofState
ACTIONS: dict[str, Callable[..., ProofOfUse]] = {
    "hand_in": lambda proof, by: services.hand_in(proof=proof, revision=proof.revision, by=by),
    "reopen": lambda proof, by: services.reopen(proof=proof, by=by, reason="Ein Beleg fehlte."),
}
TARGETS = {("hand_in", S.DRAFT): S.HANDED_IN, ("reopen", S.HANDED_IN): S.DRAFT}
KEEP, DECIDE = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER}, {Role.OFFICE_APPROVER}


@pytest.fixture
def approver() -> User:
    return ApproverFactory()


def test_the_table_holds_what_is_tested() -> None:
    assert {(name, source) for name, step in PROOF_TRANSITIONS for source in step.sources} == set(TARGETS)


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_state(action: str, state: S, approver: User) -> None:
    proof = make_proof(state)
    target = TARGETS.get((action, state))
    if target is None:
        with pytest.raises(DomainError) as refused:
            ACTIONS[action](proof, approver)
        assert refused.value.code == "illegal_transition"
    else:
        ACTIONS[action](proof, approver)
    proof.refresh_from_db()
    assert proof.state == (target or state)
    assert (proof.handed_in_on is None) == (proof.state == S.DRAFT)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ["create_proof", "save_texts", *ACTIONS])
def test_every_action_by_every_role(action: str, role: Role) -> None:
    by = UserFactory(role=role)
    proof = make_proof(S.HANDED_IN if action == "reopen" else S.DRAFT)
    all_actions: dict[str, Callable[..., Any]] = ACTIONS | {
        "create_proof": lambda proof, by: services.create_proof(grant=make_grant(), by=by),
        "save_texts": lambda proof, by: services.save_texts(
            proof=proof, revision=proof.revision, by=by, texts={"course": "Neu"}
        ),
    }
    if role in (DECIDE if action in ACTIONS else KEEP):
        all_actions[action](proof, by)
        return
    before = list(ProofOfUse.objects.values())
    with pytest.raises(PermissionDenied):
        all_actions[action](proof, by)
    assert list(ProofOfUse.objects.values()) == before


def test_one_proof_for_each_school_and_one_for_all(approver: User) -> None:
    grant, school = make_grant(), SchoolFactory()
    for place in (None, school):
        services.create_proof(grant=grant, by=approver, school=place)
        with pytest.raises(DomainError) as refused:
            services.create_proof(grant=grant, by=approver, school=place)
        assert refused.value.code == "exists"
    services.create_proof(grant=make_grant(), by=approver, school=school)


def test_texts_are_saved_and_a_second_writer_is_told(approver: User) -> None:
    proof = make_proof()
    services.save_texts(proof=proof, revision=1, by=approver, texts={"course": " Neu "})

    with pytest.raises(StaleError):
        services.save_texts(proof=proof, revision=1, by=approver, texts={"course": "Älter"})

    proof.refresh_from_db()
    assert (proof.course, proof.purpose, proof.revision) == ("Neu", "Geplant.", 2)
    assert proof.history.first().history_user == approver


def test_what_was_handed_in_is_not_written_to(approver: User) -> None:
    proof = make_proof(S.HANDED_IN)
    with pytest.raises(DomainError, match="abgegeben"):
        services.save_texts(proof=proof, revision=1, by=approver, texts=dict.fromkeys(TEXTS, "x"))


class TestHandingIn:
    def test_keeps_figures_that_nothing_moves(self, approver: User) -> None:
        proof = make_proof()
        before = figures_of(proof)

        services.hand_in(proof=proof, revision=1, by=approver)
        pay(proof.grant, money_of(proof.grant), "77.77")
        Device.objects.update(serial="", price=1)
        proof.grant.contact = "anders"
        proof.grant.save()

        proof = ProofOfUse.objects.get()
        assert shown_figures(proof) == before
        assert figures_of(proof) != before
        assert (proof.handed_in_on, proof.handed_in_by) == (clock.today(), approver)

    @pytest.mark.parametrize("cents", ["0.01", "-0.01"])
    def test_is_refused_unless_it_agrees_with_the_ledger(self, cents: str, approver: User) -> None:
        proof = make_proof()
        post(proof.grant.budgets.get(), LedgerKind.PAY, Decimal(cents))

        with pytest.raises(DomainError, match="weicht um") as refused:
            services.hand_in(proof=proof, revision=1, by=approver, despite="Trotzdem")

        assert refused.value.code == "difference"
        assert ProofOfUse.objects.get().figures is None

    def test_says_why_although_something_is_missing(self, approver: User) -> None:
        proof = make_proof(result="")
        with pytest.raises(DomainError) as refused:
            services.hand_in(proof=proof, revision=1, by=approver, despite=" ")
        assert (refused.value.code, refused.value.field) == ("gaps", "despite")

        services.hand_in(proof=proof, revision=1, by=approver, despite="Folgt bis Ende Mai.")

        proof = ProofOfUse.objects.get()
        kept = from_json(proof.figures)
        assert (kept.despite, [gap.kind for gap in kept.gaps]) == ("Folgt bis Ende Mai.", ["no_text"])
        assert proof.history.first().history_change_reason == "Folgt bis Ende Mai."

    def test_only_what_was_seen(self, approver: User) -> None:
        proof = make_proof()
        services.save_texts(proof=proof, revision=1, by=approver, texts={"course": "Neu"})
        with pytest.raises(StaleError):
            services.hand_in(proof=proof, revision=1, by=approver)


class TestReopening:
    def test_says_what_changed(self, approver: User) -> None:
        proof = make_proof()
        assert services.changes_since(proof) is None
        services.hand_in(proof=proof, revision=1, by=approver)
        line = pay(proof.grant, money_of(proof.grant), "77.77")

        proof = services.reopen(proof=proof, by=approver, reason="Beleg nachgereicht")
        proof = services.save_texts(proof=proof, revision=proof.revision, by=approver, texts={"result": "Mehr"})

        found = services.changes_since(proof)
        assert found is not None
        sums = {row.what: row.after - row.before for row in found.sums}
        assert sums == {
            "spent": Decimal("77.77"), "eligible": Decimal("77.77"), "granted": Decimal("69.99"),
            "own_share": Decimal("7.78"), "vouchers": Decimal(1),
        }  # fmt: skip
        assert found.vouchers == [line.invoice.voucher_number]
        assert (found.devices, found.texts) == ([], ["result"])
        assert proof.history.filter(history_change_reason="Beleg nachgereicht").exists()

    def test_a_change_notice_moves_what_was_planned_and_nothing_that_was_handed_in(self, approver: User) -> None:
        proof = make_proof(grant=make_grant(amount=Decimal("9000.00")))
        services.hand_in(proof=proof, revision=1, by=approver)

        services.record_change_notice(
            grant=proof.grant, by=approver, notice_on=DAY, reason="Aufstockung", amount=Decimal("18000.00")
        )

        assert shown_figures(ProofOfUse.objects.get()).planned == Decimal("10000.00")
        proof = services.reopen(proof=ProofOfUse.objects.get(), by=approver, reason="Änderungsbescheid")
        found = services.changes_since(proof)
        assert found is not None
        assert [(row.what, row.before, row.after) for row in found.sums] == [
            ("planned", Decimal("10000.00"), Decimal("20000.00"))
        ]

    def test_needs_a_reason(self, approver: User) -> None:
        with pytest.raises(DomainError) as refused:
            services.reopen(proof=make_proof(S.HANDED_IN), by=approver, reason=" ")
        assert refused.value.field == "reason"


def test_each_handing_in_is_kept_with_who_when_and_its_figures(approver: User) -> None:
    proof = services.hand_in(proof=make_proof(), revision=1, by=approver)
    pay(proof.grant, money_of(proof.grant), "100.00")
    proof = services.reopen(proof=proof, by=approver, reason="Ein Beleg fehlte.")
    other = ApproverFactory()
    proof = services.hand_in(proof=proof, revision=proof.revision, by=other, despite="So ist es.")

    kept = [(row.by, from_json(row.figures).spent, row.sums["spent"]) for row in proof.handings_in.all()]
    assert kept == [(approver, D("1000.00"), "1000.00"), (other, D("1100.00"), "1100.00")]
    first = proof.handings_in.first()
    assert first is not None
    assert (as_handed_in(first).handed_in_by, as_handed_in(first).state) == (approver, S.HANDED_IN)
    assert ProofOfUse.objects.get(pk=proof.pk).figures["despite"] == "So ist es."


@pytest.mark.parametrize("reopened", [False, True])
def test_what_was_handed_in_before_is_kept_as_far_as_it_is_known(approver: User, reopened: bool) -> None:
    proof = services.hand_in(proof=make_proof(), revision=1, by=approver)
    if reopened:
        proof = services.reopen(proof=proof, by=approver, reason="Ein Beleg fehlte.")
    before = ProofHandingIn.objects.get()
    ProofHandingIn.objects.all().delete()
    make_proof()

    import_module("apps.funding.migrations.0027_handings_in_so_far").keep_the_last(apps, None)

    after = ProofHandingIn.objects.get()
    assert (after.proof, after.by, after.figures, after.sums) == (proof, approver, before.figures, before.sums)
    assert clock.day_of(after.at) == clock.day_of(before.at)
