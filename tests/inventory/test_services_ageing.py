"""When devices fall due and warranties end: the same in Python and in the database; the page's figures, the mail."""

import datetime
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import DateField, IntegerField, Value
from post_office.models import Email

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.job_kinds import words_of
from apps.core.jobs import request_job
from apps.core.models import Job
from apps.inventory import ageing, services, tasks
from apps.inventory.ageing import MonthsLater, Span, spans_of_age, spans_of_use, use_ends
from apps.inventory.ageing_jobs import REMINDER_JOB
from apps.inventory.ageing_selectors import ageing_of, ages_of, devices_to_replace, due_within
from apps.inventory.calculations import months_later, warranty_ends
from apps.inventory.models import AgeingNotice, Device
from apps.inventory.services.reminding import notice_due_on
from tests import factories

pytestmark = pytest.mark.django_db
D = datetime.date
DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (D(2024, 2, 29), 12, D(2025, 2, 28)),
        (D(2024, 2, 29), 48, D(2028, 2, 29)),
        (D(2026, 1, 31), 1, D(2026, 2, 28)),
        (D(2026, 1, 30), 1, D(2026, 2, 28)),
        (D(2026, 8, 31), 36, D(2029, 8, 31)),
        (D(2026, 12, 31), 2, D(2027, 2, 28)),
        (D(2026, 11, 22), 0, D(2026, 11, 22)),
        (D(2026, 10, 31), 13, D(2027, 11, 30)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_one(day, months, later):
    assert months_later(day, months) == later


def test_the_database_adds_months_as_python_does():
    factories.DeviceFactory()
    days = [D(2023, 1, 1) + number * DAY for number in range(0, 800, 3)] + [D(2024, 2, 29), D(2023, 12, 31)]
    for months in (1, 2, 11, 12, 13, 24, 60, 84):
        later = {
            f"d{number}": MonthsLater(Value(day, DateField()), Value(months, IntegerField()))
            for number, day in enumerate(days)
        }
        found = Device.objects.order_by().annotate(**later).values_list(*later).get()
        assert list(found) == [months_later(day, months) for day in days]


def make(bought_on: datetime.date | None, **facts: Any) -> Device:
    """A device of a school that may have been bought at any time; `use_until` of its own."""
    use_until = facts.pop("use_until", None)
    device = factories.DeviceFactory(bought_on=bought_on, **facts)
    Device.objects.filter(pk=device.pk).update(use_until=use_until)
    return Device.objects.get(pk=device.pk)


def test_python_and_the_database_agree_on_the_end_of_use():
    printer = factories.ProductFactory(kind=factories.DeviceKindFactory(printer=True))
    notebook = factories.ProductFactory(years_of_use=3, warranty_months=25)
    devices = [
        make(D(2022, 1, 31), product=notebook),
        make(None),
        make(D(2020, 2, 29)),
        make(D(2020, 2, 29), product=printer),
        make(D(2021, 5, 31), use_until=D(2030, 1, 1)),
        make(None, use_until=D(2029, 6, 30)),
    ]
    ends = {"end": ageing.use_ends_expression(), "warranty": ageing.warranty_ends_expression()}
    rows = Device.objects.annotate(**ends).order_by("pk")

    assert [use_ends(device) for device in devices] == [
        D(2025, 1, 31), None, D(2025, 2, 28), D(2026, 2, 28), D(2030, 1, 1), D(2029, 6, 30),
    ]  # fmt: skip
    assert [row.end for row in rows] == [use_ends(device) for device in devices]
    assert [row.warranty for row in rows] == [D(2024, 2, 29), None, None, None, None, None]
    assert rows[0].warranty == warranty_ends(devices[0].bought_on, 25)


@pytest.mark.parametrize("day", [D(2026, 11, 22), D(2026, 12, 31), D(2027, 1, 1), D(2028, 2, 29)])
@pytest.mark.parametrize("spans", [spans_of_use, spans_of_age])
def test_each_day_lies_in_one_span(day, spans):
    def holds(span: Span, moment: datetime.date) -> bool:
        after = span.since is None or moment >= span.since
        return span.code != "unknown" and after and (span.until is None or moment < span.until)

    reach = range(-6000, 1) if spans is spans_of_age else range(-3000, 3000)
    for shift in reach:
        found = [span.code for span in spans(day) if holds(span, day + shift * DAY)]
        assert len(found) == 1, (shift, found)


def test_the_figures_of_the_page_are_those_of_the_rows():
    clerk, school = factories.ClerkFactory(), factories.SchoolFactory()
    cheap, dear = (factories.ProductFactory(gross_price=Decimal(price)) for price in ("100.00", "250.50"))
    day = D(today().year, 6, 30)
    for bought_on, product, facts in (
        (months_later(day, -60), cheap, {"school": school, "since": today()}),
        (months_later(day, -60) + DAY, dear, {"school": school, "since": today()}),
        (months_later(day, -48), dear, {"school": school, "since": today()}),
        (months_later(day, -12), cheap, {}),
        (None, cheap, {}),
        (months_later(day, -60), dear, {"ownership": "parent_financed"}),
    ):
        make(bought_on, product=product, by=clerk, **facts)
    gone = make(months_later(day, -72), school=school, since=today(), by=clerk)
    services.retire_device(device=gone, by=clerk, reason="alt")

    found = ageing_of(devices_to_replace(clerk), day)

    year = day.year
    total = {code: (due.number, due.cost) for code, due in found.total.dues.items()}
    assert total == {
        "overdue": (1, Decimal("100.00")), str(year): (1, Decimal("250.50")), str(year + 1): (1, Decimal("250.50")),
        str(year + 4): (1, Decimal("100.00")), "unknown": (1, Decimal("100.00")),
    }  # fmt: skip
    assert [(row.school, row.is_depot) for row in found.rows] == [(school, False), (None, True)]
    assert {code: due.number for code, due in found.rows[1].dues.items() if due.number} == {
        str(year + 4): 1, "unknown": 1,
    }  # fmt: skip
    ages = {span.code: number for span, number in ages_of(devices_to_replace(clerk), day) if number}
    assert ages == {"1": 1, "4": 2, "5": 1, "unknown": 1}


def test_a_coordinator_sees_the_own_schools_only():
    own, other = factories.SchoolFactory(), factories.SchoolFactory()
    for school in (own, other, None):
        make(today(), school=school)
    found = ageing_of(devices_to_replace(factories.CoordinatorFactory(schools=[own])), today())
    assert [row.school for row in found.rows] == [own]


def links(page):
    """The figures of both tables, each with the address that it opens."""
    found = re.findall(r'<a class="kern-link" href="(/inventory/[?]due=[^"]+)">([\d.]+)</a>', page)
    assert found
    return [(url.replace("&amp;", "&"), int(number.replace(".", ""))) for url, number in found]


def names(page):
    return re.findall(r'ageing/[?]school=\d+">(Schule[^<]+)<', page)


def test_each_figure_opens_its_rows(client):
    school = factories.SchoolFactory(number="120674")
    for years in (0, 1, 4, 5, 6, 9, 15):
        make(months_later(today(), -12 * years), school=school, since=today())
    make(None, school=school)
    make(today())
    client.force_login(factories.ClerkFactory())

    for query in ({}, {"school": "120674"}):
        page = client.get("/inventory/ageing/", query)
        for url, number in links(page.content.decode()):
            assert len(client.get(url).context["table"].rows) == number, url
        for bar in page.context["chart"].bars:
            assert len(client.get(bar.url).context["table"].rows) == bar.value, bar.url
    assert page.context["total"][0].due.number == 4
    assert page.context["in_all"].number == 8


def test_many_schools_stand_on_pages_and_each_has_all_years_on_its_own(client):
    product = factories.ProductFactory(gross_price=Decimal("100.00"))
    for number in range(21):
        school = factories.SchoolFactory(number=str(120600 + number), short_name=f"Schule {number:02d}")
        make(months_later(today(), -12 * 6), product=product, school=school, since=today())
    make(months_later(today(), -12 * 4), product=product, school=school, since=today())
    client.force_login(factories.ClerkFactory())

    first, second = (client.get("/inventory/ageing/", {"page": page}).content.decode() for page in (1, 2))
    assert names(first) + names(second) == [f"Schule {number:02d}" for number in range(21)]
    assert (len(names(first)), "Schulen: 21 Ergebnisse" in first, "Zeilen 21 bis 21" in second) == (20, True, True)

    own = client.get("/inventory/ageing/", {"school": "120620"})
    assert [(cell.span.code, cell.due.number) for cell in own.context["total"] if cell.due.number] == [
        ("overdue", 1), (str(today().year + 1), 1),
    ]  # fmt: skip
    assert (names(own.content.decode()), own.context["in_all"].cost) == ([], Decimal("200.00"))


def test_a_school_is_chosen_or_typed_where_there_are_many(client, monkeypatch):
    own, other = factories.SchoolFactory(short_name="Talschule"), factories.SchoolFactory(short_name="Bergschule")
    make(today(), school=own)
    client.force_login(factories.CoordinatorFactory(schools=[own]))
    assert client.get("/inventory/ageing/", {"school": other.number}).status_code == 404

    monkeypatch.setattr("apps.schools.school_field.MOST_IN_A_LIST", 0)
    assert client.get("/inventory/ageing/", {"school": "tal"}).context["school"] == own
    unknown = client.get("/inventory/ageing/", {"school": "berg"})
    assert (unknown.status_code, unknown.context["school"]) == (200, None)
    assert "Keine Schule heißt „berg“" in unknown.content.decode()


def test_an_own_end_of_use_is_kept_with_history_and_shown(client):
    clerk = factories.ClerkFactory()
    device = make(D(2024, 3, 1))
    client.force_login(clerk)
    assert "01.03.2029, nach 5 Nutzungsjahren" in client.get(device.get_absolute_url()).content.decode()

    client.post(f"{device.get_absolute_url()}edit/", {"bought_on": "1.3.2024", "use_until": "31.7.2031"})

    device.refresh_from_db()
    assert device.use_until == D(2031, 7, 31)
    assert device.history.first().use_until == D(2031, 7, 31)
    with pytest.raises(DomainError) as refused:
        services.change_details(device=device, by=clerk, serial="", price=None, bought_on=D(2024, 3, 1), note="",
                                use_until=D(2024, 2, 28))  # fmt: skip
    assert refused.value.field == "use_until"


@pytest.mark.parametrize(
    ("day", "due_on"),
    [
        (D(2026, 1, 31), None),
        (D(2026, 2, 1), D(2026, 2, 1)),
        (D(2026, 3, 3), D(2026, 2, 1)),
        (D(2026, 3, 4), None),
        (D(2026, 9, 15), D(2026, 9, 1)),
    ],
)
def test_a_reminder_is_due_on_its_day_and_a_month_later_no_more(day, due_on):
    assert notice_due_on(day) == due_on


def test_the_office_is_reminded_once(settings):
    settings.AGEING_NOTICE_ON = ((today().month, today().day),)
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    clerk, approver = factories.ClerkFactory(), factories.ApproverFactory()
    factories.CoordinatorFactory(schools=[factories.SchoolFactory()])
    product = factories.ProductFactory(gross_price=Decimal("1000.50"))
    for months in (-61, -60, -59, -49, -48, -47):
        make(months_later(today(), months), product=product, by=clerk)
    short = factories.ProductFactory(warranty_months=1)
    make(today(), product=short, by=clerk)
    make(months_later(today(), -2), product=short, by=clerk)

    result = services.remind_of_ageing()
    again = services.remind_of_ageing()

    following = today().replace(year=today().year + 1)
    assert again == {"done": today().isoformat(), "next_on": following.isoformat()}
    assert words_of(REMINDER_JOB, again) == (
        f"keine Mail, denn die vom {today():%d.%m.%Y} sind schon verschickt, die nächste am {following:%d.%m.%Y}"
    )
    overdue, soon = due_within(today(), months_later(today(), 12))
    assert (overdue, soon.number, soon.cost) == (2, 3, Decimal("3001.50"))
    assert result == {
        "due_on": today().isoformat(), "mails": 2, "overdue": 2, "soon": 3, "cost": "3001.50", "warranties": 1,
    }  # fmt: skip
    assert AgeingNotice.objects.get().result == result
    mails = Email.objects.order_by("pk")
    assert [mail.to for mail in mails] == [[clerk.email], [approver.email]]
    assert mails[0].subject.startswith("Alter der Geräte: 3 werden bis ")
    assert "2 Geräte der Schulen sind schon zu ersetzen." in mails[0].message
    assert "Die Garantie von 1 Gerät endet bis " in mails[0].message
    assert "3.001,50" in mails[0].message
    assert "/inventory/ageing/" in mails[0].message


def test_nobody_is_mailed_where_nothing_is_due(settings):
    settings.AGEING_NOTICE_ON = ((today().month, today().day),)
    factories.ClerkFactory()
    assert services.remind_of_ageing()["mails"] == 0
    assert Email.objects.count() == 0
    assert AgeingNotice.objects.count() == 1


def test_the_job_runs_once_and_says_what_it_did(settings):
    settings.AGEING_NOTICE_ON = ((today().month, today().day),)
    factories.ApproverFactory()
    make(months_later(today(), -60), by=factories.ClerkFactory())

    for _ in range(2):
        tasks.remind_of_ageing()

    job = Job.objects.get(kind=REMINDER_JOB)
    assert (job.state, words_of(job.kind, job.result)) == ("done", "2 Mails, 0 Geräte werden fällig, 1 schon fällig")
    assert len(Email.objects.all()) == 2


def test_asked_for_on_another_day_the_job_says_that_no_reminder_is_due(settings):
    following = today() + 40 * DAY
    settings.AGEING_NOTICE_ON = ((following.month, following.day),)
    settings.AGEING_NOTICE_LATE_DAYS = 1
    waiting = request_job(REMINDER_JOB, started_by=factories.ClerkFactory())

    tasks.remind_of_ageing(waiting.pk)

    job = Job.objects.get(kind=REMINDER_JOB)
    assert (job.state, words_of(job.kind, job.result)) == (
        "done", f"keine Mail, denn keine Erinnerung ist fällig, die nächste am {following:%d.%m.%Y}"
    )  # fmt: skip
    assert not AgeingNotice.objects.exists()


def test_on_other_days_the_job_leaves_no_trace(settings):
    settings.AGEING_NOTICE_ON = (((today() + 40 * DAY).month, 15),)
    settings.AGEING_NOTICE_LATE_DAYS = 1
    tasks.remind_of_ageing()

    assert not Job.objects.exists()
    assert not AgeingNotice.objects.exists()
