"""The office's workplace: the queue with its decision screen, orders and invoices, and the budgets."""

from apps.funding.admin import budgets, invoices, orders, queue

__all__ = ["budgets", "invoices", "orders", "queue"]
