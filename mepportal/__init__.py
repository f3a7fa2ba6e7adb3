"""The project. Web server, worker and commands all pass here: faulty settings stop each with one sentence."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

CANNOT_START = 3  # the one exit code after which gunicorn stops instead of starting its workers for ever

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mepportal.settings")

try:
    settings.MEP_MODE  # noqa: B018 - reads the settings
except ImproperlyConfigured as error:
    print(f"The portal cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201 - no logging yet
    sys.exit(CANNOT_START)

from mepportal.celery import app as celery_app  # noqa: E402 - needs the settings

__all__ = ["celery_app"]
