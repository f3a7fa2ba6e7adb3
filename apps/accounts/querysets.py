from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import BaseUserManager

from apps.accounts.choices import Role
from apps.core.permissions import permissions_of
from apps.core.querysets import ScopedQuerySet


class UserQuerySet(ScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> UserQuerySet:
        """The whole list for those who keep or audit accounts; everybody sees themself."""
        return self.all() if user.has_perm("accounts.view_user") else self.filter(pk=user.pk)

    def with_permission(self, permission: str) -> UserQuerySet:
        """Active people whose role grants a permission."""
        roles = [role.value for role in Role if permission in permissions_of(role.value)]
        return self.filter(is_active=True, role__in=roles)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # built at run time
    use_in_migrations = False

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Any:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Any:
        """The first system administrator (`manage.py createsuperuser`)."""
        return self.create_user(email, password, role=Role.ADMIN, **fields)

    def get_by_natural_key(self, email: str) -> Any:
        return self.get(email__iexact=email)
