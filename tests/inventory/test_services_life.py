"""Condition, binding by a grant and the way out of a device, as the services see them."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.accounts.choices import Role
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import DeviceStatus, Disposal
from apps.inventory.device_history import device_history
from apps.inventory.models import Device, Placement
from apps.inventory.services import batches
from tests import factories
from tests.inventory.test_services import DAY, LEGAL

pytestmark = pytest.mark.django_db

KEEPERS = [Role.COORDINATOR, Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.IT_SUPPORT]
ALL_DISPOSALS = ["", *(way.value for way in Disposal if way != Disposal.RETURNED)]


def bound(device, *, days=30, by=None):
    by = by or factories.ClerkFactory()
    until = today() + days * DAY
    Device.objects.filter(pk=device.pk).update(bound_until=until, bound_by="48.03-7")
    device.refresh_from_db()
    return device


def in_status(status, school):
    """A device as it is, past the steps that lead there; what has no school stood at this one last."""
    placed = status in ("in_use", "on_loan", "in_repair")
    device = factories.DeviceFactory(school=school if placed else None, by=factories.ClerkFactory())
    last = school if status in ("lost", "stolen", "retired") else None
    Device.objects.filter(pk=device.pk).update(status=status, last_school=last)
    device.refresh_from_db()
    return device


def person(role, school):
    return factories.UserFactory(role=role, schools=[school] if role == Role.COORDINATOR else [])


@pytest.mark.parametrize("role", KEEPERS)
@pytest.mark.parametrize("disposal", ALL_DISPOSALS)
@pytest.mark.parametrize("status", DeviceStatus.values)
def test_a_bound_device_leaves_by_the_approving_office_only_and_with_a_reason(status, disposal, role):
    school = factories.SchoolFactory()
    device, by = bound(in_status(status, school)), person(role, school)
    seen = role != Role.COORDINATOR or device.school or device.last_school
    facts = {"device": device, "by": by, "reason": "Akku defekt", "disposal": disposal}

    def retire(**more):
        return services.retire_device(**facts, **more)

    if not seen:
        with pytest.raises(PermissionDenied):
            retire(binding_reason="Ersatz steht bereit")
    elif status not in LEGAL["retire_device"]:
        with pytest.raises(DomainError) as illegal:
            retire(binding_reason="Ersatz steht bereit")
        assert illegal.value.code == "illegal_transition"
    elif role != Role.OFFICE_APPROVER:
        with pytest.raises(DomainError, match=r"zweckgebunden bis .* \(48\.03-7\)") as refused:
            retire(binding_reason="Ersatz steht bereit")
        assert refused.value.code == "bound"
    else:
        with pytest.raises(DomainError) as unexplained:
            retire(binding_reason="  ")
        assert unexplained.value.field == "binding_reason"
        retired = retire(binding_reason="Ersatz steht bereit")
        assert (retired.status, retired.disposal) == ("retired", disposal)
        told = device_history(retired, by)[0].reason
        assert told.splitlines()[0] == "Akku defekt"
        assert "trotz Zweckbindung bis" in told
        assert "Ersatz steht bereit" in told
        return
    device.refresh_from_db()
    assert (device.status, device.disposal) == (status, "")


@pytest.mark.parametrize("role", KEEPERS)
@pytest.mark.parametrize("disposal", [way for way in ALL_DISPOSALS if way])
def test_where_a_retired_bound_device_went_is_said_by_the_approving_office_only(disposal, role):
    school = factories.SchoolFactory()
    device, by = bound(in_status("retired", school)), person(role, school)

    def record(**more):
        return services.record_disposal(device=device, by=by, disposal=disposal, **more)

    if role == Role.OFFICE_APPROVER:
        assert record(binding_reason="genehmigt").disposal == disposal
    else:
        with pytest.raises(DomainError) as refused:
            record(binding_reason="genehmigt")
        assert refused.value.code == "bound"
        device.refresh_from_db()
        assert device.disposal == ""


@pytest.mark.parametrize(("days", "free"), [(0, False), (-1, True)])
def test_the_last_day_of_the_binding_is_bound(days, free):
    device, clerk = bound(factories.DeviceFactory(), days=days), factories.ClerkFactory()
    if free:
        assert services.retire_device(device=device, by=clerk, reason="alt").status == "retired"
    else:
        with pytest.raises(DomainError, match="zweckgebunden"):
            services.retire_device(device=device, by=clerk, reason="alt")


def test_a_retirement_noted_late_is_judged_by_its_own_day():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = bound(factories.DeviceFactory(school=school, since=today() - 30 * DAY), days=-5)

    with pytest.raises(DomainError, match="zweckgebunden"):
        services.retire_device(device=device, by=clerk, reason="alt", on=today() - 5 * DAY)
    retired = services.retire_device(device=device, by=clerk, reason="alt", on=today() - 4 * DAY)
    assert Placement.objects.get(device=retired).until == today() - 4 * DAY


def test_loss_theft_repair_and_moves_of_a_bound_device_stay_possible():
    school, other, clerk = factories.SchoolFactory(), factories.SchoolFactory(), factories.ClerkFactory()
    for step in (services.report_lost, services.report_stolen, services.send_to_repair, services.take_to_stock):
        step(device=bound(factories.DeviceFactory(school=school)), by=clerk)
    moved = services.move_device(device=bound(factories.DeviceFactory(school=school)), school=other, by=clerk)
    assert moved.school == other


@pytest.mark.parametrize("factory", [factories.ClerkFactory, factories.ApproverFactory])
def test_a_bound_device_is_not_handed_over_to_another_owner(factory):
    device = bound(factories.DeviceFactory(school=factories.SchoolFactory()))
    with pytest.raises(DomainError, match="zweckgebunden"):
        services.change_ownership(device=device, ownership="parent_financed", by=factory())


@pytest.mark.parametrize("facts", [{"status": "retired"}, {"ownership": "parent_financed"}])
def test_no_list_lets_a_bound_device_go(facts):
    """Past the check of the import, as when the binding came between check and write."""
    device, approver = bound(factories.DeviceFactory()), factories.ApproverFactory()
    row = Device.objects.select_related("product", "kind", "school", "site", "last_school").get(pk=device.pk)

    with pytest.raises(DomainError, match="zweckgebunden"), transaction.atomic():
        batches.write_batch([batches.Entry(row, facts, today())], by=approver, reason="Liste")

    device.refresh_from_db()
    assert (device.status, device.ownership) == ("in_stock", "bought")


@pytest.mark.parametrize(
    ("role", "may"), [(role, role in (Role.OFFICE_CLERK, Role.OFFICE_APPROVER)) for role in Role if role != "admin"]
)
def test_who_binds_devices(role, may):
    school = factories.SchoolFactory()
    devices = [factories.DeviceFactory(school=school) for _ in range(3)]
    by = factories.UserFactory(role=role, schools=[school] if role in (Role.COORDINATOR, Role.SCHOOL_STAFF) else [])
    until = datetime.date(today().year + 4, 12, 31)

    def bind():
        return services.bind_devices(devices=devices, until=until, file_reference=" 48.03-1 ", by=by)

    if may:
        assert {(row.bound_until, row.bound_by) for row in bind()} == {(until, "48.03-1")}
        change = device_history(devices[0], by)[0]
        assert [(entry.label, entry.before, entry.after) for entry in change.changes] == [
            ("Zweckgebunden bis", "–", f"31.12.{until.year}"),
            ("Aktenzeichen der Zuwendung", "–", "48.03-1"),
        ]
        assert change.by == by
    else:
        with pytest.raises(PermissionDenied):
            bind()
        assert not Device.objects.filter(bound_until__isnull=False).exists()


@pytest.mark.parametrize("until_days", [None, 20])
def test_a_running_binding_is_loosened_by_the_approving_office_only_and_with_a_reason(until_days):
    device = bound(factories.DeviceFactory(), days=30)
    until = None if until_days is None else today() + until_days * DAY
    facts = {"device": device, "until": until, "file_reference": "" if until is None else "48.03-7"}

    with pytest.raises(DomainError, match="wer im Amt genehmigt") as refused:
        services.bind_device(**facts, by=factories.ClerkFactory(), reason="Irrtum")
    with pytest.raises(DomainError) as unexplained:
        services.bind_device(**facts, by=factories.ApproverFactory(), reason=" ")
    assert (refused.value.code, unexplained.value.field) == ("bound", "reason")
    device.refresh_from_db()
    assert device.bound_until == today() + 30 * DAY

    loosened = services.bind_device(**facts, by=factories.ApproverFactory(), reason="Bescheid geändert")
    assert loosened.bound_until == until
    assert device.history.first().history_change_reason == "Bescheid geändert"


def test_a_binding_is_extended_or_renamed_by_the_clerk_and_one_that_ran_out_is_taken_off():
    clerk = factories.ClerkFactory()
    device = bound(factories.DeviceFactory(), days=30)
    services.bind_device(device=device, until=today() + 31 * DAY, file_reference="48.03-7", by=clerk)
    services.bind_device(device=device, until=today() + 31 * DAY, file_reference="neu", by=clerk)
    over = bound(factories.DeviceFactory(), days=-1)
    assert services.bind_device(device=over, until=None, file_reference="", by=clerk).bound_by == ""
    assert list(Device.objects.bound_on(today() + 31 * DAY)) == [device]


@pytest.mark.parametrize(
    ("until", "reference", "field"),
    [
        (None, "48.03-1", "until"),
        (datetime.date(2029, 12, 31), " ", "file_reference"),
        (datetime.date(9999, 12, 31), "48.03-1", "until"),
        (datetime.date(1929, 12, 31), "48.03-1", "until"),
    ],
)
def test_half_a_binding_is_refused(until, reference, field):
    with pytest.raises(DomainError) as refused:
        services.bind_device(
            device=factories.DeviceFactory(), until=until, file_reference=reference, by=factories.ClerkFactory()
        )
    assert refused.value.field == field


def test_devices_outside_the_scope_are_bound_by_nobody():
    foreign = factories.DeviceFactory(school=factories.SchoolFactory())
    school = foreign.school
    school.authority = factories.ForeignAuthorityFactory()
    school.save()
    own = factories.DeviceFactory()
    with pytest.raises(PermissionDenied):
        services.bind_devices(
            devices=[own, foreign], until=today(), file_reference="48.03-1", by=factories.ClerkFactory()
        )
    own.refresh_from_db()
    assert own.bound_until is None


def test_a_sold_device_brings_proceeds_and_a_scrapped_one_none():
    clerk = factories.ClerkFactory()
    device = factories.DeviceFactory(school=factories.SchoolFactory(), since=today() - 3 * DAY)
    with pytest.raises(DomainError) as refused:
        services.retire_device(device=device, by=clerk, reason="alt", disposal="scrapped", proceeds=Decimal("1.00"))
    assert refused.value.field == "proceeds"
    sold = services.retire_device(
        device=device, by=clerk, reason="alt", condition="worn", disposal="sold", proceeds=Decimal("20.50"),
        on=today() - DAY,
    )  # fmt: skip
    assert (sold.condition, sold.disposal, sold.disposed_on, sold.proceeds) == (
        "worn", "sold", today() - DAY, Decimal("20.50"),
    )  # fmt: skip

    back = services.take_to_stock(device=sold, by=clerk)
    assert (back.disposal, back.disposed_on, back.proceeds) == ("", None, None)


@pytest.mark.parametrize(
    ("ownership", "disposal", "fits"),
    [
        ("leased", "returned", True),
        ("rented", "returned", True),
        ("parent_financed", "returned", True),
        ("bought", "returned", False),
        ("donated", "given_away", True),
        ("leased", "sold", False),
        ("leased", "scrapped", False),
        ("leased", "", True),
    ],
)
def test_what_belongs_to_others_goes_back_to_them(ownership, disposal, fits):
    device, clerk = factories.DeviceFactory(ownership=ownership), factories.ClerkFactory()
    if fits:
        assert services.retire_device(device=device, by=clerk, reason="x", disposal=disposal).disposal == disposal
    else:
        with pytest.raises(DomainError) as refused:
            services.retire_device(device=device, by=clerk, reason="x", disposal=disposal)
        assert refused.value.field == "disposal"


def test_where_a_retired_device_went_is_noted_later_but_not_before_it_was_retired():
    clerk = factories.ClerkFactory()
    device = factories.DeviceFactory(school=factories.SchoolFactory(), since=today() - 9 * DAY)
    services.retire_device(device=device, by=clerk, reason="alt", on=today() - 3 * DAY)

    with pytest.raises(DomainError) as early:
        services.record_disposal(device=device, by=clerk, disposal="scrapped", on=today() - 4 * DAY)
    with pytest.raises(DomainError) as nowhere:
        services.record_disposal(device=device, by=clerk, disposal="")
    assert (early.value.field, nowhere.value.field) == ("on", "disposal")
    gone = services.record_disposal(device=device, by=clerk, disposal="scrapped", on=today() - 3 * DAY)
    assert gone.disposed_on == today() - 3 * DAY


def test_the_condition_is_asked_after_a_repair_and_can_be_changed():
    clerk = factories.ClerkFactory()
    device = factories.DeviceFactory(school=factories.SchoolFactory())
    services.send_to_repair(device=device, by=clerk)
    services.return_from_repair(device=device, by=clerk, condition="good")
    services.send_to_repair(device=device, by=clerk)
    kept = services.return_from_repair(device=device, by=clerk)
    assert kept.condition == "good"
    with pytest.raises(DomainError) as same:
        services.change_condition(device=device, by=clerk, condition="good")
    assert same.value.field == "condition"
    services.change_condition(device=device, by=clerk, condition="damaged", reason="Riss")

    newest = device_history(device, clerk)[0]
    assert [(change.label, change.before, change.after) for change in newest.changes] == [
        ("Zustand", "gut", "beschädigt")
    ]
    assert (newest.by, newest.reason) == (clerk, "Riss")
    with pytest.raises(PermissionDenied):
        services.change_condition(device=device, by=factories.HeadFactory(), condition="good")


def test_moving_keeps_the_past_figures_of_both_schools():
    first, second, clerk = factories.SchoolFactory(), factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=first, since=today() - 10 * DAY)
    services.move_device(device=device, school=second, by=clerk, on=today() - 4 * DAY)
    services.retire_device(device=device, by=clerk, reason="alt", on=today() - DAY)

    def stood(days):
        rows = Placement.objects.on(today() - days * DAY).counted_as("pupils")
        return [row.school for row in rows]

    assert [stood(days) for days in (11, 10, 5, 4, 2, 1, 0)] == [
        [], [first], [first], [second], [second], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        {"bound_until": datetime.date(2029, 12, 31)},
        {"bound_by": "48.03-1"},
        {"disposal": "sold"},
        {"disposal": "sold", "disposed_on": datetime.date(2026, 1, 1)},
        {"proceeds": Decimal("1.00")},
    ],
)
def test_the_database_refuses_half_of_it(facts):
    device = factories.DeviceFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(**facts)


@pytest.mark.parametrize(("step", "words"), [("report_lost", "Verloren am"), ("report_stolen", "Gestohlen am")])
def test_the_day_of_a_loss_told_later_stays_with_its_reason(step, words):
    clerk, day = factories.ClerkFactory(), today() - 10 * DAY
    early, told_at_once = factories.DeviceFactory(), factories.DeviceFactory()
    getattr(services, step)(device=early, by=clerk, on=day, reason="Beim Umzug.")
    getattr(services, step)(device=told_at_once, by=clerk, on=today(), reason="Beim Umzug.")
    assert device_history(early, clerk)[0].reason == f"{words} {day:%d.%m.%Y}: Beim Umzug."
    assert device_history(told_at_once, clerk)[0].reason == "Beim Umzug."
