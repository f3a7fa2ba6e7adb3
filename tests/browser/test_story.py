"""The portal's main job, played by four people in a browser with a real worker.

The coordinator submits, the office returns, the coordinator answers and submits again, the office approves a part
in the admin, the technician takes the devices in, the worker recalculates, the head reads the new figures.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from apps.funding.models import Budget, EquipmentApplication
from apps.quotas.models import QuotaFigure
from tests.browser.city import City, make_city
from tests.factories import PASSWORD
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_label("E-Mail-Adresse").fill(email)
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def shows(page: Page, text: str) -> None:
    """The text stands on the page; thin and no-break spaces count as spaces."""
    pattern = re.compile(r"[\s\u202f\u00a0]*".join(re.escape(part) for part in text.split()))
    expect(page.locator("main")).to_contain_text(pattern)


@pytest.fixture
def city(transactional_db):
    return make_city()


@pytest.fixture
def signed_in(pages, city):
    def open_for(role: str) -> Page:
        page = pages.open()
        sign_in(page, f"{role}@stadt.example")
        return page

    return open_for


def test_from_the_need_to_the_new_quota(city, signed_in, start_worker):
    start_worker(beat=True, recalc_seconds=1)
    coordinator, office = signed_in("coordinator"), signed_in("office_approver")
    submit(coordinator, city)
    application = EquipmentApplication.objects.get()
    return_with_question(office)
    answer(coordinator)
    approve_twelve(office, city)
    application.refresh_from_db()
    assert (application.state, Budget.objects.get().committed) == ("partially_approved", 12 * city.product.gross_price)
    wait_until(lambda: "Teilweise genehmigt" in sent_mails(), what="the mail about the decision")

    take_in_twelve(signed_in("it_support"), city)
    wait_until(lambda: QuotaFigure.objects.filter(school=city.school, devices=22).exists(), what="the worker")
    head = signed_in("head")
    shows(head, "24,0 % · 1 : 4,2")
    shows(head, "72 Geräte für 300 Schülerinnen und Schüler")
    expect(head.get_by_role("row", name=re.compile("Digitale Ausstattung"))).to_contain_text("5.868,00")
    expect(head.get_by_role("row", name=re.compile("Teilweise genehmigt"))).to_contain_text("7.824,00")
    head.get_by_role("link", name="Digitale Ausstattung").click()
    expect(head.get_by_role("link", name="Tablets für die Jahrgänge 3 und 4")).to_be_visible()


def submit(coordinator: Page, city: City) -> None:
    coordinator.get_by_role("link", name="Antrag anlegen").first.click()
    coordinator.get_by_label("Titel").fill("Tablets für die Jahrgänge 3 und 4")
    coordinator.get_by_role("textbox", name="Begründung").fill("Wir liegen unter dem Ziel.")
    coordinator.get_by_label("Produkt").select_option(str(city.product.pk))
    coordinator.get_by_label("Anzahl").fill("16")
    shows(coordinator, "Summe: 7.824,00 €")
    shows(coordinator, "Heute 10,0 % (1 : 10,0), danach 26,0 % (1 : 3,8), Ziel 20,0 % (1 : 5).")
    coordinator.get_by_role("button", name="Prüfen und einreichen").click()
    coordinator.get_by_role("button", name="Antrag einreichen").click()
    shows(coordinator, "Eingereicht")


def return_with_question(office: Page) -> None:
    open_first_of_queue(office)
    office.get_by_text("Mit Rückfrage zurückgeben").click()
    office.get_by_label("Frage an die Schule", exact=True).fill("Reichen auch 12?")
    office.get_by_role("button", name="Rückfrage prüfen").click()
    shows(office, "Reichen auch 12?")
    office.get_by_role("button", name="Zurückgeben und Mail senden").click()
    shows(office, "Rückfrage. Die Mail ist unterwegs.")


def answer(coordinator: Page) -> None:
    coordinator.goto("/")
    coordinator.get_by_role("link", name=re.compile("Rückfrage beantworten")).click()
    shows(coordinator, "Reichen auch 12?")
    coordinator.get_by_label("Ihre Antwort").fill("Ja, für den Anfang.")
    coordinator.get_by_role("button", name="Antwort senden").click()
    shows(coordinator, "Ja, für den Anfang.")
    coordinator.get_by_role("button", name="Antrag erneut einreichen").click()
    shows(coordinator, "Eingereicht")


def approve_twelve(office: Page, city: City) -> None:
    open_first_of_queue(office)
    shows(office, "Ja, für den Anfang.")
    office.get_by_label("Budget", exact=True).first.select_option(str(city.budget.pk))
    office.get_by_label("Anzahl genehmigen").fill("12")
    office.get_by_role("textbox", name="Begründung").first.fill("Zunächst zwölf.")
    office.get_by_role("button", name="Genehmigung prüfen").click()
    shows(office, "5.868,00 €")
    office.get_by_role("button", name="Genehmigen und Mail senden").click()
    shows(office, "Die Mail ist unterwegs.")


def take_in_twelve(technician: Page, city: City) -> None:
    technician.get_by_role("link", name="Geräte aufnehmen").click()
    technician.get_by_label("Produkt").select_option(str(city.product.pk))
    technician.get_by_label("Anzahl").fill("12")
    technician.get_by_label("Schule").select_option(label="Talschule")
    technician.get_by_role("button", name="Geräte aufnehmen").click()
    shows(technician, "12 Geräte")


def open_first_of_queue(office: Page) -> None:
    office.goto("/")
    office.get_by_role("link", name=re.compile("Antrag entscheiden")).first.click()


def sent_mails() -> str:
    """Subjects and texts of what the worker has sent so far."""
    import email
    from email import policy

    texts = []
    for path in Path(settings.VAR_DIR, "mail").glob("*.log"):
        for part in path.read_bytes().split(b"-" * 79):
            message = email.message_from_bytes(part.strip(), policy=policy.default)
            texts.append(f"{message['subject']} {message.get_content() if message['subject'] else ''}")
    return "\n".join(texts)
