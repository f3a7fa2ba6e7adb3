"""Kits on loan: the parts at the school go out and come back with their device; what stays or is missing is named."""

from decimal import Decimal

import pypdfium2
import pytest
from django.urls import reverse

from apps.core.clock import today
from apps.inventory import services
from apps.inventory.models import Device, Loan
from tests import factories

pytestmark = pytest.mark.django_db
TERMS = {"borrower": "pupil", "group": "7b", "due_on": None}


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Talschule")


@pytest.fixture
def coordinator(client, school):
    person = factories.CoordinatorFactory(schools=[school])
    client.force_login(person)
    return person


@pytest.fixture
def products():
    names = ("Tablet", "Tastatur", "Stift")
    return [factories.ProductFactory(manufacturer="Muster", model=name) for name in names]


@pytest.fixture
def kit(products):
    return factories.KitFactory(parts=[(product, 1) for product in products])


@pytest.fixture
def parts(kit, school):
    """Tablet, keyboard and pen of one kit."""
    prices = {kit.parts.first().product_id: Decimal("400.00")}
    return services.add_kits(kit=kit, quantity=1, school=school, by=factories.ClerkFactory(), prices=prices)


def states():
    return list(Loan.objects.order_by("device").values_list("state", flat=True))


def statuses():
    return list(Device.objects.order_by("pk").values_list("status", flat=True))


def address():
    chosen = {"school": "120674", "borrower": "pupil", "group": "7b", "due": "school_year", "condition": ""}
    return reverse("inventory:hand_out", query=chosen)


def test_the_parts_go_out_and_come_back_with_their_device(parts, coordinator):
    loan = services.hand_out(device=parts[1], by=coordinator, **TERMS)

    assert statuses() == ["on_loan"] * 3
    assert set(loan.parts.values_list("device", "group", "since")) == {
        (row.pk, "7b", today()) for row in (parts[0], parts[2])
    }
    services.extend_loan(loan=loan, by=coordinator, due_on=today())
    assert set(Loan.objects.values_list("due_on", flat=True)) == {today()}
    services.take_back(loan=loan, by=coordinator)
    assert (states(), statuses()) == (["returned"] * 3, ["in_use"] * 3)
    services.undo_take_back(loan=loan, by=coordinator)
    assert (states(), statuses()) == (["out"] * 3, ["on_loan"] * 3)
    services.undo_hand_out(loan=loan, by=coordinator)
    assert (states(), statuses()) == (["cancelled"] * 3, ["in_use"] * 3)


def test_what_is_left_out_stays_and_what_is_missing_stays_on_loan(parts, coordinator):
    loan = services.hand_out(device=parts[0], by=coordinator, without=[parts[2].pk], **TERMS)
    assert statuses() == ["on_loan", "on_loan", "in_use"]

    services.take_back_device(device=parts[0], by=coordinator, missing=[loan.parts.get().pk])
    assert statuses() == ["in_use", "on_loan", "in_use"]
    assert states() == ["returned", "out"]


def test_parts_elsewhere_or_in_repair_stay(parts, coordinator):
    clerk = factories.ClerkFactory()
    services.move_device(device=parts[1], school=factories.SchoolFactory(), by=clerk)
    services.send_to_repair(device=parts[2], by=coordinator)

    services.hand_out(device=parts[0], by=coordinator, **TERMS)

    assert statuses() == ["on_loan", "in_use", "in_repair"]


def test_one_of_several_alike_goes_alone(products, school, coordinator):
    trolley = factories.KitFactory(parts=[(products[0], 3), (products[1], 1)])
    rows = services.add_kits(kit=trolley, quantity=1, school=school, by=factories.ClerkFactory())

    services.hand_out(device=rows[0], by=coordinator, **TERMS)

    assert statuses() == ["on_loan", "in_use", "in_use", "in_use"]


def test_scanning_names_the_parts_and_one_click_leaves_one_out(client, parts, coordinator):
    outcome = client.post(address(), {"code": parts[0].tag}, follow=True).context["outcome"]
    assert [part.device for part in outcome.parts] == parts[1:]

    outcome = client.post(address(), {"undo": outcome.parts[1].number}, follow=True).context["outcome"]

    assert (outcome.title, outcome.tone) == (f"{parts[0].tag} ist ausgegeben", "success")
    assert outcome.text.endswith(f"Vom Set bleibt hier: {parts[2].tag}")
    assert [part.device for part in outcome.parts] == [parts[1]]
    back = reverse("inventory:take_back")
    outcome = client.post(back, {"code": parts[0].tag}, follow=True).context["outcome"]
    assert (outcome.tone, statuses()) == ("success", ["in_use"] * 3)
    outcome = client.post(back, {"undo": outcome.parts[0].number}, follow=True).context["outcome"]
    assert (outcome.tone, statuses()) == ("warning", ["in_use", "on_loan", "in_use"])
    assert outcome.text.endswith(f"Vom Set fehlt: {parts[1].tag}")


def test_on_the_page_of_the_device_parts_are_ticked(client, parts, coordinator):
    sent = {"borrower": "pupil", "group": "7b", "due": "leaving", "without": [parts[1].pk]}
    client.post(reverse("inventory:lend", args=[parts[0].tag]), sent)
    assert statuses() == ["on_loan", "in_use", "on_loan"]

    loan, part = Loan.objects.get(device=parts[0]), Loan.objects.get(device=parts[2])
    client.post(reverse("inventory:loan_return", args=[loan.number]), {"missing": [part.pk]})

    assert statuses() == ["in_use", "in_use", "on_loan"]
    page = client.get(loan.get_absolute_url()).content.decode()
    assert part.get_absolute_url() in page
    assert loan.number in client.get(part.get_absolute_url()).content.decode()


def test_one_receipt_lists_the_parts(client, parts, coordinator):
    loan = services.hand_out(device=parts[0], by=coordinator, **TERMS)
    part = loan.parts.order_by("device").first()

    def texts(url, **query):
        document = pypdfium2.PdfDocument(client.get(url, query).content)
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]

    (text,) = texts("/loans/receipts/", group="7b")
    assert f"Muster Tastatur, {parts[1].tag}" in text
    assert f"Muster Stift, {parts[2].tag}" in text
    services.take_back(loan=loan, by=coordinator, missing=[part.pk])
    (text,) = texts(f"/loans/{loan.number}/return-receipt/")
    assert f"Teile des Sets Muster Stift, {parts[2].tag} Fehlende" in text
    assert f"Fehlende Teile Muster Tastatur, {parts[1].tag}" in text
