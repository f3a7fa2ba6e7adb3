"""Who sits at the office's desk, and the money that they decide on."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.funding.models import Budget
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of


@pytest.fixture
def approver() -> User:
    return ApproverFactory(name="Amir Albers")


@pytest.fixture
def office(approver: User) -> Client:
    """The approver's browser."""
    return client_of(approver)


@pytest.fixture
def budget() -> Budget:
    return BudgetFactory(name="Schul-IT", appropriation=Decimal("10000.00"))


@pytest.fixture
def sums_agree(db: None) -> Iterator[None]:
    """Whatever a test does: the ledger and all that is written with it agree to the cent."""
    yield
    assert ledger_differences() == []
