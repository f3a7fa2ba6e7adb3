from __future__ import annotations

import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import F, Q

from apps.core.querysets import ScopedQuerySet
from apps.core.text import sort_key

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


def serves_all(user: Any) -> bool:
    """Whether the person works for all schools of the city, and not only for those that they are entered for."""
    return user.has_perm("schools.scope_all") or user.has_perm("schools.scope_own_authority")  # type: ignore[no-any-return]  # users are Any here


class SchoolQuerySet(ScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> SchoolQuerySet:
        """Head, auditor and administrator: all; office and IT support: the own authority's; else memberships."""
        if user.has_perm("schools.scope_all"):
            return self.all()
        if user.has_perm("schools.scope_own_authority"):
            return self.filter(authority__is_own=True)
        return self.filter(memberships__user=user)

    def counted_on(self, day: datetime.date) -> SchoolQuerySet:
        """Schools that the quota counts on a day: of the own authority, real schools, open that day."""
        return self.filter(
            Q(opened_on__isnull=True) | Q(opened_on__lte=day),
            Q(closed_on__isnull=True) | Q(closed_on__gt=day),
            authority__is_own=True,
            school_type__is_school=True,
        )

    def due(self) -> SchoolQuerySet:
        """Schools whose stored figures may be behind their inputs; the others surely are not."""
        return self.filter(computed_version__lt=F("inputs_version"))

    def search(self, text: str) -> SchoolQuerySet:
        rows = self
        for word in sort_key(text).split():
            rows = rows.filter(search_text__contains=word)
        return rows


class SchoolScopedQuerySet(ScopedQuerySet[_Row]):
    """Rows that belong to a school; `permission` is needed on top of the school's scope."""

    permission: str = ""
    school_path = "school"

    def _visible_to(self, user: Any) -> Any:
        from apps.schools.models import School

        if self.permission and not user.has_perm(self.permission):
            return self.none()
        if user.has_perm("schools.scope_all"):
            return self.all()
        return self.filter(**{f"{self.school_path}__in": School.objects.visible_to(user)})


class SchoolDetailQuerySet(SchoolScopedQuerySet[Any]):
    """Sites, counts, indices: visible with their school."""


class SiteDetailQuerySet(SchoolScopedQuerySet[Any]):
    """Network of a site: visible with its school."""

    school_path = "site__school"


class MembershipQuerySet(SchoolScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> Any:
        """Who serves which school: for those who keep or audit accounts, and one's own."""
        if user.has_perm("schools.view_membership"):
            return super()._visible_to(user)
        return self.filter(user=user)
