"""Money and applications as of a day that is over, against what was read on that day itself."""

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.selectors import applications_by_state, budget_rows, money_by_source
from tests.factories import ApproverFactory, ClerkFactory, HeadFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, allow_overrun, change_by_two, decide, make_application
from tests.funding.portal import client_of, texts
from tests.quotas.factories import make_plan

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState
Days = Callable[[int], None]
FIRST = datetime.date(2025, 3, 1)


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    """Moves the clock to late in the evening, a number of days after the first one."""

    def move(number: int) -> None:
        moment = timezone.make_aware(datetime.datetime.combine(day(number), datetime.time(23, 59, 59)))
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return move


def day(number: int) -> datetime.date:
    return FIRST + datetime.timedelta(days=number)


def amounts(user: User, on: datetime.date | None = None) -> list[tuple[Any, ...]]:
    names = ("name", "appropriated", "overrun_allowed", "freeze", "committed", "spent", "available")
    sources = money_by_source(user, 2025, on)
    return [tuple(getattr(row, name) for name in names) for source in sources for row in (source, *source.budgets)]


def states(user: User, on: datetime.date | None = None) -> dict[ApplicationState, tuple[int, Decimal]]:
    return {row.state: (row.count, row.amount) for row in applications_by_state(user, on) if row.count}


def test_each_day_is_read_later_as_it_was_read_then(on_day: Days) -> None:
    on_day(0)
    head, by, clerk = HeadFactory(), ApproverFactory(), ClerkFactory()
    seen = {0: (amounts(head), states(head))}
    on_day(1)
    budget = BudgetFactory(fiscal_year=2025, name="Schul-IT", appropriation=D("1000.00"))
    first = make_application(lines=[("100.00", 2)])
    seen[1] = (amounts(head), states(head))
    on_day(2)
    grant = BudgetFactory(fiscal_year=2025, from_grant=True, appropriation=D("500.00"))
    change_by_two(budget, supplement=D("50.00"))
    services.approve(application=first, by=by, decisions=decide(first, budget))
    second = make_application(lines=[("10.00", 1)])
    services.return_with_question(application=second, by=clerk, question="Wofür?")
    seen[2] = (amounts(head), states(head))
    on_day(3)
    change_by_two(grant, freeze=D("1.00"))
    allow_overrun(budget, "5.00")
    ledger.pay(budget, D("120.00"), by=by)
    ledger.release(budget, D("30.00"), by=by)
    services.submit(application=second, by=second.created_by)
    seen[3] = (amounts(head), states(head))
    on_day(9)
    services.reject(application=second, by=clerk, reason="Nein")
    BudgetFactory(fiscal_year=2025)

    assert [len(seen[number][0]) for number in range(4)] == [0, 2, 4, 4]
    assert seen[2][1] == {S.APPROVED: (1, D("200.00")), S.RETURNED: (1, D("10.00"))}
    for number, (money, counts) in seen.items():
        assert amounts(head, day(number)) == money, number
        assert states(head, day(number)) == counts, number
    assert amounts(head, day(9)) == amounts(head)


def test_a_draft_of_that_day_is_shown_to_nobody_who_sees_no_drafts(on_day: Days) -> None:
    on_day(0)
    draft = make_application(S.DRAFT)
    on_day(1)
    services.submit(application=draft, by=draft.created_by)

    assert states(HeadFactory(), day(0)) == {}
    assert set(states(draft.created_by, day(0))) == {S.DRAFT}


def test_a_budget_of_the_past_is_read_and_never_saved(on_day: Days) -> None:
    on_day(0)
    budget, head = BudgetFactory(fiscal_year=2025, appropriation=D("10.00")), HeadFactory()
    on_day(1)
    change_by_two(budget, appropriation=D("30.00"))
    amounts(head, day(0))
    assert budget_rows(head).get().appropriation == D("30.00")


def test_the_pages_of_a_past_day_lead_to_the_rows_of_that_day(on_day: Days, client: Client) -> None:
    on_day(0)
    plan, by = make_plan("2025-01-01", "2029-12-31"), ApproverFactory()
    budget = BudgetFactory(fiscal_year=2025, name="Schul-IT", appropriation=D("1000.00"))
    application = make_application(title="Tablets", lines=[("100.00", 2)])
    on_day(1)
    services.approve(application=application, by=by, decisions=decide(application, budget))
    on_day(2)
    ledger.pay(budget, D("200.00"), by=by, note="Rechnung 1")
    late = BudgetFactory(fiscal_year=2025)
    on_day(3)
    head = client_of(HeadFactory())

    page = head.get(reverse("summaries:summary"), {"plan": plan.pk, "day": "2025-03-02"})
    assert "Schul-IT 1.000,00 € 200,00 € 0,00 € 800,00 €" in texts(page)
    entries = f"{reverse('summaries:budget', args=[budget.pk])}?day=2025-03-02"
    rows = f"{reverse('funding:list')}?state=approved&amp;day=2025-03-02"
    assert f'href="{entries}"' in page.text
    assert f'href="{rows}"' in page.text

    then = texts(head.get(entries))
    assert ("gebunden" in then, "Rechnung 1" in then, "Stand am 02.03.2025" in then) == (True, False, True)
    assert head.get(reverse("summaries:budget", args=[late.pk]), {"day": "2025-03-02"}).status_code == 404
    assert "Tablets" in texts(head.get(reverse("funding:list"), {"state": "approved", "day": "2025-03-02"}))
    before = {"state": "submitted", "day": "2025-03-01"}
    assert "Anträge nach ihrem Stand am 01.03.2025" in texts(head.get(reverse("funding:list"), before))
    assert "Tablets" not in texts(head.get(reverse("funding:list"), before | {"state": "approved"}))
    assert "Tablets" not in texts(head.get(reverse("funding:list"), {"day": "2025-02-28"}))
