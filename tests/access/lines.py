"""Reads the tables of the access matrix."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.accounts.choices import Role

NOBODY = None
COLUMNS: tuple[Role | None, ...] = (
    NOBODY,
    Role.SCHOOL_STAFF,
    Role.COORDINATOR,
    Role.OFFICE_CLERK,
    Role.OFFICE_APPROVER,
    Role.HEAD,
    Role.IT_SUPPORT,
    Role.AUDITOR,
    Role.ADMIN,
)
NO_ROW = "-"
WROTE = "+"


@dataclass(frozen=True)
class Line:
    """One address with a kind of row: what each person gets for an own row and for a foreign one.

    `label` chooses among several things that one address does, `query` is the address's query with placeholders.
    """

    address: str
    label: str
    query: str
    kind: str
    cells: dict[Role | None, tuple[str, str]]

    @property
    def title(self) -> str:
        label = f"#{self.label}" if self.label else ""
        return f"{self.address}{label}{self.query} ({self.kind})"

    @property
    def export(self) -> str:
        return self.query.partition("export=")[2].partition("&")[0]


def read(table: str, prefix: str = "") -> list[Line]:
    """The lines of a table; `prefix` stands before each address."""
    return [_line(row, prefix) for row in table.splitlines() if row.strip() and not row.startswith("#")]


def _line(row: str, prefix: str) -> Line:
    target, kind, *cells = row.split()
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(COLUMNS)} cells are needed: {row}")
    place, mark, query = target.partition("?")
    address, _mark, label = place.partition("#")
    return Line(prefix + address, label, mark + query, kind, dict(zip(COLUMNS, _pairs(cells), strict=True)))


def _pairs(cells: list[str]) -> Iterator[tuple[str, str]]:
    for cell in cells:
        own, slash, foreign = cell.partition("/")
        yield own, foreign if slash else own
