"""The office's workplace: the queue with its decision screen, and the budgets."""

from apps.funding.admin import budget_changes, budgets, drawdowns, grants, proofs, queue, rounds, rules

__all__ = ["budget_changes", "budgets", "drawdowns", "grants", "proofs", "queue", "rounds", "rules"]
