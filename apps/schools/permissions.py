"""Who sees which schools, and who keeps the reference data.

Scopes: `scope_all` every school on file, `scope_own_authority` the city's schools, otherwise memberships.
`view_city_network` opens the page of the whole city's network.
"""

from apps.accounts.choices import Role
from apps.core.permissions import EDIT, model_permissions

_NETWORK = ("fibreline", "roomnetwork", "platform", "platformstatus", "itstaffing")
_READ = model_permissions("schools", "school", "site", "pupilcount", "socialindex", "schoolauthority", "schooltype",
                          "pupilweight", *_NETWORK)  # fmt: skip
_CITY = frozenset({"schools.view_city_network"})
_PEOPLE = model_permissions("schools", "membership")
_IMPORT = model_permissions("core", "importrun", "importrow") | {"schools.import_schools"}
_KEEP = model_permissions("schools", "school", "site", "pupilcount", "socialindex", *_NETWORK, actions=EDIT)

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.SCHOOL_STAFF: _READ,
    Role.COORDINATOR: _READ,
    Role.OFFICE_CLERK: _READ | _CITY | _PEOPLE | _KEEP | _IMPORT | {"schools.scope_own_authority"},
    Role.OFFICE_APPROVER: _READ | _CITY | _PEOPLE | _KEEP | _IMPORT | {"schools.scope_own_authority"},
    Role.HEAD: _READ | _CITY | {"schools.scope_all"},
    Role.IT_SUPPORT: _READ | _CITY | _PEOPLE | {"schools.scope_own_authority"},
    Role.AUDITOR: _READ | _CITY | _PEOPLE | {"schools.scope_all"},
    Role.ADMIN: _READ
    | _CITY
    | _KEEP
    | model_permissions("schools", "schoolauthority", "schooltype", "pupilweight", actions=EDIT)
    | model_permissions("schools", "membership", actions=("view", "add", "change", "delete"))
    | _IMPORT
    | {"schools.scope_all"},
}
