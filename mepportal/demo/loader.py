"""Loads the demonstration city once, in one transaction: stopped midway, nothing is left."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.jobs import running
from apps.core.models import Job, JobState
from apps.funding.models import Budget
from apps.quotas.services import recalculate_stale
from mepportal.demo.applications import load_applications
from mepportal.demo.catalogue import load_catalogue
from mepportal.demo.devices import load_devices
from mepportal.demo.loans import load_loans
from mepportal.demo.money import load_budgets, load_carry_over
from mepportal.demo.network import load_network
from mepportal.demo.past_budgets import load_pots
from mepportal.demo.payments import load_payments
from mepportal.demo.people import load_people, new_password, renew_password, write_sign_ins
from mepportal.demo.plan import load_plans
from mepportal.demo.proofs import load_drawdowns, load_proofs
from mepportal.demo.rounds import load_rounds
from mepportal.demo.schools import load_schools
from mepportal.demo.stocktakes import load_stocktakes
from mepportal.demo.tickets import load_tickets

KIND = "demo.load"
SIGN_INS = "demo.json"


def is_loaded() -> bool:
    return Job.objects.filter(kind=KIND, state=JobState.DONE).exists()


def load(say: Callable[[str], None]) -> None:
    """Everything, with a line for each step. `DomainError` when the database holds other data already."""
    if User.objects.exists():
        raise DomainError("The database holds data already; the demonstration needs an empty one.")
    password = new_password()
    with transaction.atomic(), running(KIND):
        schools = load_schools()
        say(f"{len(schools)} municipal schools and 7 others")
        say(f"{load_network(schools)} sites on fibre")
        people = load_people(schools, password=password)
        say(f"{User.objects.count()} people")
        load_plans(by=people.clerk)
        catalogue = load_catalogue(by=people.support)
        say(f"{load_devices(schools, catalogue, people)} devices with their moves since 2014")
        say(f"{load_loans(people)} loans")
        say(f"{load_stocktakes(people)} stocktakes")
        budgets = load_budgets(people)
        rounds = load_rounds(people=people)
        payments = load_payments(load_pots(by=people.approver), people)
        load_carry_over(people)
        say(f"{Budget.objects.count()} budgets, {payments} entries of earlier years")
        say(f"{load_drawdowns(people)} drawdowns, {load_proofs(people)} proofs of use")
        say(f"{load_applications(schools, catalogue.present, people, budgets, rounds)} applications")
        say(f"{load_tickets(schools, people)} tickets")
    recalculate_stale()
    say("quotas calculated")
    write_sign_ins(settings.VAR_DIR / SIGN_INS, password=password)


def ensure_sign_ins() -> bool:
    """Writes the sign-ins again, with a new password, when their file is gone; whether it did."""
    path = settings.VAR_DIR / SIGN_INS
    if path.exists():
        return False
    password = new_password()
    with transaction.atomic():
        renew_password(password)
    write_sign_ins(path, password=password)
    return True
