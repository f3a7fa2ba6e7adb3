"""`make run`: the portal on SQLite with the demo city, a web server, a worker and beat, nothing beside it.

Everything it writes lies below VAR_DIR. A process that dies is started again while the others go on; one that dies
again and again ends the portal. All processes end when it ends.
"""

import contextlib
import errno
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import IO, Any, NoReturn

import setup_env
from children import Terminated, begin, end, raise_on_termination
from console import ROOT, say, step, stop

HOST = "127.0.0.1"
PATIENCE_SECONDS = 120
DEATHS, DEATHS_SECONDS = 5, 60  # of one process within a minute: it will not stay
WEB_THREADS = 8
FIELDS = ("role", "email", "password")
SIGN_INS_SHOWN = 2  # of each role


class Part:
    """One process of the portal, with the log that it writes and the file that holds its number."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], *, log: Path, pid_file: Path
    ) -> None:
        self.name, self.log, self._pid_file = name, log, pid_file
        self._command, self._environment = [str(setup_env.PYTHON), "-m", *command], environment
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self.log.unlink(missing_ok=True)

    def start(self) -> None:
        self._pid_file.unlink(missing_ok=True)  # left behind by a kill or a power cut, it would keep it from starting
        with self.log.open("ab") as output:
            self._process = begin(self._command, output=output, env=self._environment, folder=ROOT)

    def ask_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended after being asked, and end what it leaves behind."""
        if self._process is not None:
            end(self._process, parting=None)

    def how_it_ended(self) -> str | None:
        """Part of a sentence; None while it runs."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return None
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def start_again(self) -> bool:
        """False, and nothing done, when it has died too often within a short time."""
        self._deaths.append(time.monotonic())
        if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] <= DEATHS_SECONDS:
            return False
        self.end()
        self.start()
        return True


def main() -> None:
    raise_on_termination()
    port = _chosen_port()
    var = _var_dir()
    _refuse_busy_port(port)
    setup_env.ensure()
    only_one = _claim(var)  # noqa: F841 - held until the process ends
    environment = setup_env.environment_variables() | {"VAR_DIR": str(var), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    _prepare(environment)
    parts = _parts(environment, var, port)
    with contextlib.ExitStack() as running:
        for part in parts:
            running.callback(part.end)
        for part in parts:
            running.callback(part.ask_to_end)  # these come first, so that all of them end at the same time
        with step("Starting the portal and its worker"):
            for part in parts:
                part.start()
            _wait_until_ready(parts, port)
        _greet(var, port)
        _stay(parts)


def _chosen_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        stop(f"PORT must be a number from 1 to 65535, not “{text}”, for example: PORT=8001 make run")
    return int(text)


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if port < 65535 else 8001
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            stop(f"Port {port} {reason}; choose another one: PORT={other if other > 1024 else 8000} make run")


def _var_dir() -> Path:
    var = (ROOT / os.environ.get("VAR_DIR", "var")).resolve()
    try:
        (var / "log").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"The folder {var} cannot be written ({error.strerror}); choose another one: VAR_DIR=/path make run")
    return var


def _claim(var: Path) -> IO[str]:
    """Hold the folder's lock for as long as we run: two workers on one queue folder would be one too many."""
    lock = (var / "run.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stop(f"The portal already runs on {_short(var)}; stop it first, or choose a folder: VAR_DIR=var2 make run")
    return lock


def _prepare(environment: dict[str, str]) -> None:
    if environment.get("MEP_MODE", "demo") != "demo":
        stop("`make run` starts the demo; for production see docs/production.md, or unset MEP_MODE.")
    command = [str(setup_env.PYTHON), "scripts/prepare.py"]
    if subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        stop("The portal could not be prepared; the lines above say why.")


def _parts(environment: dict[str, str], var: Path, port: int) -> list[Part]:
    """Web server, worker, beat.

    The worker is one process (`--pool solo`): with a queue of files, the processes of Celery's pool share one pipe and
    its lock; one that is killed takes the lock with it, and the next one waits for it for good. Beat is a process of
    its own, because a worker does not miss the one that it has started.
    """
    celery = ["celery", "--app", "mepportal"]
    web = ["gunicorn", "mepportal.wsgi:application", "--bind", f"{HOST}:{port}", "--no-control-socket"]
    web += ["--workers", "1", "--threads", str(WEB_THREADS), "--pid", str(var / "web.pid"), "--log-level", "warning"]
    worker = [*celery, "worker", "--pool", "solo", "--pidfile", str(var / "worker.pid"), "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = [*celery, "beat", "--pidfile", str(var / "beat.pid"), "--loglevel", "INFO"]
    beat += ["--schedule", str(var / "celerybeat-schedule")]
    parts = {("web server", "web"): web, ("worker", "worker"): worker, ("beat", "beat"): beat}
    return [
        Part(name, command, environment, log=var / "log" / f"{file}.log", pid_file=var / f"{file}.pid")
        for (name, file), command in parts.items()
    ]


def _wait_until_ready(parts: list[Part], port: int) -> None:
    """Return when the web server answers, and worker and beat have given their first signs of life."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_ready(port):
        for part in parts:
            if how := part.how_it_ended():
                _give_up(part, f"{how}, so the portal stops")
        if time.monotonic() > deadline:
            stop(f"The portal was not ready within {PATIENCE_SECONDS} seconds; its logs are in {parts[0].log.parent}.")
        time.sleep(0.3)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _give_up(part: Part, why: str) -> NoReturn:
    print(f"\n{_read(part.log)[-3000:]}", file=sys.stderr)
    stop(f"The {part.name} {why}; the end of {part.log} stands above.")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _greet(var: Path, port: int) -> None:
    people = json.loads((var / "demo.json").read_text(encoding="utf-8"))
    widths = [max(len(str(person[field])) for person in people) for field in FIELDS]
    say()
    say(f"  The portal is ready: http://{HOST}:{port}")
    say()
    say("  Demo sign-ins (everything in it is demonstration data):")
    for role, members in _by_role(people).items():
        for person in members[:SIGN_INS_SHOWN]:
            cells = [str(person[field]).ljust(width) for field, width in zip(FIELDS, widths, strict=True)]
            say(f"    {'  '.join(cells)}  {_schools(person)}".rstrip())
        if len(members) > SIGN_INS_SHOWN:
            more = len(members) - SIGN_INS_SHOWN
            say(f"    {role.ljust(widths[0])}  and {more} more in {_short(var / 'demo.json')}")
    say()
    say(f"  Mails are written to {_short(var / 'mail')}, logs to {_short(var / 'log')}. Ctrl-C stops everything.")
    say()


def _by_role(people: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for person in people:
        groups.setdefault(str(person["role"]), []).append(person)
    return groups


def _schools(person: dict[str, Any]) -> str:
    numbers = [str(number) for number in person.get("schools") or []]
    return ", ".join(numbers[:3]) + (f" and {len(numbers) - 3} more" if len(numbers) > 3 else "")


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _stay(parts: list[Part]) -> None:
    """Start again what dies, for as long as nobody stops us."""
    while True:
        for part in parts:
            if how := part.how_it_ended():
                if not part.start_again():
                    _give_up(part, f"ended {DEATHS} times within {DEATHS_SECONDS} seconds, so the portal stops")
                say(f"  The {part.name} {how} and is started again.")
        time.sleep(0.5)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, Terminated):
        say("\nThe portal has stopped.")
        sys.exit(0)
