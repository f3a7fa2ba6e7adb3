"""A round that ends earlier than announced: whom the portal tells, and whom not."""

import datetime

import pytest
from django.http import HttpResponse
from django.urls import reverse
from post_office.models import Email

from apps.core import formats
from apps.core.clock import today
from apps.funding.models import ApplicationRound
from tests.factories import ApproverFactory, CoordinatorFactory, SchoolFactory
from tests.funding.factories import RoundFactory, make_application
from tests.funding.portal import client_of, texts
from tests.funding.test_services_rounds import DAY, S, mails, submit

pytestmark = pytest.mark.django_db


def edit_round(row: ApplicationRound, closes_on: datetime.date) -> HttpResponse:
    sent = {
        "name": row.name, "programme": "", "opens_on": f"{row.opens_on:%d.%m.%Y}", "closes_on": f"{closes_on:%d.%m.%Y}",
        "remind_days": row.remind_days, "note": "",
    }  # fmt: skip
    url = reverse("admin:funding_applicationround_change", args=[row.pk])
    return client_of(ApproverFactory()).post(url, sent, follow=True)


def test_schools_that_have_not_handed_in_hear_of_an_earlier_end() -> None:
    row = RoundFactory(name="Herbst", closes_on=today() + 20 * DAY)
    done, idle = SchoolFactory(), SchoolFactory()
    alone, other = CoordinatorFactory(schools=[done]), CoordinatorFactory(schools=[idle])
    submit(make_application(S.DRAFT, school=done, by=alone, in_round=row))

    page = edit_round(row, today() + 6 * DAY)

    assert "Die Runde endet früher. Eine Person erfährt es per Mail." in texts(page)
    ((to, text),) = mails().items()
    assert to == other.email
    assert (
        f"Die Runde „Herbst“ endet früher als angekündigt: am {formats.day(today() + 6 * DAY)} statt am"
        f" {formats.day(today() + 20 * DAY)}. Was Sie später einreichen, wird als verspätet gekennzeichnet."
    ) in " ".join(text.split())
    assert (
        Email.objects.get().subject == f"Anträge: Die Runde „Herbst“ endet früher, am {formats.day(today() + 6 * DAY)}"
    )


@pytest.mark.parametrize(
    ("opens", "closes", "then"), [(-10, 20, 20), (-10, 20, 25), (5, 20, 10), (-20, -2, -5)],
    ids=["same day", "later", "not begun", "over already"],
)  # fmt: skip
def test_nobody_is_told_of_anything_else(opens: int, closes: int, then: int) -> None:
    row = RoundFactory(opens_on=today() + opens * DAY, closes_on=today() + closes * DAY)
    CoordinatorFactory(schools=[SchoolFactory()])
    edit_round(row, today() + then * DAY)
    row.refresh_from_db()
    assert (row.closes_on, mails()) == (today() + then * DAY, {})
