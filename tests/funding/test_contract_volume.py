"""What is called off a framework contract, what is left of it, and which volumes it takes."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.funding import services
from apps.funding.contract_selectors import called_from, left_of
from apps.funding.models import FrameworkContract, Order
from apps.funding.purchasing import InvoiceLineInput, called_pieces
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    TO_ORDER,
    ContractFactory,
    approved,
    deliver,
    draft_order,
    lines_for,
    lines_of,
    pay,
    place,
    placed_order,
    record,
    refused,
    scan_in,
)

D = Decimal
LIST = reverse("admin:funding_frameworkcontract_changelist")


def edit(contract: FrameworkContract) -> str:
    return reverse("admin:funding_frameworkcontract_change", args=[contract.pk])


def called(contract: FrameworkContract) -> Decimal:
    return called_from([contract.pk])[contract.pk]


@pytest.mark.parametrize(
    ("pieces", "is_closed", "expected"),
    [
        ((10, 0, 0, 0, 0), False, 10),
        ((10, 7, 0, 7, 0), False, 10),
        ((10, 9, 0, 9, 0), True, 9),
        ((10, 7, 2, 9, 2), True, 7),
        ((10, 7, 2, 9, 0), True, 9),
        ((10, 8, 2, 10, 2), False, 8),
        ((10, 10, 2, 10, 2), False, 10),
        ((10, 8, 0, 10, 2), False, 10),
        ((10, 8, 0, 10, 2), True, 8),
        ((10, 7, 0, 10, 0), True, 10),
        ((10, 7, 0, 10, 1), True, 9),
        ((10, 6, 2, 9, 2), True, 7),
        ((10, 4, 0, 4, 0), True, 4),
    ],
    ids=["ordered", "part of it came", "closed without one", "one missing, two credited", "two not credited yet",
         "credited while open", "credited and replaced", "credited because it is late", "credited, never came",
         "paid, never came", "paid, never came, one credited", "two went back, one of two missing paid",
         "the rest never came nor was invoiced"],
)  # fmt: skip
def test_pieces_that_a_contract_has_given(pieces: tuple[int, int, int, int], is_closed: bool, expected: int) -> None:
    assert called_pieces(*pieces, is_closed=is_closed) == expected


@pytest.mark.django_db
def test_what_never_came_and_what_went_back_is_free_again() -> None:
    contract, clerk = ContractFactory(volume=D("1000.00")), ClerkFactory()
    order = placed_order(*lines_for(approved(("100.00", 10))), contract=contract, by=clerk)
    assert (called(contract), left_of([contract])) == (D("1000.00"), {contract.pk: D("0.00")})
    devices = scan_in(line := order.lines.get(), 9, by=clerk)
    pay(record(order, InvoiceLineInput(line.pk, 9, D("900.00"))))
    services.return_goods(order=order, by=clerk, reason="Defekt", devices=devices[:2])
    assert called(contract) == D("1000.00")
    pay(record(order, InvoiceLineInput(line.pk, 2, D("200.00")), kind="credit"))
    assert called(contract) == D("800.00")
    order.refresh_from_db()
    services.close_order(order=order, by=clerk, reason="Eines kommt nicht mehr.")
    assert called(contract) == D("700.00")

    again = draft_order(*lines_for(approved(("100.00", 4))), contract=contract)
    refused("contract_volume", services.place_order, order=again, by=clerk)
    place(draft_order(*lines_for(approved(("100.00", 3))), contract=contract))
    assert (called(contract), left_of([contract])[contract.pk]) == (D("1000.00"), D("0.00"))


@pytest.mark.django_db
def test_what_is_paid_and_never_came_is_called_off_until_it_is_credited() -> None:
    contract, clerk = ContractFactory(volume=D("1000.00")), ClerkFactory()
    order = placed_order(*lines_for(approved(("100.00", 10))), contract=contract, by=clerk)
    scan_in(line := order.lines.get(), 7, by=clerk)
    pay(record(order, InvoiceLineInput(line.pk, 10, D("1000.00")), remark="Vorkasse"))
    order.refresh_from_db()
    services.close_order(order=order, by=clerk, reason="Die Lieferfirma gibt auf.")
    assert called(contract) == D("1000.00")
    pay(record(order, InvoiceLineInput(line.pk, 3, D("300.00")), kind="credit"))
    assert called(contract) == D("700.00")


@pytest.mark.django_db
def test_a_cancelled_order_and_a_draft_call_nothing_and_contracts_stay_apart() -> None:
    first, second, clerk = ContractFactory(volume=None), ContractFactory(volume=D("50.00")), ClerkFactory()
    services.cancel_order(
        order=placed_order(*lines_for(approved()), contract=first, by=clerk), by=clerk, reason="Doch nicht."
    )
    draft_order(*lines_for(approved()), contract=first)
    deliver(placed_order(*lines_for(approved(("300.00", 2))), contract=first))
    assert called_from([first.pk, second.pk]) == {first.pk: D("600.00"), second.pk: D("0.00")}
    assert left_of([first, second]) == {second.pk: D("50.00")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("0", "Volumen über null"),
        ("-5", "Volumen über null"),
        ("599,99", "Schon abgerufen sind 600,00 €. Bitte geben Sie mindestens diesen Betrag ein"),
    ],
)
def test_a_volume_that_cannot_be_is_refused_at_its_field(typed: str, sentence: str) -> None:
    contract = ContractFactory(volume=None)
    placed_order(*lines_for(approved(("300.00", 2))), contract=contract)
    office: Client = client_of(ClerkFactory())
    facts = {
        "supplier": contract.supplier_id, "reference": "RV", "title": "Tablets", "valid_from": "01.01.2026",
        "valid_until": "",
    }  # fmt: skip
    page = office.post(edit(contract), facts | {"volume": typed})
    assert page.status_code == 200
    assert list(page.context["adminform"].form.errors) == ["volume"]
    assert sentence in texts(page)
    contract.refresh_from_db()
    assert contract.volume is None
    for right, expected in (("600,00", D("600.00")), ("", None)):
        assert office.post(edit(contract), facts | {"volume": right}).status_code == 302
        contract.refresh_from_db()
        assert contract.volume == expected


@pytest.mark.django_db
@pytest.mark.parametrize("volume", ["0.00", "-5.00"])
def test_the_database_takes_no_such_volume(volume: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractFactory(volume=D(volume))


@pytest.mark.django_db
def test_list_and_page_show_what_is_left() -> None:
    contract = ContractFactory(volume=D("1000.00"))
    ContractFactory(volume=None)
    placed_order(*lines_for(approved(("300.00", 2))), contract=contract)
    office = client_of(ApproverFactory())
    assert "1.000,00 € 600,00 € 400,00 €" in texts(office.get(LIST))
    assert "keine Angabe 0,00 € keine Angabe" in texts(office.get(LIST))
    page = texts(office.get(edit(contract)))
    assert "Bisher abgerufen: 600,00 €" in page.replace(" :", ":")
    assert "Noch abrufbar: 400,00 €" in page.replace(" :", ":")


def _used_up() -> FrameworkContract:
    contract = ContractFactory(volume=D("600.00"))
    placed_order(*lines_for(approved(("300.00", 2))), contract=contract)
    return contract


def _ended() -> FrameworkContract:
    return ContractFactory(valid_from=datetime.date(2020, 1, 1), valid_until=clock.today() - datetime.timedelta(days=1))


@pytest.mark.django_db
@pytest.mark.parametrize("make", [_used_up, _ended])
def test_a_contract_that_gives_nothing_is_not_offered(make: Callable[[], FrameworkContract]) -> None:
    gone, open_one = make(), ContractFactory(volume=D("500.00"))
    approved(("10.00", 1))
    clerk = ClerkFactory()
    page = client_of(clerk).get(TO_ORDER).content.decode().replace("\u202f", " ")
    assert f"{open_one} (noch 500,00 €)" in page
    assert str(gone) not in page


@pytest.mark.django_db
def test_a_draft_says_that_its_contract_is_used_up() -> None:
    contract, clerk = ContractFactory(volume=D("600.00")), ClerkFactory()
    draft = draft_order(*lines_for(approved(("300.00", 2))), contract=contract, by=clerk)
    url = reverse("admin:funding_order_change", args=[draft.pk])
    assert f"{contract} (noch 600,00 €)" in texts(client_of(clerk).get(url))
    placed_order(*lines_for(approved(("300.00", 2))), contract=contract)
    assert f"{contract} (ausgeschöpft)" in texts(client_of(clerk).get(url))
    assert lines_of(Order.objects.get(pk=draft.pk))


@pytest.mark.django_db
def test_volumes_of_nothing_from_before_the_bounds_become_none() -> None:
    contract = ContractFactory(volume=None)
    checks = "PRAGMA ignore_check_constraints = {}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE funding_frameworkcontract DROP CONSTRAINT funding_contract_volume_positive")
        else:
            cursor.execute(checks.format("ON"))
        FrameworkContract.objects.update(volume=D("-5.00"))
        if connection.vendor == "sqlite":
            cursor.execute(checks.format("OFF"))
    import_module("apps.funding.migrations.0018_mended_years_and_volumes").mend(apps, None)
    contract.refresh_from_db()
    assert contract.volume is None
