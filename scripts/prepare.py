"""Brings static files, tables and the demo city up to date, in one process, because each start of Django costs time.

Runs in the environment, with the portal's values; called by `make run`.
"""

import os
import sys

import django
from console import ROOT, say, step
from django.core.management import CommandError, call_command


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mepportal.settings")
    django.setup()
    try:
        with step("Collecting the static files"):
            call_command("collectstatic", interactive=False, verbosity=0)
        with step("Bringing the database up to date"):
            call_command("migrate", interactive=False, verbosity=0)
        say("Loading the demo city, once:")
        call_command("load_demo")
        _forget_signs_of_life()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _forget_signs_of_life() -> None:
    """Those of an earlier run: the portal is ready once the parts of this one have shown theirs."""
    from apps.core.models import Heartbeat

    Heartbeat.objects.all().delete()


if __name__ == "__main__":
    sys.exit(main())
