"""Prints quota figures as JSON."""

import datetime
import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.days import NO_DAY
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDateField
from apps.core.imports.command import UNREADABLE
from apps.quotas import selectors
from apps.quotas.choices import Level
from apps.quotas.models import MediaDevelopmentPlan


class Command(BaseCommand):
    help = "Prints the figures of a plan on a day as JSON, of the city, of school types or of schools."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", help="name of the plan; by default the one in force on the day")
        parser.add_argument("--day", default="", help="YYYY-MM-DD; by default the newest day of the plan")
        parser.add_argument("--level", choices=Level.values, default=Level.CITY.value)
        parser.add_argument("--json", action="store_true", help="the only format; may be left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        asked = _day(options["day"])
        try:
            plan = self._plan(options["plan"], asked)
            day = asked or selectors.newest_day(plan) or clock.today()
            selectors.ensure_readable(plan, day)
        except DomainError as error:
            raise CommandError(str(error)) from error
        rows = [selectors.as_json(figure) for figure in selectors.figures(plan, day, options["level"])]
        self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))

    def _plan(self, name: str | None, day: datetime.date | None) -> MediaDevelopmentPlan:
        plans = list(MediaDevelopmentPlan.objects.all())
        if not plans:
            raise CommandError(_("There is no plan on file yet."))
        if not name:
            return selectors.plan_on(plans, day or clock.today())
        for plan in plans:
            if plan.name == name:
                return plan
        known = ", ".join(plan.name for plan in plans)
        raise CommandError(_("There is no plan “%(name)s”. Plans on file: %(known)s.") % {"name": name, "known": known})


def _day(text: str) -> datetime.date | None:
    try:
        day: datetime.date | None = GermanDateField(required=False).clean(text)
    except ValidationError as error:
        raise CommandError(str(NO_DAY), returncode=UNREADABLE) from error
    return day
