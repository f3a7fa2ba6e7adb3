"""The commands of the interface: their output and their errors."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.core import clock
from apps.quotas.models import QuotaFigure
from tests.factories import DeviceFactory, SchoolFactory
from tests.quotas.factories import count_pupils, day, make_plan

pytestmark = pytest.mark.django_db


def output(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def school():
    make_plan()
    school = SchoolFactory(number="123456")
    count_pupils(school, 100)
    DeviceFactory(school=school, since=day("2024-12-31"))
    return school


def test_figures_come_as_a_json_list(school):
    (city,) = json.loads(output("quota_figures", "--json"))
    assert (city["plan"], city["day"], city["level"]) == ("MEP 2021–2025", clock.today().isoformat(), "city")
    assert (city["devices"], city["percent"], city["target_devices"]) == (1, "1.00", 20)


@pytest.mark.parametrize(("on", "devices"), [("2024-12-31", 1), ("2024-12-30", 0)])
def test_figures_of_any_day_and_level(school, on, devices):
    arguments = ("quota_figures", "--plan", "MEP 2021–2025", "--day", on, "--level", "school", "--json")
    (row,) = json.loads(output(*arguments))
    assert (row["key"], row["devices"], row["day"]) == ("123456", devices, on)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--plan", "MEP 1900"], "Es gibt keinen Plan „MEP 1900“. Angelegte Pläne: MEP 2021–2025."),
        (["--day", "gestern"], "Das ist kein Tag. Bitte geben Sie einen Tag wie 31.12.2024 ein."),
        (["--day", "2020-12-31"], "MEP 2021–2025 beginnt am 01.01.2021."),
        (["--day", "2199-01-01"], "künftige"),
        (["--level", "country"], "country"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(school, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("quota_figures", "--json", *arguments)


def test_without_a_plan_the_one_in_force_on_the_day_is_read(school):
    make_plan("2026-01-01", "2030-12-31")
    plans = [json.loads(output("quota_figures", "--day", on))[0]["plan"] for on in ("2025-12-31", "2026-01-01")]
    assert plans == ["MEP 2021–2025", "MEP 2026–2030"]
    assert json.loads(output("quota_figures"))[0]["plan"] == "MEP 2026–2030"
    with pytest.raises(CommandError, match=r"MEP 2021–2025 beginnt am 01\.01\.2021"):
        call_command("quota_figures", "--day", "2020-12-31")


def test_no_day_ends_with_the_exit_code_of_unreadable_arguments(school):
    with pytest.raises(CommandError) as caught:
        call_command("quota_figures", "--day", "gestern")
    assert caught.value.returncode == 2


def test_without_any_plan_a_sentence_says_so():
    with pytest.raises(CommandError, match="Es ist noch kein Plan angelegt"):
        call_command("quota_figures")


def test_recalculation_says_what_it_did(school):
    rows = len(output("recalculate_quotas").split())
    assert rows
    assert output("recalculate_quotas") == "0 schools, 0 rows due, 0 rows written\n"


def test_the_full_recalculation_prints_the_drift(school):
    call_command("recalculate_quotas", stdout=StringIO())
    assert output("recalculate_quotas", "--full").splitlines()[-1] == "no drift"
    QuotaFigure.objects.filter(day=day("2024-06-01")).update(devices=4)
    assert output("recalculate_quotas", "--full").splitlines() == [
        "1 schools, 1 rows due, 1 rows written",
        "drift: MEP 2021–2025, school 123456, 2024-06-01, devices: 4 -> 0",
    ]
