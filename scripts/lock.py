"""`make lock`: compile the lock files from the .in files; `--upgrade` takes newer releases than those locked."""

import subprocess
import sys

import setup_env
from console import ROOT, say, stop

LOCKS = {
    "requirements.in": "requirements.txt",
    "requirements-dev.in": "requirements-dev.txt",
    "requirements-node.in": "requirements-node.txt",
}
OPTIONS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]


def main() -> None:
    setup_env.ensure(tools=True)
    for source, lock in LOCKS.items():
        command = [str(setup_env.PYTHON.parent / "uv"), "pip", "compile", "--quiet", *OPTIONS]
        command += ["--custom-compile-command", "make lock", source, "--output-file", lock, *sys.argv[1:]]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            stop(f"{lock} could not be compiled; the lines above say why.")
        say(f"{lock} is in step with {source}.")


if __name__ == "__main__":
    main()
