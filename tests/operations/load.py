"""Work that a crash may interrupt, in a process of its own; each line says what was confirmed to it.

`prepare N` makes N submitted applications, `work ...` approves each and adds a device with a number of its own.
"""

import json
import sys
import time

import django

django.setup()

from django.db import InterfaceError, OperationalError, connection  # noqa: E402 - Django first

from apps.accounts.choices import Role  # noqa: E402
from apps.accounts.models import User  # noqa: E402
from apps.core.errors import DomainError  # noqa: E402
from apps.funding import services as funding  # noqa: E402
from apps.funding.models import Budget, EquipmentApplication  # noqa: E402
from apps.inventory import services as inventory  # noqa: E402
from apps.inventory.models import Product  # noqa: E402
from apps.quotas.services import recalculate_stale  # noqa: E402
from tests.factories import CoordinatorFactory, ProductFactory, SchoolFactory, UserFactory  # noqa: E402
from tests.funding.factories import BudgetFactory, decide, make_application  # noqa: E402
from tests.quotas.factories import count_pupils, make_plan  # noqa: E402

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.2


def prepare(number: int) -> list[int]:
    """A city with two schools, a budget that covers all, and people for the browser."""
    make_plan()
    schools = [SchoolFactory(), SchoolFactory()]
    for school in schools:
        count_pupils(school, 100)
    people = [CoordinatorFactory(schools=[school]) for school in schools]
    ProductFactory()
    UserFactory(role=Role.OFFICE_APPROVER, email="freigabe@stadt.example")
    BudgetFactory(appropriation="1000000.00")
    rows = [
        make_application(school=schools[place % 2], by=people[place % 2], lines=[("100.00", 1)])
        for place in range(number)
    ]
    recalculate_stale()
    return [row.pk for row in rows]


def work(keys: list[int]) -> None:
    """Approves and adds until each is confirmed or found done; never gives up within its patience."""
    by, budget = User.objects.get(email="freigabe@stadt.example"), Budget.objects.get()
    product = Product.objects.order_by("pk").last()
    for key in keys:
        until_done("approved", key, lambda key=key: approve(key, by, budget))
        until_done("added", key, lambda key=key: add(key, by, product))


def approve(key: int, by: User, budget: Budget) -> None:
    row = EquipmentApplication.objects.get(pk=key)
    funding.approve(application=row, by=by, decisions=decide(row, budget))


def add(key: int, by: User, product: Product | None) -> None:
    assert product is not None
    school = EquipmentApplication.objects.get(pk=key).school
    inventory.add_device(product=product, by=by, tag=f"LAST-{key}", school=school)


def until_done(what: str, key: int, step: object) -> None:
    """One step until it is confirmed; `found` when an attempt whose answer was lost had been written."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    attempts = 0
    while time.monotonic() < deadline:
        began, attempts = time.monotonic(), attempts + 1
        try:
            step()  # type: ignore[operator]
        except (OperationalError, InterfaceError):
            connection.close()
            say(what="lost", key=key)
            time.sleep(PAUSE_SECONDS)
        except DomainError as error:
            say(what="found" if attempts > 1 else "refused", key=key, step=what, reason=str(error))
            return
        else:
            say(what=what, key=key, seconds=time.monotonic() - began)
            return
    say(what="given up", key=key)


def say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    if task == "prepare":
        say(applications=prepare(int(given[0])))
    else:
        work([int(key) for key in given])
