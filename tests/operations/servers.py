"""A PostgreSQL, a Redis and a web server of a test's own, which it may break and start again."""

import http.cookiejar
import os
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import private_servers
import psycopg
import system_packages
from children import begin, end
from django.conf import settings
from private_servers import CLUSTER_OPTIONS, free_port

from tests.operations.commands import done
from tests.support.waiting import wait_until
from tests.support.workers import Worker, process_environment

SWEEP = 4
TWO_SWEEPS = 2 * SWEEP + 2  # and what a sweep itself takes on a busy machine

DURABLE = {
    "listen_addresses": "",
    "synchronous_commit": "on",
    "fsync": "off",  # a crash of the server, not of the machine: the kernel keeps what was written
    "max_connections": "100",
    "log_min_messages": "fatal",
}


class PrivateRedis:
    """A Redis without memory of its own: stopped and started again, it has forgotten everything."""

    def __init__(self, folder: Path) -> None:
        self.port, self._password, self._folder = free_port(), secrets.token_urlsafe(8), folder
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        values = f'bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\nsave ""\nappendonly no\n'
        program = shutil.which("redis-server")
        assert program is not None
        with (self._folder / "redis.log").open("ab") as output:
            self._process = begin([program, "-"], output=output, feed=values.encode(), folder=self._folder)
        wait_until(lambda: private_servers._redis_answers(self.port, self._password), what="Redis")

    def hang(self) -> None:
        """From now on it takes connections and answers none of them."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def stop(self) -> None:
        """At once, as by a power cut."""
        if self._process is not None:
            self._process.kill()
            end(self._process)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


@contextmanager
def own_redis() -> Iterator[PrivateRedis]:
    folder = Path(tempfile.mkdtemp(prefix="mep-redis-", dir="/tmp"))
    try:
        with PrivateRedis(folder) as redis:
            yield redis
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class PrivatePostgres:
    """A PostgreSQL that has written down what it confirms (`synchronous_commit` on)."""

    def __init__(self, folder: Path) -> None:
        self._owner = private_servers._owner()
        self._programs = system_packages.find_postgres()
        self.home = folder
        self.url = f"postgres://postgres:@/{folder}/mep"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.home.mkdir(mode=0o700)
        os.chown(self.home, self._owner.pw_uid, self._owner.pw_gid)
        self._do("initdb", "--pgdata", self.home / "data", *CLUSTER_OPTIONS)
        self.start()
        self._do("createdb", "--host", self.home, "--username=postgres", "mep")
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            end(self._process, parting=signal.SIGINT)
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Starts it, and after a crash recovers what was confirmed."""
        assert self._programs is not None
        options = [part for name, value in DURABLE.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.home / "data"), "-k", str(self.home), *options]
        with (self.home / "log").open("ab") as output:
            self._process = begin(command, output=output, user=self._owner, parting=signal.SIGINT)
        wait_until(lambda: private_servers._postgres_answers(self.home), seconds=60, what="PostgreSQL")

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.home), user="postgres", dbname="mep")

    def crash(self) -> None:
        """`pg_ctl stop -m immediate`: no connection is asked, nothing is written down."""
        self._do("pg_ctl", "stop", "--pgdata", self.home / "data", "--mode", "immediate")
        assert self._process is not None
        end(self._process)
        self._process = None

    def _do(self, program: str, *arguments: str | Path) -> None:
        assert self._programs is not None
        private_servers._as_owner([self._programs / program, *arguments], self._owner)


class WebServer:
    """The portal under gunicorn, as in production; `most_bytes` is the largest file it may write."""

    def __init__(self, *, most_bytes: int | None = None, **environment: str) -> None:
        self.port = free_port()
        self.log = Path(settings.VAR_DIR) / f"web-{self.port}.log"
        self._most_bytes = most_bytes
        values = process_environment() | {"PORT": str(self.port), **environment}
        self._environment = {name: value for name, value in values.items() if value}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "gunicorn", "mepportal.wsgi:application", "--no-control-socket"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "8", "--access-logfile", "-"]
        with self.log.open("wb") as output:
            self._process = begin(command, output=output, env=self._environment, folder=Path(settings.BASE_DIR))
        if self._most_bytes is not None:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (self._most_bytes, self._most_bytes))
        wait_until(lambda: Browser(self).open("/health/live").status == 200, seconds=60, what=f"see {self.log}")
        return self

    def most_megabytes(self) -> int:
        """The most memory that one of its processes has taken so far."""
        assert self._process is not None
        pid = self._process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        statuses = (Path(f"/proc/{worker}/status").read_text(encoding="ascii") for worker in workers)
        return max(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) for status in statuses) // 1024

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        end(self._process)


@dataclass
class Answer:
    """What came back: 0 when nobody answered."""

    status: int
    text: str
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        match = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", match[1]).split()) if match else ""


class Browser:
    """Cookies, forms with their token, redirects: enough to work with the portal."""

    def __init__(self, server: WebServer, *, seconds: float = 30) -> None:
        self._seconds = seconds
        self._base = f"http://127.0.0.1:{server.port}"
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def open(self, path: str) -> Answer:
        return self._ask(f"{self._base}{path}")

    def send(self, path: str, values: dict[str, str], file: tuple[str, str, bytes] | None = None) -> Answer:
        """Sends a form of a page that was opened before; `file` is (field, name, content)."""
        values = {**values, "csrfmiddlewaretoken": self._token()}
        headers = {"Referer": f"{self._base}{path}"}
        if file is None:
            body = urllib.parse.urlencode(values).encode()
        else:
            boundary = secrets.token_hex(16)
            body = b"".join(_part(boundary, name, value.encode()) for name, value in values.items())
            body += _part(boundary, file[0], file[2], file[1]) + f"--{boundary}--\r\n".encode()
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        return self._ask(f"{self._base}{path}", body, headers)

    def sign_in(self, email: str, password: str) -> Answer:
        self.open("/accounts/login/")
        return self.send("/accounts/login/", {"login": email, "password": password})

    def _token(self) -> str:
        return next((cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken"), "")

    def _ask(self, address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        request = urllib.request.Request(address, data=body, headers=headers or {})  # noqa: S310 - our own server
        try:
            with self._opener.open(request, timeout=self._seconds) as response:
                return Answer(response.status, response.read().decode(), response.url, dict(response.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(errors="replace"), error.url, dict(error.headers))
        except OSError:
            return Answer(0, "")


def _part(boundary: str, name: str, content: bytes, file_name: str = "") -> bytes:
    naming = f'; filename="{file_name}"' if file_name else ""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{naming}\r\n\r\n'
    return head.encode() + content + b"\r\n"


@contextmanager
def own_postgres(*, tables: bool = True) -> Iterator[PrivatePostgres]:
    """With the portal's tables, unless nobody needs them, and without any row."""
    folder = Path(tempfile.mkdtemp(prefix="mep-crash-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        with PrivatePostgres(folder / "pg") as postgres:
            if tables:
                done("migrate", DATABASE_URL=postgres.url)
            yield postgres
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweeping(**more: Any) -> Worker:
    """A worker with beat, to be used by `with`."""
    return Worker(beat=True, recalc_seconds=SWEEP, **more)


@contextmanager
def script(
    module: str, *arguments: str, log: Path | None = None, **environment: str
) -> Iterator[subprocess.Popen[Any]]:
    """A module of the tests in a process of its own, its output as lines; what it logs goes to `log`."""
    with (log or Path(os.devnull)).open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=settings.BASE_DIR,
            env=process_environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors if log else None,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
