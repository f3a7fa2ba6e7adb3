"""A real Celery worker in a process of its own, on the test's database and broker."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from children import begin, end
from django.conf import settings
from django.db import connection

from tests.support.waiting import wait_until

_numbers = itertools.count(1)


def process_environment(**more: str) -> dict[str, str]:
    """The environment in which another process sees the test's database, broker and folder."""
    return os.environ | {"DATABASE_URL": test_database_url(), "PYTHONUNBUFFERED": "1"} | more


def test_database_url() -> str:
    """The URL of the database that the tests run on, not of the one it was made beside."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    given = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(given._replace(path=f"{given.path.rpartition('/')[0]}/{name}"))


test_database_url.__test__ = False  # type: ignore[attr-defined] # pytest would take it for a test


class Worker:
    """Starts on entering and is ready; its log is at `log`. `environment` holds further values for it."""

    def __init__(
        self,
        *,
        beat: bool = False,
        recalc_seconds: int = 1,
        concurrency: int = 1,
        environment: dict[str, str] | None = None,
    ) -> None:
        number = next(_numbers)
        self.log = Path(settings.VAR_DIR) / f"worker-{number}.log"
        self._command = [sys.executable, "-m", "celery", "-A", "mepportal", "worker"]
        self._command += ["--loglevel", "INFO", "--concurrency", str(concurrency)]
        self._command += ["--hostname", f"test{number}@localhost"]
        self._command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        if beat:
            self._command += ["--beat", "--schedule", str(Path(settings.VAR_DIR) / f"schedule-{number}")]
        self._environment = process_environment(RECALC_SECONDS=str(recalc_seconds), **(environment or {}))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Worker":
        with self.log.open("wb") as output:
            self.process = begin(self._command, output=output, env=self._environment, folder=Path(settings.BASE_DIR))
        wait_until(self._ready, seconds=60, what=f"the worker to be ready; its log is {self.log}")
        return self

    def __exit__(self, *_error: object) -> None:
        assert self.process is not None
        end(self.process)

    def kill(self) -> None:
        """End the worker and its children as a power cut would."""
        assert self.process is not None
        self.process.kill()
        end(self.process)

    def children(self) -> list[int]:
        """The processes of its pool."""
        assert self.process is not None
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in text.split()]

    def _ready(self) -> bool:
        assert self.process is not None
        text = self.log.read_text(encoding="utf-8", errors="replace")
        if self.process.poll() is not None:
            raise AssertionError(f"The worker ended at once:\n{text[-4000:]}")
        return " ready." in text


class Beat:
    """Celery's clock in a process of its own, as in production; may be killed and started again."""

    def __init__(self, *, recalc_seconds: int = 1, environment: dict[str, str] | None = None) -> None:
        number = next(_numbers)
        self.log = Path(settings.VAR_DIR) / f"beat-{number}.log"
        self._command = [sys.executable, "-m", "celery", "-A", "mepportal", "beat", "--pidfile="]
        self._command += ["--schedule", str(Path(settings.VAR_DIR) / f"schedule-{number}")]
        self._environment = process_environment(RECALC_SECONDS=str(recalc_seconds), **(environment or {}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = begin(self._command, output=output, env=self._environment, folder=Path(settings.BASE_DIR))

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.kill()
        end(self._process)

    def __enter__(self) -> "Beat":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process is not None
        end(self._process)
