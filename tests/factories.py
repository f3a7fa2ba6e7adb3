"""Rows for tests, named by what they are. Devices come from the service, so that their placements are right."""

from decimal import Decimal
from typing import Any

import factory
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.text import search_text, sort_key
from apps.inventory.models import Device, DeviceKind, Kit, Product, ProductPrice
from apps.inventory.placing import EARLIEST_DAY
from apps.inventory.services import add_device
from apps.schools.models import Membership, School, SchoolAuthority, SchoolType, Site

PASSWORD = "correct horse battery staple"


class SchoolAuthorityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SchoolAuthority
        django_get_or_create = ("number",)

    number = "10315"
    name = "Stadt Hamm"
    is_own = True


class ForeignAuthorityFactory(SchoolAuthorityFactory):
    number = "99001"
    name = "Anderer Schulträger"
    is_own = False


class SchoolTypeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SchoolType
        django_get_or_create = ("key",)

    key = "02"
    name = "Grundschule"


class SchoolFactory(factory.django.DjangoModelFactory):
    """A primary school of the city; `foreign=True` gives it another authority."""

    class Meta:
        model = School

    class Params:
        foreign = factory.Trait(authority=factory.SubFactory(ForeignAuthorityFactory))

    number = factory.Sequence(lambda n: f"{120000 + n:06d}")
    school_type = factory.SubFactory(SchoolTypeFactory)
    authority = factory.SubFactory(SchoolAuthorityFactory)
    short_name = factory.Sequence(lambda n: f"Schule {n:03d}")
    official_name = factory.LazyAttribute(lambda row: f"{row.short_name} der Stadt")
    sort_key = factory.LazyAttribute(lambda row: sort_key(row.short_name))
    search_text = factory.LazyAttribute(lambda row: search_text(row.number, row.short_name, row.official_name))


class SiteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Site

    school = factory.SubFactory(SchoolFactory)
    name = factory.Sequence(lambda n: f"Standort {n}")


class UserFactory(factory.django.DjangoModelFactory):
    """A person of a role; `schools=[...]` makes them serve these. Signs in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    role = Role.OFFICE_CLERK
    email = factory.Sequence(lambda n: f"person{n}@schule.example")
    name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(password=PASSWORD, **kwargs)

    @factory.post_generation
    def schools(self, create: bool, extracted: Any, **_kwargs: Any) -> None:
        for school in extracted or ():
            Membership.objects.create(user=self, school=school)


class CoordinatorFactory(UserFactory):
    role = Role.COORDINATOR


class SchoolStaffFactory(UserFactory):
    role = Role.SCHOOL_STAFF


class ClerkFactory(UserFactory):
    role = Role.OFFICE_CLERK


class ApproverFactory(UserFactory):
    role = Role.OFFICE_APPROVER


class HeadFactory(UserFactory):
    role = Role.HEAD


class SupportFactory(UserFactory):
    role = Role.IT_SUPPORT


class AuditorFactory(UserFactory):
    role = Role.AUDITOR


class AdminFactory(UserFactory):
    role = Role.ADMIN


class DeviceKindFactory(factory.django.DjangoModelFactory):
    """A kind of pupils' devices; `projector=True` is one of presentation devices, `printer=True` counts for nothing."""

    class Meta:
        model = DeviceKind
        django_get_or_create = ("code",)

    class Params:
        projector = factory.Trait(code="projector", name="Beamer", countable=False, presentation=True)
        printer = factory.Trait(code="printer", name="Drucker", countable=False)

    code = "tablet"
    name = "Tablet"
    countable = True
    presentation = False
    years_of_use = 5


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    kind = factory.SubFactory(DeviceKindFactory)
    manufacturer = "Musterwerk"
    model = factory.Sequence(lambda n: f"Modell {n}")
    gross_price = Decimal("449.00")

    @classmethod
    def _create(cls, model_class: type[Product], *args: Any, **kwargs: Any) -> Product:
        """Its price holds since always; `gross_price=None` leaves it without one."""
        price = kwargs.pop("gross_price")
        product: Product = super()._create(model_class, *args, **kwargs)
        if price is not None:
            ProductPrice.objects.create(product=product, gross_price=price, valid_from=EARLIEST_DAY)
        return product


class KitFactory(factory.django.DjangoModelFactory):
    """A kit; `parts=[(product, quantity), ...]`."""

    class Meta:
        model = Kit
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Set {n}")

    @factory.post_generation
    def parts(self, create: bool, extracted: Any, **_kwargs: Any) -> None:
        for product, quantity in extracted or ():
            self.parts.create(product=product, quantity=quantity)


class DeviceFactory(factory.Factory):
    """A device through `services.add_device`; without `school` it lies in the depot. `by`: an office clerk."""

    class Meta:
        model = Device

    product = factory.SubFactory(ProductFactory)
    by = factory.SubFactory(ClerkFactory)

    @classmethod
    def _create(cls, model_class: type[Device], *args: Any, **kwargs: Any) -> Device:
        return add_device(**kwargs)


def photo_file(name: str = "schaden.jpg") -> SimpleUploadedFile:
    """The smallest thing that begins as a JPEG does."""
    return SimpleUploadedFile(name, b"\xff\xd8\xff\xe0" + bytes(32) + b"\xff\xd9", content_type="image/jpeg")
