"""A missing or unsafe value stops the portal in production: one sentence, no traceback, in every way to start it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

SAFE = {
    "MEP_MODE": "production",
    "SECRET_KEY": "k3J-9sQwz_7uYtB2pXv8LmN4cRf6HdGa1EoTi5-SxVyZqWb0Ku",
    "ALLOWED_HOSTS": "mep.city.example,www.mep.city.example",
    "DATABASE_URL": "postgres://portal:secret@database.example/portal?sslmode=require",
    "REDIS_URL": "rediss://:secret@queue.example:6379/0",
    "EMAIL_URL": "smtp+tls://portal:secret@mail.example",
    "DEFAULT_FROM_EMAIL": "portal@city.example",
    "PORTAL_URL": "https://mep.city.example",
    "SUPPORT_EMAIL": "schools@city.example",
}
DATABASE = "DATABASE_URL must name a PostgreSQL database in production"
FAULTS = [
    ({"MEP_MODE": "live"}, "MEP_MODE must be one of demo, production, not “live”."),
    ({"SECRET_KEY": ""}, "SECRET_KEY must be a random value of at least 50 characters."),
    ({"SECRET_KEY": "short-but-random-0123456789"}, "SECRET_KEY must be a random value of at least 50 characters."),
    ({"SECRET_KEY": "a" * 80}, "SECRET_KEY must be a random value of at least 50 characters."),
    (
        {"SECRET_KEY": "demo-only-key-that-production-refuses-to-start-with"},
        "SECRET_KEY must be a random value of at least 50 characters.",
    ),
    (
        {"SECRET_KEY": "please-change-me-0123456789-abcdefghijklmnopqrstuvwxyz"},
        "SECRET_KEY must be a random value of at least 50 characters.",
    ),
    ({"TAG_PREFIX": "ham 1"}, "TAG_PREFIX must be 1 to 20 capital letters, digits and inner hyphens, not “ham 1”."),
    ({"TAG_PREFIX": "HAM-"}, "TAG_PREFIX must be 1 to 20 capital letters, digits and inner hyphens, not “HAM-”."),
    ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name the portal's host names in production."),
    ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS must name the portal's host names in production."),
    ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name each host; “*” would accept any."),
    (
        {"ALLOWED_HOSTS": "a.example,.city.example"},
        "ALLOWED_HOSTS must name each host; “.city.example” would accept any.",
    ),
    (
        {"ALLOWED_HOSTS": "https://mep.city.example"},
        "ALLOWED_HOSTS must hold host names without https:// or port, not “https://mep.city.example”.",
    ),
    (
        {"ALLOWED_HOSTS": "mep.city.example:443"},
        "ALLOWED_HOSTS must hold host names without https:// or port, not “mep.city.example:443”.",
    ),
    ({"DATABASE_URL": ""}, "DATABASE_URL must name a PostgreSQL database in production."),
    (
        {"DATABASE_URL": "sqlite:///portal.sqlite3"},
        "DATABASE_URL must name a PostgreSQL database in production, not SQLite.",
    ),
    ({"DATABASE_URL": "mysql://a/b"}, "DATABASE_URL must begin with postgres:// or sqlite://."),
    ({"DATABASE_URL": "database.example"}, "DATABASE_URL must begin with postgres:// or sqlite://."),
    (
        {"DATABASE_URL": "postgres://portal:secret@database.example"},
        "DATABASE_URL must end with the name of the database, for example …/portal.",
    ),
    ({"DATABASE_POOL": "many"}, "DATABASE_POOL must be a whole number of at least 1, not “many”."),
    ({"DATABASE_POOL": "0"}, "DATABASE_POOL must be a whole number of at least 1, not “0”."),
    ({"PORTAL_URL": ""}, "PORTAL_URL must be the portal's own https:// address in production."),
    ({"PORTAL_URL": "http://mep.city.example"}, "PORTAL_URL must be the portal's own https:// address in production."),
    ({"REDIS_URL": ""}, "REDIS_URL must name the Redis server of the job queue in production."),
    ({"REDIS_URL": "queue.example:6379"}, "REDIS_URL must begin with redis://, rediss:// or unix://."),
    (
        {"EMAIL_URL": ""},
        "EMAIL_URL must name the mail server, for example smtp+tls://user:password@mail.example:587.",
    ),
    (
        {"EMAIL_URL": "consolemail://"},
        "EMAIL_URL must name the mail server, for example smtp+tls://user:password@mail.example:587.",
    ),
    (
        {"EMAIL_URL": "smtp://"},
        "EMAIL_URL must name the mail server, for example smtp+tls://user:password@mail.example:587.",
    ),
    ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL must be a mail address, for example portal@city.example."),
    ({"DEFAULT_FROM_EMAIL": "portal"}, "DEFAULT_FROM_EMAIL must be a mail address, for example portal@city.example."),
    ({"SUPPORT_EMAIL": ""}, "SUPPORT_EMAIL must be a mail address, for example portal@city.example."),
    ({"PORT": "http"}, "PORT must be a whole number of at least 1, not “http”."),
    ({"RECALC_SECONDS": "0"}, "RECALC_SECONDS must be a whole number of at least 1, not “0”."),
    ({"VAR_DIR": "/dev/null/var"}, "VAR_DIR /dev/null/var cannot be made: Not a directory."),
]
SHOW_SETTINGS = """
import django, json
from django.conf import settings
names = ["DEBUG", "DATABASES", "CELERY_BROKER_URL", "CSRF_TRUSTED_ORIGINS", "SECURE_SSL_REDIRECT", "EMAIL_PORT",
         "EMAIL_USE_TLS", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_NAME", "ALLOWED_HOSTS", "CELERY_BEAT_SCHEDULE",
         "SIGN_SECONDS"]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


def start(tmp_path: Path, values: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Start the portal in an environment that holds nothing but these values."""
    environment = {"PATH": os.defpath, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mepportal.settings"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=environment | values,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("fault", "sentence"), FAULTS, ids=[str(fault) for fault, _ in FAULTS])
def test_each_fault_stops_the_start_with_one_sentence(tmp_path: Path, fault: dict[str, str], sentence: str) -> None:
    done = start(tmp_path, SAFE | fault, "manage.py", "check")

    assert done.returncode == 3
    assert done.stderr == f"The portal cannot start: {sentence}\n"
    assert done.stdout == ""


@pytest.mark.parametrize("name", sorted(SAFE.keys() - {"MEP_MODE"}))
def test_each_missing_value_stops_the_start(tmp_path: Path, name: str) -> None:
    done = start(tmp_path, {key: value for key, value in SAFE.items() if key != name}, "manage.py", "check")

    assert done.returncode == 3
    assert done.stderr.startswith(f"The portal cannot start: {name} must ")
    assert len(done.stderr.splitlines()) == 1


def test_safe_values_pass_django_s_own_checks_for_production(tmp_path: Path) -> None:
    done = start(tmp_path, SAFE, "manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "System check identified no issues (2 silenced).\n"


def test_the_address_of_the_database_has_the_last_word(tmp_path: Path) -> None:
    address = f"{SAFE['DATABASE_URL']}&tcp_user_timeout=5000"

    done = start(tmp_path, SAFE | {"DATABASE_URL": address}, "-c", SHOW_SETTINGS)

    assert str(json.loads(done.stdout)["DATABASES"]["default"]["OPTIONS"]["tcp_user_timeout"]) == "5000"


def test_safe_values_arrive_in_the_settings(tmp_path: Path) -> None:
    done = start(tmp_path, SAFE, "-c", SHOW_SETTINGS)

    found = json.loads(done.stdout)
    database = found.pop("DATABASES")["default"]
    assert database["OPTIONS"] == {
        "sslmode": "require",
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "pool": {"timeout": 5, "reconnect_timeout": 5, "max_size": 8},
    }
    sign = found.pop("CELERY_BEAT_SCHEDULE")["show-sign-of-life"]
    assert sign == {"task": "core.show_sign_of_life", "schedule": 10, "options": {"expires": 40}}
    assert found == {
        "SIGN_SECONDS": 10,
        "DEBUG": False,
        "CELERY_BROKER_URL": "rediss://:secret@queue.example:6379/0",
        "CSRF_TRUSTED_ORIGINS": ["https://mep.city.example", "https://www.mep.city.example"],
        "SECURE_SSL_REDIRECT": True,
        "EMAIL_PORT": 587,
        "EMAIL_USE_TLS": True,
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "ALLOWED_HOSTS": ["mep.city.example", "www.mep.city.example"],
    }


def test_web_server_gives_up_instead_of_trying_for_ever(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        SAFE | {"SECRET_KEY": ""},
        *["-m", "gunicorn", "mepportal.wsgi", "--no-control-socket", "--bind", f"unix:{tmp_path}/web.sock"],
    )

    assert done.returncode == 3
    assert done.stderr.count("The portal cannot start: SECRET_KEY must be a random value") == 1
    assert "Traceback" not in done.stderr


def test_worker_stops_with_the_same_sentence(tmp_path: Path) -> None:
    done = start(tmp_path, SAFE | {"REDIS_URL": ""}, "-m", "celery", "-A", "mepportal", "worker")

    assert done.returncode == 3
    assert (
        done.stderr == "The portal cannot start: REDIS_URL must name the Redis server of the job queue in production.\n"
    )


def test_demo_key_serves_only_its_own_machine(tmp_path: Path) -> None:
    done = start(tmp_path, {"MEP_MODE": "demo", "ALLOWED_HOSTS": "mep.city.example"}, "manage.py", "check")

    assert done.stderr == (
        "The portal cannot start: SECRET_KEY must be set when ALLOWED_HOSTS names more than this machine.\n"
    )


def test_demo_needs_no_value_at_all(tmp_path: Path) -> None:
    done = start(tmp_path, {}, "manage.py", "check")

    assert done.returncode == 0, done.stderr


def test_every_value_is_explained_for_those_who_run_the_portal() -> None:
    root = Path(settings.BASE_DIR)
    read = re.compile(r'\.(?:text|whole_number|address)\(\s*"([A-Z_]+)"')
    names = {name for path in root.glob("mepportal/*.py") for name in read.findall(path.read_text(encoding="utf-8"))}
    explained = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (root / "docs/production.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    form = set(re.findall(r"^([A-Z_]+)=", (root / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert "DEFAULT_FROM_EMAIL" in names
    assert explained == names
    assert form == names - {"PORT"}
