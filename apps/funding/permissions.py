"""Who applies, who decides, who buys and pays, who sees the city's money.

Services check on top of this that a second person is another one. To add or change a budget is to propose it.
"""

from apps.accounts.choices import Role
from apps.core.permissions import ALL_ACTIONS, EDIT, model_permissions

_APPLICATIONS = model_permissions(
    "funding", "equipmentapplication", "applicationline", "applicationmessage", "applicationstatuschange",
    "applicationround", "mediaconcept",
)  # fmt: skip
_PURCHASES = ("supplier", "frameworkcontract", "order", "orderline", "orderstatuschange", "delivery", "delivereditem",
              "purchaseddevice")  # fmt: skip
_PAPERS = ("invoice", "invoiceline", "drawdown", "drawdownitem", "proofofuse", "proofhandingin")
_MONEY = model_permissions(
    "funding", "budget", "budgetchange", "grant", "grantchange", "fundingprogramme", "ledgerentry", "reservation",
    "lineallocation", "approvalproposal", "datedrule", "awardthreshold", *_PURCHASES, *_PAPERS,
)  # fmt: skip
_KEEP_GRANTS = model_permissions("funding", "grant", "fundingprogramme", actions=EDIT)
_PROPOSE_BUDGETS = model_permissions("funding", "budget", actions=EDIT)
_KEEP_ROUNDS = model_permissions("funding", "applicationround", actions=EDIT)
_KEEP_RULES = model_permissions("funding", "datedrule", "awardthreshold", actions=EDIT)
_BUY = model_permissions("funding", "supplier", "frameworkcontract", "order", actions=EDIT) | {
    "funding.place_order",
    "funding.receive_goods",
    "funding.record_invoice",
    "funding.keep_proofs",
}
_WORDING = model_permissions("funding", "reasontemplate", actions=ALL_ACTIONS)
_DESK = frozenset({"funding.work_queue", "funding.return_application", "funding.reject_application",
                   "funding.reserve_budget", "funding.propose_approval", "funding.see_waiting_list"})  # fmt: skip
_OFFICE = _APPLICATIONS | _MONEY | _KEEP_GRANTS | _PROPOSE_BUDGETS | _KEEP_ROUNDS | _BUY | _DESK | _WORDING

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.COORDINATOR: _APPLICATIONS
    | {"funding.see_drafts", "funding.draft_application", "funding.submit_application", "funding.keep_concept"},
    Role.OFFICE_CLERK: _OFFICE | {"funding.keep_concept"},
    Role.OFFICE_APPROVER: _OFFICE
    | _KEEP_RULES
    | {
        "funding.approve_application",
        "funding.overrun_budget",
        "funding.confirm_budget",
        "funding.pay_invoice",
        "funding.hand_in_proof",
        "funding.keep_concept",
    },
    Role.HEAD: _APPLICATIONS | _MONEY,
    Role.AUDITOR: _APPLICATIONS
    | _MONEY
    | model_permissions("funding", "reasontemplate")
    | {"funding.see_drafts", "funding.see_waiting_list"},
}
