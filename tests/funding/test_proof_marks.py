"""Proofs that were handed in and whose figures have moved since: what marks them, where, and that nothing else does."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.text import capfirst

from apps.core import clock
from apps.funding import services
from apps.funding.choices import DrawdownState, LedgerKind, ProofState
from apps.funding.deadlines import DeadlineKind, deadlines
from apps.funding.models import Grant, ProofOfUse, PurchasedDevice
from apps.funding.proof_keeping import sums_of
from apps.funding.proof_marks import differences_of, moved_proofs, sums_today
from apps.funding.proof_selectors import figures_of, shown_figures
from apps.funding.proof_words import TEXT_LABELS
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, SchoolFactory
from tests.funding.paper_pages import page, typed
from tests.funding.papers import credit, make_drawdown, make_grant, make_proof, money_of, pay, post
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
D = Decimal
LIST = "admin:funding_proofofuse_changelist"


def handed_in(**values: Any) -> tuple[ProofOfUse, Any]:
    """A proof of 1,000 euros (900 of the grant) and two devices, as handed in, and its voucher."""
    grant = make_grant()
    line = pay(grant, money_of(grant), "1000.00", quantity=2, devices=2, **values)
    return make_proof(ProofState.HANDED_IN, grant=grant), line


def found(proof: ProofOfUse) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.what: (row.before, row.after) for row in differences_of([proof])[proof.pk]}


def of_proofs(user: Any) -> list[Any]:
    return [row for row in deadlines(user) if row.kind == DeadlineKind.PROOF_MOVED]


def test_what_is_as_it_was_handed_in_is_not_marked(office: Any) -> None:
    proof, _line = handed_in()
    make_proof()
    assert found(proof) == {}
    clerk = ClerkFactory()
    assert (of_proofs(clerk), moved_proofs(clerk)) == ([], [])
    assert "Seit der Abgabe geändert" not in texts(office.get(page(proof)))


def test_a_credit_note_marks_page_list_and_start_page(office: Any) -> None:
    proof, line = handed_in()
    same, _other = handed_in()
    note = credit(line, "100.00")

    assert found(proof) == {
        "spent": (D(1000), D(900)),
        "eligible": (D(1000), D(900)),
        "granted": (D(900), D(810)),
        "own_share": (D(100), D(90)),
        "vouchers": (D(1), D(2)),
    }
    shown = texts(office.get(page(proof)))
    assert "Seit der Abgabe geändert" in shown
    assert "Zuwendung 900,00 € → 810,00 € (− 90,00 €)" in shown
    assert "Anzahl der Belegpositionen 1 → 2 (+ 1)" in shown
    assert f"Neue Belege {note.invoice.voucher_number} Bitte öffnen Sie den Nachweis wieder" in shown
    assert 'href="#proof-reopen"' in office.get(page(proof)).content.decode()
    assert shown_figures(proof).granted == D(900), "what was handed in stays"

    rows = texts(office.get(reverse(LIST)))
    assert ("Zahlen haben sich geändert" in rows, "Zahlen sind gleich geblieben" in rows) == (True, True)
    for asked, kept in (("moved", proof), ("same", same)):
        result = office.get(reverse(LIST), {"since": asked}).context["cl"].result_list
        assert list(result) == [kept]

    start = client_of(ClerkFactory()).get(reverse("summaries:start"))
    words = f"Verwendungsnachweis {proof.grant} seit der Abgabe geändert: Insgesamt bezahlt − 100,00 €"
    assert words in texts(start)
    assert "Änderungen ansehen" in texts(start)
    assert page(proof) in start.content.decode()


def test_a_return_and_a_change_notice_mark_it_too() -> None:
    proof, _line = handed_in()
    bought = PurchasedDevice.objects.first()
    assert bought is not None
    PurchasedDevice.objects.filter(pk=bought.pk).update(returned_on=clock.today())
    assert found(proof) == {"devices": (D(2), D(1)), "cost_of_devices": (D(1000), D(500))}
    PurchasedDevice.objects.update(returned_on=None)

    before = proof.grant.amount
    Grant.objects.filter(pk=proof.grant_id).update(amount=before + D("900.00"))
    proof = ProofOfUse.objects.get(pk=proof.pk)
    assert {name: after - first for name, (first, after) in found(proof).items()} == {"planned": D("1000.00")}


def test_that_the_rest_is_drawn_and_comes_is_no_change_of_what_was_proved() -> None:
    (proof, line), clerk = handed_in(), ClerkFactory()
    drawdown = services.create_drawdown(grant=proof.grant, by=clerk, lines=[line.pk])
    services.request_drawdown(drawdown=drawdown, by=clerk)
    assert figures_of(proof).money.drawn == D(900)  # type: ignore[union-attr]
    assert found(proof) == {}


def test_who_may_not_reopen_reads_who_does_and_no_school_sees_it() -> None:
    proof, line = handed_in()
    credit(line, "100.00")
    for user in (ClerkFactory(), AuditorFactory()):
        assert "Wer genehmigen darf, öffnet den Nachweis wieder" in texts(client_of(user).get(page(proof)))
    assert len(of_proofs(ClerkFactory())) == len(of_proofs(ApproverFactory())) == 1
    assert of_proofs(AuditorFactory()) == []
    assert of_proofs(ClerkFactory())[0].when.startswith("abgegeben am")


def test_the_mark_goes_when_it_is_handed_in_anew(office: Any) -> None:
    proof, line = handed_in()
    credit(line, "100.00")
    office.post(page(proof), {"step": "reopen", "reason": "Gutschrift"})
    proof.refresh_from_db()
    assert differences_of([proof]) == {proof.pk: []}
    office.post(page(proof), typed("hand_in", proof) | {"despite": "Gutschrift"})
    proof.refresh_from_db()
    assert (proof.state, found(proof)) == (ProofState.HANDED_IN, {})
    assert shown_figures(proof).granted == D(810)


def test_sums_are_those_of_the_figures_for_all_schools_and_for_one() -> None:
    """`sums_today` adds up in the database what `figures_of` adds up from rows."""
    grant, school, other = make_grant(), SchoolFactory(), SchoolFactory()
    budgets = money_of(grant)
    line = pay(grant, budgets, "1000.02", school=school, eligible="800.00", quantity=2, devices=2)
    pay(grant, budgets, "333.33", school=other, devices=1)
    pay(grant, budgets, "50.00")
    credit(line, "100.10")
    post(budgets[0], LedgerKind.COMMIT, D("7.77"))
    make_drawdown(DrawdownState.RECEIVED)
    device = PurchasedDevice.objects.filter(order_line__school=school).first()
    assert device is not None
    type(device.device).objects.filter(pk=device.device_id).update(price=None)
    proofs = [make_proof(grant=grant, school=place) for place in (None, school, other, SchoolFactory())]

    today = sums_today(proofs)

    for proof in proofs:
        expected = sums_of(figures_of(proof))
        assert today[proof.pk] == {name: expected[name] for name in today[proof.pk]}
        assert set(expected) - set(today[proof.pk]) == {"drawn", "received"}
    assert today[proofs[1].pk]["spent"] == D("899.92")


def test_few_queries_whatever_the_number_of_proofs() -> None:
    clerk, counts = ClerkFactory(), []
    for _turn in range(2):
        for _number in range(2):
            _proof, line = handed_in(school=SchoolFactory())
            credit(line, "100.00")
        with CaptureQueriesContext(connection) as queries:
            found = moved_proofs(clerk)
        counts.append((len(found), len(queries)))
    assert counts == [(2, 3), (4, 3)]


def test_what_was_handed_in_before_sums_were_kept_gets_them() -> None:
    proof, line = handed_in()
    kept = proof.sums
    oldest, _line = handed_in()
    old = {name: value for name, value in (oldest.figures or {}).items() if name not in ("plan", "money")}
    ProofOfUse.objects.filter(pk=oldest.pk).update(figures=old)
    ProofOfUse.objects.update(sums=None)
    assert differences_of([ProofOfUse.objects.get(pk=proof.pk)]) == {proof.pk: []}

    import_module("apps.funding.migrations.0013_sums_handed_in_before").keep_sums(apps, None)

    proof.refresh_from_db()
    oldest.refresh_from_db()
    assert proof.sums == kept
    assert oldest.sums is not None
    assert {name: D(value) for name, value in oldest.sums.items()} == sums_of(shown_figures(oldest))
    credit(line, "100.00")
    assert found(proof)["granted"] == (D(900), D(810))


def test_the_history_names_the_parts_of_the_report_as_its_form_does() -> None:
    for name, label in TEXT_LABELS.items():
        field: Any = ProofOfUse._meta.get_field(name)
        assert capfirst(str(field.verbose_name)) == str(label)
