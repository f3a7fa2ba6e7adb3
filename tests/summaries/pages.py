"""What is done and read on the pages of the start and the summary."""

import re

from apps.funding import services as funding
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.models import Budget


def plain(text: str) -> str:
    """The page's words, with all kinds of blanks and line breaks as one space."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def apply_for(city, quantity: int, title: str = "Tablets"):
    coordinator = city.people["coordinator"]
    application = funding.create_draft(
        by=coordinator, school=city.school, title=title, lines=[LineInput(city.product.pk, quantity)]
    )
    return funding.submit(application=application, by=coordinator)


def approve(city, application, quantity: int, budget: Budget | None = None):
    budget = budget or city.budget
    line = application.lines.get()
    return funding.approve(
        application=application,
        by=city.people["office_approver"],
        decisions=[LineDecision(line.pk, approved_quantity=quantity, budget_id=budget.pk)],
    )
