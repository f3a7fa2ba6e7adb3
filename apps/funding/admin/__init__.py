"""The office's workplace: queue and decision screen, orders and invoices, budgets, grants and their papers."""

from apps.funding.admin import (
    budget_changes,
    budgets,
    contracts,
    drawdowns,
    grants,
    invoices,
    orders,
    proofs,
    queue,
    records,
    rounds,
    rules,
)

__all__ = [
    "budget_changes",
    "budgets",
    "contracts",
    "drawdowns",
    "grants",
    "invoices",
    "orders",
    "proofs",
    "queue",
    "records",
    "rounds",
    "rules",
]
