"""Programs of the machine that the tests need, from Debian's own packages.

Installed packages start no service and PostgreSQL makes no cluster: both are held off while apt runs,
and the guards are taken away afterwards. A policy that the machine already has is respected, not changed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from console import say, step, stop

POLICY = Path("/usr/sbin/policy-rc.d")
CLUSTER_RULE = Path("/etc/postgresql-common/createcluster.d/no-main-cluster.conf")
POSTGRES_FOLDERS = "/usr/lib/postgresql/*/bin"


def find_chromium() -> str | None:
    """The browser of the tests; CHROMIUM names another one."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


def find_postgres() -> Path | None:
    """The folder with PostgreSQL's server programs, the newest where there are several."""
    folders = sorted(
        Path("/").glob(POSTGRES_FOLDERS.lstrip("/")),
        key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdecimal()],
        reverse=True,
    )
    on_path = shutil.which("initdb")
    candidates = [*folders, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


NEEDED: dict[str, Callable[[], object]] = {
    "redis-server": lambda: shutil.which("redis-server"),
    "chromium": find_chromium,
    "postgresql": find_postgres,
    "gettext": lambda: shutil.which("xgettext"),
}


def ensure(names: Sequence[str] = tuple(NEEDED)) -> None:
    """Install what is missing, or name the one command that does."""
    missing = [name for name in names if not NEEDED[name]()]
    if not missing:
        return
    install(missing)
    still_missing = [name for name in missing if not NEEDED[name]()]
    if still_missing:
        stop(f"Debian's packages did not bring {' and '.join(still_missing)}; please install what is missing.")


def install(packages: Sequence[str]) -> None:
    """Install Debian packages as root; else end with the command to run.

    Ends, too, where the machine's own policy would let the packages start services.
    """
    command = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get"):
        stop(f"This machine lacks {', '.join(packages)}; install them with its package manager and start again.")
    if os.geteuid() != 0:
        stop(f"This machine lacks {', '.join(packages)}; install them and start again: sudo {command}")
    if POLICY.exists() and not _policy_forbids_services():
        stop(f"{POLICY} of this machine lets packages start services; install them yourself: {command}")
    with step(f"Installing {', '.join(packages)} from Debian's packages"), _nothing_starts():
        _apt(["update"])
        _apt(["install", "--yes", "--no-install-recommends", *packages])


def _apt(arguments: Sequence[str]) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        done = subprocess.run(
            ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode and arguments[0] != "update":  # without the net, apt may still have the packages
            log.seek(0)
            print("\n" + "".join(log.readlines()[-25:]), file=sys.stderr)
            stop(f"apt-get {' '.join(arguments)} failed; the lines above say why.")


def _policy_forbids_services() -> bool:
    asked = [str(POLICY), "redis-server", "start"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 101


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """While this lasts, packages start no service and make no database cluster."""
    made: list[Path] = []
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        if not POLICY.exists():
            made.append(POLICY)
            POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
            POLICY.chmod(0o755)
        if not CLUSTER_RULE.exists():
            made += [CLUSTER_RULE, *_make_folders(CLUSTER_RULE.parent)]
            CLUSTER_RULE.write_text("create_main_cluster = false\n", encoding="ascii")
        yield
    finally:
        for path in made:
            _remove(path)
        signal.signal(signal.SIGTERM, previous)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and the missing ones above it; return them, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove(path: Path) -> None:
    """Take away what was made; a folder stays when a package has put something into it."""
    with contextlib.suppress(OSError):
        path.rmdir() if path.is_dir() else path.unlink()


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    ensure()
    say("The machine has all programs that the tests need.")
