"""The demonstration city: real schools, generated everything else, loaded once."""

import json
from collections import Counter
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.funding.carry_over import carry_over_list
from apps.funding.models import Budget, EquipmentApplication
from apps.inventory.models import Device
from apps.quotas.selectors import current_plan, overview
from apps.schools.models import PupilCount, School, SocialIndex
from apps.tickets.models import Ticket
from mepportal.demo.seats import apportioned

pytestmark = pytest.mark.django_db

MUNICIPAL = {
    "Grundschule": 27,
    "Hauptschule": 5,
    "Realschule": 5,
    "Gymnasium": 5,
    "Förderschule": 4,
    "Gesamtschule": 3,
    "Berufskolleg": 3,
}


def test_the_schools_of_hamm_with_their_real_counts():
    municipal = School.objects.counted_on(clock.today())
    assert School.objects.count() == 59
    assert Counter(municipal.values_list("school_type__name", flat=True)) == MUNICIPAL
    real = PupilCount.objects.filter(school__in=municipal, generated=False)
    assert sum(real.values_list("pupils", flat=True)) == 23_750
    assert set(real.values_list("school_year", "rounded")) == {("2024/25", True)}
    assert SocialIndex.objects.filter(school__in=municipal).count() == 45
    assert municipal.filter(startchancen=True).count() == 16


def test_the_city_stands_where_hamm_stands():
    read = overview(current_plan(), clock.today())
    city = read.city.numbers
    assert (city.devices, city.pupils, city.target_devices, city.presentation_devices) == (16_912, 23_751, 5_526, 1_738)
    assert f"{read.city.percent:.2f}" == "71.21"
    assert {figure.key for figure in read.schools if figure.below_target} == {"136037", "120698"}
    assert not read.city.stale


def test_applications_and_tickets_in_every_state():
    states = Counter(EquipmentApplication.objects.values_list("state", flat=True))
    assert states == {
        "draft": 2,
        "submitted": 8,
        "returned": 2,
        "approved": 4,
        "partially_approved": 2,
        "rejected": 2,
        "withdrawn": 1,
    }
    assert set(Ticket.objects.values_list("state", flat=True)) == {
        "new",
        "accepted",
        "waiting_for_reporter",
        "waiting_for_supplier",
        "solved",
        "closed",
    }


def test_money_of_this_year_is_committed_and_the_ledger_agrees():
    present = Budget.objects.filter(fiscal_year=clock.today().year)
    assert {budget.name for budget in present} == {
        "Digitale Ausstattung der Schulen",
        "Geringwertige Geräte",
        "Eigenanteil DigitalPakt 2.0",
        "DigitalPakt 2.0",
    }
    assert all(budget.committed > 0 for budget in present)
    assert not present.filter(spent__gt=0).exists(), "nothing of this year is ordered yet, so nothing is paid"
    call_command("check_ledger", "--json", stdout=StringIO())


def test_what_was_carried_over_has_its_carry_over_in_the_list_for_the_council():
    year = clock.today().year
    found = carry_over_list(User.objects.filter(role=Role.AUDITOR)[0], year - 1)
    assert [(row.amount, row.counterpart.name) for row in found.confirmed] == [
        (Decimal("82500.00"), "Digitale Ausstattung der Schulen")
    ]
    for budget in Budget.objects.exclude(carried_over=0):
        assert budget.carried_over == sum(row.amount for row in found.confirmed if row.counterpart == budget)
    assert not Budget.objects.exclude(fiscal_year__gte=year - 1).exclude(carried_out=0).exists()


def test_people_of_every_role_and_their_sign_ins(loaded):
    rows = json.loads((loaded / "demo.json").read_text(encoding="utf-8"))
    assert {row["role"] for row in rows} == set(Role.values)
    assert all(row["email"].endswith(".example") for row in rows)
    assert set(rows[0]) == {"email", "password", "role", "schools"}
    assert all(User.objects.get(email=row["email"]).check_password(row["password"]) for row in rows[:3])
    served = {number for row in rows if row["role"] == "coordinator" for number in row["schools"]}
    assert len(served) == 52


def test_a_second_time_loads_nothing(loaded):
    before = Device.objects.count()
    out = StringIO()
    call_command("load_demo", stdout=out)
    assert "already" in out.getvalue()
    assert Device.objects.count() == before


def test_lost_sign_ins_are_made_anew(loaded):
    path = loaded / "demo.json"
    before = path.read_text(encoding="utf-8")
    path.unlink()
    call_command("load_demo", stdout=StringIO())
    old, new = json.loads(before)[0], json.loads(path.read_text(encoding="utf-8"))[0]
    path.write_text(before, encoding="utf-8")  # the new password is rolled back after this test
    assert new["email"] == old["email"]
    assert new["password"] != old["password"]
    assert User.objects.get(email=new["email"]).check_password(new["password"])


def test_production_refuses(settings):
    settings.MEP_MODE = "production"
    with pytest.raises(CommandError, match="never loaded in production"):
        call_command("load_demo")


def test_apportioning_adds_up_and_keeps_the_proportions():
    assert apportioned({1: 1.0, 2: 1.0, 3: 1.0}, 10) == {1: 4, 2: 3, 3: 3}
    assert apportioned({1: 3.0, 2: 1.0}, 8) == {1: 6, 2: 2}
