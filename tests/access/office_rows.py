"""Rows of the small city that belong to no school: catalogue, money, papers, and what the portal itself keeps."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile

from apps.accounts.choices import Role
from apps.core import clock
from apps.core.models import (
    ContactMessage,
    ImportMapping,
    ImportRow,
    ImportRun,
    ImportState,
    Job,
    JobState,
    PortalText,
    RowAction,
)
from apps.funding import services as funding
from apps.funding.carry_over import year_to_close
from apps.funding.choices import ProofState, ReasonKind, RuleKind
from apps.funding.models import AwardThreshold, Budget, DatedRule, Drawdown, ReasonTemplate
from apps.inventory.models import SerialPattern
from apps.schools.models import ItStaffing, Platform
from tests.factories import DeviceKindFactory, KitFactory, ProductFactory, UserFactory
from tests.funding.factories import BudgetFactory, GrantFactory, RoundFactory
from tests.funding.papers import make_proof, pay

if TYPE_CHECKING:
    from tests.access.world import World


def make_catalogue(world: World) -> None:
    world.shared["devicekind"] = DeviceKindFactory()
    world.shared["other_kind"] = DeviceKindFactory(projector=True)
    world.shared["platform"] = Platform.objects.create(name="Plattform")
    world.shared["itstaffing"] = ItStaffing.objects.create(year=2020, full_time_posts=2)
    world.shared["product"] = ProductFactory(kind=world.shared["devicekind"])
    world.shared["serialpattern"] = SerialPattern.objects.create(
        manufacturer="Nordwerk", pattern="[A-Z0-9]{12}", example="A1B2C3D4E5F6"
    )
    world.shared["kit"] = KitFactory(parts=[(world.shared["product"], 1)])
    world.shared["authority"] = world.people[Role.COORDINATOR].memberships.get().school.authority
    world.shared["school_type"] = world.people[Role.COORDINATOR].memberships.get().school.school_type


def make_money(world: World, year: int) -> None:
    approver = world.people[Role.OFFICE_APPROVER]
    grant = GrantFactory(file_reference="Geldwort 1", programme__name="Programm Geldwort", lucom_number="Geldwort")
    clerk = world.people[Role.OFFICE_CLERK]
    change = funding.propose_budget(
        by=clerk, reason="Grund Geldwort", name="Ansatz Geldwort", fiscal_year=year, appropriation=500_000
    )
    budget = funding.confirm_change(change=change, by=approver).budget
    waiting = funding.propose_edit(budget=budget, by=clerk, reason="Grund Geldwort", supplement=Decimal("5.00"))
    own = funding.propose_edit(budget=budget, by=approver, reason="Grund Geldwort", freeze=Decimal("5.00"))
    granted = BudgetFactory(name="Zuwendung Geldwort", fiscal_year=year, grant=grant)
    template = ReasonTemplate.objects.create(name="Wortlautwort", kind=ReasonKind.REJECT, text="Wortlautwort")
    days = datetime.timedelta
    world.shared["applicationround"] = RoundFactory(
        name="Runde", opens_on=clock.today() - days(60), closes_on=clock.today() - days(30)
    )
    world.shared |= {"budget": budget, "grant": grant, "programme": grant.programme, "reasontemplate": template}
    group = {"virement_group": "Kreis Geldwort"}
    Budget.objects.filter(pk=budget.pk).update(**group)
    world.shared["sister_budget"] = BudgetFactory(name="Geschwister Geldwort", fiscal_year=year, **group)
    world.shared["last_budget"] = BudgetFactory(name="Vorjahr Geldwort", fiscal_year=year_to_close())
    world.shared |= {"budgetchange": waiting, "own_budgetchange": own, "datedrule": _rule()}
    world.shared["waiting_rule"] = DatedRule.objects.create(
        kind=RuleKind.SECOND_APPROVER_FROM,
        valid_from=clock.today() + days(1),
        source="Satzung Geldwort",
        proposed_by=clerk,
    )
    world.shared["awardthreshold"] = AwardThreshold.objects.create(
        valid_from=clock.today() + days(1), procedure="Verfahren Geldwort", source="Satzung Geldwort"
    )
    _papers(world, (granted, budget))


def _rule() -> DatedRule:
    """A rule of the office's own: those of the migrations are gone where a test empties the tables."""
    return DatedRule.objects.create(
        kind=RuleKind.LOW_VALUE_ASSET_LIMIT,
        valid_from=clock.today() + datetime.timedelta(days=1),
        value=Decimal("800.00"),
        source="Satzung Geldwort",
    )


def _papers(world: World, budgets: tuple[Budget, Budget]) -> None:
    """Three paid vouchers: one to be drawn, one in a draft, one in a drawdown that was requested; two proofs of use."""
    grant, by = world.shared["grant"], world.people[Role.OFFICE_APPROVER]
    lines = [pay(grant, budgets) for _number in range(3)]
    draft, requested = (funding.create_drawdown(grant=grant, lines=[line.pk], by=by) for line in lines[:2])
    funding.request_drawdown(drawdown=requested, by=by)
    other = GrantFactory(file_reference="Geldwort 2", programme=grant.programme)
    world.shared |= {
        "drawdown": draft,
        "drawdown_called": Drawdown.objects.get(pk=requested.pk),
        "proof": funding.create_proof(grant=grant, by=by),
        "proof_handed_in": make_proof(ProofState.HANDED_IN, grant=other),
    }


def make_portal_rows(world: World) -> None:
    """Rows of `core` that belong to no school."""
    account = UserFactory(role=Role.COORDINATOR, name="Herr Kontowort")
    job = Job.objects.create(kind="test.job", state=JobState.FAILED, error="Laufwort", ended_at=clock.now())
    text = PortalText.objects.create(key="privacy", language="en", text="We keep little.", reviewed_on=clock.today())
    message = ContactMessage.objects.create(email="a@b.example", text="Zuschriftwort")
    run = ImportRun.objects.create(
        source="schuldaten", permission="schools.import_schools", file_name="Dateiwort.csv", file="imports/kept.csv",
        state=ImportState.CHECKED, counts={RowAction.NEW: 1}, options={"authority": "10315"},
    )  # fmt: skip
    ImportRow.objects.create(run=run, line=2, key="100009", label="Schule Dateiwort", action=RowAction.NEW)
    mapping = ImportMapping.objects.create(
        source="devices", permission="inventory.import_devices", name="Zuordnungswort", signature="0" * 64,
        header=["Ser.-Nr. laut Liste"], fields=["serial"],
    )  # fmt: skip
    listed = ImportRun(
        source="devices", permission="inventory.import_devices", file_name="Geraetewort.csv",
        state=ImportState.CHECKED, options={},
    )  # fmt: skip
    listed.file.save("devices.csv", ContentFile(b"Seriennummer;Zimmer\nS1;R 1\n"))
    world.shared |= {"importmapping": mapping, "devicelist": listed}
    world.shared |= {"user": account, "job": job, "portaltext": text, "contactmessage": message, "importrun": run}
