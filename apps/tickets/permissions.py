"""Everybody may report; IT support and the office work on tickets."""

from apps.accounts.choices import Role
from apps.core.permissions import model_permissions

_READ = model_permissions("tickets", "ticket", "ticketmessage", "ticketstatuschange")
_REPORT = frozenset({"tickets.report_ticket"})
_WORK = frozenset({"tickets.work_ticket", "tickets.see_internal_notes"})

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.SCHOOL_STAFF: _REPORT,
    Role.COORDINATOR: _READ | _REPORT,
    Role.OFFICE_CLERK: _READ | _REPORT | _WORK,
    Role.OFFICE_APPROVER: _READ | _REPORT | _WORK,
    Role.HEAD: _READ,
    Role.IT_SUPPORT: _READ | _REPORT | _WORK,
    Role.AUDITOR: _READ | frozenset({"tickets.see_internal_notes"}),
}
