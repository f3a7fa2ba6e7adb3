"""What a grant paid for is bound by its notices, whatever came first: the devices, or the end of the earmarking."""

import datetime
import threading
import time
import uuid
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.funding import services
from apps.funding.models import Grant, OrderLine, ProofOfUse
from apps.funding.proof_selectors import figures_of
from apps.funding.proof_words import gap_label, gap_verb
from apps.inventory import services as inventory
from apps.inventory.models import Device
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import GrantFactory
from tests.funding.papers import make_grant, make_proof, money_of, pay
from tests.funding.portal import client_of, texts
from tests.funding.purchases import approved, lines_for, placed_order, scan_in
from tests.funding.purchases import money_of as budgets_of
from tests.funding.test_concurrency import all_at_once

DAY = datetime.date
END = DAY(2031, 12, 31)
FIVE_YEARS: dict[str, Any] = {"implementation_until": DAY(2026, 12, 31), "earmarking_years": 5}


@pytest.fixture
def clerk(db: None) -> User:
    return ClerkFactory()


def ordered(grant: Grant, pieces: int) -> OrderLine:
    """An order's line of so many tablets, paid by the grant."""
    budget, own = budgets_of(grant)
    return placed_order(*lines_for(approved(("100.00", pieces), budget=budget, own=own))).lines.get()


def notice(grant: Grant, by: User, **values: Any) -> None:
    services.record_change_notice(
        grant=grant, by=by, notice_on=DAY(2026, 3, 1), reason="Zweckbindung festgesetzt", **values or FIVE_YEARS
    )


def bound(devices: Any = None) -> list[tuple[Any, str]]:
    rows = Device.objects.order_by("pk") if devices is None else Device.objects.filter(pk__in=[d.pk for d in devices])
    return list(rows.order_by("pk").values_list("bound_until", "bound_by"))


def test_the_notice_that_first_says_until_when_binds_what_has_come(clerk: User) -> None:
    line = ordered(grant := GrantFactory(file_reference="DP2-1"), 5)
    first = scan_in(line, 3, by=clerk)
    other = scan_in(ordered(GrantFactory(), 1), by=clerk)
    assert bound() == [(None, "")] * 4

    notice(grant, clerk)
    scan_in(line, by=clerk)

    assert bound() == [(END, "DP2-1")] * 3 + [(None, "")] + [(END, "DP2-1")] * 2
    newest = first[0].history.first()
    assert (newest.bound_until, newest.history_user, newest.history_change_reason) == (
        END, clerk, "Zweckbindung festgesetzt",
    )  # fmt: skip
    assert other[0].history.count() == Device.history.filter(id=other[0].pk, bound_until=None).count()


def test_what_went_back_and_what_was_let_go_stays_free(clerk: User) -> None:
    line = ordered(grant := GrantFactory(file_reference="DP2-1"), 3)
    back, free, kept = scan_in(line, by=clerk)
    services.return_goods(order=line.order, by=clerk, reason="Defekt", devices=[back])
    notice(grant, clerk)
    inventory.bind_device(
        device=free, until=None, file_reference="", by=ApproverFactory(), reason="Widerruf des Bescheids"
    )

    notice(grant, clerk, implementation_until=DAY(2027, 6, 30))

    assert bound([back, free, kept]) == [(None, ""), (None, ""), (DAY(2032, 12, 31), "DP2-1")]


def test_a_notice_without_an_end_binds_nothing(clerk: User) -> None:
    line = ordered(grant := GrantFactory(), 1)
    scan_in(line, by=clerk)
    notice(grant, clerk, earmarking_years=5)
    assert bound() == [(None, "")]


@pytest.mark.django_db
def test_a_draft_of_a_proof_names_devices_without_a_binding() -> None:
    proof = make_proof(grant=make_grant())
    pay(proof.grant, money_of(proof.grant), devices=2, quantity=2)
    first = Device.objects.order_by("tag")[0]
    Device.objects.filter(pk=first.pk).update(bound_until=None, bound_by="")

    (gap,) = figures_of(proof).gaps

    assert (gap.kind, gap.target, gap.subject) == ("unbound", f"device:{first.tag}", f"{first.tag}, {first.product}")
    assert (gap_label(gap), gap_verb(gap)) == (
        "Gerät, das die Zuwendung nicht bindet", "Bindung eintragen oder im Bericht erklären",
    )  # fmt: skip
    office: Client = client_of(ApproverFactory())
    page = office.get(reverse("admin:funding_proofofuse_change", args=[proof.pk]))
    assert f'href="{reverse("inventory:binding", args=[first.tag])}"' in page.content.decode()
    assert "Gerät, das die Zuwendung nicht bindet" in texts(page)
    Grant.objects.update(earmarking_years=None)
    assert figures_of(ProofOfUse.objects.select_related("grant__programme").get()).gaps == []


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_devices_that_come_in_while_the_notice_is_recorded_are_bound() -> None:
    line, by = ordered(grant := GrantFactory(file_reference="DP2-1"), 2), ClerkFactory()
    session = services.begin_scan(order_line=line, by=by, token=uuid.uuid4())
    scans = [SentSerial(uuid.uuid4(), f"ZEITGLEICH-{number}") for number in range(2)]
    inventory.record_scans(session=session, scanned=scans, by=by)
    session.refresh_from_db()
    taken_in = threading.Event()

    def take_in() -> None:
        with transaction.atomic():
            inventory.take_in(session=session, revision=session.revision, by=by)
            taken_in.set()
            time.sleep(1)

    def record() -> None:
        taken_in.wait(30)
        notice(grant, by)

    assert all_at_once([take_in, record]) == ["done", "done"]
    assert bound() == [(END, "DP2-1")] * 2
