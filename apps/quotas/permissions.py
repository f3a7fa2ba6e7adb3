"""Everybody who works with equipment reads the figures of their schools; targets are reference data."""

from apps.accounts.choices import CITY_ROLES, Role
from apps.core.permissions import ALL_ACTIONS, model_permissions

_READ = model_permissions("quotas", "quotafigure", "mediadevelopmentplan", "targetgroup", "targetgroupmember", "target")
_KEEP = model_permissions("quotas", "mediadevelopmentplan", "targetgroup", "targetgroupmember", "target",
                          actions=ALL_ACTIONS)  # fmt: skip

ROLE_PERMISSIONS: dict[str, frozenset[str]] = dict.fromkeys((*CITY_ROLES, Role.COORDINATOR), _READ) | {
    Role.ADMIN: _READ | _KEEP,
}
