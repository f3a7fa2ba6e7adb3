"""Who applies, who decides, who sees the city's money. Services check who submitted on top of this."""

from apps.accounts.choices import Role
from apps.core.permissions import ALL_ACTIONS, EDIT, model_permissions

_APPLICATIONS = model_permissions(
    "funding", "equipmentapplication", "applicationline", "applicationmessage", "applicationstatuschange"
)
_MONEY = model_permissions(
    "funding", "budget", "grant", "fundingprogramme", "ledgerentry", "reservation", "lineallocation"
)
_KEEP_GRANTS = model_permissions("funding", "grant", "fundingprogramme", actions=EDIT)
_KEEP_BUDGETS = model_permissions("funding", "budget", actions=EDIT)
_WORDING = model_permissions("funding", "reasontemplate", actions=ALL_ACTIONS)
_DESK = frozenset({"funding.work_queue", "funding.return_application", "funding.reject_application",
                   "funding.reserve_budget"})  # fmt: skip

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.COORDINATOR: _APPLICATIONS | {"funding.see_drafts", "funding.draft_application", "funding.submit_application"},
    Role.OFFICE_CLERK: _APPLICATIONS | _MONEY | _KEEP_GRANTS | _DESK | _WORDING,
    Role.OFFICE_APPROVER: _APPLICATIONS
    | _MONEY
    | _KEEP_GRANTS
    | _KEEP_BUDGETS
    | _DESK
    | _WORDING
    | {"funding.approve_application", "funding.overrun_budget"},
    Role.HEAD: _APPLICATIONS | _MONEY,
    Role.AUDITOR: _APPLICATIONS | _MONEY | model_permissions("funding", "reasontemplate") | {"funding.see_drafts"},
}
