"""Proofs of use in the admin: what a page says and links to, and its files."""

import csv
import datetime
import io
import re
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode

from apps.core import formats
from apps.core.exports import unescaped
from apps.funding import services
from apps.funding.choices import DrawdownState, InvoiceState, LedgerKind, ProofState
from apps.funding.models import Grant, Invoice, ProofOfUse
from apps.inventory import services as inventory
from apps.inventory.models import Device
from tests.factories import AuditorFactory, ClerkFactory, SchoolFactory, SupportFactory
from tests.funding.paper_pages import page, pdf_text, typed, workbook
from tests.funding.papers import credit, make_drawdown, make_grant, make_proof, money_of, pay, post
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
D = Decimal


def read_back(cell: str) -> Any:
    """What a cell of a CSV list stands for; days stay as they are written."""
    if re.fullmatch(r"-?\d+,\d\d", cell):
        return float(cell.replace(",", "."))
    return int(cell) if re.fullmatch(r"-?\d+", cell) else unescaped(cell)


class TestProofs:
    def test_on_a_phone_each_value_names_its_column(self, office: Any) -> None:
        row = make_proof()
        html = office.get(page(row)).content.decode()
        assert 'class="desk-table desk-table--cards desk-table--lines" aria-labelledby="proof-vouchers"' in html
        assert '<td data-label="Betreff, Schule" class="">' in html
        assert '<td data-label="Rechnung, Rechnungsdatum" class=" desk-wide">' in html

    def test_begin_one(self, office: Any) -> None:
        grant, school = make_grant(), SchoolFactory()
        add = reverse("admin:funding_proofofuse_add")
        office.post(add, {"grant": grant.pk, "school": school.pk})
        assert ProofOfUse.objects.get().school == school
        again = office.post(add, {"grant": grant.pk, "school": school.pk})
        assert "schon einen Verwendungsnachweis" in texts(again)
        link = f'<a href="{page(ProofOfUse.objects.get())}">Zum vorhandenen Verwendungsnachweis</a>'
        assert link in again.content.decode()

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

    def test_handing_in_takes_the_report_along_as_it_was_typed(self, office: Any) -> None:
        row = make_proof()
        office.post(page(row), typed("hand_in", row) | {"course": "Nicht eigens gespeichert", "despite": "So ist es."})
        row.refresh_from_db()
        assert (row.state, row.course) == (ProofState.HANDED_IN, "Nicht eigens gespeichert")
        assert row.figures["texts"]["course"] == "Nicht eigens gespeichert"

    def test_a_refused_handing_in_saves_nothing_and_keeps_what_was_typed(self, office: Any) -> None:
        row = make_proof()
        pay(row.grant, money_of(row.grant), "100.00", devices=1)
        Device.objects.update(serial="")
        refused = office.post(page(row), typed("hand_in", row) | {"course": "Mein langer Text", "despite": ""})
        assert "Mein langer Text" in refused.content.decode()
        row.refresh_from_db()
        assert (row.state, row.course, row.revision) == (ProofState.DRAFT, "Getan.", 1)
        office.post(page(row), typed("hand_in", row) | {"course": "Mein langer Text", "despite": "Eines fehlt."})
        row.refresh_from_db()
        assert (row.state, row.course) == (ProofState.HANDED_IN, "Mein langer Text")

    def test_saving_the_report_keeps_the_reason_that_was_typed_beside_it(self, office: Any) -> None:
        row = make_proof()
        pay(row.grant, money_of(row.grant), "100.00", devices=1)
        Device.objects.update(serial="")
        sent = typed("save", row) | {"course": "Verlauf", "despite": "Eines fehlt noch."}
        answer = office.post(page(row), sent)
        assert "Eines fehlt noch." in answer.content.decode()
        row.refresh_from_db()
        assert (row.state, row.course, row.revision) == (ProofState.DRAFT, "Verlauf", 2)
        assert answer.content.decode().count('name="revision" value="2"') == 1

    def test_after_reopening_the_page_says_what_changed(self, office: Any) -> None:
        row = make_proof()
        office.post(page(row), typed("hand_in", row))
        line = pay(row.grant, money_of(row.grant), "100.00")
        assert f"Neue Belege {line.invoice.voucher_number}" in texts(office.get(page(row)))

        shown = texts(office.post(page(row), {"step": "reopen", "reason": "Beleg"}, follow=True))

        assert "Was sich seit der Abgabe geändert hat" in shown
        assert "1.000,00 € → 1.100,00 €" in shown
        assert line.invoice.voucher_number in shown

    def test_each_handing_in_keeps_its_figures_on_its_page_and_in_its_files(self, office: Any) -> None:
        row = make_proof()
        office.post(page(row), typed("hand_in", row) | {"course": "Erster Bericht"})
        assert "Bisherige Abgaben" not in texts(office.get(page(row)))
        line = pay(row.grant, money_of(row.grant), "100.00")
        office.post(page(row), {"step": "reopen", "reason": "Ein Beleg fehlte."})
        row.refresh_from_db()
        assert "Bisherige Abgaben" in texts(office.get(page(row)))
        office.post(page(row), typed("hand_in", row) | {"course": "Zweiter Bericht", "despite": "So ist es."})

        first, second = row.handings_in.all()
        shown = texts(office.get(page(row)))
        assert shown.index("Insgesamt bezahlt 1.100,00 €") < shown.index("Insgesamt bezahlt 1.000,00 €")
        assert f"von {second.by}" in shown

        auditor = client_of(AuditorFactory())
        past = texts(auditor.get(page(row), {"handed_in": first.pk}))
        assert "Sie sehen, was an diesem Tag abgegeben wurde." in past
        assert "Erster Bericht" in past
        assert "Insgesamt bezahlt: 1.000,00 €" in past
        assert line.invoice.voucher_number not in past
        assert "Nachweis wieder öffnen" not in texts(office.get(page(row), {"handed_in": first.pk}))
        csv = reverse("admin:funding_proofofuse_vouchers_csv", args=[row.pk])
        files = [b"".join(auditor.get(csv, asked)).decode() for asked in ({"handed_in": first.pk}, {})]
        assert [line.invoice.voucher_number in text for text in files] == [False, True]
        pdf = auditor.get(page(row, "pdf"), {"handed_in": first.pk}).content
        assert "Erster Bericht" in pdf_text(pdf)

        other = make_proof()
        assert office.get(page(other), {"handed_in": first.pk}).status_code == 404

    def test_two_of_one_day_are_told_apart_by_number_and_hour(self, office: Any) -> None:
        row = make_proof(grant=make_grant(file_reference="48-88"))
        office.post(page(row), typed("hand_in", row))
        only = texts(office.get(page(row)))
        assert "1. Abgabe" not in only
        office.post(page(row), {"step": "reopen", "reason": "Noch einmal."})
        row.refresh_from_db()
        assert 'filename="verwendungsnachweis-48-88-2' in office.get(page(row, "pdf"))["Content-Disposition"]
        office.post(page(row), typed("hand_in", row) | {"despite": "So ist es."})
        first, second = row.handings_in.all()
        early, late = (f"{formats.moment(at)} Uhr" for at in (first.at, second.at))
        words = {first: f"1. Abgabe am {early}", second: f"2. Abgabe am {late}, ersetzt die vom {early}"}

        shown = texts(office.get(page(row)))
        assert words[second] in shown
        for number, entry in ((1, first), (2, second)):
            assert f"{number}. Abgabe: {formats.moment(entry.at)} von {entry.by}" in shown
        assert words[first] in texts(office.get(page(row), {"handed_in": first.pk}))
        assert "ersetzt" not in texts(office.get(page(row), {"handed_in": first.pk}))
        for asked, entry, number in (({"handed_in": first.pk}, first, 1), ({}, second, 2)):
            pdf, book = (office.get(page(row, kind), asked) for kind in ("pdf", "xlsx"))
            assert words[entry] in pdf_text(pdf.content)
            assert workbook(book)["Verwendungsnachweis"][0] == ("Status", words[entry])
            lists = [
                office.get(reverse(f"admin:funding_proofofuse_{name}_csv", args=[row.pk]), asked)
                for name in ("vouchers", "devices")
            ]
            for answer in (pdf, book, *lists):
                assert f'filename="verwendungsnachweis-48-88-abgabe-{number}-' in answer["Content-Disposition"]

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

    def test_its_lists_are_csv_files_with_the_rows_of_the_spreadsheet(self, office: Any) -> None:
        """Without sums, text as text, and as handed in: what comes later changes nothing."""
        row = make_proof()
        line = pay(row.grant, money_of(row.grant), "1234.50", quantity=2, devices=1)
        Invoice.objects.filter(pk=line.invoice_id).update(payee="=1+1; Muster")
        office.post(page(row), typed("hand_in", row) | {"despite": "Eines fehlt."})
        pay(row.grant, money_of(row.grant), "77.77", devices=1)
        html = office.get(page(row)).content.decode()
        book = workbook(office.get(page(row, "xlsx")))

        for part, sheet in (("vouchers", "Belege"), ("devices", "Geräte")):
            address = page(row, f"{part}_csv")
            assert f'href="{address}"' in html
            answer = office.get(address)
            name = rf"verwendungsnachweis-[\w-]+-{sheet.lower().replace('ä', 'ae')}-\d{{4}}-\d\d-\d\d\.csv"
            assert re.fullmatch(f'attachment; filename="{name}"', answer["Content-Disposition"])
            content = b"".join(answer.streaming_content).decode("utf-8-sig")
            _header, *rows = csv.reader(io.StringIO(content, newline=""), delimiter=";")
            *expected, _sum = book[sheet]
            assert len(expected) == len(rows) > 1
            assert [[read_back(cell) for cell in found] for found in rows] == [
                [f"{value:%d.%m.%Y}" if isinstance(value, datetime.datetime) else value or "" for value in found]
                for found in expected
            ]
            assert ("'=1+1; Muster" in [found[3] for found in rows]) == (part == "vouchers")

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
        draft = make_drawdown(DrawdownState.DRAFT, grant=row.grant)
        again = office.get(page(row)).content.decode()
        assert f'href="{page(draft)}"' in again
        assert f"{reverse('admin:funding_drawdown_add')}?grant=" not in again

    def test_what_was_handed_in_is_printed_as_it_was(self, office: Any) -> None:
        row = make_proof(ProofState.HANDED_IN)
        before = workbook(office.get(page(row, "xlsx")))
        pay(row.grant, money_of(row.grant), "77.77", devices=1)
        assert workbook(office.get(page(row, "xlsx"))) == before
        assert "Entwurf" not in pdf_text(office.get(page(row, "pdf")).content)

    def test_what_the_office_explained_stands_in_every_file(self, office: Any) -> None:
        row = make_proof(grant=make_grant(contact=""))
        pay(row.grant, money_of(row.grant), quantity=2, devices=2)
        assert workbook(office.get(page(row, "xlsx")))["Es fehlt"] == [
            ("Ansprechstelle fehlt", row.grant.file_reference)
        ]
        office.post(page(row), typed("hand_in", row) | {"despite": "Die Stelle ist unbesetzt."})

        book = workbook(office.get(page(row, "xlsx")))

        assert "Es fehlt" not in book
        assert book["Vom Amt erläutert"] == [
            ("Ansprechstelle fehlt", row.grant.file_reference),
            ("Erläuterung", "Die Stelle ist unbesetzt."),
        ]
        assert "Die Stelle ist unbesetzt." in pdf_text(office.get(page(row, "pdf")).content)

    def test_too_much_paid_or_drawn_leads_to_the_papers(self, office: Any) -> None:
        drawdown = make_drawdown(DrawdownState.RECEIVED, grant=make_grant(amount=D("9000.00"), rate=D("1")))
        drawn = drawdown.items.get().invoice_line
        credit(drawn, "100.00")
        Grant.objects.update(rate=D("0.5"))
        row = make_proof(grant=drawdown.grant)

        html = office.get(page(row)).content.decode()

        for words in ("Mehr aus der Zuwendung bezahlt, als der Fördersatz erlaubt", "Mehr abgerufen als ausgegeben"):
            assert words in texts(office.get(page(row)))
        pay(make_grant(), money_of(make_grant()))
        query = urlencode({"q": row.grant.file_reference})
        for model, more, count in (("invoice", "&state=all", 2), ("drawdown", "", 1)):
            address = f"{reverse(f'admin:funding_{model}_changelist')}?{query}{more}"
            assert escape(address) in html
            assert office.get(address).context["cl"].result_count == count

    def test_why_the_devices_cost_something_else_than_the_vouchers(self, office: Any) -> None:
        row = make_proof()
        sentence = "Die Belege ergeben zusammen 1.050,00 €, die Geräte 1.000,00 €"
        assert "die Geräte 1.000,00 €" not in texts(office.get(page(row)))
        pay(row.grant, money_of(row.grant), "50.00")

        assert sentence in texts(office.get(page(row)))
        assert sentence in pdf_text(office.get(page(row, "pdf")).content)
        facts = dict(row[:2] for row in workbook(office.get(page(row, "xlsx")))["Verwendungsnachweis"])
        assert facts["Geräte"].replace("\u202f", " ").startswith(sentence)

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
        pdf = office.get(page(ProofOfUse.objects.get(), "pdf")).content
        assert len(pypdfium2.PdfDocument(pdf)) == 2, "what is empty has no page of its own"
        for words in ("In keinem Budget", "noch nichts bezahlt", "kein Gerät gekauft"):
            assert words in shown
