"""What the reads say, against what was done."""

import datetime

import pytest

from apps.core.clock import today
from apps.inventory import selectors, services
from apps.inventory.choices import CountedAs
from apps.inventory.device_history import device_history
from apps.schools.models import Membership
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db


def projector():
    return factories.ProductFactory(kind=factories.DeviceKindFactory(projector=True))


def test_counts_of_schools_on_a_day_come_from_placements_in_one_query(django_assert_num_queries):
    clerk, first, second, empty = factories.ClerkFactory(), *(factories.SchoolFactory() for _ in range(3))
    moved = factories.DeviceFactory(school=first, since=today() - 9 * DAY)
    factories.DeviceFactory(school=first, since=today() - 9 * DAY, ownership="parent_financed")
    factories.DeviceFactory(school=first, since=today() - 9 * DAY, product=projector())
    services.move_device(device=moved, school=second, by=clerk, on=today() - 3 * DAY)

    with django_assert_num_queries(1):
        before = selectors.countable_counts(today() - 4 * DAY, [first, second, empty])
    after = selectors.countable_counts(today() - 3 * DAY, [first, second, empty])

    assert before == {first.pk: selectors.Counts(1, 1, 1)}
    assert after == {first.pk: selectors.Counts(0, 1, 1), second.pk: selectors.Counts(1, 0, 0)}


def test_the_rows_behind_a_figure_leave_out_schools_that_the_quota_does_not_count():
    clerk, head, school = factories.ClerkFactory(), factories.HeadFactory(), factories.SchoolFactory()
    closed = factories.SchoolFactory(closed_on=today() - 5 * DAY)
    factories.DeviceFactory(school=closed, since=today() - 9 * DAY, by=clerk)
    device = factories.DeviceFactory(school=school, since=today() - 9 * DAY, by=clerk)

    def rows(day, **facts):
        found = selectors.placements_behind(head, today() - day * DAY, counted_as=CountedAs.PUPILS, **facts)
        return found.count()

    assert (rows(6), rows(5), rows(10)) == (2, 1, 0)
    assert (rows(6, school=school), rows(6, school_type="02"), rows(6, school_type="20")) == (1, 2, 0)
    assert selectors.placements_behind(head, today()).count() == 2
    assert selectors.placements_behind(factories.SchoolStaffFactory(schools=[school]), today()).count() == 0
    assert selectors.is_placed(device)


def test_devices_of_a_school_by_kind():
    school = factories.SchoolFactory()
    factories.DeviceFactory(school=school, product=projector())
    for _ in range(2):
        factories.DeviceFactory(school=school)
    factories.DeviceFactory(school=factories.SchoolFactory())

    assert [(row.kind, row.name, row.number) for row in selectors.devices_by_kind(school)] == [
        ("tablet", "Tablet", 2),
        ("projector", "Beamer", 1),
    ]
    assert selectors.devices_of(school).count() == 3


def test_ages_are_whole_years_since_the_purchase_and_due_by_the_kinds_years_of_use():
    school, day = factories.SchoolFactory(), datetime.date(2026, 6, 1)
    tablet = factories.ProductFactory(kind=factories.DeviceKindFactory(code="small_tablet", years_of_use=4))
    bought = ["2023-06-02", "2023-06-01", "2022-06-02", "2022-06-01", "2021-06-02", "2021-06-01", None]
    for text in bought:
        on = datetime.date.fromisoformat(text) if text else None
        factories.DeviceFactory(product=tablet, school=school, bought_on=on, since=day)
    (row,) = selectors.devices_by_kind(school, day)
    assert (row.number, row.unknown) == (7, 1)
    assert (row.up_to_two, row.three_to_four, row.five_and_more) == (1, 4, 1)
    assert row.overdue == 3


def test_the_history_says_in_words_who_changed_what_from_what_to_what(settings):
    clerk = factories.ClerkFactory(name="Kim Amt")
    first, second = factories.SchoolFactory(short_name="Nord"), factories.SchoolFactory(short_name="Süd")
    device = factories.DeviceFactory(school=first, room="R1", since=today() - DAY, by=clerk)
    services.move_device(device=device, school=second, by=clerk)
    services.change_details(device=device, by=clerk, serial="x1", price=None, bought_on=None, note="")
    services.retire_device(device=device, by=clerk, reason="Akku defekt")

    retired, corrected, moved, created = device_history(device, clerk)

    assert (created.created, created.changes, created.by) == (True, (), clerk)
    assert [(change.before, change.after) for change in moved.changes] == [("Nord", "Süd"), ("R1", "–")]
    assert [(change.before, change.after) for change in corrected.changes] == [("–", "X1")]
    assert retired.reason == "Akku defekt"
    assert [change.before for change in retired.changes][1] == "Süd"


def test_the_history_names_the_day_from_which_a_move_holds_where_it_was_entered_later():
    clerk, first, second = factories.ClerkFactory(), factories.SchoolFactory(), factories.SchoolFactory()
    device = factories.DeviceFactory(school=first, since=today() - 9 * DAY, by=clerk)
    services.change_ownership(device=device, ownership="leased", by=clerk, on=today() - 8 * DAY)
    services.move_device(device=device, school=second, by=clerk, on=today() - 7 * DAY)
    services.move_device(device=device, school=second, room="4", by=clerk, on=today() - 5 * DAY)
    services.take_to_stock(device=device, by=clerk, on=today() - 3 * DAY)
    services.move_device(device=device, school=first, by=clerk)
    services.change_condition(device=device, condition="damaged", by=clerk)

    days = [entry.holds_from for entry in device_history(device, clerk)]

    assert days == [None, None, *(today() - number * DAY for number in (3, 5, 7)), None, None]
    others = factories.CoordinatorFactory(schools=[first])
    seen = [entry.holds_from for entry in device_history(device, others)]
    assert seen == [None, None, None, None, today() - 7 * DAY, None, None]


def test_the_history_names_no_day_of_a_move_that_another_replaced_on_its_day():
    clerk, first, second = factories.ClerkFactory(), factories.SchoolFactory(), factories.SchoolFactory()
    device = factories.DeviceFactory(school=first, since=today() - 9 * DAY, by=clerk)
    services.move_device(device=device, school=second, by=clerk, on=today() - 4 * DAY)
    services.move_device(device=device, school=first, by=clerk, on=today() - 4 * DAY)
    services.move_device(device=device, school=second, by=clerk, on=today() - 2 * DAY)

    assert [entry.holds_from for entry in device_history(device, clerk)] == [None] * 4


def test_the_history_names_no_site_that_is_called_the_same_at_both_schools():
    clerk = factories.ClerkFactory()
    one, other = (factories.SiteFactory(name="Hauptstandort") for _number in range(2))
    device = factories.DeviceFactory(school=one.school, site=one, since=today() - DAY, by=clerk)
    services.move_device(device=device, school=other.school, site=other, by=clerk)
    moved, _created = device_history(device, clerk)
    assert [(change.before, change.after) for change in moved.changes] == [(str(one.school), str(other.school))]


def test_a_coordinator_does_not_read_the_names_of_other_schools_in_the_history():
    own, foreign = factories.SchoolFactory(short_name="Eigene"), factories.SchoolFactory(short_name="Fremde")
    coordinator, clerk = factories.CoordinatorFactory(schools=[own]), factories.ClerkFactory()
    device = factories.DeviceFactory(school=foreign, since=today() - DAY, by=clerk)
    services.move_device(device=device, school=own, by=clerk)

    moved, _created = device_history(device, coordinator)

    assert moved.changes[0].after == "Eigene"
    assert "Fremde" not in moved.changes[0].before


def test_a_school_does_not_read_what_was_said_while_the_device_stood_elsewhere():
    mine, before, clerk = factories.SchoolFactory(), factories.SchoolFactory(), factories.ClerkFactory()
    device = services.add_device(product=factories.ProductFactory(), school=before, note="Von Kind X", by=clerk)
    device = services.send_to_repair(device=device, reason="Tee verschüttet", by=clerk)
    device = services.return_from_repair(device=device, by=clerk)
    device = services.change_details(device=device, serial="", price=None, bought_on=None, note="Neu", by=clerk)
    device = services.move_device(device=device, school=mine, reason="Tausch", by=clerk)
    device = services.send_to_repair(device=device, reason="Riss", by=clerk)
    coordinator = factories.CoordinatorFactory(schools=[mine])
    former = factories.CoordinatorFactory(schools=[mine, before])

    entries = device_history(device, coordinator)
    assert [entry.reason for entry in entries] == ["Riss", "Tausch", "", "", "", ""]
    assert [(change.before, change.after) for change in entries[2].changes] == [("…", "…")]
    for person in (clerk, former):
        said = [entry.reason for entry in device_history(device, person)]
        assert said == ["Riss", "Tausch", "", "", "Tee verschüttet", ""]


def test_a_school_reads_the_role_of_other_schools_people_in_the_history_and_the_office_their_names():
    mine, before = factories.SchoolFactory(), factories.SchoolFactory()
    former = factories.CoordinatorFactory(schools=[before], name="Frühere Person")
    support = factories.SupportFactory(name="Support Person")
    colleague = factories.CoordinatorFactory(schools=[mine], name="Eigene Person")
    reader = factories.CoordinatorFactory(schools=[mine])
    device = services.add_device(product=factories.ProductFactory(model="Brett 9"), school=before, by=former)
    device = services.move_device(device=device, school=mine, by=support)
    services.send_to_repair(device=device, by=colleague)
    Membership.objects.filter(user=colleague).delete()

    entries = device_history(device, reader)

    assert [entry.who for entry in entries] == ["Eigene Person", "Support Person", "IT-Koordination, andere Schule"]
    assert [entry.who for entry in device_history(device, factories.ClerkFactory())][-1] == "Frühere Person"
    both = factories.CoordinatorFactory(schools=[mine, before])
    assert [entry.who for entry in device_history(device, both)][-1] == "Frühere Person"
    assert entries[-1].product.endswith("Brett 9")


def test_the_history_takes_the_same_number_of_queries_however_long_it_is(django_assert_max_num_queries):
    clerk, schools = factories.ClerkFactory(), [factories.SchoolFactory() for _ in range(4)]
    device = factories.DeviceFactory(school=schools[0], since=today() - DAY, by=clerk)
    for number in range(1, 12):
        services.move_device(device=device, school=schools[number % 4], by=clerk)

    with django_assert_max_num_queries(7):
        assert len(device_history(device, clerk)) == 12


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        (factories.CoordinatorFactory, {"move_device", "send_to_repair", "lend_device", "report_lost",
                                        "report_stolen", "retire_device", "change_ownership", "change_details",
                                        "change_condition", "add_attachment"}),
        (factories.ClerkFactory, {"move_device", "send_to_repair", "lend_device", "take_to_stock", "report_lost",
                                  "report_stolen", "retire_device", "change_ownership", "change_kind",
                                  "change_details", "change_condition", "bind_device", "add_attachment"}),
        (factories.HeadFactory, set()),
    ],
)  # fmt: skip
def test_the_actions_offered_fit_role_and_status(factory, expected):
    device = factories.DeviceFactory(school=factories.SchoolFactory())

    assert set(selectors.actions_for(device, factory())) == expected
