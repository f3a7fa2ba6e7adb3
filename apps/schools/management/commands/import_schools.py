"""`manage.py import_schools`: the staged import of official school data, for scripts and for the first filling."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from apps.core.form_fields import GermanDateField
from apps.core.imports.command import UNREADABLE, ImportCommand
from apps.core.imports.sources import source_of, sources
from apps.schools.forms import (
    check_authority,
    check_counted,
    check_counting_day,
    check_municipality,
    check_school_year,
)
from apps.schools.imports.base import SchoolSource

OPTIONS = ("authority", "municipality", "school_year", "counted_on")


class Command(ImportCommand):
    help = "Imports official school data. Exit 0: all good, 1: faulty rows (nothing written), 2: unreadable file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        names = [source.name for source in sources() if issubclass(source, SchoolSource)]
        parser.add_argument("--source", choices=names, required=True)
        rows = parser.add_mutually_exclusive_group()
        rows.add_argument(
            "--authority",
            default="",
            metavar="NUMBER",
            type=_argument(_filled(check_authority)),
            help="only schools of this authority",
        )
        rows.add_argument(
            "--municipality",
            default="",
            metavar="KEY",
            type=_argument(_filled(check_municipality)),
            help="only schools in this municipality",
        )
        parser.add_argument(
            "--school-year",
            default="",
            type=_argument(_filled(check_school_year)),
            help="year of counts or indices, e.g. 2025/26",
        )
        parser.add_argument(
            "--counted-on", default="", type=_argument(_day), help="day of the counts; without it 15 October"
        )
        parser.add_argument("--dry-run", action="store_true", help="check and report, write nothing")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: Path, source: str, dry_run: bool, **options: Any) -> None:
        kept = _kept(source_of(source), options)
        self.take_in(file, source, options=kept, dry_run=dry_run, as_json=options["json"])


def _kept(source: Any, options: dict[str, Any]) -> dict[str, str]:
    """The options that the source knows. Raises `CommandError` for those it does not know or that are missing."""
    given = {name: options[name] for name in OPTIONS if options[name]}
    for name in given:
        if name not in source.option_names:
            message = _("The option %(option)s does not belong to files of the kind “%(kind)s”.")
            raise CommandError(message % {"option": _flag(name), "kind": source.name}, returncode=UNREADABLE)
    for name in source.required_options:
        if name not in given:
            message = _("Files of the kind “%(kind)s” need the option %(option)s.")
            raise CommandError(message % {"option": _flag(name), "kind": source.name}, returncode=UNREADABLE)
    if "counted_on" in source.option_names:
        _argument(_counting, partial(CommandError, returncode=UNREADABLE))(given)
    if "counted_on" in given:
        given["counted_on"] = given["counted_on"].isoformat()
    return given


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _argument(
    parse: Callable[[Any], Any], error: Callable[[str], Exception] = ArgumentTypeError
) -> Callable[[Any], Any]:
    """A parser of forms as one of arguments."""

    def parsed(given: Any) -> Any:
        try:
            return parse(given)
        except ValidationError as problem:
            raise error(" ".join(problem.messages)) from problem

    return parsed


def _filled(check: Callable[[str], None]) -> Callable[[str], str]:
    """A check of forms as a parser that lets an argument pass that is not given."""

    def parsed(text: str) -> str:
        if text:
            check(text)
        return text

    return parsed


def _counting(given: dict[str, Any]) -> None:
    if "school_year" in given:
        check_counting_day(given.get("counted_on"), given["school_year"])
    elif "counted_on" in given:
        check_counted(given["counted_on"])


def _day(text: str) -> Any:
    return GermanDateField(required=False).clean(text)
