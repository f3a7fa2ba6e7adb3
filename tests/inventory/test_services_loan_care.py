"""Reminders go out once per loan and stage; what could lead to a person is deleted in time, the statistics stay."""

import datetime

import pytest
from post_office.models import Email

from apps.core.clock import today
from apps.core.job_kinds import words_of
from apps.core.jobs import last_job
from apps.inventory import services
from apps.inventory.models import Loan, LoanReminder, LoanRules
from apps.inventory.services.loan_care import Cleared, Told, clear_loans, remind_of_loans
from apps.inventory.tasks import clear_loans as clearing_task
from apps.inventory.tasks import remind_of_loans as reminding_task
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Talschule")


@pytest.fixture
def coordinator(school):
    return factories.CoordinatorFactory(schools=[school], email="b@schule.example")


def lent(school, by, due_on=None, **facts):
    device = factories.DeviceFactory(school=school)
    terms = {"borrower": "pupil", "group": "7b", "due_on": None} | facts
    loan = services.hand_out(device=device, by=by, **terms)
    Loan.objects.filter(pk=loan.pk).update(due_on=due_on, since=today() - 400 * DAY)
    loan.refresh_from_db()
    return loan


def mails():
    return list(Email.objects.order_by("pk").values_list("to", flat=True))


def test_each_school_gets_one_mail_that_names_loans_and_classes_only(school, coordinator):
    LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    other = factories.CoordinatorFactory(schools=[school], email="a@schule.example")
    factories.CoordinatorFactory(schools=[school], email="weg@schule.example", is_active=False)
    factories.SchoolStaffFactory(schools=[school], email="kollegium@schule.example")
    late = lent(school, coordinator, today() - DAY, borrower_name="Kim Muster", remark="Geheim")
    soon = [lent(school, coordinator, today() + 14 * DAY, group="8a") for _number in range(2)]
    lent(school, coordinator, today() + 15 * DAY)
    lent(school, coordinator, None)
    services.take_back(loan=lent(school, coordinator, today() - DAY), by=coordinator)

    assert remind_of_loans() == Told(schools=1, loans=3, without_coordinator=0)

    sent = list(Email.objects.order_by("to"))
    assert [mail.to for mail in sent] == [[other.email], [coordinator.email]]
    mail = sent[0]
    assert mail.subject == "Talschule: 3 Leihen sind überfällig oder bald fällig"
    numbers = ", ".join(sorted(loan.number for loan in soon))
    assert f"Überfällig:\n- 7b, fällig am {late.due_on:%d.%m.%Y}: {late.number}\n" in mail.message
    assert f"Bald fällig:\n- 8a, fällig am {soon[0].due_on:%d.%m.%Y}: {numbers}\n" in mail.message
    assert "/loans/?school=120674&state=out" in mail.message
    assert "Muster" not in mail.message
    assert "Geheim" not in mail.message


@pytest.mark.parametrize(
    ("due_in", "subject"), [(3, "Talschule: 1 Leihe ist bald fällig"), (-1, "Talschule: 1 Leihe ist überfällig")]
)
def test_the_mail_about_a_single_loan_says_so(school, coordinator, due_in, subject):
    lent(school, coordinator, today() + due_in * DAY)
    remind_of_loans()
    assert Email.objects.get().subject == subject


def test_each_stage_is_told_once_and_a_new_due_date_anew(school, coordinator):
    loan = lent(school, coordinator, today() + 3 * DAY)
    assert (remind_of_loans().loans, remind_of_loans().loans, len(mails())) == (1, 0, 1)

    Loan.objects.filter(pk=loan.pk).update(due_on=today() - DAY)
    LoanReminder.objects.update(due_on=today() - DAY)
    assert (remind_of_loans().loans, remind_of_loans().loans, len(mails())) == (1, 0, 2)

    services.extend_loan(loan=loan, by=coordinator, due_on=today() + 5 * DAY)
    assert (remind_of_loans().loans, remind_of_loans().loans, len(mails())) == (1, 0, 3)
    stages = LoanReminder.objects.order_by("pk").values_list("stage", "due_on")
    assert list(stages) == [
        ("due_soon", today() - DAY), ("overdue", today() - DAY), ("due_soon", today() + 5 * DAY)
    ]  # fmt: skip


def test_a_school_without_coordinator_is_told_once_it_has_one(school):
    lent(school, factories.ClerkFactory(), today() - DAY)
    assert remind_of_loans() == Told(0, 0, 1)
    assert not LoanReminder.objects.exists()

    factories.CoordinatorFactory(schools=[school])
    assert remind_of_loans() == Told(1, 1, 0)


def test_how_early_is_a_rule_of_the_city(school, coordinator):
    lent(school, coordinator, today() + 3 * DAY)
    rules = LoanRules.objects.create(valid_from=today(), remind_days_before=0)
    assert remind_of_loans().loans == 0
    LoanRules.objects.filter(pk=rules.pk).update(remind_days_before=3)
    assert remind_of_loans().loans == 1


def ended(school, by, ended_on, **facts):
    loan = lent(school, by, remark="Kommt spät", **facts)
    services.take_back(loan=loan, by=by, damage="Riss")
    Loan.objects.filter(pk=loan.pk).update(ended_on=ended_on)
    return loan


def test_details_go_after_six_months_with_the_past_versions(school, coordinator):
    LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    old = ended(school, coordinator, today() - 190 * DAY, borrower_name="Kim Muster")
    kept = ended(school, coordinator, today(), borrower_name="Alex Beispiel")
    lost = services.report_loan_lost(loan=lent(school, coordinator), by=coordinator, reason="Kim im Bus")
    Loan.objects.filter(pk=lost.pk).update(ended_on=today() - 300 * DAY)

    assert clear_loans() == Cleared(loans=2, versions=4, names=0)

    old.refresh_from_db()
    assert (old.borrower_name, old.group, old.remark, old.cleared_on) == ("", "", "", today())
    assert (old.state, old.damage_back, old.school) == ("returned", "Riss", school)
    for record in Loan.history.filter(id__in=[old.pk, lost.pk]):
        assert (record.borrower_name, record.group, record.remark) == ("", "", "")
    assert set(lost.changes.values_list("reason", flat=True)) == {""}
    kept.refresh_from_db()
    assert (kept.borrower_name, kept.group, kept.cleared_on) == ("Alex Beispiel", "7b", None)
    assert set(Loan.history.filter(id=kept.pk).values_list("borrower_name", flat=True)) == {"Alex Beispiel"}
    assert clear_loans() == Cleared(0, 0, 0)


@pytest.mark.parametrize(("days", "cleared"), [(0, 0), (1, 1)])
def test_the_months_are_those_of_the_calendar(school, coordinator, days, cleared):
    LoanRules.objects.create(valid_from=today(), keep_months=12)
    day = today()
    a_year_ago = day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else day - 366 * DAY
    ended(school, coordinator, a_year_ago - days * DAY)
    assert clear_loans().loans == cleared


def test_names_go_at_once_when_the_city_stores_none_any_more(school, coordinator):
    rules = LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    loan = lent(school, coordinator, borrower_name="Kim Muster")
    assert clear_loans().names == 0
    LoanRules.objects.filter(pk=rules.pk).update(names_allowed=False)

    assert clear_loans() == Cleared(loans=0, versions=0, names=1)

    loan.refresh_from_db()
    assert (loan.borrower_name, loan.group, loan.state) == ("", "7b", "out")
    assert set(Loan.history.values_list("borrower_name", flat=True)) == {""}


def test_both_jobs_report_what_they_did(school, coordinator):
    lent(school, coordinator, today() - DAY)
    ended(school, coordinator, today() - 300 * DAY)

    reminding_task()
    clearing_task()

    reminded, cleared = last_job("inventory.remind_of_loans"), last_job("inventory.clear_loans")
    assert words_of(reminded.kind, reminded.result) == "1 Schule angeschrieben, 1 Leihe"
    assert words_of(cleared.kind, cleared.result) == "1 Leihe, 2 frühere Fassungen"
    reminding_task()
    assert words_of(reminded.kind, last_job("inventory.remind_of_loans").result) == "nichts war fällig"
