"""What a newcomer meets when something is missing: one plain sentence, and nothing done yet."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import run as make_run
import system_packages
from children import begin, end
from django.conf import settings
from private_servers import free_port

from tests.support.waiting import wait_until

ROOT = Path(settings.BASE_DIR)


def play(*command: str, **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | values,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_old_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo "Python 3.9";; esac\n', encoding="ascii")
    old.chmod(0o755)

    done = play("sh", "scripts/find_python.sh", PYTHON=str(old))

    assert done.returncode == 1
    assert done.stderr == (
        "The portal needs Python 3.11 or newer and found Python 3.9; "
        "install it, or name it: PYTHON=/path/to/python3.13 make run\n"
    )


def test_a_missing_python_is_named() -> None:
    done = play("sh", "scripts/find_python.sh", PYTHON="/nowhere/python3")

    assert done.returncode == 1
    assert done.stderr.startswith("The portal needs Python 3.11 or newer and found none; ")


def test_a_port_in_use_is_named_with_another_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = play(sys.executable, "scripts/run.py", PORT=str(port), VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Port {port} is in use; choose another one: PORT={port + 1} make run\n"


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", ""])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    done = play(sys.executable, "scripts/run.py", PORT=port, VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == f"PORT must be a number from 1 to 65535, not “{port}”, for example: PORT=8001 make run\n"


def test_a_folder_that_cannot_be_made_is_named() -> None:
    done = play(sys.executable, "scripts/run.py", PORT="8000", VAR_DIR="/dev/null/var")

    assert done.returncode == 1
    assert done.stderr == (
        "The folder /dev/null/var cannot be written (Not a directory); choose another one: VAR_DIR=/path make run\n"
    )


def test_what_the_machine_lacks_is_one_command_for_an_ordinary_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)

    with pytest.raises(SystemExit) as ended:
        system_packages.ensure(["redis-server", "gettext"])

    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "This machine lacks redis-server, gettext; install them and start again: "
        "sudo apt-get install --yes --no-install-recommends redis-server gettext\n"
    )


def test_packages_are_not_installed_where_they_would_start_services(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
    policy.chmod(0o755)
    monkeypatch.setattr(system_packages, "POLICY", policy)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_packages.shutil, "which", lambda _name: "/usr/bin/apt-get")

    with pytest.raises(SystemExit):
        system_packages.install(["redis-server"])

    assert "lets packages start services; install them yourself" in capsys.readouterr().err
    assert policy.read_text(encoding="ascii") == "#!/bin/sh\nexit 0\n"


def test_the_guards_against_services_leave_no_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rule = tmp_path / "postgresql-common" / "createcluster.d" / "no-main-cluster.conf"
    monkeypatch.setattr(system_packages, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(system_packages, "CLUSTER_RULE", rule)

    with system_packages._nothing_starts():
        assert system_packages._policy_forbids_services()
        assert rule.read_text(encoding="ascii") == "create_main_cluster = false\n"

    assert list(tmp_path.iterdir()) == []


def _servers() -> tuple[subprocess.Popen[str], Path]:
    """The private servers in a process of their own, once it says that they are up, and their folder."""
    process = subprocess.Popen(
        [sys.executable, "scripts/private_servers.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    return process, Path("/" + line.partition("@//")[2]).parent.parent


def _running(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.mark.postgres_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_private_servers_end_however_their_owner_ends(number: signal.Signals) -> None:
    process, folder = _servers()
    assert len(_running(folder)) == 1
    assert folder.stat().st_mode & 0o777 == 0o711
    assert (folder / "pg").stat().st_mode & 0o777 == 0o700

    process.send_signal(number)
    process.wait(30)

    deadline = time.monotonic() + 15
    while _running(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _running(folder) == []
    assert folder.exists() == (number == signal.SIGKILL)
    if folder.exists():
        subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.mark.postgres_only
def test_a_command_on_private_servers_is_ended_with_them_and_may_tidy_up(tmp_path: Path) -> None:
    tidied = tmp_path / "tidied"
    command = ["sh", "-c", f"trap 'sleep 0.5; touch {tidied}; exit' TERM; echo up; while :; do sleep 0.1; done"]
    process = subprocess.Popen(
        [sys.executable, "scripts/private_servers.py", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"

    process.terminate()

    assert process.wait(30) == 128 + signal.SIGTERM
    assert tidied.exists()
    assert _running(tmp_path) == []


def test_a_signal_waits_while_a_process_begins() -> None:
    code = (
        "import os, signal\n"
        "from children import held_back, raise_on_termination\n"
        "raise_on_termination()\n"
        "with held_back():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('begun')\n"
        "print('too late')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "begun\n")


# A real run, whose processes are killed


class Run:
    """`make run` on a folder of its own; `said` is what it has printed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._output, self.port = folder, folder / "said", free_port()
        values = {"PORT": str(self.port), "VAR_DIR": str(folder / "var"), "RECALC_SECONDS": "2"}
        self._environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | values

    @contextmanager
    def started(self) -> Iterator[None]:
        with self._output.open("wb") as output:
            process = begin([sys.executable, "scripts/run.py"], output=output, env=self._environment, folder=ROOT)
        try:
            wait_until(lambda: "The portal is ready" in self.said or process.poll(), seconds=240, what="the portal")
            assert process.poll() is None, self.said
            yield
        finally:
            end(process, parting=signal.SIGINT)
        assert process.returncode == 0
        assert self.said.endswith("\nThe portal has stopped.\n")

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def number(self, part: str) -> int:
        """The process number that the part has written down; 0 while it has none."""
        try:
            return int((self._folder / "var" / f"{part}.pid").read_text(encoding="ascii") or 0)
        except FileNotFoundError:
            return 0

    def children(self, part: str) -> list[int]:
        try:
            text = Path(f"/proc/{(pid := self.number(part))}/task/{pid}/children").read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        return [int(child) for child in text.split()]

    def ask(self, address: str) -> dict[str, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=30) as answer:
            found: dict[str, str] = json.load(answer)
        return found

    def database(self, statement: str) -> int:
        """Number of rows written, or the number that was asked for."""
        with closing(sqlite3.connect(self._folder / "var" / "portal.sqlite3", timeout=30)) as database, database:
            cursor = database.execute(statement)
            return int(cursor.fetchone()[0]) if cursor.description else cursor.rowcount


STALE = (
    "SELECT count(*) FROM quotas_quotafigure figure JOIN schools_school school ON school.id = figure.school_id"
    " WHERE figure.inputs_version <> school.inputs_version"
)


@pytest.mark.postgres_only  # once is enough: it has its own SQLite whatever the tests run on
def test_whatever_is_killed_is_started_again(tmp_path: Path) -> None:
    """Worker, beat, web server and their children; afterwards a due recalculation is done, and all is well."""
    run = Run(tmp_path)
    everything = {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}
    with run.started():
        assert run.ask("/health/ready") == everything
        for part, name in (("worker", "worker"), ("beat", "beat"), ("web", "web server")):
            kill_children(run, part)
            recalculates(run)
            before = run.number(part)
            os.kill(before, signal.SIGKILL)
            wait_until(lambda part=part, before=before: run.number(part) not in {0, before}, seconds=60, what=name)
            assert run.said.count(f"  The {name} was ended by SIGKILL and is started again.\n") == 1
            if part != "web":
                assert run.ask("/health/live") == {"status": "ok"}
            recalculates(run)
        wait_until(lambda: reached(run), seconds=60, what="the web server")
        assert run.ask("/health/ready") == everything
        assert run.said.count("is started again") == 3


def test_what_dies_again_and_again_is_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "worker.log"
    part = make_run.Part("worker", ["no_such_program"], {}, log=log, pid_file=tmp_path / "worker.pid")
    part.start()

    with pytest.raises(SystemExit) as ended:
        make_run._stay([part])

    part.end()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.out == "  The worker ended with code 1 and is started again.\n" * 4
    assert said.err.endswith(
        "No module named no_such_program\n\n"
        f"The worker ended 5 times within 60 seconds, so the portal stops; the end of {log} stands above.\n"
    )


def kill_children(run: Run, part: str) -> None:
    """Those that there are: the worker and beat have none, and lose nothing by it."""
    for child in run.children(part):
        os.kill(child, signal.SIGKILL)


def recalculates(run: Run) -> None:
    """What is made due now is done soon, which takes both beat and worker."""
    assert run.database("UPDATE schools_school SET inputs_version = inputs_version + 1") == 59
    assert run.database(STALE) > 0
    wait_until(lambda: run.database(STALE) == 0, seconds=120, pause=0.5, what="the figures")


def reached(run: Run) -> bool:
    try:
        return run.ask("/health/live") == {"status": "ok"}
    except OSError:
        return False
