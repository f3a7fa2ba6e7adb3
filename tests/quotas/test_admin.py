"""Plans and targets in the admin: each save marks the figures as stale; figures are read only."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.quotas import services
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure, Target, TargetGroup
from tests.factories import AdminFactory, AuditorFactory, ClerkFactory, SchoolFactory
from tests.quotas.factories import count_pupils, day, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return make_plan()


@pytest.fixture
def client():
    client = Client()
    client.user = AdminFactory()
    client.force_login(client.user)
    return client


def group_form(group: TargetGroup, **changes: object) -> dict[str, object]:
    targets = list(group.targets.order_by("valid_from"))
    form: dict[str, object] = {
        "plan": group.plan_id,
        "name": group.name,
        "school_types": list(group.members.values_list("school_type", flat=True)),
        "targets-TOTAL_FORMS": len(targets),
        "targets-INITIAL_FORMS": len(targets),
        "targets-MIN_NUM_FORMS": 0,
        "targets-MAX_NUM_FORMS": 1000,
    }
    for number, target in enumerate(targets):
        form |= {
            f"targets-{number}-id": target.pk,
            f"targets-{number}-group": group.pk,
            f"targets-{number}-valid_from": target.valid_from.isoformat(),
            f"targets-{number}-pupils_per_device": str(target.pupils_per_device).replace(".", ","),
            f"targets-{number}-source": target.source,
        }
    return form | changes


def save(client: Client, group: TargetGroup, **changes: object):
    address = reverse("admin:quotas_targetgroup_change", args=[group.pk])
    return client.post(address, group_form(group, **{name.replace("__", "-"): v for name, v in changes.items()}))


def test_a_changed_target_makes_figures_stale_and_keeps_its_actor(client, plan):
    school = SchoolFactory()
    count_pupils(school, 100)
    services.recalculate_stale()
    group = TargetGroup.objects.get(name="Übrige Schulen")
    response = save(client, group, targets__0__pupils_per_device="2,5")
    assert response.status_code == 302
    services.recalculate_stale()
    assert QuotaFigure.objects.get(day=clock.today()).target_devices == 40
    assert group.targets.get().history.first().history_user == client.user


def test_a_target_can_be_added_and_taken_out(client, plan):
    group = TargetGroup.objects.get(name="Übrige Schulen")
    version = plan.targets_version
    added = {
        "targets-TOTAL_FORMS": 2,
        "targets-1-group": group.pk,
        "targets-1-valid_from": "2025-01-01",
        "targets-1-pupils_per_device": "2",
    }
    client.post(reverse("admin:quotas_targetgroup_change", args=[group.pk]), group_form(group) | added)
    assert [target.pupils_per_device for target in group.targets.order_by("valid_from")] == [5, 2]
    plan.refresh_from_db()
    assert plan.targets_version > version
    version = plan.targets_version
    save(client, group, **{"targets-1-DELETE": "on"})
    assert [target.pupils_per_device for target in group.targets.all()] == [5]
    plan.refresh_from_db()
    assert plan.targets_version > version


def test_a_school_type_of_another_group_is_refused_at_its_field(client, plan):
    group = TargetGroup.objects.get(name="Übrige Schulen")
    response = save(client, group, school_types=["02", "30"])
    assert "Berufskolleg gehört in diesem Plan zur Gruppe" in response.content.decode()
    assert set(group.members.values_list("school_type", flat=True)) == {"02", "20"}


def test_a_deleted_group_takes_its_targets_along(client, plan):
    group = TargetGroup.objects.get(name="Übrige Schulen")
    version = plan.targets_version
    client.post(reverse("admin:quotas_targetgroup_delete", args=[group.pk]), {"post": "yes"})
    assert not Target.objects.filter(group=group.pk).exists()
    plan.refresh_from_db()
    assert plan.targets_version > version


def test_a_plan_is_entered_with_its_days(client):
    response = client.post(
        reverse("admin:quotas_mediadevelopmentplan_add"),
        {
            "name": "MEP 2026–2030", "starts_on": "2026-01-01", "ends_on": "2030-12-31",
            "target_groups-TOTAL_FORMS": 0, "target_groups-INITIAL_FORMS": 0,
        },
    )  # fmt: skip
    assert response.status_code == 302
    assert MediaDevelopmentPlan.objects.get().ends_on == day("2030-12-31")


def test_figures_are_read_only(client, plan):
    SchoolFactory()
    services.recalculate_stale()
    figure = QuotaFigure.objects.first()
    address = reverse("admin:quotas_quotafigure_change", args=[figure.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"devices": 7}).status_code == 403
    assert client.get(reverse("admin:quotas_quotafigure_add")).status_code == 403


@pytest.mark.parametrize("factory", [AuditorFactory, ClerkFactory])
def test_others_read_targets_and_change_none(plan, factory):
    client = Client()
    client.force_login(factory())
    group = TargetGroup.objects.first()
    assert client.get(reverse("admin:quotas_targetgroup_change", args=[group.pk])).status_code == 200
    assert save(client, group, name="Andere").status_code == 403
    group.refresh_from_db()
    assert group.name != "Andere"
