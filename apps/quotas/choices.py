"""The levels on which figures are read."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    CITY = "city", _("city")
    SCHOOL_TYPE = "school_type", _("school type")
    SCHOOL = "school", _("school")
