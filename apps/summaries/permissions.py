"""The city's summary: for the head, the office and the auditor."""

from apps.accounts.choices import OFFICE_ROLES, Role

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    role: frozenset({"summaries.view_summary"}) for role in (*OFFICE_ROLES, Role.HEAD, Role.AUDITOR)
}
