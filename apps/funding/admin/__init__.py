"""The office's workplace: the queue with its decision screen, and the budgets."""

from apps.funding.admin import budgets, drawdowns, proofs, queue

__all__ = ["budgets", "drawdowns", "proofs", "queue"]
