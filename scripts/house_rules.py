"""Rules of the house that no tool knows: no paths of one machine, no float or round() in the apps, no day kept."""

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
CLOCK = {"today", "now"}
CODE = ("apps", "mepportal", "tests")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


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


def days_kept(root: Path) -> list[str]:
    """Where a module asks for the day while it is loaded: after midnight it goes on with that of yesterday."""
    return [
        f"{path.relative_to(root)}:{line}: the clock is asked once, when the module is loaded; ask where it is used"
        for folder in CODE
        for path in sorted((root / folder).rglob("*.py"))
        for line in _asks_when_loaded(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _asks_when_loaded(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.Call) and _last_name(node.func) in CLOCK:
        yield node.lineno
    for child in _run_when_loaded(node):
        yield from _asks_when_loaded(child)


def _run_when_loaded(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that run at once: of a function its decorators and defaults, not its body."""
    if not isinstance(node, Definition):
        yield from ast.iter_child_nodes(node)
        return
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
