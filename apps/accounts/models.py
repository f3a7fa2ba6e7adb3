"""Who is it: a person with one role, known by e-mail address."""

from collections.abc import Iterable

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.choices import Role
from apps.accounts.querysets import UserManager
from apps.core.clock import now
from apps.core.permissions import permissions_of


class User(AbstractBaseUser):
    """A person who signs in. What they may do follows from the role alone (apps/*/permissions.py)."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=32, choices=Role)
    is_active = models.BooleanField(_("may sign in"), default=True)
    date_joined = models.DateTimeField(_("created at"), default=now, editable=False)

    objects = UserManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_one_person_per_address",
                violation_error_message=_("A person with this e-mail address exists already."),
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values),
                name="accounts_known_role",
                violation_error_message=_("Please choose a role."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """May open the admin: the office, the auditor and the system administrator."""
        return self.has_perm("accounts.open_admin")

    @property
    def is_superuser(self) -> bool:
        """Nobody stands above the permission tables."""
        return False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and perm in permissions_of(self.role)

    def get_all_permissions(self, obj: object = None) -> frozenset[str]:
        return permissions_of(self.role) if self.is_active else frozenset()

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(perm.startswith(f"{app_label}.") for perm in permissions_of(self.role))
