"""Random sequences of everything that can move a figure, with recalculation in between."""

import datetime
import itertools
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.core import clock
from apps.core.errors import DomainError
from apps.inventory import services as inventory
from apps.inventory.choices import Ownership
from apps.inventory.models import Device, DeviceKind
from apps.quotas import selectors, services
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure, Target, TargetGroup
from apps.schools.models import PupilCount, PupilWeight, School
from apps.schools.services import raise_inputs_version
from tests.factories import (
    AdminFactory,
    ClerkFactory,
    DeviceKindFactory,
    ForeignAuthorityFactory,
    ProductFactory,
    SchoolAuthorityFactory,
    SchoolFactory,
)
from tests.quotas.factories import DAY, count_pupils, make_plan
from tests.quotas.oracle import Oracle

REFUSALS = (DomainError, PermissionDenied)
"""A refused step writes nothing; PermissionDenied where the device stands at a school that was handed over."""
picks = st.integers(min_value=0, max_value=17)


def ago(days: int) -> datetime.date:
    return clock.today() - days * DAY


ages = (
    st.integers(0, 330)
    | st.integers(0, 60)
    | st.sampled_from([age for age in range(330) if age == 0 or ago(age).day == 1])
)
"""Days before today: most changes move several stored days, and many fall on a stored day itself."""


class Sequences(RuleBasedStateMachine):
    """Each sequence runs in a transaction of its own that is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        """A plan that is over and the one in force; three schools with devices, one of them without a pupil count."""
        make_plan(ago(320).isoformat(), ago(150).isoformat(), name="Der alte Plan")
        make_plan(ago(149).isoformat(), ago(-900).isoformat(), name="Der neue Plan")
        self.clerk, self.admin = ClerkFactory(), AdminFactory()
        types = ("02", "20", "30")
        self.schools = [SchoolFactory(school_type_id=key) for key in types]
        count_pupils(self.schools[0], 250)
        count_pupils(self.schools[1], 811)
        self.kinds = [DeviceKindFactory(), DeviceKindFactory(projector=True), DeviceKindFactory(printer=True)]
        self.products = [ProductFactory(kind=kind) for kind in self.kinds]
        for product, school in itertools.product(self.products, self.schools):
            since = ago(329)
            inventory.add_devices(
                product=product, quantity=2, school=school, by=self.clerk, since=since, bought_on=since
            )
        services.recalculate_stale()

    def _any(self, rows: Any, pick: int) -> Any:
        every = list(rows)
        return every[pick % len(every)]

    def _device(self, pick: int) -> Device:
        return self._any(Device.objects.order_by("pk"), pick)

    @rule(school=picks, product=picks, number=st.integers(1, 4), age=ages, parents=st.booleans())
    def add(self, school: int, product: int, number: int, age: int, parents: bool) -> None:
        with suppress(*REFUSALS):
            inventory.add_devices(
                product=self._any(self.products, product),
                quantity=number,
                by=self.clerk,
                school=School.objects.get(pk=self._any(self.schools, school).pk),
                since=ago(age),
                bought_on=ago(age),
                ownership=Ownership.PARENT_FINANCED if parents else Ownership.BOUGHT,
            )

    @precondition(lambda self: Device.objects.exists())
    @rule(device=picks, school=picks, age=ages)
    def move(self, device: int, school: int, age: int) -> None:
        with suppress(*REFUSALS):
            target = School.objects.get(pk=self._any(self.schools, school).pk)
            inventory.move_device(device=self._device(device), school=target, by=self.clerk, on=ago(age))

    @precondition(lambda self: Device.objects.exists())
    @rule(device=picks, age=ages, end=st.sampled_from(["retire", "lose", "store", "repair"]))
    def take_away(self, device: int, age: int, end: str) -> None:
        row = self._device(device)
        with suppress(*REFUSALS):
            if end == "retire":
                inventory.retire_device(device=row, by=self.clerk, reason="Bildschirm gebrochen", on=ago(age))
            elif end == "lose":
                inventory.report_lost(device=row, by=self.clerk, on=ago(age))
            elif end == "store":
                inventory.take_to_stock(device=row, by=self.clerk, on=ago(age))
            else:
                inventory.send_to_repair(device=row, by=self.clerk)

    @precondition(lambda self: Device.objects.exists())
    @rule(device=picks, kind=picks, age=ages)
    def change_kind(self, device: int, kind: int, age: int) -> None:
        with suppress(*REFUSALS):
            target = DeviceKind.objects.get(pk=self._any(self.kinds, kind).pk)
            inventory.change_kind(device=self._device(device), kind=target, by=self.clerk, on=ago(age))

    @precondition(lambda self: Device.objects.exists())
    @rule(device=picks, ownership=st.sampled_from(Ownership), age=ages)
    def change_ownership(self, device: int, ownership: Ownership, age: int) -> None:
        with suppress(*REFUSALS):
            inventory.change_ownership(device=self._device(device), ownership=ownership, by=self.clerk, on=ago(age))

    @rule(kind=picks, counts=st.sampled_from([(True, False), (False, True), (False, False)]), age=ages)
    def change_kind_counting(self, kind: int, counts: tuple[bool, bool], age: int) -> None:
        countable, presentation = counts
        with suppress(*REFUSALS):
            inventory.change_kind_counting(
                kind=self._any(self.kinds, kind),
                countable=countable,
                presentation=presentation,
                by=self.clerk,
                on=ago(age),
            )

    @rule(school=picks, pupils=st.integers(0, 1200), age=st.integers(0, 500), rounded=st.booleans())
    def count(self, school: int, pupils: int, age: int, rounded: bool) -> None:
        count_pupils(self._any(self.schools, school), pupils, ago(age).isoformat(), rounded=rounded)

    @precondition(lambda self: PupilCount.objects.exists())
    @rule(pick=picks)
    def take_a_count_back(self, pick: int) -> None:
        count = self._any(PupilCount.objects.order_by("pk"), pick)
        count.delete()
        raise_inputs_version([count.school_id])

    @rule(school=picks, opened=st.none() | ages, open_days=st.none() | st.integers(1, 200))
    def open_and_close(self, school: int, opened: int | None, open_days: int | None) -> None:
        opened_on = None if opened is None else ago(opened)
        closed_on = None if open_days is None else (opened_on or ago(300)) + open_days * DAY
        pk = self._any(self.schools, school).pk
        School.objects.filter(pk=pk).update(opened_on=opened_on, closed_on=closed_on)
        raise_inputs_version([pk])

    @rule(school=picks, own=st.booleans())
    def hand_over(self, school: int, own: bool) -> None:
        pk = self._any(self.schools, school).pk
        authority = SchoolAuthorityFactory() if own else ForeignAuthorityFactory()
        School.objects.filter(pk=pk).update(authority=authority)
        raise_inputs_version([pk])

    @rule(key=st.sampled_from(["02", "20", "30"]), weight=st.sampled_from(["0.40", "1.00", "1.25"]), age=ages)
    def weigh(self, key: str, weight: str, age: int) -> None:
        PupilWeight.objects.update_or_create(
            school_type_id=key, valid_from=ago(age), defaults={"weight": Decimal(weight)}
        )
        raise_inputs_version(School.objects.filter(school_type=key).values_list("pk", flat=True))

    @rule(group=picks, pupils=st.sampled_from(["1", "1.5", "3", "4.75", "5"]), age=st.integers(0, 400))
    def set_target(self, group: int, pupils: str, age: int) -> None:
        row = self._any(TargetGroup.objects.order_by("pk"), group)
        services.set_target(by=self.admin, group=row, valid_from=ago(age), pupils_per_device=Decimal(pupils))

    @precondition(lambda self: Target.objects.exists())
    @rule(pick=picks)
    def take_a_target_back(self, pick: int) -> None:
        services.delete_target(by=self.admin, target=self._any(Target.objects.order_by("pk"), pick))

    @rule(group=picks, keys=st.sets(st.sampled_from(["02", "20", "30", "08"])))
    def regroup(self, group: int, keys: set[str]) -> None:
        row = self._any(TargetGroup.objects.order_by("pk"), group)
        with suppress(*REFUSALS):
            services.set_members(by=self.admin, group=row, school_types=keys)

    @rule()
    def recalculate(self) -> None:
        services.recalculate_stale()

    @rule()
    def recalculate_all(self) -> None:
        assert services.recalculate_all().drift == ()

    @invariant()
    def what_claims_to_be_current_is_right(self) -> None:
        """Between runs too: a row whose versions match equals the oracle."""
        figures = [
            figure
            for figure in QuotaFigure.objects.select_related("plan", "school")
            if figure.inputs_version == figure.school.inputs_version
            and figure.targets_version == figure.plan.targets_version
        ]
        assert Oracle().differences(figures) == []

    @rule(age=ages)
    def compare(self, age: int) -> None:
        """After a run everything is stored, nothing is stale, and sums and rows are right on any day."""
        services.recalculate_stale()
        stored = {(row.plan_id, row.school_id, row.day): row for row in QuotaFigure.objects.select_related("plan")}
        own = set(School.objects.filter(authority__is_own=True).values_list("pk", flat=True))
        wanted = {(plan, school, day) for plan, day in selectors.stored_days() for school in own}
        assert wanted - stored.keys() == set()
        oracle = Oracle()
        assert oracle.differences(stored.values()) == []
        assert services.recalculate_stale().rows == 0
        for plan in MediaDevelopmentPlan.objects.all():
            for day in (clock.today(), max(ago(age), plan.starts_on), max(ago(age).replace(day=1), plan.starts_on)):
                self._compare_sums(oracle, plan, day)

    def _compare_sums(self, oracle: Oracle, plan: MediaDevelopmentPlan, day: datetime.date) -> None:
        found = selectors.as_json(selectors.city_figure(plan, day))
        right = vars(oracle.city(plan, day))
        assert {name: found[name] for name in right} == right
        for level in ("school_type", "school"):
            rows = [selectors.as_json(figure) for figure in selectors.figures(plan, day, level)]
            for name in ("devices", "parent_financed", "presentation_devices"):
                assert sum(row[name] for row in rows) == right[name]
            for name in ("pupils", "target_devices", "difference"):
                assert sum(row[name] or 0 for row in rows) == (right[name] or 0)
