"""The worker's entry points; running any of them twice is harmless."""

from celery import shared_task

from apps.inventory import services


@shared_task(name="inventory.run_waiting_changes")
def run_waiting_changes() -> None:
    """Changes of many devices that people confirmed; sent after each and by beat."""
    services.run_waiting()
