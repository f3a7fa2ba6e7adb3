"""Who sees and keeps devices. Coordinators act on the devices of their own schools only.

Besides the admin's names: `move_device`, `retire_device`, `use_depot` (put devices into the depot, add them there),
`see_depot`, `classify_device` (give a device another kind, which decides what it counts as), `bind_device` (say until
when a grant binds a device), `dispose_bound_device` (let a bound device go, or end its binding early, with a reason),
`print_labels`, `run_stocktake` (begin, scan, settle, close), `plan_replacement` (be reminded by mail of what falls
due), `import_devices` (take in lists of devices of all schools of the own authority), `keep_loans` (hand out, take
back, extend, report lost), `see_borrower` (the name, where the city stores names at all). The head sees no loans.
"""

from apps.accounts.choices import Role
from apps.core.permissions import EDIT, model_permissions

_CATALOGUE_MODELS = ("devicekind", "product", "productprice", "kit", "kitpart", "serialpattern")
_READ = model_permissions("inventory", "device", "placement", "stocktake", *_CATALOGUE_MODELS)
_KEEP = frozenset(f"inventory.{action}_device" for action in ("add", "change", "move", "retire")) | {
    "inventory.print_labels",
    "inventory.run_stocktake",
}
_DEPOT = frozenset({"inventory.see_depot", "inventory.use_depot", "inventory.classify_device"})
_BIND = frozenset({"inventory.bind_device"})
_IMPORT = (
    model_permissions("core", "importrun", "importrow")
    | model_permissions("core", "importmapping", actions=("view", "change", "delete"))
    | {"inventory.import_devices"}
)
_CATALOGUE = model_permissions("inventory", *_CATALOGUE_MODELS, actions=EDIT) | {"inventory.delete_kitpart"}
_LOANS = frozenset({"inventory.view_loan", "inventory.keep_loans", "inventory.see_borrower"})
_RULES = model_permissions("inventory", "loanrules", actions=EDIT)
_OFFICE = _READ | _KEEP | _DEPOT | _CATALOGUE | _IMPORT | _BIND | _LOANS | {"inventory.plan_replacement"}

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.COORDINATOR: _READ | _KEEP | _LOANS,
    Role.OFFICE_CLERK: _OFFICE,
    Role.OFFICE_APPROVER: _OFFICE | {"inventory.dispose_bound_device"},
    Role.HEAD: _READ | {"inventory.see_depot"},
    Role.IT_SUPPORT: _READ | _KEEP | _DEPOT | _LOANS,
    Role.AUDITOR: _READ | {"inventory.see_depot", "inventory.view_loan", "inventory.view_loanrules"},
    Role.ADMIN: _READ | _CATALOGUE | _RULES | {"inventory.see_depot"},
}
