"""Errors that a user can mend."""

from collections.abc import Sequence

from django.utils.functional import Promise


class DomainError(Exception):
    """A rule of the field says no. The message is a whole sentence that says what to do.

    `field` names the form field that the user would change, if there is one.
    """

    def __init__(self, message: str | Promise, *, code: str = "invalid", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class StaleError(DomainError):
    """Somebody else changed the row between reading and writing."""


class ImportFileError(DomainError):
    """A file that cannot be read at all (as opposed to faulty rows in a readable one)."""

    def __init__(self, message: str | Promise, *, missing: Sequence[str] = ()) -> None:
        super().__init__(message, code="unreadable")
        self.missing = tuple(missing)
