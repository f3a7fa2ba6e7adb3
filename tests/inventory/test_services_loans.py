"""What each step of a loan does to loan, device and course; the two never disagree, whoever writes the device."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import DeviceStatus
from apps.inventory.codes import read_code
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_selectors import actions_for, device_of_code, rules_on
from apps.inventory.loan_workflow import TRANSITIONS
from apps.inventory.models import Device, Loan, LoanRules
from apps.inventory.services.batches import Entry, lock_devices, write_batch
from apps.inventory.services.loan_rows import ALPHABET, new_numbers
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
TERMS = {"borrower": "pupil", "group": " 7b ", "due_on": None, "condition": "good"}


@pytest.fixture
def school():
    return factories.SchoolFactory(short_name="Talschule")


@pytest.fixture
def coordinator(school):
    return factories.CoordinatorFactory(schools=[school])


@pytest.fixture
def device(school):
    return factories.DeviceFactory(school=school, since=today() - 9 * DAY, price=Decimal("429.00"))


def lent(device, by, **facts):
    return services.hand_out(device=device, by=by, **TERMS | facts)


def course(loan):
    return list(loan.changes.order_by("pk").values_list("step", "from_state", "to_state"))


def agree():
    """Whether devices on loan and open loans are the same."""
    out = set(Device.objects.filter(status="on_loan").values_list("pk", flat=True))
    return out == set(Loan.objects.filter(state="out").values_list("device_id", flat=True))


def test_a_hand_out_opens_a_loan_and_lends_the_device(device, coordinator, school):
    due = today() + 30 * DAY

    loan = lent(device, coordinator, due_on=due, accessories=" Ladekabel,  Hülle ", damage=" Kratzer ", remark=" x ")

    loan = Loan.objects.get(pk=loan.pk)
    device.refresh_from_db()
    assert (device.status, device.school) == ("on_loan", school)
    assert (loan.device, loan.school, loan.state, loan.borrower, loan.group) == (device, school, "out", "pupil", "7b")
    assert (loan.since, loan.due_on, loan.ended_on, loan.value) == (today(), due, None, Decimal("429.00"))
    assert (loan.condition_out, loan.damage_out, loan.accessories) == ("good", "Kratzer", "Ladekabel, Hülle")
    assert (loan.remark, loan.borrower_name, loan.cleared_on) == ("x", "", None)
    assert course(loan) == [("hand_out", "", "out")]
    assert loan.history.get().history_user == coordinator
    assert agree()


def test_what_comes_back_is_in_use_again_and_unchanged_unless_said(device, coordinator):
    loan = lent(device, coordinator, condition="worn")

    services.take_back(loan=loan, by=coordinator)

    loan.refresh_from_db()
    device.refresh_from_db()
    assert (loan.state, loan.ended_on, loan.condition_back, device.status) == ("returned", today(), "worn", "in_use")
    again = lent(device, coordinator)
    services.take_back_device(device=device, by=coordinator, condition="damaged", damage="Display", remark="Meldung")
    again.refresh_from_db()
    assert (again.condition_back, again.damage_back, again.remark) == ("damaged", "Display", "Meldung")
    assert course(again) == [("hand_out", "", "out"), ("take_back", "out", "returned")]
    assert agree()


def test_numbers_are_drawn_by_lot_and_free(device, coordinator):
    class Chance:
        def __init__(self, letters):
            self.letters = iter(letters)

        def choice(self, _alphabet):
            return next(self.letters)

    Loan.objects.filter(pk=lent(device, coordinator).pk).update(number="L-222-222")
    assert new_numbers(2, Chance("222222333333333333444444")) == ["L-333-333", "L-444-444"]
    assert not set("AEIOUY01LS") & set(ALPHABET)
    drawn = new_numbers(300)
    assert len(set(drawn)) == 300


def test_extending_moves_the_due_date_and_says_so(device, coordinator):
    loan = lent(device, coordinator, due_on=today() + DAY)

    services.extend_loan(loan=loan, by=coordinator, due_on=today() + 8 * DAY)

    loan.refresh_from_db()
    assert (loan.due_on, loan.state) == (today() + 8 * DAY, "out")
    reason = loan.changes.get(step="extend_loan").reason
    assert f"{today() + DAY:%d.%m.%Y}" in reason
    assert f"{today() + 8 * DAY:%d.%m.%Y}" in reason
    for day in (today() - DAY, today() + 8 * DAY):
        with pytest.raises(DomainError) as caught:
            services.extend_loan(loan=loan, by=coordinator, due_on=day)
        assert caught.value.field == "due_on"


@pytest.mark.parametrize(("step", "state"), [("report_loan_lost", "lost"), ("report_loan_stolen", "stolen")])
def test_a_loss_ends_loan_and_placement(device, coordinator, school, step, state):
    loan = lent(device, coordinator)

    getattr(services, step)(loan=loan, by=coordinator, reason="Im Bus")

    loan.refresh_from_db()
    device.refresh_from_db()
    assert (loan.state, loan.ended_on, device.status, device.last_school) == (state, today(), state, school)
    assert loan.changes.get(step=step).reason == "Im Bus"
    assert device.placements.get().until == today()
    assert agree()


@pytest.mark.parametrize(
    ("step", "state", "recorded"),
    [
        ("return_loan", "returned", "take_back"),
        ("report_lost", "lost", "report_loan_lost"),
        ("report_stolen", "stolen", "report_loan_stolen"),
    ],
)
def test_a_step_of_the_device_alone_ends_its_loan_too(device, coordinator, step, state, recorded):
    loan = lent(device, coordinator)

    getattr(services, step)(device=device, by=coordinator)

    loan.refresh_from_db()
    assert (loan.state, loan.ended_on) == (state, today())
    assert course(loan)[-1] == (recorded, "out", state)
    assert agree()


def test_a_device_lent_without_more_gets_a_loan_of_nobody_known(device, coordinator):
    services.lend_device(device=device, by=coordinator)

    loan = Loan.objects.get()
    assert (loan.state, loan.borrower, loan.group, loan.due_on) == ("out", "", "", None)
    assert agree()


def test_a_list_of_devices_opens_and_ends_loans(school, coordinator):
    support = factories.SupportFactory()
    devices = [factories.DeviceFactory(school=school, since=today() - 9 * DAY) for _number in range(3)]
    loans = [lent(row, coordinator) for row in devices[:2]]
    statuses = ["in_use", "lost", "on_loan"]
    with transaction.atomic():
        lock_devices([row.pk for row in devices])
        rows = Device.objects.select_related("product", "kind", "school", "site", "last_school").order_by("pk")
        entries = [
            Entry(row, {"status": DeviceStatus(status)}, today()) for row, status in zip(rows, statuses, strict=True)
        ]
        write_batch(entries, by=factories.ClerkFactory(), reason="Liste")

    for loan, state in zip(loans, ("returned", "lost"), strict=True):
        loan.refresh_from_db()
        assert (loan.state, loan.ended_on) == (state, today())
    new = Loan.objects.get(device=devices[2])
    assert (new.state, new.since, course(new)) == ("out", today(), [("hand_out", "", "out")])
    assert agree()
    assert support.has_perm("inventory.keep_loans")


def test_one_device_has_one_open_loan_in_the_database_too(device, coordinator):
    loan = lent(device, coordinator)

    with pytest.raises(IntegrityError), transaction.atomic():
        Loan.objects.create(number="L-2", device=device, school=loan.school, since=today())
    with pytest.raises(DomainError, match=f"^{device.tag} ist schon verliehen: {loan.number}, 7b"):
        lent(device, coordinator)
    assert Loan.objects.count() == 1


def test_refusals_say_what_to_do(device, coordinator, school):
    other, clerk = factories.SchoolFactory(short_name="Bergschule"), factories.ClerkFactory()
    with pytest.raises(DomainError, match="steht an einer anderen Schule"):
        lent(device, clerk, school=other)
    services.send_to_repair(device=device, by=coordinator)
    with pytest.raises(DomainError, match="ist in Reparatur"):
        lent(device, coordinator)
    stored = factories.DeviceFactory()
    with pytest.raises(DomainError, match="steht nicht an dieser Schule"):
        lent(stored, clerk, school=school)
    with pytest.raises(DomainError, match="kann nicht ausgegeben werden"):
        lent(stored, clerk)
    with pytest.raises(DomainError) as early:
        lent(device, coordinator, due_on=today() - DAY)
    with pytest.raises(DomainError) as future:
        lent(device, coordinator, since=today() + DAY)
    assert (early.value.field, future.value.field) == ("due_on", "since")
    assert not Loan.objects.exists()


def test_undoing_is_for_the_same_day(device, coordinator):
    loan = services.undo_hand_out(loan=lent(device, coordinator), by=coordinator)
    assert (loan.state, loan.ended_on) == ("cancelled", today())

    loan = services.take_back(loan=lent(device, coordinator), by=coordinator, damage="Riss")
    loan = services.undo_take_back(loan=loan, by=coordinator)
    assert (loan.state, loan.ended_on, loan.damage_back, loan.condition_back) == ("out", None, "", "")
    assert agree()

    Loan.objects.filter(pk=loan.pk).update(created_at=loan.created_at - DAY)
    loan.refresh_from_db()
    assert "undo_hand_out" not in actions_for(loan, coordinator)
    with pytest.raises(DomainError) as late:
        services.undo_hand_out(loan=loan, by=coordinator)
    assert late.value.code == "too_late"
    assert str(late.value).startswith("Eine Ausgabe lässt sich nur am selben Tag rückgängig machen. Bitte nehmen Sie")


def test_a_return_of_yesterday_is_not_undone_and_the_way_on_is_told(device, coordinator):
    loan = services.take_back(loan=lent(device, coordinator), by=coordinator)
    Loan.objects.filter(pk=loan.pk).update(since=today() - DAY, ended_on=today() - DAY)
    with pytest.raises(DomainError) as late:
        services.undo_take_back(loan=loan, by=coordinator)
    assert late.value.code == "too_late"
    assert str(late.value).startswith("Eine Rückgabe lässt sich nur am selben Tag rückgängig machen. Bitte geben Sie")


@pytest.mark.parametrize("before", ["worn", ""])
def test_an_undone_return_leaves_neither_condition_nor_remark_behind(device, coordinator, before):
    Device.objects.filter(pk=device.pk).update(condition=before)
    loan = lent(device, coordinator, condition="", remark="Mit Hülle")
    services.take_back(loan=loan, by=coordinator, condition="damaged", damage="Riss", remark="Meldet die Familie")
    device.refresh_from_db()
    assert device.condition == "damaged"

    services.undo_take_back(loan=loan, by=coordinator)

    loan.refresh_from_db()
    device.refresh_from_db()
    assert (device.condition, device.status) == (before, "on_loan")
    assert (loan.remark, loan.damage_back, loan.condition_back) == ("Mit Hülle", "", "")


@pytest.mark.parametrize("before", ["worn", ""])
def test_an_undone_hand_out_sets_the_condition_back(device, coordinator, before):
    Device.objects.filter(pk=device.pk).update(condition=before)
    Device.history.filter(id=device.pk).update(condition=before)
    loan = lent(device, coordinator, condition="damaged")

    services.undo_hand_out(loan=loan, by=coordinator)

    device.refresh_from_db()
    assert (device.condition, device.status) == (before, "in_use")


def test_a_condition_corrected_after_the_return_stays_when_that_is_undone(device, coordinator):
    loan = lent(device, coordinator)
    services.take_back(loan=loan, by=coordinator, condition="damaged")
    services.send_to_repair(device=device, by=coordinator)
    services.return_from_repair(device=device, by=coordinator, condition="new")

    services.undo_take_back(loan=loan, by=coordinator)

    device.refresh_from_db()
    assert (device.condition, device.status) == ("new", "on_loan")


def test_pupils_borrow_with_their_class_and_teachers_without(device, coordinator):
    with pytest.raises(DomainError) as caught:
        lent(device, coordinator, group=" ")
    assert caught.value.field == "group"
    assert lent(device, coordinator, group="", borrower="teacher").group == ""


def test_a_return_is_not_undone_once_the_device_is_lent_again(device, coordinator):
    first = services.take_back(loan=lent(device, coordinator), by=coordinator)
    second = lent(device, coordinator)

    with pytest.raises(DomainError, match="ist schon verliehen"):
        services.undo_take_back(loan=first, by=coordinator)
    assert Loan.objects.get(state="out") == second


STEPS = {
    "take_back": (dict, {"out": "returned"}),
    "extend_loan": (lambda: {"due_on": today() + DAY}, {"out": "out"}),
    "report_loan_lost": (dict, {"out": "lost"}),
    "report_loan_stolen": (dict, {"out": "stolen"}),
    "undo_hand_out": (dict, {"out": "cancelled"}),
    "undo_take_back": (dict, {"returned": "out"}),
}
"""Step -> its data, and where it leads from each state; from all others nowhere."""


def test_the_table_of_transitions_is_complete():
    assert {name for name, _ in TRANSITIONS} == set(STEPS)


@pytest.mark.parametrize("state", LoanState.values)
@pytest.mark.parametrize("step", STEPS)
def test_every_pair_of_step_and_state(device, coordinator, step, state):
    loan = lent(device, coordinator)
    if state != "out":
        Device.objects.filter(pk=device.pk).update(status="in_use")
        Loan.objects.filter(pk=loan.pk).update(state=state, ended_on=today())
    facts, leads = STEPS[step]

    if state in leads:
        assert getattr(services, step)(loan=loan, by=coordinator, **facts()).state == leads[state]
    else:
        with pytest.raises(DomainError) as caught:
            getattr(services, step)(loan=loan, by=coordinator, **facts())
        assert caught.value.code == "illegal_transition"
    loan.refresh_from_db()
    assert loan.state == leads.get(state, state)


def test_names_are_refused_until_the_city_stores_them(device, coordinator):
    with pytest.raises(DomainError) as caught:
        lent(device, coordinator, borrower_name="Kim Muster")
    assert caught.value.field == "borrower_name"

    LoanRules.objects.create(valid_from=today() - DAY, names_allowed=True)
    assert lent(device, coordinator, borrower_name=" Kim  Muster ").borrower_name == "Kim Muster"
    LoanRules.objects.create(valid_from=today() + DAY, names_allowed=False)
    assert rules_on().names_allowed
    assert not rules_on(today() + DAY).names_allowed
    assert (rules_on(today() - 2 * DAY).names_allowed, rules_on(today() - 2 * DAY).keep_months) == (False, 6)


@pytest.mark.parametrize("factory", [factories.HeadFactory, factories.AuditorFactory, factories.AdminFactory])
def test_who_only_reads_lends_nothing(device, coordinator, factory):
    person, loan = factory(), lent(device, coordinator)

    with pytest.raises(PermissionDenied):
        services.take_back(loan=loan, by=person)
    assert actions_for(loan, person) == []
    services.take_back(loan=loan, by=coordinator)
    with pytest.raises(PermissionDenied):
        lent(device, person)


def test_a_coordinator_of_another_school_lends_nothing(device, coordinator):
    stranger = factories.CoordinatorFactory(schools=[factories.SchoolFactory()])
    loan = lent(device, coordinator)

    with pytest.raises(PermissionDenied):
        services.take_back(loan=loan, by=stranger)
    assert list(Loan.objects.visible_to(stranger)) == []
    with pytest.raises(DomainError) as caught:
        device_of_code(device.tag, stranger)
    assert caught.value.code == "unknown"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" ham-000001 ", "HAM-000001"),
        ("http://testserver/d/HAM-000001", "HAM-000001"),
        ("HTTP://TESTSERVER/d/ham-000001/?x=1", "HAM-000001"),
        ("sn  1", "SN 1"),
        ("", ""),
    ],
)
def test_the_number_in_what_was_scanned(text, code):
    assert read_code(text).upper() == code


def test_a_device_is_found_by_serial_too(school, coordinator):
    device = factories.DeviceFactory(school=school, serial="f9x-22")
    assert device_of_code("f9X-22", coordinator) == device


def test_pupils_are_lent_kinds_only_that_are_for_them(school, coordinator):
    kind = factories.DeviceKindFactory(printer=True)
    device = factories.DeviceFactory(product=factories.ProductFactory(kind=kind), school=school)
    with pytest.raises(DomainError, match="die nicht an Schülerinnen und Schüler verliehen wird"):
        services.hand_out(device=device, by=coordinator, borrower="pupil", group="7b", due_on=None)
    loan = services.hand_out(device=device, by=coordinator, borrower="teacher", due_on=None)
    services.take_back(loan=loan, by=coordinator)

    kind.lent_to_pupils = True
    kind.save()
    loan = services.hand_out(device=device, by=coordinator, borrower="pupil", group="7b", due_on=None)
    assert loan.state == "out"
