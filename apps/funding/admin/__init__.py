"""The office's workplace: the queue with its decision screen, and the budgets."""

from apps.funding.admin import budgets, queue, rounds

__all__ = ["budgets", "queue", "rounds"]
