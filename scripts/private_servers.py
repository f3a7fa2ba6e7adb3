"""A PostgreSQL and a Redis of our own: started in a folder below /tmp, always stopped, nothing else touched.

`python scripts/private_servers.py COMMAND ...` runs a command with DATABASE_URL and REDIS_URL set;
without a command it prints both and keeps the servers until Ctrl-C.
PostgreSQL refuses to run as root: there it runs as the user `postgres`, in a folder that only this user may enter.
"""

import argparse
import contextlib
import os
import pwd
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import system_packages
from children import PATIENCE_SECONDS, Terminated, begin, end, held_back, raise_on_termination
from console import say, stop

START_SECONDS = 30
DATABASE = "mep"
CLUSTER_OPTIONS = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
CLUSTER_OPTIONS += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=de-DE"]
POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "log_min_messages": "fatal",
}


@dataclass(frozen=True)
class Servers:
    """Where the private servers are reached."""

    database_url: str
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@contextlib.contextmanager
def private_servers() -> Iterator[Servers]:
    """Start both servers; stop them and remove their data however the block ends."""
    system_packages.ensure(["postgresql", "redis-server"])
    folder = Path(tempfile.mkdtemp(prefix="mep-servers-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        with _postgres(folder) as database_url, _redis(folder) as redis_url:
            yield Servers(database_url, redis_url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    programs = system_packages.find_postgres()
    assert programs is not None
    owner = _owner()
    home = folder / "pg"
    home.mkdir(mode=0o700)
    os.chown(home, owner.pw_uid, owner.pw_gid)
    data, log = home / "data", home / "log"
    _as_owner([programs / "initdb", "--pgdata", data, *CLUSTER_OPTIONS], owner)
    options = [part for name, value in POSTGRES_OPTIONS.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        server = begin(
            [str(programs / "postgres"), "-D", str(data), "-k", str(home), *options],
            output=output,
            user=owner,
            parting=signal.SIGINT,  # PostgreSQL's fast shutdown; SIGTERM would wait for open connections
        )
    try:
        _wait(lambda: _postgres_answers(home), server, log, "PostgreSQL")
        _as_owner([programs / "createdb", "--host", home, "--username=postgres", DATABASE], owner)
        yield f"postgres://postgres:@/{home}/{DATABASE}"
    finally:
        end(server, parting=signal.SIGINT)


def _owner() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        stop("As root the tests run PostgreSQL as the user postgres, whom this machine does not know.")


def _as_owner(command: Sequence[str | Path], owner: pwd.struct_passwd) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        user=owner.pw_uid,
        group=owner.pw_gid,
        extra_groups=[] if os.geteuid() == 0 else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        stop(f"PostgreSQL could not be prepared: {done.stderr.strip()}")


def _postgres_answers(home: Path) -> bool:
    """Whether the server accepts connections: its lock file says `ready` in the eighth line."""
    with contextlib.suppress(OSError, IndexError):
        lines = (home / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return lines[7].strip() == "ready"
    return False


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    assert program is not None
    home, log = folder / "redis", folder / "redis.log"
    home.mkdir(mode=0o700)
    port, password = free_port(), secrets.token_urlsafe(16)
    settings = f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {home}\n'
    with log.open("wb") as output:
        server = begin([program, "-"], output=output, feed=settings.encode(), folder=home)
    try:
        _wait(lambda: _redis_answers(port, password), server, log, "Redis")
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        end(server)


def _redis_answers(port: int, password: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        return b"+PONG" in connection.recv(64) or b"+PONG" in connection.recv(64)
    return False


def free_port() -> int:
    """A port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(answers: Callable[[], bool], server: subprocess.Popen[bytes], log: Path, name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            stop(f"{name} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        time.sleep(0.02)


def _play(command: Sequence[str], servers: Servers) -> int:
    """Run a command in our session, so that Ctrl-C reaches it as well; what else ends us is passed on to it."""
    with held_back() as release:  # or a signal in the moment it begins would leave the command without us
        variables = os.environ | servers.environment
        process = subprocess.Popen(command, env=variables, preexec_fn=release)  # noqa: PLW1509 - we start no threads
        try:
            release()
            return process.wait()
        except Terminated:
            process.terminate()
            raise
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2 * PATIENCE_SECONDS)
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a command with a private PostgreSQL and Redis.")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="a command; without one the servers stay until Ctrl-C"
    )
    command = parser.parse_args().command
    raise_on_termination()
    with contextlib.suppress(KeyboardInterrupt), private_servers() as servers:
        if command:
            raise SystemExit(_play(command, servers))
        for name, value in servers.environment.items():
            say(f"export {name}={shlex.quote(value)}")
        say("# The servers run until Ctrl-C.")
        signal.pause()


if __name__ == "__main__":
    main()
