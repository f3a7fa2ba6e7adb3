"""Drawdowns and proofs of use in the admin: every state and role, what a page says, and its files."""

from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from django.urls import reverse

from apps.accounts.choices import Role
from apps.funding import services
from apps.funding.choices import DrawdownState, ProofState
from apps.funding.models import Drawdown, Grant, InvoiceLine, OrderLine
from apps.funding.proof_lists import pieces
from tests.factories import ApproverFactory, AuditorFactory, SchoolFactory, UserFactory
from tests.funding.paper_pages import page, pdf_text, typed, workbook
from tests.funding.papers import credit, make_drawdown, make_grant, make_proof, money_of, pay
from tests.funding.portal import client_of, messages_of, texts

pytestmark = pytest.mark.django_db
D = Decimal
OFFICE = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER}
ADMIN = OFFICE | {Role.AUDITOR, Role.ADMIN}
DRAWDOWN_STEPS = {
    ("request", DrawdownState.DRAFT): DrawdownState.REQUESTED,
    ("receive", DrawdownState.REQUESTED): DrawdownState.RECEIVED,
    ("cancel", DrawdownState.DRAFT): DrawdownState.CANCELLED,
    ("cancel", DrawdownState.REQUESTED): DrawdownState.CANCELLED,
}
PROOF_STEPS = {
    ("save", ProofState.DRAFT): ProofState.DRAFT,
    ("hand_in", ProofState.DRAFT): ProofState.HANDED_IN,
    ("reopen", ProofState.HANDED_IN): ProofState.DRAFT,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", DrawdownState)
@pytest.mark.parametrize("step", ["request", "receive", "cancel"])
def test_every_step_of_a_drawdown(step: str, state: DrawdownState, role: Role) -> None:
    row = make_drawdown(state)
    response = client_of(UserFactory(role=role)).post(page(row), typed(step, row))
    row.refresh_from_db()
    target = DRAWDOWN_STEPS.get((step, state)) if role in OFFICE else None
    assert row.state == (target or state)
    if role not in OFFICE:
        assert response.status_code == (403 if role in ADMIN else 302)
    else:
        assert response.status_code == (302 if target else 200)
        assert target or "Das geht nicht mehr" in texts(response)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ProofState)
@pytest.mark.parametrize("step", ["save", "hand_in", "reopen"])
def test_every_step_of_a_proof(step: str, state: ProofState, role: Role) -> None:
    row = make_proof(state)
    response = client_of(UserFactory(role=role)).post(page(row), typed(step, row))
    row.refresh_from_db()
    may = role in OFFICE and (step == "save" or role == Role.OFFICE_APPROVER)
    target = PROOF_STEPS.get((step, state)) if may else None
    assert row.state == (target or state)
    if may:
        assert response.status_code == (302 if target else 200)
    else:
        assert response.status_code == (403 if role in ADMIN else 302)


def test_an_unknown_step_is_refused(office: Any) -> None:
    assert office.post(page(make_proof()), {"step": "delete"}).status_code == 400


class TestDrawdowns:
    def test_from_the_grant_to_the_draft(self, office: Any) -> None:
        grant = make_grant(file_reference="48-77")
        budgets = money_of(grant)
        first, _second = pay(grant, budgets), pay(grant, budgets, "500.00", school=SchoolFactory(short_name="GG Nord"))
        add = reverse("admin:funding_drawdown_add")

        assert "2 Belege 1.350,00 €" in texts(office.get(add))
        choice = texts(office.get(f"{add}?grant={grant.pk}"))
        assert "900,00 €" in choice
        assert "450,00 €" in choice
        sent = office.post(f"{add}?grant={grant.pk}", {"lines": [first.pk], "remark": "Rate 1"}, follow=True)

        row = Drawdown.objects.get()
        assert messages_of(sent) == ["Der Mittelabruf ist als Entwurf gespeichert."]
        assert [item.amount for item in row.items.all()] == [D("900.00")]
        assert row.remark == "Rate 1"

    def test_files_have_a_german_name_and_the_page_counts_lines(self, office: Any) -> None:
        row = make_drawdown()
        credit_line = pay(row.grant, money_of(row.grant), "-10.00")
        services.choose_lines(
            drawdown=row, by=ApproverFactory(), lines=[row.items.get().invoice_line_id, credit_line.pk]
        )

        assert 'filename="mittelabruf-48-2-' in office.get(page(row, "pdf"))["Content-Disposition"]
        assert "Belege (2 Positionen)" in texts(office.get(page(row)))

    def test_its_heading_says_what_it_is_and_a_rebate_names_no_pieces(self, office: Any) -> None:
        row = make_drawdown()
        assert f"<h1>Mittelabruf {row.number}, {row.grant}</h1>" in office.get(page(row)).content.decode()
        assert [pieces(number, "Notebook") for number in (-2, 0, 1, 2)] == [
            "−\u202f2 × Notebook", "Notebook", "Notebook", "2 × Notebook",
        ]  # fmt: skip

    def test_all_that_is_not_drawn_in_one_click(self, office: Any) -> None:
        grant = make_grant()
        lines = [pay(grant, money_of(grant), "500.00") for _number in range(3)]
        address = f"{reverse('admin:funding_drawdown_add')}?grant={grant.pk}"
        shown = office.get(address)
        assert "Alles noch nicht Abgerufene 1.350,00 € 3 Belege" in texts(shown)
        keys = "-".join(str(line.pk) for line in lines)
        assert f'name="groups" value="{keys}"' in shown.content.decode()
        late = pay(grant, money_of(grant), "500.00")

        office.post(address, {"step": "choose", "groups": [keys]})

        assert {item.invoice_line for item in Drawdown.objects.get().items.all()} == set(lines) - {late}

    def test_a_voucher_with_several_lines_counts_once(self, office: Any) -> None:
        grant = make_grant()
        first, second, _other = (pay(grant, money_of(grant), "500.00") for _number in range(3))
        OrderLine.objects.filter(pk=second.order_line_id).update(order=first.order_line.order)
        InvoiceLine.objects.filter(pk=second.pk).update(invoice=first.invoice)
        add = reverse("admin:funding_drawdown_add")

        assert "2 Belege 1.350,00 €" in texts(office.get(add))
        shown = texts(office.get(f"{add}?grant={grant.pk}"))
        assert "Alles noch nicht Abgerufene 1.350,00 € 2 Belege" in shown
        assert "Muster Handel 1 Beleg, 2 Positionen 900,00 € Einzelne Positionen" in shown
        services.create_drawdown(grant=grant, by=ApproverFactory())
        row = Drawdown.objects.get()
        services.cancel_drawdown(drawdown=row, by=ApproverFactory())
        assert row.history.first().history_change_reason.startswith("2 Belege mit")

    def test_groups_by_order_and_by_school_with_single_rows_inside(self, office: Any) -> None:
        grant, school = make_grant(), SchoolFactory(short_name="GG Nord")
        first, second, other = (
            pay(grant, money_of(grant), amount, school=place)
            for amount, place in (("500.00", school), ("300.00", school), ("200.00", None))
        )
        OrderLine.objects.filter(pk=second.order_line_id).update(order=first.order_line.order)
        address = f"{reverse('admin:funding_drawdown_add')}?grant={grant.pk}"

        order = first.order_line.order
        assert f"{order.number}, {order.supplier} 2 Belege 720,00 €" in texts(office.get(address))
        assert "GG Nord 2 Belege 720,00 €" in texts(office.get(f"{address}&by=school"))
        sent = {"step": "choose", "lines": [other.pk], "groups": [f"{first.pk}-{second.pk}"]}
        office.post(address, sent)

        row = Drawdown.objects.get()
        assert {item.invoice_line for item in row.items.all()} == {first, second, other}
        office.post(page(row), {"step": "choose", "lines": [second.pk]})
        html = office.get(f"{page(row)}?choose=1").content.decode()
        assert [line for line in (first, second, other) if _is_checked(html, line.pk)] == [second]
        assert '<details class="desk-more" open>' in html

    def test_credits_of_what_is_drawn_are_ticked_and_cannot_be_left_out(self, office: Any) -> None:
        drawdown = make_drawdown()
        drawn = drawdown.items.get().invoice_line
        assert "Gutschriften zu abgerufenen" not in texts(office.get(f"{page(drawdown)}?choose=1"))
        back = credit(drawn, "100.00")
        other = pay(drawdown.grant, money_of(drawdown.grant))

        shown = office.get(f"{page(drawdown)}?choose=1")
        refused = office.post(page(drawdown), {"step": "choose", "lines": [drawn.pk]})

        html = shown.content.decode()
        assert f'value="{drawn.pk}-{back.pk}" id="group-1" checked' in html
        assert not _is_checked(html, other.pk)
        for response in (shown, refused):
            assert "Gutschriften zu abgerufenen Belegen werden mit abgerufen" in texts(response)
        assert back.invoice.voucher_number in texts(refused).split("Alles noch nicht")[0]

    def test_credits_alone_say_how_the_money_goes_back(self, office: Any) -> None:
        earlier = make_drawdown(DrawdownState.RECEIVED)
        back = credit(earlier.items.get().invoice_line, "100.00")
        address = f"{reverse('admin:funding_drawdown_add')}?grant={earlier.grant_id}"
        shown = office.get(address)
        assert "Gutschriften mindern den nächsten Mittelabruf" in texts(shown)
        assert 'name="groups" value' not in shown.content.decode()
        assert "Gutschriften mindern den nächsten Mittelabruf" in texts(office.post(address, {"lines": [back.pk]}))
        assert Drawdown.objects.get() == earlier

    def test_nothing_to_draw_says_so(self, office: Any) -> None:
        assert "Es gibt nichts abzurufen" in texts(office.get(reverse("admin:funding_drawdown_add")))
        assert office.get(f"{reverse('admin:funding_drawdown_add')}?grant=77").status_code == 404

    def test_a_refusal_keeps_what_was_chosen_and_typed(self, office: Any) -> None:
        grant = make_grant()
        lines = [pay(grant, money_of(grant)) for _number in range(2)]
        address = f"{reverse('admin:funding_drawdown_add')}?grant={grant.pk}"

        response = office.post(address, {"lines": [lines[0].pk, 99999], "remark": "Behalten"})

        html = response.content.decode()
        assert "inzwischen abgerufen" in texts(response)
        assert 'value="Behalten"' in html
        checked = [line for line in lines if f'id="line-{line.pk}"' in html and _is_checked(html, line.pk)]
        assert checked == [lines[0]]

    def test_without_lucom_number_it_says_where_to_enter_it(self, office: Any) -> None:
        row = make_drawdown()
        address = f'href="{reverse("admin:funding_grant_change", args=[row.grant_id])}#id_lucom_number"'
        assert address not in office.get(page(row)).content.decode()
        Grant.objects.update(lucom_number="")
        pay(row.grant, money_of(row.grant))
        for url in (
            page(row),
            f"{page(row)}?choose=1",
            f"{reverse('admin:funding_drawdown_add')}?grant={row.grant_id}",
        ):
            assert address in office.get(url).content.decode()
        assert "Aktenzeichen und Lucom-Nummer" in texts(office.post(page(row), {"step": "request"}))

    def test_the_page_shows_sums_and_what_comes_next(self, office: Any) -> None:
        row = make_drawdown(DrawdownState.REQUESTED, grant=make_grant(amount=D("5000.00")))
        shown = texts(office.get(page(row)))
        for words in ("Von der Zuwendung bleiben 4.100,00 €", "Eingang vermerken", "LU-1", "1.000,00 €"):
            assert words in shown

    def test_a_draft_names_credits_that_another_draft_holds(self, office: Any) -> None:
        earlier = make_drawdown(DrawdownState.RECEIVED)
        grant, approver = earlier.grant, UserFactory(role=Role.OFFICE_APPROVER)
        back = credit(earlier.items.get().invoice_line, "100.00")
        lines = [pay(grant, money_of(grant), "500.00") for _number in range(2)]
        first = services.create_drawdown(grant=grant, by=approver, lines=[lines[0].pk, back.pk])
        second = services.create_drawdown(grant=grant, by=approver, lines=[lines[1].pk])
        sentence = f"Gutschrift {back.invoice.voucher_number} (− 90,00 €) in Mittelabruf {first.number}"

        answer = office.get(page(second))

        assert sentence in texts(answer)
        assert f'href="{page(first)}"' in answer.content.decode()
        assert "Gutschrift" not in texts(office.get(page(first)))
        assert f"stehen im Entwurf von Mittelabruf {first.number}" in texts(
            office.post(page(second), {"step": "request", "on": ""})
        )

    def test_an_auditor_reads_and_has_no_buttons(self) -> None:
        row = make_drawdown()
        client = client_of(AuditorFactory())
        assert "Mittel abrufen" not in texts(client.get(page(row)))
        assert client.get(page(row, "history")).status_code == 200
        assert client.get(reverse("admin:funding_drawdown_add")).status_code == 403

    def test_its_list_begins_on_the_first_page(self, office: Any) -> None:
        row = make_drawdown()
        document = pypdfium2.PdfDocument(office.get(page(row, "pdf")).content)
        assert row.items.get().invoice_line.invoice.voucher_number in document[0].get_textpage().get_text_range()
        assert len(document) == 1

    def test_its_list_as_pdf_and_spreadsheet(self, office: Any) -> None:
        row = make_drawdown(DrawdownState.REQUESTED, grant=make_grant(amount=D("5000.00"), file_reference="48-77"))
        invoice = row.items.get().invoice_line.invoice

        words = pdf_text(office.get(page(row, "pdf")).content)
        for part in ("48-77", "LU-1", invoice.voucher_number, "1.000,00 €", "900,00 €", "16.03.2026", "4.100,00 €"):
            assert part in words
        for kind in ("pdf", "xlsx"):
            assert f'filename="mittelabruf-48-77-{row.number}-' in office.get(page(row, kind))["Content-Disposition"]
        book = workbook(office.get(page(row, "xlsx")))
        ours, last = book["Belege"]
        assert (ours[0], ours[7], ours[8], last[7], last[8]) == (invoice.voucher_number, 1000, 900, 1000, 900)
        facts = {row[0]: row[1] for row in book["Mittelabruf"]}
        assert (facts["Aktenzeichen"], facts["Lucom-Nummer"], facts["Zuvor angefordert"]) == ("48-77", "LU-1", 0)


def _is_checked(html: str, key: int) -> bool:
    return " checked" in html.split(f'id="line-{key}"')[1].split(">", maxsplit=1)[0]
