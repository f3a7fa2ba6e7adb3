"""The office's workplace: the queue with its decision screen, budgets, grants, orders, and the papers about them."""

from apps.funding.admin import (
    budget_changes,
    budgets,
    drawdowns,
    grants,
    invoices,
    orders,
    proofs,
    queue,
    rounds,
    rules,
)

__all__ = [
    "budget_changes",
    "budgets",
    "drawdowns",
    "grants",
    "invoices",
    "orders",
    "proofs",
    "queue",
    "rounds",
    "rules",
]
