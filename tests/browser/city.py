"""A small city for browser tests: two schools, a plan, a catalogue, two budgets, and people of every role."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core import clock
from apps.funding.models import Budget
from apps.inventory.models import Product
from apps.inventory.services import add_devices
from apps.quotas.services import recalculate_stale
from apps.schools.models import School
from tests.factories import DeviceKindFactory, ProductFactory, SchoolFactory, UserFactory
from tests.funding.factories import BudgetFactory
from tests.quotas.factories import count_pupils, make_plan

PRICE = Decimal("489.00")


@dataclass(frozen=True)
class City:
    """60 devices for 300 pupils: 20.0 percent; the first school has 10 for 100 and belongs to the coordinator."""

    school: School
    other_school: School
    product: Product
    budget: Budget
    people: dict[str, User]


def make_city() -> City:
    year = clock.today().year
    make_plan(f"{year}-01-01", f"{year + 4}-12-31")
    school, other = SchoolFactory(short_name="Talschule"), SchoolFactory(short_name="Bergschule")
    people = {
        role.value: UserFactory(
            role=role, name=str(role.label), email=f"{role.value}@stadt.example",
            schools=[school] if role in {Role.COORDINATOR, Role.SCHOOL_STAFF} else [],
        )
        for role in Role
        if role != Role.ADMIN
    }  # fmt: skip
    people["admin"] = User.objects.get(role=Role.ADMIN)
    product = ProductFactory(kind=DeviceKindFactory(), manufacturer="Muster", model="Tablet 11", gross_price=PRICE)
    since = datetime.date(year, 1, 1)
    for place, pupils, devices in ((school, 100, 10), (other, 200, 50)):
        count_pupils(place, pupils, f"{year - 1}-10-15")
        add_devices(product=product, quantity=devices, by=people["it_support"], school=place, since=since)
    budget = BudgetFactory(name="Digitale Ausstattung", fiscal_year=year, appropriation=Decimal("10000.00"))
    recalculate_stale()
    return City(school, other, product, budget, people)
