"""What each role may do, collected from the apps' own tables.

Every app has `permissions.py` with `ROLE_PERMISSIONS: dict[str, frozenset[str]]` and registers it in its
AppConfig. `User.has_perm` asks here; there are no groups and no permission rows.
A permission reads "<app>.<action>" or, for the admin, Django's "<app>.view_<model>" etc.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

_granted: defaultdict[str, set[str]] = defaultdict(set)


def register(table: Mapping[str, Iterable[str]]) -> None:
    """Adds one app's table: role code -> permissions."""
    for role, permissions in table.items():
        _granted[role].update(permissions)


def permissions_of(role: str) -> frozenset[str]:
    """All permissions of a role; empty for an unknown one."""
    return frozenset(_granted.get(role, ()))


def model_permissions(app: str, *models: str, actions: Iterable[str] = ("view",)) -> frozenset[str]:
    """Django's names for model permissions: `model_permissions("schools", "school", actions=("view", "change"))`."""
    return frozenset(f"{app}.{action}_{model}" for model in models for action in actions)


ALL_ACTIONS = ("view", "add", "change", "delete")
EDIT = ("view", "add", "change")
