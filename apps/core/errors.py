"""Errors that a user can mend."""

from collections.abc import Sequence

from django.utils.functional import Promise

OVERTAKEN = frozenset({"stale", "illegal_transition", "not_editable"})
"""Codes of refusals after which nothing is to be mended: the row is no longer what the person saw."""


class DomainError(Exception):
    """A rule of the field says no. The message is a whole sentence that says what to do.

    `field` names the form field that the user would change, if there is one; `line` the line it stands in, from 1, of
    those that were handed in. `parts`: the sentences of a message that gives several reasons, each of which a form
    shows by itself.
    """

    def __init__(
        self,
        message: str | Promise,
        *,
        code: str = "invalid",
        field: str | None = None,
        line: int | None = None,
        parts: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.line = line
        self.parts = tuple(parts)

    def __str__(self) -> str:
        return str(self.message)


class StaleError(DomainError):
    """Somebody else changed the row between reading and writing."""

    def __init__(self, message: str | Promise, *, code: str = "stale", field: str | None = None) -> None:
        super().__init__(message, code=code, field=field)


class ImportFileError(DomainError):
    """A file that cannot be read at all (as opposed to faulty rows in a readable one)."""

    def __init__(self, message: str | Promise, *, missing: Sequence[str] = ()) -> None:
        super().__init__(message, code="unreadable")
        self.missing = tuple(missing)
