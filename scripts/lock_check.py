"""Says where a lock file is out of step with its .in file, without asking any registry.

From the names in the .in file it follows the requirements of the installed packages and compares what it
reaches with what is locked. A newer release somewhere does not matter; `make lock` mends what is found.
Runs in the environment, which was installed from these very lock files.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[^\]]*\])?==(?P<version>\S+)(?: ; (?P<marker>.+?))?(?: \\)?$", re.MULTILINE
)
Pins = dict[str, str]


def wanted(path: Path) -> Iterator[Requirement]:
    """The requirements of an .in file; those of files that it includes are checked with that file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


def pins(path: Path) -> tuple[Pins, Pins]:
    """Locked versions by name: those for this platform, and those for others."""
    here: Pins = {}
    elsewhere: Pins = {}
    for match in PINNED.finditer(path.read_text(encoding="utf-8")):
        applies = not match["marker"] or Marker(match["marker"]).evaluate()
        (here if applies else elsewhere)[canonicalize_name(match["name"])] = match["version"]
    return here, elsewhere


def reached(requirements: list[Requirement]) -> set[str]:
    """Names of all packages that the requirements bring along on this platform."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(canonicalize_name(requirement.name), frozenset(requirement.extras)) for requirement in requirements]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in _requirements_of(name):
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
                todo.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return {name for name, _extras in seen}


def _requirements_of(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []  # then it is not locked either, which is said by name


def faults(source: str, lock: str, *, included: list[Requirement]) -> list[str]:
    here, _elsewhere = pins(ROOT / lock)
    direct = list(wanted(ROOT / source))
    found = []
    for requirement in direct:
        locked = here.get(canonicalize_name(requirement.name))
        if locked is None or not requirement.specifier.contains(locked, prereleases=True):
            found.append(f"{lock}: {source} asks for {requirement}, locked is {locked or 'nothing'}")
    needed = reached(included + direct)
    found += [f"{lock}: {name} is needed and not locked" for name in sorted(needed - here.keys())]
    found += [f"{lock}: {name} is locked and no longer needed" for name in sorted(here.keys() - needed)]
    return found


def main() -> int:
    runtime = list(wanted(ROOT / "requirements.in"))
    found = faults("requirements.in", "requirements.txt", included=[])
    found += faults("requirements-dev.in", "requirements-dev.txt", included=runtime)
    locked, tools = pins(ROOT / "requirements.txt")[0], pins(ROOT / "requirements-dev.txt")[0]
    found += [
        f"requirements-dev.txt: {name} {tools.get(name)} differs from {version} in requirements.txt"
        for name, version in locked.items()
        if tools.get(name) != version
    ]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
