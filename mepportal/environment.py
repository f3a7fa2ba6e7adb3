"""Reads the portal's environment and refuses, in production, what is missing or unsafe.

Each problem is one sentence that says what to set (`ImproperlyConfigured`).
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

DEMO_SECRET_KEY = "demo-only-key-that-production-refuses-to-start-with"  # noqa: S105 - refused in production
MODES = ("demo", "production")
SHORTEST_SECRET_KEY = 50
LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
MAIL_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}
MAIL_TIMEOUT_SECONDS = 20
TCP_PATIENCE = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""Ends connections to a database host that went away; seconds, the last one milliseconds. No matter on a socket."""


class Environment:
    """The values that the settings are made of, checked for the mode they run in."""

    def __init__(self, base_dir: Path) -> None:
        self.read = environ.Env()
        self.base_dir = base_dir
        self.mode = self.text("MEP_MODE", default="demo")
        if self.mode not in MODES:
            raise ImproperlyConfigured(f"MEP_MODE must be one of {', '.join(MODES)}, not “{self.mode}”.")

        self.production: bool = self.mode == "production"
        self.var_dir = self._writable_folder()

    def text(self, name: str, *, default: str = "") -> str:
        return str(self.read.str(name, default=default)).strip()

    def _writable_folder(self) -> Path:
        folder = (self.base_dir / self.text("VAR_DIR", default="var")).resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(f"VAR_DIR {folder} cannot be made: {error.strerror}.") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ImproperlyConfigured(f"VAR_DIR {folder} must be writable for the portal's user.")
        return folder

    def whole_number(self, name: str, *, default: int, lowest: int) -> int:
        text = self.text(name, default=str(default))
        if not text.isdecimal() or int(text) < lowest:
            raise ImproperlyConfigured(f"{name} must be a whole number of at least {lowest}, not “{text}”.")
        return int(text)

    def secret_key(self) -> str:
        """The demo has a key that everybody knows; it serves only the machine that it runs on."""
        key = self.text("SECRET_KEY")
        if not self.production and not key:
            if self._foreign_hosts():
                raise ImproperlyConfigured("SECRET_KEY must be set when ALLOWED_HOSTS names more than this machine.")
            return DEMO_SECRET_KEY
        if len(key) < SHORTEST_SECRET_KEY or len(set(key)) < 10 or key == DEMO_SECRET_KEY or "change" in key.lower():
            raise ImproperlyConfigured(
                f"SECRET_KEY must be a random value of at least {SHORTEST_SECRET_KEY} characters."
            )
        return key

    def allowed_hosts(self) -> list[str]:
        hosts = self._hosts()
        if not hosts and self.production:
            raise ImproperlyConfigured("ALLOWED_HOSTS must name the portal's host names in production.")
        for host in hosts:
            if "*" in host or host.startswith("."):
                raise ImproperlyConfigured(f"ALLOWED_HOSTS must name each host; “{host}” would accept any.")
            if "/" in host or (":" in host and not host.startswith("[")):
                raise ImproperlyConfigured(
                    f"ALLOWED_HOSTS must hold host names without https:// or port, not “{host}”."
                )
        return hosts or LOOPBACK_HOSTS

    def _hosts(self) -> list[str]:
        return [host.strip() for host in self.text("ALLOWED_HOSTS").split(",") if host.strip()]

    def _foreign_hosts(self) -> list[str]:
        return [host for host in self._hosts() if host not in LOOPBACK_HOSTS]

    def portal_url(self) -> str:
        """Address that links in mails begin with, without a slash at its end."""
        default = "" if self.production else f"http://127.0.0.1:{self.whole_number('PORT', default=8000, lowest=1)}"
        url = self.text("PORTAL_URL", default=default).rstrip("/")
        parts = urlsplit(url)
        if self.production and (parts.scheme != "https" or not parts.hostname):
            raise ImproperlyConfigured("PORTAL_URL must be the portal's own https:// address in production.")
        return url

    def database(self) -> dict[str, object]:
        url = self.text("DATABASE_URL")
        scheme = urlsplit(url).scheme
        if self.production and not url:
            raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database in production.")
        if self.production and scheme == "sqlite":
            raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database in production, not SQLite.")
        if not url:
            return self._sqlite()
        if scheme not in {"postgres", "postgresql", "sqlite"}:
            raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite://.")
        database: dict[str, Any] = self.read.db_url_config(url)
        if not database["NAME"]:
            raise ImproperlyConfigured("DATABASE_URL must end with the name of the database, for example …/portal.")
        if scheme == "sqlite":
            return self._sqlite() | {"NAME": database["NAME"]}
        # an attempt that is given up soon is made anew by the next request: the portal is back when PostgreSQL is
        pool = {"timeout": 5, "reconnect_timeout": 5}
        pool["max_size"] = self.whole_number("DATABASE_POOL", default=8, lowest=1)
        options = database.get("OPTIONS", {})  # from the URL, e.g. sslmode
        return database | {"ENGINE": "apps.core.postgresql", "OPTIONS": TCP_PATIENCE | options | {"pool": pool}}

    def _sqlite(self) -> dict[str, object]:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": self.var_dir / "portal.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": ("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"),
            },
        }

    def broker(self) -> tuple[str, dict[str, object]]:
        """URL and transport options: Redis when REDIS_URL is set, else files below VAR_DIR."""
        url = self.text("REDIS_URL")
        if url:
            if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
                raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://.")
            if url.startswith("unix://"):
                url = "redis+socket://" + url.removeprefix("unix://")
            patience = {"socket_connect_timeout": 1, "socket_timeout": 1}
            return url, {**patience, "visibility_timeout": 3600, "max_retries": 0, "connect_retries_timeout": 1}
        if self.production:
            raise ImproperlyConfigured("REDIS_URL must name the Redis server of the job queue in production.")
        queue = self.var_dir / "queue"
        folders = {name: queue / name for name in ("messages", "processed", "control")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        return "filesystem://localhost//", {
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "processed_folder": str(folders["processed"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
        }

    def mail(self) -> dict[str, object]:
        """SMTP settings in production; the demo writes its mails into VAR_DIR/mail."""
        url = self.text("EMAIL_URL")
        if not url and not self.production:
            return {
                "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": str(self.var_dir / "mail"),
            }
        parts = urlsplit(url)
        if parts.scheme not in MAIL_PORTS or not parts.hostname:
            raise ImproperlyConfigured(
                "EMAIL_URL must name the mail server, for example smtp+tls://user:password@mail.example:587."
            )
        mail: dict[str, object] = self.read.email_url_config(url)
        mail["EMAIL_PORT"] = mail["EMAIL_PORT"] or MAIL_PORTS[parts.scheme]
        return mail | {"EMAIL_TIMEOUT": MAIL_TIMEOUT_SECONDS}

    def tag_prefix(self) -> str:
        """What running inventory numbers begin with: what a device's number may hold, and room for the number."""
        prefix = self.text("TAG_PREFIX", default="HAM")
        if not re.fullmatch(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?", prefix):
            raise ImproperlyConfigured(
                f"TAG_PREFIX must be 1 to 20 capital letters, digits and inner hyphens, not “{prefix}”."
            )
        return prefix

    def address(self, name: str, *, demo: str) -> str:
        """A mail address that production must name itself."""
        address = self.text(name, default="" if self.production else demo)
        if "@" not in address:
            raise ImproperlyConfigured(f"{name} must be a mail address, for example portal@city.example.")
        return address
