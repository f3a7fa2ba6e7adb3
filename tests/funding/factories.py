"""Applications and budgets for tests. Applications come through the services, so that each has its real past."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import factory
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState, RuleKind
from apps.funding.models import (
    ApplicationRound,
    Budget,
    BudgetChange,
    DatedRule,
    EquipmentApplication,
    FundingProgramme,
    Grant,
)
from apps.funding.services.steps import change_state
from apps.funding.workflow import GRANTED_STATES
from apps.schools.models import School
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory, ProductFactory, SchoolFactory

S = ApplicationState
FOLLOWING = {"order": S.ORDERED, "deliver": S.DELIVERED, "close": S.CLOSED}


class ProgrammeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = FundingProgramme
        django_get_or_create = ("code",)

    code = "digitalpakt"
    name = "DigitalPakt Schule"


class GrantFactory(factory.django.DjangoModelFactory):
    """Pays 90 percent."""

    class Meta:
        model = Grant

    programme = factory.SubFactory(ProgrammeFactory)
    file_reference = factory.Sequence(lambda n: f"48.2-{n:04d}")
    notice_on = datetime.date(2026, 1, 15)
    amount = Decimal("1000000.00")
    rate = Decimal("0.9000")


class BudgetFactory(factory.django.DjangoModelFactory):
    """Municipal money, 10,000 euros; `from_grant=True` is a grant's at 90 percent."""

    class Meta:
        model = Budget

    class Params:
        from_grant = factory.Trait(grant=factory.SubFactory(GrantFactory))

    name = factory.Sequence(lambda n: f"Ansatz {n}")
    fiscal_year = 2026
    appropriation = Decimal("10000.00")


def confirmed(change: BudgetChange, by: User | None = None, note: str = "") -> Budget:
    """The budget as it is once another person (a new approver if not given) has confirmed the change."""
    budget = services.confirm_change(change=change, by=by or ApproverFactory(), note=note).budget
    assert budget is not None
    return Budget.objects.get(pk=budget.pk)


def change_by_two(budget: Budget, **values: Any) -> Budget:
    """Proposed and confirmed by two new people, also a freeze of more than is free."""
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="Beschluss", beyond_free=True, **values)
    return confirmed(change, note="Haushaltssperre")


def allow_overrun(budget: Budget, amount: str) -> Budget:
    """Proposed and confirmed by two new people."""
    change = services.propose_overrun(
        budget=budget, amount=Decimal(amount), reason="Ratsbeschluss", by=ApproverFactory()
    )
    return confirmed(change)


def coordinator_of(school: School) -> User:
    """The school's first active coordinator, made if there is none."""
    found = User.objects.filter(role=Role.COORDINATOR, is_active=True, memberships__school=school).first()
    return found or CoordinatorFactory(schools=[school])


def make_application(
    state: ApplicationState = S.SUBMITTED,
    *,
    school: School | None = None,
    by: User | None = None,
    lines: Sequence[tuple[str, int]] = (("500.00", 2),),
    budget: Budget | None = None,
    **values: Any,
) -> EquipmentApplication:
    """An application in a state; `lines` as (price in euros, quantity), each of a product of its own.

    Decided ones are decided by a new approver; approved ones out of `budget` (a new one if not given). What comes
    after an approval is only said of it: no order stands behind it.
    """
    school = school or SchoolFactory()
    by = by or coordinator_of(school)
    inputs = [LineInput(ProductFactory(gross_price=Decimal(price)).pk, quantity) for price, quantity in lines]
    application = services.create_draft(
        by=by, school=school, **{"title": "Tablets für Jahrgang 5", "lines": inputs} | values
    )
    if state != S.DRAFT:
        application = services.submit(application=application, by=by)
    return brought_to(application, state, budget=budget)


def brought_to(
    application: EquipmentApplication, state: ApplicationState, *, budget: Budget | None = None
) -> EquipmentApplication:
    """A submitted application in a later state; see `make_application`."""
    office = ApproverFactory()
    if state == S.RETURNED:
        return services.return_with_question(application=application, by=office, question="Wofür genau?")
    if state == S.REJECTED:
        return services.reject(application=application, by=office, reason="Kein Bedarf.")
    if state == S.WITHDRAWN:
        return services.withdraw(application=application, by=application.created_by)
    if state in GRANTED_STATES:
        quantities = None if state != S.PARTIALLY_APPROVED else [1] * application.lines.count()
        decisions = decide(application, budget or BudgetFactory(), quantities=quantities)
        application = services.approve(application=application, by=office, decisions=decisions)
        for verb, then in FOLLOWING.items():
            if application.state == state:
                break
            change_state(application, verb, then, by=office)
            application.save(update_fields=["state"])
    return application


def decide(
    application: EquipmentApplication,
    budget: Budget | None,
    own: Budget | None = None,
    *,
    quantities: Sequence[int] | None = None,
) -> list[LineDecision]:
    """All lines out of one budget, in full or with these quantities."""
    lines = list(application.lines.order_by("pk"))
    return [
        LineDecision(line.pk, quantity, budget and budget.pk, own and own.pk)
        for line, quantity in zip(lines, quantities or [line.quantity for line in lines], strict=True)
    ]


class RoundFactory(factory.django.DjangoModelFactory):
    """Open since ten days ago, for twenty more."""

    class Meta:
        model = ApplicationRound

    name = factory.Sequence(lambda n: f"Runde {n}")
    opens_on = factory.LazyFunction(lambda: clock.today() - datetime.timedelta(days=10))
    closes_on = factory.LazyFunction(lambda: clock.today() + datetime.timedelta(days=20))


def pdf_file(name: str = "konzept.pdf", text: str = "Medienkonzept") -> SimpleUploadedFile:
    """The least that is taken for a PDF."""
    return SimpleUploadedFile(name, b"%PDF-1.7\n<</Type/Page>>\n" + text.encode() + b"\n%%EOF\n", "application/pdf")


def two_approve_from(amount: str | None, day: datetime.date = datetime.date(2026, 1, 1)) -> DatedRule:
    """The city's rule: from this sum on, two people approve; None switches it off from the day on."""
    value = None if amount is None else Decimal(amount)
    return DatedRule.objects.create(
        kind=RuleKind.SECOND_APPROVER_FROM, valid_from=day, value=value, source="Dienstanweisung"
    )
