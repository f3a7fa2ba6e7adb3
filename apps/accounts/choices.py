"""The roles; one per person."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    SCHOOL_STAFF = "school_staff", _("colleague at a school")
    COORDINATOR = "coordinator", _("IT coordinator")
    OFFICE_CLERK = "office_clerk", _("office clerk")
    OFFICE_APPROVER = "office_approver", _("office approver")
    HEAD = "head", _("department head")
    IT_SUPPORT = "it_support", _("IT support")
    AUDITOR = "auditor", _("auditor")
    ADMIN = "admin", _("system administrator")


SCHOOL_ROLES = frozenset({Role.SCHOOL_STAFF, Role.COORDINATOR})
OFFICE_ROLES = frozenset({Role.OFFICE_CLERK, Role.OFFICE_APPROVER})
CITY_ROLES = frozenset(Role) - SCHOOL_ROLES
