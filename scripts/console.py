"""How the scripts talk to whoever started them: plain sentences, one line per step."""

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def stop(sentence: str, code: int = 1) -> NoReturn:
    """End with one sentence that says what to do, without a traceback."""
    print(sentence, file=sys.stderr, flush=True)
    raise SystemExit(code)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Name a step before it begins and its time when it is done."""
    print(f"{title} ...", end=" ", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def run_quietly(command: Sequence[str | Path], *, sentence: str, env: Mapping[str, str] | None = None) -> None:
    """Run a command; show what it wrote, and the sentence, only when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stdout.strip().splitlines()
        print(f"\n$ {shlex.join(str(part) for part in command)}", file=sys.stderr)
        print("\n".join(lines[-25:]), file=sys.stderr)
        stop(sentence)
