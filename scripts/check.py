"""`make check`: all checks that need no running portal; each named with its time, all of them even if one fails.

Arguments choose some by the start of their title: make check ARGS="ruff types".
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import house_rules
import setup_env
import system_packages
from children import raise_on_termination
from console import ROOT, say

BIN = setup_env.PYTHON.parent
Outcome = tuple[bool, str]
LINES_SHOWN = 80


def program(*command: str) -> Callable[[dict[str, str]], Outcome]:
    """A check that is a program of the environment: it must end with 0."""

    def check(environment: dict[str, str]) -> Outcome:
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode == 0, done.stdout

    return check


def production(environment: dict[str, str]) -> Outcome:
    """Django's own checks for a portal in production, with values as production.md asks for them."""
    safe = {
        "MEP_MODE": "production",
        "SECRET_KEY": "only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "portal.example",
        "PORTAL_URL": "https://portal.example",
        "DATABASE_URL": "postgres://portal:secret@database.example/portal",
        "REDIS_URL": "redis://queue.example/0",
        "EMAIL_URL": "smtp+tls://portal:secret@mail.example:587",
        "DEFAULT_FROM_EMAIL": "portal@city.example",
        "SUPPORT_EMAIL": "schools@city.example",
    }
    return program("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING")(environment | safe)


def tracked_texts(_environment: dict[str, str]) -> Outcome:
    faults = house_rules.machine_paths(ROOT)
    return not faults, "\n".join(faults)


def banned_calls(_environment: dict[str, str]) -> Outcome:
    faults = house_rules.banned_calls(ROOT) + house_rules.days_kept(ROOT)
    return not faults, "\n".join(faults)


def catalogue(environment: dict[str, str]) -> Outcome:
    """Collect the texts anew in a copy of the sources, so that the tree is not touched, and compare."""
    system_packages.ensure(["gettext"])
    with tempfile.TemporaryDirectory(prefix="mep-catalogue-") as folder:
        copy = Path(folder)
        for name in ("apps", "mepportal", "templates"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        shutil.copy(ROOT / "manage.py", copy)
        done = subprocess.run(
            [BIN / "python", "manage.py", "makemessages", "--locale", "de", "--no-wrap", "--add-location", "file"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return False, done.stdout + done.stderr
        collected = copy / "mepportal" / "locale" / "de" / "LC_MESSAGES" / "django.po"
        return program("python", "scripts/catalogue.py", str(collected))(environment)


CHECKS: dict[str, Callable[[dict[str, str]], Outcome]] = {
    "ruff: style": program("ruff", "check", "--quiet"),
    "ruff: format": program("ruff", "format", "--check", "--quiet"),
    "calls that are not ours to make": banned_calls,
    "paths of a machine": tracked_texts,
    "imports between and within apps": program("lint-imports", "--no-cache"),
    "templates": program("djlint", "--lint", "--quiet", "templates", "apps"),
    "lock files": program("python", "scripts/lock_check.py"),
    "models and migrations": program("python", "manage.py", "makemigrations", "--check", "--dry-run"),
    "safety in production": production,
    "German catalogue": catalogue,
    "types": program("mypy"),
}


def main() -> int:
    raise_on_termination()
    setup_env.ensure(tools=True)
    chosen = [title for title in CHECKS if not sys.argv[1:] or title.startswith(tuple(sys.argv[1:]))]
    with tempfile.TemporaryDirectory(prefix="mep-check-") as var:
        environment = setup_env.environment_variables() | {"VAR_DIR": var, "MEP_MODE": "demo"}
        for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
            environment.pop(name, None)
        failed = [title for title in chosen if not _play(title, environment)]
    if failed or not chosen:
        say(f"\n{len(failed)} of {len(chosen)} checks failed: {'; '.join(failed)}")
        return 1
    say(f"\nAll {len(chosen)} checks passed.")
    return 0


def _play(title: str, environment: dict[str, str]) -> bool:
    began = time.monotonic()
    fine, output = CHECKS[title](environment)
    say(f"{'ok    ' if fine else 'FAILED'} {title} ({time.monotonic() - began:.1f} s)")
    if not fine:
        lines = output.strip().splitlines()
        say("\n".join(f"       {line}" for line in lines[:LINES_SHOWN]))
        if len(lines) > LINES_SHOWN:
            say(f"       ... and {len(lines) - LINES_SHOWN} more lines")
    return fine


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
