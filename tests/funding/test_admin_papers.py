"""Drawdowns and proofs of use in the admin: every state and role, what a page says, and its files."""

import datetime
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pypdfium2
import pytest
from django.urls import reverse

from apps.accounts.choices import Role
from apps.funding import services
from apps.funding.choices import DrawdownState, InvoiceState, LedgerKind, ProofState
from apps.funding.models import Drawdown, Grant, OrderLine, ProofOfUse
from apps.inventory import services as inventory
from apps.inventory.models import Device
from tests.factories import AuditorFactory, ClerkFactory, SchoolFactory, SupportFactory, UserFactory
from tests.funding.papers import TEXTS, make_drawdown, make_grant, make_proof, money_of, pay, post
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


def page(row: Any, what: str = "change") -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_{what}", args=[row.pk])


def typed(step: str, row: Any) -> dict[str, Any]:
    revision = getattr(row, "revision", 1)
    return {"step": step, "reason": "Grund", "seen": revision, "revision": revision, **TEXTS}


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
        book = workbook(office.get(page(row, "xlsx")))
        ours, last = book["Belege"]
        assert (ours[0], ours[7], ours[8], last[7], last[8]) == (invoice.voucher_number, 1000, 900, 1000, 900)
        facts = {row[0]: row[1] for row in book["Mittelabruf"]}
        assert (facts["Aktenzeichen"], facts["Lucom-Nummer"], facts["Zuvor angefordert"]) == ("48-77", "LU-1", 0)


def _is_checked(html: str, key: int) -> bool:
    return " checked" in html.split(f'id="line-{key}"')[1].split(">", maxsplit=1)[0]


def pdf_text(pdf: bytes) -> str:
    """All words of a PDF, which must be tagged and number its pages."""
    assert b"/MarkInfo" in pdf
    assert b"/StructTreeRoot" in pdf
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    for number, words in enumerate(pages, start=1):
        assert f"Seite {number} von {len(pages)}" in words
    return " ".join(" ".join(pages).replace("\u202f", " ").replace("\xa0", " ").split())


def workbook(response: Any) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(min_row=2, values_only=True)) for sheet in book}


class TestProofs:
    def test_on_a_phone_each_value_names_its_column(self, office: Any) -> None:
        row = make_proof()
        html = office.get(page(row)).content.decode()
        assert 'class="desk-table desk-table--cards" aria-labelledby="proof-vouchers"' in html
        assert '<td data-label="Betreff" class="">' in html
        assert '<td data-label="Rechnung" class=" desk-wide">' in html

    def test_begin_one(self, office: Any) -> None:
        grant, school = make_grant(), SchoolFactory()
        add = reverse("admin:funding_proofofuse_add")
        office.post(add, {"grant": grant.pk, "school": school.pk})
        assert ProofOfUse.objects.get().school == school
        assert "schon einen Verwendungsnachweis" in texts(office.post(add, {"grant": grant.pk, "school": school.pk}))

    def test_a_draft_names_what_is_missing_with_the_way_to_mend_it(self, office: Any) -> None:
        row = make_proof(result="", grant=make_grant(contact="", lucom_number=""))
        pay(row.grant, money_of(row.grant), devices=1)
        line = pay(row.grant, money_of(row.grant), quantity=4, delivered=1)
        early = pay(row.grant, money_of(row.grant), dated_on=datetime.date(2025, 12, 1)).invoice
        grant = reverse("admin:funding_grant_change", args=[row.grant.pk])
        pay(row.grant, money_of(row.grant), state=InvoiceState.RECORDED)
        device = Device.objects.get()
        Device.objects.update(serial="")

        response = office.get(page(row))

        shown, html = texts(response), response.content.decode()
        for words in (
            "Rechnung ohne Zahlungsdatum (1)", "Gerät ohne Seriennummer (1)", "Ansprechstelle fehlt (1)",
            "Bezahlt, aber nicht geliefert (1)", "Lucom-Nummer fehlt (1)", "bezahlt 4, geliefert 1",
        ):  # fmt: skip
            assert words in shown
        for url in (
            device.get_absolute_url(), reverse("inventory:edit", args=[device.tag]), f"{grant}#id_contact",
            f"{grant}#id_lucom_number", page(line.order_line.order), page(early),
        ):  # fmt: skip
            assert f'href="{url}"' in html
        assert 'href="#id_result"' in html
        assert 'id="id_result"' in html

    def test_a_difference_stands_above_and_in_its_line(self, office: Any) -> None:
        row = make_proof()
        post(row.grant.budgets.get(), LedgerKind.PAY, D("0.01"))
        shown = texts(office.post(page(row), typed("hand_in", row)))
        assert "weicht um − 0,01 € von der Buchhaltung ab" in shown
        assert ProofOfUse.objects.get().state == ProofState.DRAFT

    def test_texts_that_were_typed_stay_when_somebody_was_faster(self, office: Any) -> None:
        row = make_proof()
        services.save_texts(proof=row, revision=1, by=ClerkFactory(), texts={"course": "Schneller"})
        shown = texts(office.post(page(row), typed("save", row) | {"course": "Mein langer Text"}))
        assert "inzwischen geändert" in shown
        assert "Mein langer Text" in shown

    def test_after_reopening_the_page_says_what_changed(self, office: Any) -> None:
        row = make_proof()
        office.post(page(row), typed("hand_in", row))
        line = pay(row.grant, money_of(row.grant), "100.00")
        assert line.invoice.voucher_number not in texts(office.get(page(row)))

        shown = texts(office.post(page(row), {"step": "reopen", "reason": "Beleg"}, follow=True))

        assert "Was sich seit der Abgabe geändert hat" in shown
        assert "1.000,00 € → 1.100,00 €" in shown
        assert line.invoice.voucher_number in shown

    def test_page_pdf_and_spreadsheet_say_the_same(self, office: Any) -> None:
        row = make_proof(award_note="Rahmenvertrag", grant=make_grant(file_reference="48-88"))
        line = pay(row.grant, money_of(row.grant), "1000.00", eligible="800.00", quantity=2, devices=2)
        tag, serial = Device.objects.order_by("tag").values_list("tag", "serial").first()

        shown = texts(office.get(page(row)))
        words = pdf_text(office.get(page(row, "pdf")).content)
        book = workbook(office.get(page(row, "xlsx")))

        voucher, last = book["Belege"]
        assert voucher[0] == line.invoice.voucher_number
        assert voucher[6:11] == (2, 1000, 800, 720, 80)
        assert last[7:11] == (1000, 800, 720, 80)
        device, _second, cost = book["Geräte"]
        assert (device[0], device[1], device[4], cost[4]) == (tag, serial, 500, 1000)
        for found in (shown, words):
            for part in ("48-88", "Rahmenvertrag", line.invoice.voucher_number, tag, serial, "720,00 €", "80,00 €",
                         "200,00 €", "31.12.2031", "Mittel Dritter 0,00 €"):  # fmt: skip
                assert part in found
        assert "Entwurf" in words
        assert "Unterschrift" in words

    def test_planned_is_the_notice_everywhere_and_the_words_say_so(self, office: Any) -> None:
        """Of 1,200,000 euros the budgets hold 810,000: the rest is named, and both tables add up to the same."""
        row = make_proof(grant=make_grant(amount=D("1200000.00")))
        money_of(row.grant, appropriation=D("810000.00"))

        shown = texts(office.get(page(row)))
        words = pdf_text(office.get(page(row, "pdf")).content)
        book = workbook(office.get(page(row, "xlsx")))

        for found in (shown, words):
            assert "Soll ist, was der Zuwendungsbescheid mit seinen Änderungen bewilligt" in found
            assert "1.200.000,00 €" in found
            assert "In keinem Budget – 433.333,33 €" in found
            assert "Zuwendungsfähige Ausgaben 1.333.333,33 €" in found
        grant, own, _third, planned = book["Finanzierung"]
        assert (grant[1], own[1], planned[1]) == (1_200_000, 133_333.33, 1_333_333.33)
        budget, free, last = book["Ausgaben"]
        assert (budget[2], free[0], free[2], last[2]) == (900_000, "In keinem Budget", 433_333.33, 1_333_333.33)

    def test_the_way_of_the_grants_money_stands_everywhere(self, office: Any) -> None:
        drawdown = make_drawdown(DrawdownState.RECEIVED, grant=make_grant(amount=D("9000.00")))
        pay(drawdown.grant, money_of(drawdown.grant), "500.00")
        row = make_proof(grant=drawdown.grant)

        answer = office.get(page(row))
        words = pdf_text(office.get(page(row, "pdf")).content)
        book = workbook(office.get(page(row, "xlsx")))

        for found in (texts(answer), words):
            assert (
                "Bewilligt 9.000,00 € Aus der Zuwendung ausgegeben 1.350,00 € Abgerufen 900,00 € Davon eingegangen"
                " 900,00 € Noch abzurufen 450,00 € Zurückzuzahlen oder zu verrechnen 0,00 € Von der Zuwendung nicht"
                " verwendet 7.650,00 €"
            ) in found
        assert [value for _label, value in book["Mittel der Zuwendung"]] == [9000, 1350, 900, 900, 450, 0, 7650]
        assert f'href="{reverse("admin:funding_drawdown_add")}?grant={row.grant_id}"' in answer.content.decode()

    def test_what_was_handed_in_is_printed_as_it_was(self, office: Any) -> None:
        row = make_proof(ProofState.HANDED_IN)
        before = workbook(office.get(page(row, "xlsx")))
        pay(row.grant, money_of(row.grant), "77.77", devices=1)
        assert workbook(office.get(page(row, "xlsx"))) == before
        assert "Entwurf" not in pdf_text(office.get(page(row, "pdf")).content)

    def test_many_devices_break_over_pages_and_each_stands_there(self, office: Any) -> None:
        row = make_proof()
        pay(row.grant, money_of(row.grant), "1200.00", quantity=600, devices=600)
        pdf = office.get(page(row, "pdf")).content
        document = pypdfium2.PdfDocument(pdf)
        listed = [document[number].get_textpage().get_text_range() for number in range(len(document))]
        pages = [words for words in listed if f"{row.grant.file_reference}: Geräte (602)" in words]
        assert len(pages) >= 3
        words = pdf_text(pdf)
        for device in Device.objects.all():
            assert f"{device.tag} {device.serial}" in words
        assert "600 × 2,00 € = 1.200,00 €".replace(" ", " ") in words

    def test_a_device_that_is_gone_or_without_serial_number_says_so_in_its_line(self, office: Any) -> None:
        row, school = make_proof(), SchoolFactory()
        pay(row.grant, money_of(row.grant), devices=2, quantity=2, school=school)
        first, second = Device.objects.filter(school=school).order_by("tag")
        inventory.report_lost(device=first, by=SupportFactory(), reason="Verloren")
        Device.objects.filter(pk=second.pk).update(serial="")

        words = pdf_text(office.get(page(row, "pdf")).content)

        assert f"{first.tag} {first.serial} (verloren" in words
        assert f"{second.tag} ohne Seriennummer" in words

    def test_a_large_proof_stays_small(self, office: Any) -> None:
        """A tag for each of eight cells of a device made ten megabytes of 3,706 devices: 2,750 bytes each."""
        row = make_proof()
        before = len(office.get(page(row, "pdf")).content)
        pay(row.grant, money_of(row.grant), "1200.00", quantity=300, devices=300)
        assert len(office.get(page(row, "pdf")).content) - before < 300 * 200

    def test_a_clerk_writes_and_an_approver_hands_in(self, office: Any) -> None:
        row = make_proof()
        assert "Verwendungsnachweis abgeben" not in texts(client_of(ClerkFactory()).get(page(row)))
        assert "Verwendungsnachweis abgeben" in texts(office.get(page(row)))
        assert "Sachbericht speichern" not in texts(client_of(AuditorFactory()).get(page(row)))

    def test_empty_ones_say_so(self, office: Any) -> None:
        shown = texts(office.get(page(make_proof(grant=make_grant()))))
        for words in ("In keinem Budget", "noch nichts bezahlt", "kein Gerät gekauft"):
            assert words in shown
