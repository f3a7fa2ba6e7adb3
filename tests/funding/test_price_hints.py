"""Hints where the price of a device does not fit the kind of budget: on the desk and on the lines of an order."""

from decimal import Decimal

import pytest
from django.test import Client

from apps.core import clock
from apps.funding.choices import ExpenditureType, RuleKind
from apps.funding.models import DatedRule
from apps.funding.price_hints import Bought, price_hints
from tests.factories import ClerkFactory, DeviceKindFactory, ProductFactory
from tests.funding.desk import desk_of, send
from tests.funding.factories import BudgetFactory, make_application
from tests.funding.portal import client_of, texts
from tests.funding.purchases import approved, draft_order, lines_for, placed_order

pytestmark = pytest.mark.django_db
D = Decimal
CAPITAL, OPERATING = ExpenditureType.CAPITAL, ExpenditureType.OPERATING
DEAR = "Ein Gerät über 952,00 € brutto ist in der Regel investiv; konsumtiv ist „Laufendes 2026“. Bitte prüfen Sie das."
CHEAP = "Ein Gerät bis 952,00 € brutto darf konsumtiv sein; investiv ist „Anschaffung 2026“. Bitte prüfen Sie das."


@pytest.fixture
def client() -> Client:
    return client_of(ClerkFactory())


def budget(kind: ExpenditureType) -> object:
    name = "Anschaffung" if kind == CAPITAL else "Laufendes"
    return BudgetFactory(name=name, expenditure_type=kind, appropriation=D("100000.00"), fiscal_year=2026)


@pytest.mark.parametrize(
    ("price", "kind", "expected"),
    [
        ("952.00", OPERATING, ""),
        ("952.01", OPERATING, DEAR),
        ("952.01", CAPITAL, ""),
        ("952.00", CAPITAL, CHEAP),
        ("0.00", CAPITAL, ""),
    ],
)
def test_the_price_against_the_budget(price: str, kind: ExpenditureType, expected: str) -> None:
    row = Bought(ProductFactory(), D(price), (budget(kind), None))  # type: ignore[arg-type]
    assert price_hints({1: row}, clock.today()).get(1, "").replace("\u202f", " ").replace("\xa0", " ") == expected


def test_several_budgets_are_told_in_one_sentence() -> None:
    first, second, third = (BudgetFactory(name=name, expenditure_type=CAPITAL, fiscal_year=2026) for name in "ABC")
    for paid, names in (
        ((first, second), "„A 2026“ und „B 2026“"),
        ((first, second, third), "„A 2026“, „B 2026“ und „C 2026“"),
    ):
        words = price_hints({1: Bought(ProductFactory(), D("100.00"), paid)}, clock.today())[1]
        assert f"darf konsumtiv sein; investiv sind {names}." in words


def test_what_is_no_device_or_has_no_rule_gets_no_hint() -> None:
    cable = ProductFactory(kind=DeviceKindFactory(code="cable", name="Kabel", tracked_singly=False, countable=False))
    paid = (budget(CAPITAL),)
    rows = {1: Bought(cable, D("10.00"), paid), 2: Bought(None, D("10.00"), paid)}  # type: ignore[arg-type]
    assert price_hints(rows, clock.today()) == {}
    DatedRule.objects.create(
        kind=RuleKind.LOW_VALUE_ASSET_LIMIT, valid_from=clock.today(), value=None, source="Beschluss"
    )
    device = Bought(ProductFactory(), D("10.00"), paid)  # type: ignore[arg-type]
    assert price_hints({1: device}, clock.today()) == {}


def test_the_desk_hints_while_a_budget_is_chosen_and_lets_one_go_on(client: Client) -> None:
    application = make_application(lines=[("1500.00", 2)])
    wrong, right = budget(OPERATING), budget(CAPITAL)
    assert DEAR not in texts(client.get(desk_of(application)))
    page = send(client, desk_of(application), "recalculate", budget=wrong.pk)  # type: ignore[attr-defined]
    assert DEAR in texts(page)
    check = send(client, desk_of(application), "check_propose", budget=wrong.pk)  # type: ignore[attr-defined]
    assert "errors" not in check.context or not check.context["errors"]
    page = send(client, desk_of(application), "recalculate", budget=right.pk)  # type: ignore[attr-defined]
    assert "in der Regel investiv" not in texts(page)


def test_the_lines_of_an_order_hint(client: Client) -> None:
    lines = lines_for(approved(("1500.00", 2), budget=budget(OPERATING)))  # type: ignore[arg-type]
    draft = draft_order(*lines)
    assert DEAR in texts(client.get(f"/admin/funding/order/{draft.pk}/change/"))
    placed = placed_order(*lines_for(approved(("400.00", 2), budget=budget(CAPITAL))))  # type: ignore[arg-type]
    assert CHEAP in texts(client.get(f"/admin/funding/order/{placed.pk}/change/"))
