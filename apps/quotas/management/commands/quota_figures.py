"""Prints quota figures as JSON."""

import datetime
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.errors import DomainError
from apps.quotas import selectors
from apps.quotas.choices import Level
from apps.quotas.models import MediaDevelopmentPlan


class Command(BaseCommand):
    help = "Prints the figures of a plan on a day as JSON, of the city, of school types or of schools."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", help="name of the plan; the current one by default")
        parser.add_argument("--day", type=_day, help="YYYY-MM-DD; by default the newest day of the plan")
        parser.add_argument("--level", choices=Level.values, default=Level.CITY.value)
        parser.add_argument("--json", action="store_true", help="the only format; may be left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        plan = self._plan(options["plan"])
        day = options["day"] or selectors.newest_day(plan) or clock.today()
        try:
            selectors.ensure_readable(plan, day)
        except DomainError as error:
            raise CommandError(str(error)) from error
        rows = [selectors.as_json(figure) for figure in selectors.figures(plan, day, options["level"])]
        self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))

    def _plan(self, name: str | None) -> MediaDevelopmentPlan:
        plan = MediaDevelopmentPlan.objects.filter(name=name).first() if name else selectors.current_plan()
        if plan is None:
            known = ", ".join(MediaDevelopmentPlan.objects.values_list("name", flat=True))
            raise CommandError(f"There is no such plan. Plans on file: {known or 'none'}.")
        return plan


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"“{text}” is no day. Write it as YYYY-MM-DD.") from error
