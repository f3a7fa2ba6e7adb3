"""Two rules of the house that no tool knows: no paths of one machine, and no float or round() in the apps."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

# written in two parts, so that this file does not break its own rule
MACHINE_PATHS = re.compile("|".join(["/" + "home/", "/" + "root/", "/" + "Users/", "/" + "work/", r"\.\./" + "shared"]))
CALLS = {
    "round": "round() rounds half to even; apps.core.money and the calculations round half-up",
    "float": "float() loses cents and thirds; use Decimal or integers",
    "eval": "eval() executes what it reads",
}


def machine_paths(root: Path) -> list[str]:
    """Lines in tracked text files that name a folder of somebody's machine."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:  # an unpacked archive: there is nothing tracked to look at
        return []
    return [fault for name in listed.stdout.decode().split("\0") if name for fault in _paths_in(root / name, name)]


def _paths_in(path: Path, name: str) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        found = MACHINE_PATHS.search(line)
        if found:
            yield f"{name}:{number}: {found.group()} is a path of one machine"


def banned_calls(root: Path) -> list[str]:
    """Calls in the apps that the house does not make; migrations and the demo are looked at, too."""
    return [
        fault for path in sorted((root / "apps").rglob("*.py")) for fault in _calls_in(path, path.relative_to(root))
    ]


def _calls_in(path: Path, name: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield f"{name}:{node.lineno}: {CALLS[node.func.id]}"
