"""The one scope: `Model.objects.visible_to(user)` is the only way to rows for a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class ScopedQuerySet(models.QuerySet[_Row]):
    """Rows with a scope. Subclasses say in `_visible_to` what a signed-in person may see."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> ScopedQuerySet[_Row]:
        """The rows that this person may see; none for anonymous or inactive people."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self._visible_to(user)

    def _visible_to(self, user: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say what a person may see")

    def get_visible_or_404(self, user: AbstractBaseUser | AnonymousUser, **lookup: Any) -> _Row:
        """One row inside the person's scope; 404 outside of it, as if it did not exist."""
        return get_object_or_404(self.visible_to(user), **lookup)


class ReferenceQuerySet(ScopedQuerySet[_Row]):
    """Reference data that every signed-in person may see."""

    def _visible_to(self, user: Any) -> Any:
        return self.all()


def ensure_still_visible(row: models.Model, user: Any) -> None:
    """After a write: the row must still lie inside the writer's scope, else nothing is written.

    Call inside the writing transaction; raises `DomainError`.
    """
    if not type(row)._default_manager.visible_to(user).filter(pk=row.pk).exists():  # type: ignore[attr-defined]
        raise DomainError(_("You may not do this for the chosen school. Please choose one of your schools."))
