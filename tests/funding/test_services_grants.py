"""Change notices: before and after, the budgets below them, and the devices that stay bound longer."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from apps.core import clock
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import DrawdownState
from apps.funding.grant_figures import NoticeStep, grant_figures, steps_of_notice
from apps.funding.models import Drawdown, Grant, GrantChange
from apps.inventory.services import bind_device
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory, DeviceFactory
from tests.funding.factories import BudgetFactory, GrantFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db
D = Decimal
DAY = datetime.date


def record(grant: Grant, by: Any = None, **values: Any) -> GrantChange:
    return services.record_change_notice(
        grant=grant, by=by or ClerkFactory(), notice_on=DAY(2026, 3, 1), reason="Verlängert", **values
    )


def test_a_change_notice_keeps_both_values() -> None:
    grant, clerk = GrantFactory(amount=D("1000.00"), implementation_until=DAY(2024, 10, 31)), ClerkFactory()

    notice = record(
        grant,
        clerk,
        file_reference=" 48-1-Ä1 ",
        amount=D("1200.00"),
        rate=D("0.8500"),
        implementation_until=DAY(2025, 6, 30),
        proof_due_on=DAY(2025, 12, 31),
        earmarking_years=None,
    )

    grant.refresh_from_db()
    assert (grant.amount, grant.rate, grant.implementation_until) == (D("1200.00"), D("0.8500"), DAY(2025, 6, 30))
    assert (notice.by, notice.file_reference) == (clerk, "48-1-Ä1")
    assert notice.before == {
        "amount": "1000.00", "rate": "0.9000", "implementation_until": "2024-10-31", "proof_due_on": "",
    }  # fmt: skip
    assert list(steps_of_notice(notice)) == [
        NoticeStep("Betrag", "1.000,00\u202f€", "1.200,00\u202f€"),
        NoticeStep("Fördersatz", "90,0\u202f%", "85,0\u202f%"),
        NoticeStep("Durchführung bis", "31.10.2024", "30.06.2025"),
        NoticeStep("Verwendungsnachweis fällig am", "keine Angabe", "31.12.2025"),
    ]
    newest = grant.history.first()
    assert (newest.history_user, newest.history_change_reason) == (clerk, "Verlängert")


def test_the_end_of_the_earmarking_follows_the_implementation_of_digitalpakt() -> None:
    grant = GrantFactory(implementation_until=DAY(2024, 10, 31), earmarking_years=5)
    assert grant.earmarked_until == DAY(2029, 12, 31)


def test_devices_bound_by_the_notice_stay_bound_longer_and_are_never_freed() -> None:
    grant = GrantFactory(file_reference="48-1", implementation_until=DAY(2024, 10, 31), earmarking_years=5)
    bound, longer, other = DeviceFactory(), DeviceFactory(), DeviceFactory()
    by = ClerkFactory()
    for device, year, reference in ((bound, 2029, "48-1"), (longer, 2035, "48-1"), (other, 2029, "48-2")):
        bind_device(device=device, until=DAY(year, 12, 31), file_reference=reference, by=by)

    def ends() -> list[datetime.date]:
        for device in (bound, longer, other):
            device.refresh_from_db()
        return [bound.bound_until, longer.bound_until, other.bound_until]

    record(grant, by, implementation_until=DAY(2025, 3, 31))
    assert ends() == [DAY(2030, 12, 31), DAY(2035, 12, 31), DAY(2029, 12, 31)]
    newest = bound.history.first()
    assert (newest.history_user, newest.history_change_reason) == (by, "Verlängert")

    record(grant, by, implementation_until=DAY(2024, 3, 31))
    assert ends() == [DAY(2030, 12, 31), DAY(2035, 12, 31), DAY(2029, 12, 31)]


def test_a_notice_below_its_budgets_is_refused() -> None:
    grant = GrantFactory(amount=D("1000.00"))
    BudgetFactory(grant=grant, appropriation=D("600.00"), supplement=D("50.00"))

    with pytest.raises(DomainError, match=r"ergeben zusammen 650,00\s€") as caught:
        record(grant, amount=D("649.99"))

    assert caught.value.field == "amount"
    assert not GrantChange.objects.exists()
    assert record(grant, amount=D("650.00")).after == {"amount": "650.00"}


def test_what_changes_nothing_is_no_notice() -> None:
    grant = GrantFactory()
    with pytest.raises(DomainError):
        record(grant, amount=grant.amount)
    with pytest.raises(DomainError, match="warum"):
        services.record_change_notice(
            grant=grant, by=ClerkFactory(), notice_on=DAY(2026, 3, 1), reason=" ", amount=D("1.00")
        )


def test_an_implementation_that_ends_before_it_begins_is_refused_with_a_sentence() -> None:
    grant = GrantFactory(implementation_from=DAY(2024, 1, 1))
    with pytest.raises(DomainError, match="Durchführung"):
        record(grant, implementation_until=DAY(2023, 12, 31))


def test_notices_are_append_only() -> None:
    record(GrantFactory(), amount=D("5.00"))
    with pytest.raises(TypeError, match="append-only"):
        GrantChange.objects.update(reason="x")
    with pytest.raises(TypeError, match="append-only"):
        GrantChange.objects.all().delete()


def test_who_only_reads_records_nothing() -> None:
    for person in (AuditorFactory(),):
        with pytest.raises(PermissionDenied):
            record(GrantFactory(), person, amount=D("5.00"))
        with pytest.raises(PermissionDenied):
            services.edit_grant(grant=GrantFactory(), by=person, contact="x")


def test_a_grant_is_mended_until_it_has_budgets() -> None:
    grant, by = GrantFactory(), ClerkFactory()
    assert services.edit_grant(grant=grant, by=by, amount=D("5.00"), contact="Amt").amount == D("5.00")
    BudgetFactory(grant=grant, appropriation=D("1.00"))
    with pytest.raises(DomainError, match="Änderungsbescheid") as caught:
        services.edit_grant(grant=grant, by=by, amount=D("6.00"))
    assert caught.value.field == "amount"
    assert services.edit_grant(grant=grant, by=by, contact="Anderes Amt").contact == "Anderes Amt"


def test_the_limit_per_device_changes_by_a_notice_alone_once_it_has_budgets() -> None:
    grant, by = GrantFactory(limit_per_device=D("500.00")), ClerkFactory()
    BudgetFactory(grant=grant, appropriation=D("1.00"))
    with pytest.raises(DomainError, match="Änderungsbescheid") as caught:
        services.edit_grant(grant=grant, by=by, limit_per_device=D("900.00"))
    assert caught.value.field == "limit_per_device"

    notice = record(grant, by, limit_per_device=D("900.00"))
    lifted = record(grant, by, limit_per_device=None)

    grant.refresh_from_db()
    assert grant.limit_per_device is None
    assert list(steps_of_notice(notice)) == [NoticeStep("Höchstbetrag je Gerät", "500,00\u202f€", "900,00\u202f€")]
    assert lifted.after == {"limit_per_device": ""}


def test_a_grant_with_budgets_stays_with_its_programme() -> None:
    grant, other, by = GrantFactory(), ProgrammeFactory(code="neu"), ClerkFactory()
    assert services.edit_grant(grant=grant, by=by, programme=other).programme == other
    BudgetFactory(grant=grant, appropriation=D("1.00"))
    with pytest.raises(DomainError, match="bleibt es bei ihrem Programm") as caught:
        services.edit_grant(grant=grant, by=by, programme=ProgrammeFactory(code="anders"))
    assert caught.value.field == "programme"
    grant.refresh_from_db()
    assert grant.programme == other


def test_a_notice_of_a_day_to_come_is_refused() -> None:
    grant = GrantFactory(amount=D("1000.00"))
    for day in (DAY(2035, 1, 1), clock.today() + datetime.timedelta(days=1)):
        with pytest.raises(DomainError, match="liegt in der Zukunft") as caught:
            services.record_change_notice(
                grant=grant, by=ClerkFactory(), notice_on=day, reason="Früh", amount=D("5.00")
            )
        assert caught.value.field == "notice_on"
    assert not GrantChange.objects.exists()
    services.record_change_notice(
        grant=grant, by=ClerkFactory(), notice_on=clock.today(), reason="Heute", amount=D("5.00")
    )


def test_a_change_notice_is_not_older_than_the_notice_that_it_changes() -> None:
    grant = GrantFactory(amount=D("1000.00"), notice_on=DAY(2026, 1, 15))
    with pytest.raises(DomainError, match=r"vom 15\.01\.2026") as caught:
        services.record_change_notice(
            grant=grant, by=ClerkFactory(), notice_on=DAY(2026, 1, 14), reason="Zahlendreher", amount=D("5.00")
        )
    assert caught.value.field == "notice_on"
    grant.refresh_from_db()
    assert (grant.amount, GrantChange.objects.exists()) == (D("1000.00"), False)
    services.record_change_notice(
        grant=grant, by=ClerkFactory(), notice_on=DAY(2026, 1, 15), reason="Am selben Tag", amount=D("5.00")
    )


def test_a_notice_does_not_move_behind_its_change_notices() -> None:
    grant = GrantFactory(amount=D("1000.00"), notice_on=DAY(2026, 1, 15))
    for day in (DAY(2026, 2, 2), DAY(2026, 3, 3)):
        services.record_change_notice(
            grant=grant, by=ClerkFactory(), notice_on=day, reason="Neuer Betrag", amount=D(day.month * 100)
        )
    with pytest.raises(DomainError, match=r"vom 02\.02\.2026") as caught:
        services.edit_grant(grant=grant, by=ClerkFactory(), notice_on=DAY(2026, 2, 3))
    assert caught.value.field == "notice_on"
    assert services.edit_grant(grant=grant, by=ClerkFactory(), notice_on=DAY(2026, 2, 2)).notice_on == DAY(2026, 2, 2)


def test_the_figures_of_a_grant_add_up() -> None:
    grant = GrantFactory(amount=D("1000.00"))
    BudgetFactory(grant=grant, appropriation=D("300.00"), committed=D("20.00"), spent=D("100.00"))
    BudgetFactory(grant=grant, appropriation=D("200.00"), spent=D("50.00"))
    BudgetFactory(from_grant=True, spent=D("7.00"))
    Drawdown.objects.create(grant=grant, number=1, state=DrawdownState.DRAFT, by=ClerkFactory())

    figures = grant_figures(grant, ApproverFactory())

    assert (figures.given, figures.free, figures.committed, figures.spent) == (
        D("500.00"),
        D("500.00"),
        D("20.00"),
        D("150.00"),
    )
    assert (figures.requested, figures.received) == (D("0.00"), D("0.00"))


def test_devices_bear_the_corrected_file_reference_of_their_grant() -> None:
    clerk, grant = ClerkFactory(), GrantFactory(file_reference="48.2-0815")
    ours, other = DeviceFactory(), DeviceFactory()
    bind_device(device=ours, until=DAY(2031, 12, 31), file_reference="48.2-0815", by=clerk)
    bind_device(device=other, until=DAY(2031, 12, 31), file_reference="48.2-0816", by=clerk)

    services.edit_grant(grant=grant, by=clerk, lucom_number="LU-7")
    assert ours.history.count() == 2

    services.edit_grant(grant=grant, by=clerk, file_reference="48.2-4711")

    for device, reference in ((ours, "48.2-4711"), (other, "48.2-0816")):
        device.refresh_from_db()
        assert (device.bound_by, device.bound_until) == (reference, DAY(2031, 12, 31))
    newest = ours.history.first()
    assert (newest.bound_by, newest.history_user) == ("48.2-4711", clerk)
    assert newest.history_change_reason == "Aktenzeichen der Zuwendung berichtigt, bisher 48.2-0815"
    assert other.history.count() == 2


def test_a_refused_correction_renames_no_device() -> None:
    clerk, grant = ClerkFactory(), GrantFactory(file_reference="48.2-0815")
    device = DeviceFactory()
    bind_device(device=device, until=DAY(2031, 12, 31), file_reference="48.2-0815", by=clerk)
    with pytest.raises(DomainError):
        services.edit_grant(grant=grant, by=clerk, file_reference="48.2-4711" * 10)
    device.refresh_from_db()
    assert device.bound_by == "48.2-0815"


def test_a_change_notice_lengthens_also_what_was_bound_under_an_untidy_reference() -> None:
    clerk = ClerkFactory()
    grant = GrantFactory(file_reference="48.2  0815", implementation_until=DAY(2026, 10, 31), earmarking_years=5)
    device = DeviceFactory()
    bind_device(device=device, until=DAY(2031, 12, 31), file_reference=grant.file_reference, by=clerk)
    record(grant, clerk, implementation_until=DAY(2027, 3, 31))
    device.refresh_from_db()
    assert device.bound_until == DAY(2032, 12, 31)


def test_a_file_reference_belongs_to_one_grant() -> None:
    grant, other = GrantFactory(file_reference="48-1"), GrantFactory(file_reference="48-2")
    with pytest.raises(DomainError) as caught:
        services.edit_grant(grant=grant, by=ClerkFactory(), file_reference=other.file_reference)
    assert (caught.value.code, caught.value.field) == ("taken", "file_reference")
    grant.refresh_from_db()
    assert grant.file_reference == "48-1"
