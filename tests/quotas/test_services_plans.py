"""Plans, their target groups and targets: what they begin with, and what a change makes due."""

from decimal import Decimal

import pytest

from apps.core.errors import DomainError
from apps.quotas import services
from apps.quotas.models import MediaDevelopmentPlan, TargetGroup
from tests.quotas.factories import an_admin, day, figure

pytestmark = pytest.mark.django_db


def test_a_plan_begins_with_its_groups_and_targets(plan):
    groups = TargetGroup.objects.filter(plan=plan)
    assert [
        (group.name, sorted(group.members.values_list("school_type", flat=True)), group.targets.get().pupils_per_device)
        for group in groups
    ] == [("Förderschulen und Berufskollegs", ["08", "30"], 3), ("Übrige Schulen", ["02", "20"], 5)]
    assert {target.valid_from for group in groups for target in group.targets.all()} == {plan.starts_on}


def test_a_school_type_stands_in_one_group_only(plan):
    group = TargetGroup.objects.get(name="Übrige Schulen")
    with pytest.raises(DomainError, match="Berufskolleg"):
        services.set_members(by=an_admin(), group=group, school_types=["02", "20", "30"])
    assert set(group.members.values_list("school_type", flat=True)) == {"02", "20"}


def test_an_unknown_school_type_is_refused(plan):
    with pytest.raises(DomainError, match="ZZ"):
        services.set_members(by=an_admin(), group=TargetGroup.objects.first(), school_types=["ZZ"])


def test_moving_types_between_groups_moves_the_targets(plan, school):
    special, others = TargetGroup.objects.order_by("name")
    services.recalculate_stale()
    services.set_members(by=an_admin(), group=others, school_types=["20"])
    services.recalculate_stale()
    assert figure(school).target_devices is None
    services.set_members(by=an_admin(), group=special, school_types=["08", "30", "02"])
    services.recalculate_stale()
    assert figure(school).target_devices == 34


def test_a_target_of_the_same_day_is_replaced_and_can_be_taken_back(plan, school):
    group = TargetGroup.objects.get(name="Übrige Schulen")
    for pupils in (Decimal(2), Decimal(1)):
        target = services.set_target(by=an_admin(), group=group, valid_from=day("2025-01-01"), pupils_per_device=pupils)
    services.recalculate_stale()
    assert group.targets.count() == 2
    assert figure(school).target_devices == 101
    services.delete_target(by=an_admin(), target=target)
    services.recalculate_stale()
    assert figure(school).target_devices == 21


@pytest.mark.parametrize("pupils", ["0", "-1"])
def test_a_target_needs_pupils(plan, pupils):
    version = MediaDevelopmentPlan.objects.get().targets_version
    with pytest.raises(DomainError):
        services.set_target(
            by=an_admin(), group=TargetGroup.objects.first(), valid_from=plan.starts_on,
            pupils_per_device=Decimal(pupils),
        )  # fmt: skip
    assert MediaDevelopmentPlan.objects.get().targets_version == version


def test_target_changes_keep_their_actor(plan):
    admin = an_admin()
    target = services.set_target(
        by=admin, group=TargetGroup.objects.first(), valid_from=day("2024-01-01"), pupils_per_device=Decimal(1)
    )
    assert target.history.get().history_user == admin
