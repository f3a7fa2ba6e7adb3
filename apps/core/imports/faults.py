"""What is wrong with a row, said in the reader's language: the text is translated when it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext

SHOWN = 60


class CellError(Exception):
    """A cell cannot be read. `message` is a translatable text, marked with `gettext_noop` where it is raised."""

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.params = params


@dataclass(frozen=True)
class Fault:
    """One reason; `column` as the file names it, empty where the whole row is meant."""

    column: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, column: str, error: CellError) -> Fault:
        return cls(column, error.message, error.params)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def text(self) -> str:
        """The reason in the active language."""
        reason = gettext(self.message)
        return reason % self.params if self.params else reason


def faults_of(stored: list[dict[str, Any]]) -> list[Fault]:
    """The faults or hints of a staged row."""
    return [Fault(entry["column"], entry["message"], entry["params"]) for entry in stored]


def shown(text: str) -> str:
    """A cell as messages quote it: cut when it is long."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
