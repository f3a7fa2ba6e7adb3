"""Makes the environment that everything else runs in; does only what is not done yet.

Runs on the standard library alone, because nothing is installed when it begins.
Packages come from wherever the user's own pip and npm settings point.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from console import ROOT, run_quietly, say, step, stop

ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
CATALOGUES = ROOT / "mepportal" / "locale"
PIP_OPTIONS = ["--quiet", "--no-user", "--no-input", "--disable-pip-version-check"]
COMPILE_CATALOGUE = "import polib, sys; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])"


def ensure(*, tools: bool = False) -> None:
    """Bring environment, packages, browser assets and catalogue up to date.

    With `tools` the packages for tests and checks are installed as well.
    """
    with Path(__file__).open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` may be started at the same time
        _ensure_environment()
        _ensure_packages("requirements-dev.txt" if tools else "requirements.txt")
        _ensure_browser_assets()
        _ensure_catalogues()


def environment_variables() -> dict[str, str]:
    """The caller's environment with the project's programs found first."""
    return os.environ | {
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(ENVIRONMENT),
    }


def _ensure_environment() -> None:
    if _works():
        return
    if ENVIRONMENT.exists():
        if not (ENVIRONMENT / "pyvenv.cfg").exists():
            stop(f"{ENVIRONMENT} exists and is no Python environment; move it away and start again.")
        shutil.rmtree(ENVIRONMENT)
    _ensure_venv_module()
    with step(f"Making the environment with Python {sys.version_info[0]}.{sys.version_info[1]}"):
        run_quietly(
            [sys.executable, "-m", "venv", ENVIRONMENT],
            sentence="The environment .venv could not be made; the lines above say why.",
        )


def _works() -> bool:
    """Whether .venv has a Python that is new enough and has pip (a half-made one has not)."""
    if not PYTHON.exists():
        return False
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


def _ensure_venv_module() -> None:
    """Debian keeps the parts of venv in a package of their own: install it when we may, else name it."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not shutil.which("apt-get"):
        stop("This Python has no venv module; install the one that belongs to it and start again.")
    if os.geteuid() != 0:
        stop(f"This Python has no venv module; install it and start again: sudo apt-get install {package}")
    from system_packages import install

    install([package])


def _ensure_packages(lock: str) -> None:
    if _done(lock):
        return
    with step(f"Installing the packages of {lock} (a minute on the first time)"):
        _install_locked(lock)
    _mark_done(lock)
    if lock == "requirements-dev.txt":  # it pins the runtime packages, too
        _mark_done("requirements.txt")


def _install_locked(lock: str) -> None:
    run_quietly(
        [PYTHON, "-m", "pip", "install", *PIP_OPTIONS, "--require-hashes", "--requirement", lock],
        sentence=f"The packages of {lock} could not be installed; the lines above say why.",
    )


def _ensure_browser_assets() -> None:
    if NODE_MODULES.exists() and _done("package-lock.json"):
        return
    npm = shutil.which("npm") or _npm_from_wheel()
    with step("Fetching the browser assets"):
        run_quietly(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            sentence="The browser assets could not be fetched; the lines above say why.",
            env=environment_variables(),
        )
    _mark_done("package-lock.json")


def _npm_from_wheel() -> str:
    """Where the machine has no npm, a wheel brings one into the environment."""
    lock = "requirements-node.txt"
    if not _done(lock):
        with step("Installing npm into the environment, because the machine has none"):
            _install_locked(lock)
        _mark_done(lock)
    return str(PYTHON.parent / "npm")


def _ensure_catalogues() -> None:
    """Compile each translation that is newer than its compiled form."""
    for source in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        unfinished = compiled.with_suffix(".mo.new")
        with step(f"Compiling the translation {source.parent.parent.name}"):
            run_quietly(
                [PYTHON, "-c", COMPILE_CATALOGUE, source, unfinished],
                sentence=f"{source.relative_to(ROOT)} could not be compiled; the lines above say why.",
            )
            unfinished.replace(compiled)


def _stamp(lock: str) -> Path:
    return ENVIRONMENT / f".installed-{lock}"


def _fingerprint(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _done(lock: str) -> bool:
    stamp = _stamp(lock)
    return stamp.exists() and stamp.read_text(encoding="ascii") == _fingerprint(lock)


def _mark_done(lock: str) -> None:
    _stamp(lock).write_text(_fingerprint(lock), encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", action="store_true", help="install the packages for tests and checks as well")
    ensure(tools=parser.parse_args().tools)
    say("The environment is ready.")


if __name__ == "__main__":
    main()
