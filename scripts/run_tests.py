"""`make test`: everything on PostgreSQL, Redis, worker and browser; services and story again on SQLite.

Runs of pytest that share nothing: on PostgreSQL and Redis each with a database and a queue of its own, and one on
SQLite. Three go side by side and the next begins when one of them ends: the first, which takes longest, mostly waits
for servers that it has stopped, so that two more keep both cores busy until the end. Arguments are handed to each.
A skipped test fails the whole, because nothing is to be skipped silently.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import setup_env
import system_packages
from children import begin, end, raise_on_termination
from console import ROOT, say
from private_servers import Servers, private_servers

MAY_BE_SKIPPED: frozenset[str] = frozenset()  # node ids; each needs a reason here
NOTHING_COLLECTED = 5
SIDE_BY_SIDE = 3
ON_POSTGRESQL = {
    "processes": "processes, demo, core",
    "money": "applications, money, inventory",
    "others": "all others",
    "browser": "browser",
}
"""Part -> what is said of it."""
DATABASE_VARIABLES = ("DATABASE_URL", "REDIS_URL")


@dataclass
class Run:
    """One pytest process, its log and what it reported."""

    title: str
    arguments: list[str]
    variables: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        self.folder.mkdir()
        environment = {
            name: value for name, value in setup_env.environment_variables().items() if name not in DATABASE_VARIABLES
        }
        environment |= self.variables | {"MEP_TEST_REPORT": str(self.folder / "report.json"), "PYTHONUNBUFFERED": "1"}
        command = [
            str(setup_env.PYTHON),
            "-m",
            "pytest",
            "-o",
            f"cache_dir=.pytest_cache/{self.folder.name}",
            *self.arguments,
        ]
        with self.log.open("wb") as output:
            self.process = begin(command, output=output, env=environment, folder=ROOT)

    def read_report(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            report = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
            self.outcomes, self.reasons = report["outcomes"], report["reasons"]

    def count(self, outcome: str) -> int:
        return sum(1 for found in self.outcomes.values() if found == outcome)

    @property
    def skipped_silently(self) -> dict[str, str]:
        return {test: reason for test, reason in self.reasons.items() if test not in MAY_BE_SKIPPED}


def main() -> int:
    raise_on_termination()
    began = time.monotonic()
    setup_env.ensure(tools=True)
    system_packages.ensure()
    asked = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="mep-test-run-") as folder, private_servers() as servers:
        runs = _runs(servers, Path(folder), asked)
        _migrate_once(servers)
        try:
            _play(runs)
        finally:
            for run in runs:
                if run.process is not None:
                    end(run.process)
        return _close(runs, narrowed=bool(asked), seconds=time.monotonic() - began)


def _migrate_once(servers: Servers) -> None:
    """The database that those of the runs on PostgreSQL are copied from, so that migrations are played once."""
    environment = setup_env.environment_variables() | servers.environment
    subprocess.run(
        [str(setup_env.PYTHON), "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True
    )


def _runs(servers: Servers, folder: Path, asked: list[str]) -> list[Run]:
    """Which test goes into which part stands in `tests/conftest.py`."""
    runs = [
        Run(f"PostgreSQL and Redis: {title}", [f"--part={part}", *asked], _apart(servers, number, part), folder / part)
        for number, (part, title) in enumerate(ON_POSTGRESQL.items())
    ]
    sqlite = ["--part=both-databases", *asked]
    return [*runs, Run("SQLite and files: services, story", sqlite, {}, folder / "sqlite")]


def _apart(servers: Servers, number: int, name: str) -> dict[str, str]:
    """A database and a queue of its own on the same servers."""
    queue = servers.redis_url.removesuffix("0") + str(number)
    return {
        "DATABASE_URL": f"{servers.database_url}_{name}",
        "REDIS_URL": queue,
        "MEP_TEST_TEMPLATE": servers.database_url.rpartition("/")[2],
    }


def _play(runs: list[Run]) -> None:
    """Play the runs, SIDE_BY_SIDE at a time, and show their output one after the other, the first one as it comes."""
    for run in runs:
        _start_next(runs)
        say(f"\n=== {run.title} ===")
        _follow(run, meanwhile=lambda: _start_next(runs))
        run.read_report()


def _start_next(runs: list[Run]) -> None:
    playing = sum(1 for run in runs if run.process is not None and run.process.poll() is None)
    for run in [run for run in runs if run.process is None][: SIDE_BY_SIDE - playing]:
        run.start()


def _follow(run: Run, *, meanwhile: Callable[[], None]) -> None:
    """Show a run's output until it ends; `meanwhile` is called now and then."""
    assert run.process is not None
    with run.log.open("rb") as log:
        while True:
            meanwhile()
            ended = run.process.poll() is not None
            chunk = log.read()
            if chunk:
                sys.stdout.buffer.write(chunk)
                sys.stdout.flush()
            elif ended:
                return
            else:
                time.sleep(0.1)


def _close(runs: list[Run], *, narrowed: bool, seconds: float) -> int:
    """Say how each run ended and, last, the sum; 0 only when all is well."""
    well = True
    say()
    for run in runs:
        assert run.process is not None
        code = run.process.returncode
        fine = code == 0 or (narrowed and code == NOTHING_COLLECTED)
        well = well and fine and not run.skipped_silently
        say(f"{run.title}: {_counts(run)}" + ("" if fine else f" (pytest ended with {code})"))
        for test, reason in run.skipped_silently.items():
            say(f"  skipped, which is not allowed: {test}: {reason}")
    passed, failed = (sum(run.count(outcome) for run in runs) for outcome in ("passed", "failed"))
    if well and not passed:
        well = False
        say("No test was selected.")
    say(f"{seconds / 60:.1f} minutes")
    say(f"{passed} passed, {failed} failed" + ("" if well or failed else ", and not all is well: see above"))
    return 0 if well else 1


def _counts(run: Run) -> str:
    return ", ".join(f"{run.count(outcome)} {outcome}" for outcome in ("passed", "failed", "skipped"))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
