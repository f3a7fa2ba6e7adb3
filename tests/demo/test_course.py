"""The past of the demonstration city: devices, placements, history and money since 2020, checked naively."""

import datetime
import itertools
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from django.conf import settings
from django.db.models import Count, F, Sum
from django.utils import timezone

from apps.core import clock
from apps.funding.choices import LedgerKind
from apps.funding.models import Budget, LedgerEntry
from apps.inventory.choices import PLACED_STATUSES, DeviceStatus, Ownership
from apps.inventory.models import Device, DeviceKind, Placement
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure
from apps.quotas.selectors import current_plan, overview, stored_days
from apps.schools.models import PupilCount, School
from mepportal.demo.course_of_devices import REPLACED
from mepportal.demo.days import END, PURCHASES
from tests.demo.digest import digests
from tests.quotas.oracle import Oracle

pytestmark = pytest.mark.django_db

LAST_DAY = datetime.date(2024, 12, 31)


@pytest.fixture
def finished():
    return MediaDevelopmentPlan.objects.get(name="MEP 2020–2024")


def test_two_plans_and_2025_belongs_to_the_finished_one(finished):
    following = MediaDevelopmentPlan.objects.exclude(pk=finished.pk).get()
    assert (finished.starts_on, finished.ends_on) == (datetime.date(2020, 1, 1), LAST_DAY)
    assert (following.name, following.starts_on) == ("MEP 2026–2030", datetime.date(2026, 1, 1))
    assert following.ends_on == datetime.date(2030, 12, 31)
    assert current_plan(datetime.date(2025, 7, 1)) == finished
    assert current_plan(datetime.date(2026, 1, 1)) == current_plan() == following
    for plan in (finished, following):
        targets = plan.target_groups.values_list("targets__valid_from", "targets__pupils_per_device")
        assert sorted(targets) == [(plan.starts_on, Decimal(3)), (plan.starts_on, Decimal(5))]


def test_the_finished_plan_reads_as_published(finished):
    read = overview(finished, LAST_DAY)
    city = read.city.numbers
    assert (len(read.schools), city.pupils, city.target_devices) == (52, 23_750, 5_509)
    assert sum(figure.numbers.target_devices for figure in read.schools) == 5_509
    assert (city.devices, city.presentation_devices) == (16_912, 1_738)
    assert f"{read.city.percent:.2f}" == "71.21"
    assert city.rounded
    assert city.counted_on == city.counted_on_latest == datetime.date(2024, 10, 15)


def test_the_quota_grew_year_by_year(finished):
    days = [datetime.date(year, 1, 1) for year in range(2020, 2025)]
    percents = [overview(finished, day).city.percent for day in [*days, LAST_DAY]]
    assert all(later > earlier + 8 for earlier, later in itertools.pairwise(percents))
    assert percents[0] < 10


def test_money_of_the_finished_plan_is_as_published_and_spent():
    rows = Budget.objects.filter(fiscal_year__range=(2020, 2024))
    municipal = rows.filter(grant=None).aggregate(sum=Sum("spent"))["sum"]
    grants = rows.exclude(grant=None).aggregate(sum=Sum("spent"))["sum"]
    assert (municipal, grants) == (Decimal("13702000.00"), Decimal("15679000.00"))
    assert not rows.exclude(spent=F("appropriation"), committed=0).exists()
    own = rows.filter(name__startswith="Eigenanteil", grant=None).aggregate(sum=Sum("spent"))["sum"]
    shared = [budget for budget in rows.select_related("grant") if budget.rate not in (None, Decimal(1))]
    assert own * 9 == sum(budget.spent for budget in shared)
    codes = set(rows.exclude(grant=None).values_list("grant__programme__code", flat=True))
    assert codes == {"DP1", "DP1-SOFORT", "DP1-LK", "AO2", "GS2020", "DP1-ADMIN"}


def test_every_device_that_the_city_bought_is_paid_for():
    """Payments that name devices add up to the prices of the devices, by year, to the cent."""
    paid, bought = Counter(), Counter()
    entries = LedgerEntry.objects.filter(kind=LedgerKind.PAY, note__contains=" × ", budget__fiscal_year__lt=2026)
    for entry in entries.select_related("budget"):
        paid[entry.budget.fiscal_year] += entry.amount
    devices = Device.objects.filter(ownership=Ownership.BOUGHT, bought_on__year__gte=2020)
    for day, price in devices.values_list("bought_on", "price"):
        bought[day.year] += price
    assert paid == bought
    assert set(paid) == set(range(2020, 2026))


def test_entries_lie_in_their_fiscal_year_and_follow_each_other():
    for entry in LedgerEntry.objects.filter(budget__fiscal_year__lt=2026).select_related("budget"):
        assert timezone.localtime(entry.at).year == entry.budget.fiscal_year
    for budget in Budget.objects.filter(fiscal_year__lt=2026).prefetch_related("entries"):
        open_amount = Decimal(0)
        for entry in budget.entries.all():
            open_amount += entry.amount * {LedgerKind.COMMIT: 1, LedgerKind.PAY: -1}.get(entry.kind, 0)
            assert open_amount >= 0
        assert open_amount == 0


def test_pupil_counts_of_seven_years_and_which_are_generated():
    municipal = School.objects.counted_on(clock.today())
    counts = PupilCount.objects.filter(school__in=municipal)
    sums = {
        (row["school_year"], row["generated"], row["rounded"]): row["number"]
        for row in counts.order_by().values("school_year", "generated", "rounded").annotate(number=Count("pk"))
    }
    years = ("2019/20", "2020/21", "2021/22", "2022/23", "2023/24", "2025/26")
    assert sums == {(year, True, False): 52 for year in years} | {("2024/25", False, True): 52}
    assert all("erzeugt" in source for source in counts.filter(generated=True).values_list("source", flat=True))
    for school in municipal:
        course = list(counts.filter(school=school).order_by("counted_on").values_list("pupils", flat=True))
        assert all(abs(later - earlier) <= 0.05 * later for earlier, later in itertools.pairwise(course))


def test_no_device_stands_at_two_places_or_at_a_closed_school():
    schools = School.objects.in_bulk()
    by_device = defaultdict(list)
    for placement in Placement.objects.order_by("since"):
        by_device[placement.device_id].append(placement)
        school = schools[placement.school_id]
        assert school.opened_on is None or placement.since >= school.opened_on
        assert school.closed_on is None or (placement.until or clock.today()) <= school.closed_on
        assert (placement.until or placement.since) <= END
    for stays in by_device.values():
        assert all(former.until <= following.since for former, following in itertools.pairwise(stays))
    assert sum(len(stays) > 1 for stays in by_device.values()) > 1_500
    assert sum(len({stay.school_id for stay in stays}) > 1 for stays in by_device.values()) > 500


def test_copies_on_devices_equal_their_open_placements():
    spot = ("school_id", "site_id", "room", "ownership")
    placed = {row[0]: row[1:] for row in Placement.objects.filter(until=None).values_list("device_id", *spot)}
    devices = Device.objects.filter(status__in=PLACED_STATUSES).values_list("pk", *spot)
    assert placed == {row[0]: row[1:] for row in devices}
    assert 19_000 < len(placed) < Device.objects.count() < 27_000


def test_history_tells_what_placements_and_devices_say():
    last, starts = {}, defaultdict(set)
    records = Device.history.order_by("history_date", "pk").values_list(
        "id", "history_date", "history_type", "status", "school_id", "room", "last_school_id"
    )
    for pk, moment, kind, *state in records:
        assert (kind == "+") == (pk not in last)
        starts[pk].add(timezone.localtime(moment).date())
        last[pk] = tuple(state)
    now = Device.objects.values_list("pk", "status", "school_id", "room", "last_school_id")
    assert last == {row[0]: row[1:] for row in now}
    for device, since, until in Placement.objects.values_list("device_id", "since", "until"):
        assert {since, until} - {None} <= starts[device]


def test_replaced_devices_are_retired_and_their_successors_came_the_same_day():
    replaced = Device.history.filter(history_change_reason=REPLACED)
    ids = list(replaced.values_list("id", flat=True))
    assert len(set(ids)) == len(ids) > 3_500
    devices = Device.objects.filter(pk__in=ids)
    assert set(devices.values_list("status", "school_id")) == {(DeviceStatus.RETIRED, None)}
    came, first = Counter(), {}
    for device, school, since in Placement.objects.order_by("since").values_list("device_id", "school_id", "since"):
        if first.setdefault(device, since) == since:
            came[school, since] += 1
    ends = Placement.objects.filter(device__in=ids).order_by("until").values_list("device_id", "school_id", "until")
    went = Counter({device: (school, until) for device, school, until in ends}.values())
    assert all(came[spot] >= number for spot, number in went.items())


def test_devices_were_lost_and_repaired_and_fall_due_in_the_open_plan():
    ends = Counter(Device.objects.filter(status__in=("lost", "stolen", "retired")).values_list("status", flat=True))
    assert ends["lost"] > 50
    assert ends["stolen"] > 10
    assert Device.history.filter(status=DeviceStatus.IN_REPAIR).count() > 1_000
    by_the_city = Device.objects.filter(bought_on__gte="2020-01-01").exclude(ownership=Ownership.PARENT_FINANCED)
    assert set(by_the_city.values_list("bought_on", flat=True)) == set(PURCHASES)
    years = dict(DeviceKind.objects.values_list("pk", "years_of_use"))
    standing = Device.objects.filter(status__in=PLACED_STATUSES, bought_on__isnull=False)
    due = Counter(bought_on.year + years[kind] for kind, bought_on in standing.values_list("kind_id", "bought_on"))
    assert all(due[year] > 1_000 for year in range(2026, 2031))
    assert 0 < sum(number for year, number in due.items() if year < 2026) < 1_500


def test_all_figures_are_stored_and_some_are_checked_naively():
    assert QuotaFigure.objects.count() == len(stored_days()) * 52
    days = [datetime.date(year, 1, 1) for year in range(2020, 2027)]
    figures = QuotaFigure.objects.filter(day__in=[*days, LAST_DAY]).select_related("plan")
    assert len(figures) == 8 * 52
    assert Oracle().differences(figures) == []


def test_another_load_in_another_database_gives_the_same(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mepportal.settings", "PYTHONHASHSEED": "4711"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo.digest"],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    own = digests()
    assert json.loads(done.stdout.splitlines()[-1]) == own
    assert len(set(own.values())) == len(own)  # none of them is empty
