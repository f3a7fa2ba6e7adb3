"""Drafting, saving, submitting, withdrawing, answering."""

import datetime
from decimal import Decimal

import pytest
from django.http import Http404

from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.core.querysets import ensure_still_visible
from apps.funding import services
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, ApplicationStatusChange, EquipmentApplication, Reservation
from apps.funding.services.checks import ensure_second_person
from apps.inventory.services import set_price
from tests.factories import (
    ApproverFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceFactory,
    ProductFactory,
    SchoolFactory,
)
from tests.funding.factories import BudgetFactory, coordinator_of, make_application

pytestmark = pytest.mark.django_db
D = Decimal
DAY = datetime.timedelta(days=1)
S = ApplicationState


def test_a_draft_carries_the_catalogues_prices_and_its_author() -> None:
    school = SchoolFactory()
    by = CoordinatorFactory(schools=[school])
    product = ProductFactory(gross_price=D("499.99"))

    draft = services.create_draft(
        by=by,
        school=school,
        title=" Tablets ",
        reason=" Für Jahrgang 5. ",
        lines=[LineInput(product.pk, 30, reason="Klasse 5a", replaces="alte Geräte", replaces_quantity=5)],
    )

    draft.refresh_from_db()
    line = draft.lines.get()
    assert (draft.state, draft.title, draft.reason, draft.revision) == (S.DRAFT, "Tablets", "Für Jahrgang 5.", 1)
    assert (draft.created_by, draft.submitted_by, draft.submitted_at) == (by, None, None)
    assert (line.product, line.quantity, line.unit_price) == (product, 30, D("499.99"))
    assert (line.reason, line.replaces, line.replaces_quantity) == ("Klasse 5a", "alte Geräte", 5)
    assert line.approved_quantity is None
    assert draft.status_changes.count() == 0
    assert draft.history.get().history_user == by
    assert line.history.get().history_user == by


def test_a_draft_for_a_foreign_school_is_not_written() -> None:
    by = CoordinatorFactory(schools=[SchoolFactory()])

    with pytest.raises(DomainError, match=r"Schulen|schools"):
        services.create_draft(by=by, school=SchoolFactory(), title="Tablets")

    assert not EquipmentApplication.objects.exists()


def test_saving_changes_adds_and_removes_lines_and_raises_the_revision() -> None:
    draft = make_application(S.DRAFT, lines=[("100.00", 1), ("200.00", 2)])
    first, second = draft.lines.order_by("pk")
    by = draft.created_by
    new = ProductFactory(gross_price=D("300.00"))

    saved = services.save_draft(
        application=draft,
        revision=1,
        by=by,
        title="Neu",
        reason="Grund",
        lines=[LineInput(first.product_id, 9, line_id=first.pk), LineInput(new.pk, 3)],
    )

    saved.refresh_from_db()
    assert (saved.title, saved.reason, saved.revision) == ("Neu", "Grund", 2)
    kept, added = saved.lines.order_by("pk")
    assert (kept.pk, kept.quantity) == (first.pk, 9)
    assert (added.product, added.quantity, added.unit_price) == (new, 3, D("300.00"))
    assert ApplicationLine.history.filter(id=second.pk).first().history_type == "-"
    assert ApplicationLine.history.filter(id=second.pk).first().history_user == by


def test_an_unchanged_line_gets_no_history() -> None:
    draft = make_application(S.DRAFT)
    line = draft.lines.get()

    services.save_draft(
        application=draft,
        revision=1,
        by=draft.created_by,
        title="Neu",
        reason="",
        lines=[LineInput(line.product_id, line.quantity, line_id=line.pk)],
    )

    assert line.history.count() == 1


def test_a_second_tab_overwrites_nothing() -> None:
    draft = make_application(S.DRAFT)
    services.save_draft(application=draft, revision=1, by=draft.created_by, title="Erster", reason="", lines=[])

    with pytest.raises(StaleError):
        services.save_draft(application=draft, revision=1, by=draft.created_by, title="Zweiter", reason="", lines=[])

    draft.refresh_from_db()
    assert (draft.title, draft.revision) == ("Erster", 2)


def test_submitting_what_another_tab_has_changed_is_refused() -> None:
    draft = make_application(S.DRAFT)
    line = draft.lines.get()
    again = LineInput(line.product_id, 99, line_id=line.pk)
    services.save_draft(application=draft, revision=1, by=draft.created_by, title="Mehr", reason="", lines=[again])

    with pytest.raises(StaleError):
        services.submit(application=draft, by=draft.created_by, revision=1)

    draft.refresh_from_db()
    assert draft.state == S.DRAFT


def test_a_line_of_another_application_cannot_be_taken_over() -> None:
    draft, other = make_application(S.DRAFT), make_application(S.DRAFT)
    foreign = other.lines.get()

    with pytest.raises(DomainError):
        services.save_draft(
            application=draft,
            revision=1,
            by=draft.created_by,
            title="x",
            reason="",
            lines=[LineInput(foreign.product_id, 5, line_id=foreign.pk)],
        )

    foreign.refresh_from_db()
    assert (foreign.application, foreign.quantity) == (other, 2)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 2, "replaces_quantity": 3}, "replaces_quantity"),
        ({"quantity": 2, "replaces_quantity": -1}, "replaces_quantity"),
        ({"quantity": 1, "product_id": 0}, "product"),
        ({"quantity": 1, "reason": "x" * 301}, "reason"),
    ],
)
def test_faulty_lines_are_refused_with_their_field(line: dict[str, object], field: str) -> None:
    draft = make_application(S.DRAFT)
    values = {"product_id": draft.lines.get().product_id} | line

    with pytest.raises(DomainError) as caught:
        services.save_draft(
            application=draft,
            revision=1,
            by=draft.created_by,
            title="x",
            reason="",
            lines=[LineInput(**values)],  # type: ignore[arg-type]  # on purpose
        )

    assert caught.value.field == field
    draft.refresh_from_db()
    assert draft.revision == 1


def test_a_title_that_is_too_long_is_refused() -> None:
    school = SchoolFactory()

    with pytest.raises(DomainError) as caught:
        services.create_draft(by=coordinator_of(school), school=school, title="x" * 121)

    assert caught.value.field == "title"


def test_devices_to_be_replaced_are_kept_and_must_stand_at_the_school() -> None:
    draft = make_application(S.DRAFT)
    line, by = draft.lines.get(), draft.created_by
    own, gone = DeviceFactory(school=draft.school), DeviceFactory(school=draft.school)
    foreign = DeviceFactory(school=SchoolFactory())

    def save(revision: int, *devices: int) -> None:
        typed = LineInput(line.product_id, 2, replaces_quantity=2, line_id=line.pk, replaced_device_ids=devices)
        services.save_draft(application=draft, revision=revision, by=by, title="x", reason="", lines=[typed])

    save(1, own.pk, gone.pk)
    save(2, own.pk)
    with pytest.raises(DomainError):
        save(3, own.pk, foreign.pk)

    assert [row.device for row in line.replaced_devices.all()] == [own]


def test_submitting_freezes_the_prices_of_that_moment() -> None:
    draft = make_application(S.DRAFT, lines=[("100.00", 2), ("50.00", 1)])
    first, second = draft.lines.order_by("pk")
    office = ClerkFactory()
    set_price(product=first.product, gross_price=D("120.00"), by=office)
    set_price(product=first.product, gross_price=D("555.00"), by=office, valid_from=clock.today() + DAY)

    submitted = services.submit(application=draft, by=draft.created_by)
    set_price(product=first.product, gross_price=D("999.00"), by=office)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.unit_price, second.unit_price) == (D("120.00"), D("50.00"))
    assert (first.history.count(), second.history.count()) == (2, 1)
    assert (submitted.state, submitted.submitted_by, submitted.revision) == (S.SUBMITTED, draft.created_by, 2)
    change = ApplicationStatusChange.objects.get(application=draft)
    assert (change.from_state, change.to_state, change.by) == (S.DRAFT, S.SUBMITTED, draft.created_by)


def test_an_empty_application_is_not_submitted() -> None:
    draft = make_application(S.DRAFT, lines=[])

    with pytest.raises(DomainError) as caught:
        services.submit(application=draft, by=draft.created_by)

    assert caught.value.code == "empty"


def test_products_that_left_the_catalogue_are_refused_by_name() -> None:
    draft = make_application(S.DRAFT, lines=[("1.00", 1), ("2.00", 1), ("3.00", 1)])
    gone = [line.product for line in draft.lines.order_by("pk")][:2]
    for product in gone:
        product.is_active = False
        product.save()

    with pytest.raises(DomainError) as caught:
        services.submit(application=draft, by=draft.created_by)

    assert caught.value.code == "inactive_product"
    assert f"{gone[0]}, {gone[1]}" in str(caught.value)
    draft.refresh_from_db()
    assert draft.state == S.DRAFT


def test_a_returned_application_is_changed_answered_and_submitted_again() -> None:
    application = make_application(S.RETURNED)
    line, by = application.lines.get(), application.created_by

    services.answer(application=application, by=by, text=" Für die 5a. ")
    services.save_draft(
        application=application,
        revision=application.revision,
        by=by,
        title="Weniger",
        reason="",
        lines=[LineInput(line.product_id, 1, line_id=line.pk)],
    )
    again = services.submit(application=application, by=by)

    assert again.state == S.SUBMITTED
    assert [message.text for message in again.messages.all()] == ["Wofür genau?", "Für die 5a."]
    assert list(again.status_changes.values_list("from_state", "to_state")) == [
        (S.DRAFT, S.SUBMITTED),
        (S.SUBMITTED, S.RETURNED),
        (S.RETURNED, S.SUBMITTED),
    ]


def test_a_question_of_the_office_costs_no_waiting_time() -> None:
    application = make_application(S.RETURNED)
    first, day = application.submitted_by, clock.now() - datetime.timedelta(days=28)
    EquipmentApplication.objects.update(submitted_at=day)
    colleague = CoordinatorFactory(schools=[application.school])
    later = make_application()

    again = services.submit(application=application, by=colleague)

    again.refresh_from_db()
    assert (again.submitted_at, again.submitted_by, again.waiting_days) == (day, first, 28)
    assert list(EquipmentApplication.objects.order_by("submitted_at")) == [again, later]
    with pytest.raises(DomainError) as refused:
        ensure_second_person(again, colleague)
    assert refused.value.code == "same_person"


def test_an_answer_needs_words_and_a_question() -> None:
    returned, submitted = make_application(S.RETURNED), make_application(S.SUBMITTED)

    with pytest.raises(DomainError) as empty:
        services.answer(application=returned, by=returned.created_by, text="  ")
    with pytest.raises(DomainError):
        services.answer(application=submitted, by=submitted.created_by, text="Hallo")

    assert empty.value.field == "text"
    assert returned.messages.count() == 1
    assert submitted.messages.count() == 0


def test_withdrawing_keeps_the_reason_and_rubs_the_reservation_out() -> None:
    application = make_application(S.SUBMITTED)
    services.reserve(application=application, budget=BudgetFactory(), by=ClerkFactory())

    withdrawn = services.withdraw(application=application, by=application.created_by, reason=" Doch nicht. ")

    assert withdrawn.state == S.WITHDRAWN
    assert withdrawn.status_changes.last().reason == "Doch nicht."
    assert not Reservation.objects.exists()


def test_discarding_deletes_a_draft_and_only_a_draft() -> None:
    draft, returned = make_application(S.DRAFT), make_application(S.RETURNED)

    services.discard_draft(application=draft, by=draft.created_by)
    with pytest.raises(DomainError):
        services.discard_draft(application=returned, by=returned.created_by)

    assert not EquipmentApplication.objects.filter(pk=draft.pk).exists()
    assert EquipmentApplication.objects.filter(pk=returned.pk).exists()
    assert EquipmentApplication.history.filter(id=draft.pk, history_type="-").get().history_user == draft.created_by


def test_a_colleague_of_the_same_school_may_go_on_with_a_draft() -> None:
    draft = make_application(S.DRAFT)
    colleague = CoordinatorFactory(schools=[draft.school])

    submitted = services.submit(application=draft, by=colleague)

    assert (submitted.created_by, submitted.submitted_by) == (draft.created_by, colleague)


def test_drafts_are_hidden_from_the_office() -> None:
    draft = make_application(S.DRAFT)
    office = ApproverFactory()

    with pytest.raises(Http404):
        services.reject(application=draft, by=office, reason="Nein.")
    with pytest.raises(DomainError):
        ensure_still_visible(draft, office)
