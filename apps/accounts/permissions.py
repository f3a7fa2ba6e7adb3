"""Who may keep accounts, and who may see the portal's own rows of `core`."""

from apps.accounts.choices import Role
from apps.core.permissions import EDIT, model_permissions

_CORE_READ = model_permissions("core", "job", "portaltext", "contactmessage")

OPEN_ADMIN = "accounts.open_admin"

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMIN: _CORE_READ
    | {OPEN_ADMIN, "core.run_jobs"}
    | model_permissions("accounts", "user", actions=EDIT)
    | model_permissions("core", "portaltext", actions=EDIT)
    | model_permissions("core", "contactmessage", actions=("view", "change")),
    Role.AUDITOR: _CORE_READ
    | {OPEN_ADMIN}
    | model_permissions("accounts", "user")
    | model_permissions("core", "importrun", "importrow", "importmapping")
    | {"core.see_all_imports"},
    Role.OFFICE_CLERK: model_permissions("core", "job") | {OPEN_ADMIN},
    Role.OFFICE_APPROVER: model_permissions("core", "job") | {OPEN_ADMIN},
}
