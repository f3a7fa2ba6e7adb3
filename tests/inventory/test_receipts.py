"""Receipts of loans: tagged PDFs that say what the forms of schools say, and no name unless the city stores it."""

import datetime
from decimal import Decimal

import pypdfium2
import pytest

from apps.core.clock import end_of_school_year, today
from apps.inventory import receipts, services
from apps.inventory.models import Loan, LoanRules, Product
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def _city(settings):
    settings.CITY_NAME = "Stadt Hamm"


@pytest.fixture
def school():
    return factories.SchoolFactory(short_name="Talschule")


@pytest.fixture
def coordinator(client, school):
    person = factories.CoordinatorFactory(schools=[school])
    client.force_login(person)
    return person


def lent(school, coordinator, serial="SN-77", **facts):
    known = Product.objects.filter(manufacturer="Muster").first()
    product = known or factories.ProductFactory(manufacturer="Muster", model="Tablet 11")
    device = factories.DeviceFactory(product=product, school=school, serial=serial, price=Decimal("1429.00"))
    terms = {"borrower": "pupil", "group": "7b", "due_on": None, "condition": "worn"} | facts
    return services.hand_out(device=device, by=coordinator, **terms)


def pages(response):
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(response.content)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_a_pupil_signs_with_a_guardian(client, school, coordinator):
    ends = end_of_school_year(today())
    loan = lent(
        school, coordinator, due_on=ends, until_school_year_ends=True, accessories="Ladekabel, Hülle", damage="Kratzer"
    )

    (text,) = pages(client.get(f"/loans/{loan.number}/receipt/"))

    for part in (
        "Leihschein", "Talschule", "Stadt Hamm leiht als Schulträger", "Muster Tablet 11", "SN-77", loan.device.tag,
        loan.number, "7b", "Ladekabel, Hülle", "1.429,00\u202f€", "abgenutzt", "Kratzer",
        f"Beginn der Leihe {today():%d.%m.%Y}",
        f"Ende des Schuljahres ({ends:%d.%m.%Y}), spätestens mit dem Verlassen der Schule",
        "Name (Druckbuchstaben)", "Unterschrift der Schülerin oder des Schülers",
        "Unterschrift einer erziehungsberechtigten Person", "Seite 1 von 1",
    ):  # fmt: skip
        assert " ".join(part.split()) in text, part


def test_a_teacher_signs_an_agreement_on_use(client, school, coordinator):
    loan = lent(school, coordinator, borrower="teacher", group="", due_on=None)

    (text,) = pages(client.get(f"/loans/{loan.number}/receipt/"))

    assert "Nutzungsvereinbarung" in text
    assert "für dienstliche Zwecke" in text
    assert "Ende der Leihe mit dem Verlassen der Schule" in text
    assert "Unterschrift der Lehrkraft" in text
    assert "erziehungsberechtigten" not in text
    assert "Haftung" not in text
    assert "Klasse" not in text


def test_a_receipt_longer_than_a_page_counts_its_own_pages(client, school, coordinator):
    long = lent(school, coordinator, serial="SN-1", damage="\n\n".join(f"Kratzer {number}" for number in range(30)))
    lent(school, coordinator, serial="SN-2")

    texts = pages(client.get("/loans/receipts/", {"school": school.number, "group": "7b"}))

    assert long.number in texts[0]
    assert [next(part for part in (f"Seite {n} von {m}" for n, m in ((1, 2), (2, 2), (1, 1))) if part in text)
            for text in texts] == ["Seite 1 von 2", "Seite 2 von 2", "Seite 1 von 1"]  # fmt: skip


def test_the_receipt_of_a_return_says_how_it_came_back(client, school, coordinator):
    loan = services.take_back(loan=lent(school, coordinator), by=coordinator, condition="damaged", damage="Riss")

    (text,) = pages(client.get(f"/loans/{loan.number}/return-receipt/"))

    for part in ("Rückgabebeleg", f"Zurückgegeben am {today():%d.%m.%Y}", "abgenutzt", "beschädigt", "Riss"):
        assert part in text


def test_a_loan_that_is_still_out_has_a_form_for_its_return(client, school, coordinator):
    loan = lent(school, coordinator)

    (text,) = pages(client.get(f"/loans/{loan.number}/return-receipt/"))

    assert "Rückgabeformular" in text
    assert "Die Leihe ist beendet" not in text
    for label in ("Zurückgegeben am", "Zustand bei Rückgabe", "Schäden bei Rückgabe"):
        assert f"{label} ……" in text, label
    assert "Formular für die Rückgabe (PDF)" in client.get(f"/loans/{loan.number}/").content.decode()
    services.take_back(loan=loan, by=coordinator)
    assert "Rückgabebeleg (PDF)" in client.get(f"/loans/{loan.number}/").content.decode()


def test_a_class_has_its_receipts_in_one_file_by_inventory_number(client, school, coordinator):
    loans = [lent(school, coordinator, serial=f"SN-{number}") for number in range(3)]
    lent(school, coordinator, serial="SN-8", group="8a")
    called_off = services.undo_hand_out(loan=lent(school, coordinator, serial="SN-9"), by=coordinator)

    texts = pages(client.get("/loans/receipts/", {"school": school.number, "group": "7b"}))
    assert [loan.number in text for loan, text in zip(loans, texts, strict=True)] == [True] * 3
    assert all("Seite 1 von 1" in text for text in texts)
    chosen = pages(client.post("/loans/receipts/", {"ids": [loans[0].pk, loans[2].pk, called_off.pk]}))
    assert len(chosen) == 2
    back = client.get("/loans/receipts/", {"group": "7b", "back": "1"})
    assert back.url == "/loans/"


def test_more_than_fit_in_one_file_are_refused(client, school, coordinator, monkeypatch):
    monkeypatch.setattr(receipts, "AT_ONCE", 2)
    for number in range(3):
        lent(school, coordinator, serial=f"SN-{number}")

    response = client.get("/loans/receipts/", follow=True)
    assert "höchstens 2 Belege" in next(str(message) for message in response.context["messages"])


def test_the_pdf_is_tagged(school, coordinator):
    loan = Loan.objects.select_related("device__product", "school").get(pk=lent(school, coordinator).pk)

    pdf = receipts.receipts_pdf([loan], back=False, names=False)

    assert b"/MarkInfo" in pdf
    assert b"/StructTreeRoot" in pdf
    assert b"pdfuaid" in pdf
    assert pypdfium2.PdfDocument(pdf).get_metadata_value("Title") == "Leihscheine – Stadt Hamm"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_name_is_printed_only_where_the_city_stores_names(client, school, coordinator, allowed):
    rules = LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    loan = lent(school, coordinator, borrower_name="Kim Muster")
    LoanRules.objects.filter(pk=rules.pk).update(names_allowed=allowed)

    (text,) = pages(client.get(f"/loans/{loan.number}/receipt/"))
    assert ("Kim Muster" in text) == allowed
    assert "Name (Druckbuchstaben)" in text


def test_a_loan_that_was_called_off_has_no_receipt(client, school, coordinator):
    loan = lent(school, coordinator)
    services.undo_hand_out(loan=loan, by=coordinator)

    for kind in ("receipt", "return-receipt"):
        answer = client.get(f"/loans/{loan.number}/{kind}/", follow=True)
        assert answer.redirect_chain[0][0] == loan.get_absolute_url()
        assert "deshalb gibt es keinen Beleg" in answer.content.decode()
    assert f"/loans/{loan.number}/receipt/" not in client.get(loan.get_absolute_url()).content.decode()


def test_numbers_in_the_address_choose_and_what_is_none_prints_nothing(client, school, coordinator):
    one, _other = lent(school, coordinator), lent(school, coordinator, serial="SN-78")
    (text,) = pages(client.get("/loans/receipts/", {"ids": one.pk}))
    assert one.number in text
    for asked in ("abc", "", "9" * 30):
        answer = client.get("/loans/receipts/", {"ids": asked}, follow=True)
        assert "Hier gibt es keine Leihe" in answer.content.decode()
