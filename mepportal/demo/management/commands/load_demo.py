"""`manage.py load_demo`: the demonstration city, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import DomainError
from mepportal.demo import loader


class Command(BaseCommand):
    help = "Loads the demonstration city once; refuses in production."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if settings.MEP_MODE == "production":
            raise CommandError("The demonstration city is never loaded in production.")
        if loader.is_loaded():
            if loader.ensure_sign_ins():
                self.stdout.write("The demonstration city is loaded; its people have a new password.")
            else:
                self.stdout.write("The demonstration city is loaded already.")
            return
        try:
            loader.load(lambda line: self.stdout.write(f"  {line}", ending="\n"))
        except DomainError as error:
            raise CommandError(str(error)) from error
