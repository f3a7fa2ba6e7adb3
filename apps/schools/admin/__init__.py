"""Schools and their network in the admin."""

from apps.schools.admin import network, schools

__all__ = ["network", "schools"]
