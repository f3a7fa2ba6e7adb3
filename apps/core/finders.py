"""Which files of the npm packages the portal serves: these and no others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Warning
from django.core.files.storage import FileSystemStorage


@dataclass(frozen=True)
class Package:
    """Files of one package under node_modules and the static folder they are served from."""

    folder: str
    prefix: str
    files: tuple[str, ...]


PACKAGES = (
    Package(
        "@kern-ux/native/dist",
        "vendor/kern",
        (
            "kern.min.css",
            "fonts/fira-sans/FiraSans-Regular.woff2",
            "fonts/fira-sans/FiraSans-Medium.woff2",
            "fonts/fira-sans/FiraSans-SemiBold.woff2",
        ),
    ),
    Package("htmx.org/dist", "vendor/htmx", ("htmx.min.js",)),
    Package("jsqr/dist", "vendor/jsqr", ("jsQR.js",)),
)


class PackageStorage(FileSystemStorage):
    """A package's folder; collectstatic reads the prefix from here."""

    def __init__(self, package: Package) -> None:
        super().__init__(location=_node_modules() / package.folder)
        self.prefix = package.prefix


class NodePackagesFinder(BaseFinder):
    """Finds the files of PACKAGES below `settings.BASE_DIR / "node_modules"`."""

    def check(self, **_kwargs: Any) -> list[CheckMessage]:
        missing = [
            name
            for package in PACKAGES
            for name in package.files
            if not (_node_modules() / package.folder / name).is_file()
        ]
        if not missing:
            return []
        return [
            Warning(
                f"Browser assets are missing: {', '.join(missing)}",
                hint="Run `npm ci` in the project folder.",
                id="core.W001",
            )
        ]

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        for package in PACKAGES:
            name = path.removeprefix(f"{package.prefix}/")
            if name != path and name in package.files:
                found = str(_node_modules() / package.folder / name)
                return [found] if find_all else found
        return []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, PackageStorage]]:
        patterns = [*(ignore_patterns or ())]
        for package in PACKAGES:
            storage = PackageStorage(package)
            for name in package.files:
                if not matches_patterns(name, patterns):
                    yield name, storage


def _node_modules() -> Path:
    return Path(settings.BASE_DIR) / "node_modules"
