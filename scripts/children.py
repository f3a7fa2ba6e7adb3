"""Processes that end when we end: by our word, by Ctrl-C or, should we be killed, by the kernel's."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PATIENCE_SECONDS = 15


def begin(
    command: Sequence[str],
    *,
    output: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    user: pwd.struct_passwd | None = None,
    feed: bytes | None = None,
    folder: Path | None = None,
    parting: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that the terminal's Ctrl-C reaches only us.

    `feed` is given to its standard input; `parting` is sent to it should we die without a word.
    """
    identity: dict[str, Any] = {}
    if user is not None and os.geteuid() == 0:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    process: subprocess.Popen[bytes] = subprocess.Popen(
        list(command),
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=_dies_with_parent(os.getpid(), parting),  # noqa: PLW1509 - we start no threads
        **identity,
    )
    if feed is not None and process.stdin is not None:
        process.stdin.write(feed)
        process.stdin.close()
    return process


def end(process: subprocess.Popen[bytes], *, parting: signal.Signals | None = signal.SIGTERM) -> None:
    """Ask the process to stop (None: it has been asked), wait, and kill its whole group if it does not."""
    try:
        if process.poll() is None:
            if parting is not None:
                process.send_signal(parting)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)
    finally:  # an impatient second Ctrl-C must not leave anything behind
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _dies_with_parent(parent: int, parting: signal.Signals) -> Callable[[], None]:
    """What the child does before it becomes the program; without Linux's prctl it is nothing."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)

    def before() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(parting), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return before


class Terminated(SystemExit):
    """Somebody asked us to end; the exit code says by which signal."""


def raise_on_termination() -> None:
    """Make SIGTERM and SIGHUP unwind like Ctrl-C, so that every `finally` runs.

    Ctrl-C is set as well: a script that starts us in the background lets us inherit that it is ignored.
    """

    def unwind(number: int, _frame: FrameType | None) -> None:
        raise Terminated(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, unwind)
    signal.signal(signal.SIGHUP, unwind)


@contextlib.contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Signals that would end us wait until the block is left or calls what it is given; a child calls that, too."""
    ours = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ours)

    signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    try:
        yield release
    finally:
        release()
