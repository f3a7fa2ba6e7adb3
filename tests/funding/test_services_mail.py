"""What the school is told: who gets it, what the subject says, what the first line says."""

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import translation
from post_office.models import Email

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.calculations import LineDecision
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from apps.schools.models import Membership
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory, SchoolStaffFactory
from tests.funding.factories import BudgetFactory, decide, make_application

pytestmark = pytest.mark.django_db
S = ApplicationState


def mail() -> Email:
    return Email.objects.get()


def link(application: EquipmentApplication) -> str:
    return f"{settings.PORTAL_URL}/applications/{application.pk}/"


def test_an_approval_says_how_much_and_line_by_line() -> None:
    application = make_application(title="Tablets & „mehr“ <5a>", lines=[("499.99", 10), ("0.01", 1)])
    by = ApproverFactory(name="Kim Beispiel", email="kim@stadt.example")
    first, second = [line.product for line in application.lines.order_by("pk")]

    with translation.override("en"):
        services.approve(application=application, by=by, decisions=decide(application, BudgetFactory()))

    assert mail().to == [application.created_by.email]
    assert mail().subject == "Genehmigt: Antrag „Tablets & „mehr“ <5a>“, 4.999,91 €"
    assert mail().message.splitlines()[0] == "Ihr Antrag „Tablets & „mehr“ <5a>“ ist genehmigt: 4.999,91\u202f€."
    assert f"- {first}: 10 von 10 genehmigt, 4.999,90\u202f€" in mail().message
    assert f"- {second}: 1 von 1 genehmigt, 0,01\u202f€" in mail().message
    assert f"Schule: {application.school.short_name}" in mail().message
    assert link(application) in mail().message
    assert "Fragen beantwortet Kim Beispiel, kim@stadt.example." in mail().message
    assert "Begründung" not in mail().message


def test_an_approval_in_part_says_of_how_much_and_why() -> None:
    application = make_application(lines=[("100.00", 10), ("50.00", 1)])
    budget = BudgetFactory()
    first, second = application.lines.order_by("pk")
    decisions = [LineDecision(first.pk, 4, budget.pk), LineDecision(second.pk, 0, note="Liegt im Lager.")]

    services.approve(application=application, by=ApproverFactory(), decisions=decisions, reason="Mehr geht nicht.")

    assert mail().subject == f"Teilweise genehmigt: Antrag „{application.title}“, 400,00 € von 1.050,00 €"
    assert mail().message.splitlines()[0] == (
        f"Ihr Antrag „{application.title}“ ist teilweise genehmigt: 400,00\u202f€ von 1.050,00\u202f€."
    )
    assert "Begründung:\nMehr geht nicht.\n" in mail().message
    assert f"- {first.product}: 4 von 10 genehmigt, 400,00\u202f€\n" in mail().message
    assert f"- {second.product}: 0 von 1 genehmigt, 0,00\u202f€\n  Liegt im Lager.\n" in mail().message


def test_a_rejection_gives_the_reason() -> None:
    application = make_application()

    services.reject(application=application, by=ClerkFactory(), reason="Ihre Quote liegt über dem Ziel.")

    assert mail().subject == f"Abgelehnt: Antrag „{application.title}“"
    assert mail().message.splitlines()[0] == f"Ihr Antrag „{application.title}“ ist abgelehnt."
    assert "Begründung:\nIhre Quote liegt über dem Ziel.\n" in mail().message
    assert link(application) in mail().message


def test_a_question_is_in_the_mail() -> None:
    application = make_application()

    services.return_with_question(application=application, by=ClerkFactory(), question="Für welche Klassen?")

    assert mail().subject == f"Rückfrage zum Antrag „{application.title}“"
    assert mail().message.splitlines()[0].startswith(f"Zu Ihrem Antrag „{application.title}“ gibt es eine Rückfrage.")
    assert "Rückfrage:\nFür welche Klassen?\n" in mail().message
    assert link(application) in mail().message


@pytest.mark.parametrize("gone", ["inactive", "moved"])
def test_if_the_submitter_is_gone_all_active_coordinators_of_the_school_are_told(gone: str) -> None:
    application = make_application()
    submitter = application.submitted_by
    assert submitter is not None
    if gone == "inactive":
        submitter.is_active = False
        submitter.save()
    else:
        Membership.objects.filter(user=submitter).delete()
    others = [CoordinatorFactory(schools=[application.school]) for _ in range(2)]
    CoordinatorFactory(schools=[application.school], is_active=False)
    CoordinatorFactory()
    SchoolStaffFactory(schools=[application.school])

    services.reject(application=application, by=ClerkFactory(), reason="Nein.")

    assert sorted(email.to[0] for email in Email.objects.all()) == sorted(person.email for person in others)
    assert all(len(email.to) == 1 for email in Email.objects.all())


def test_a_school_without_anybody_is_decided_all_the_same() -> None:
    application = make_application()
    Membership.objects.all().delete()

    services.reject(application=application, by=ClerkFactory(), reason="Nein.")

    assert not Email.objects.exists()


def test_no_mail_without_a_decision() -> None:
    application = make_application(lines=[("100.00", 1)])

    with pytest.raises(DomainError):
        services.approve(
            application=application, by=ApproverFactory(), decisions=decide(application, BudgetFactory(appropriation=1))
        )
    with transaction.atomic():
        services.reject(application=application, by=ClerkFactory(), reason="Nein.")
        transaction.set_rollback(True)

    assert not Email.objects.exists()
