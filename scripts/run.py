"""`make run`: the portal on SQLite with the demo city, a web server and a worker with beat, nothing beside it.

Everything it writes lies below VAR_DIR. It ends all its processes when it ends, and ends when one of them does.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import setup_env
from children import Terminated, begin, end, raise_on_termination
from console import ROOT, say, step, stop

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60
WEB_THREADS = 8
FIELDS = ("role", "email", "password")
SIGN_INS_SHOWN = 2  # of each role


@dataclass
class Part:
    """One process of the portal, with the log that it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def main() -> None:
    raise_on_termination()
    port = _chosen_port()
    var = _var_dir()
    _refuse_busy_port(port)
    setup_env.ensure()
    only_one = _claim(var)  # noqa: F841 - held until the process ends
    environment = setup_env.environment_variables() | {"VAR_DIR": str(var), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    _prepare(environment)
    with contextlib.ExitStack() as running:
        with step("Starting the portal and its worker"):
            parts = [running.enter_context(part) for part in _parts(environment, var, port)]
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


def _parts(environment: dict[str, str], var: Path, port: int) -> Iterator[contextlib.AbstractContextManager[Part]]:
    python = str(setup_env.PYTHON)
    web = [python, "-m", "gunicorn", "mepportal.wsgi:application", "--bind", f"{HOST}:{port}", "--no-control-socket"]
    web += ["--workers", "1", "--threads", str(WEB_THREADS), "--pid", str(var / "web.pid"), "--log-level", "warning"]
    worker = [python, "-m", "celery", "--app", "mepportal", "worker", "--beat", "--concurrency", "1"]
    worker += ["--schedule", str(var / "celerybeat-schedule"), "--pidfile", str(var / "worker.pid")]
    worker += ["--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    for name in ("web.pid", "worker.pid"):
        (var / name).unlink(missing_ok=True)  # left behind by a power cut, they would keep the worker from starting
    yield _part("web server", web, environment, var / "log" / "web.log")
    yield _part("worker", worker, environment, var / "log" / "worker.log")


@contextlib.contextmanager
def _part(name: str, command: list[str], environment: dict[str, str], log: Path) -> Iterator[Part]:
    with log.open("wb") as output:
        process = begin(command, output=output, env=environment, folder=ROOT)
    try:
        yield Part(name, process, log)
    finally:
        end(process)


def _wait_until_ready(parts: list[Part], port: int) -> None:
    """Return when the web server answers and the worker takes jobs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (_answers(port) and " ready." in _read(parts[1].log)):
        _stop_if_one_ended(parts)
        if time.monotonic() > deadline:
            stop(f"The portal did not answer within {PATIENCE_SECONDS} seconds; its logs are in {parts[0].log.parent}.")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop_if_one_ended(parts: list[Part]) -> None:
    for part in parts:
        code = part.process.poll()
        if code is not None:
            print(f"\n{_read(part.log)[-3000:]}", file=sys.stderr)
            reason = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            stop(f"The {part.name} {reason}, so the portal stops; the end of {part.log} stands above.")


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
    while True:
        _stop_if_one_ended(parts)
        time.sleep(0.5)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, Terminated):
        say("\nThe portal has stopped.")
        sys.exit(0)
