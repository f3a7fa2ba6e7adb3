"""Which column goes where, put right by hand and kept: by the signature of the header, whatever its case and blanks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import DomainError, ImportFileError
from apps.core.imports import engine
from apps.core.imports.columns import folded
from apps.core.imports.reading import open_table
from apps.core.imports.sources import ImportSource, source_of
from apps.core.models import ImportMapping, ImportRun

SHOWN_VALUES, READ_ROWS = 3, 50


def signature_of(header: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(folded(name) for name in header).encode()).hexdigest()


def mapping_for(source: str, header: Sequence[str]) -> ImportMapping | None:
    """The saved one for a header like this."""
    found = ImportMapping.objects.filter(source=source, signature=signature_of(header)).first()
    return found if found is not None and len(found.fields) == len(header) else None


class Columns:
    """The columns of an import's kept file with their first values, and where each goes at present.

    Raises `ImportFileError` when the file is gone or cannot be read.
    """

    def __init__(self, run: ImportRun) -> None:
        self.source: ImportSource = source_of(run.source)(run.options)
        try:
            with run.file.open("rb") as kept:
                table = open_table(
                    kept.file,
                    known_columns=len,
                    legacy_encodings=self.source.legacy_encodings,
                    limits=self.source.limits,
                    like_exports=self.source.takes_exports,
                )
                self.header = table.header
                rows = [cells for _line, cells in islice(table.rows, READ_ROWS)]
        except (FileNotFoundError, ValueError):
            raise ImportFileError(_("The file is no longer there. Please upload it once more.")) from None
        self.source.see_header(self.header)
        self.fields = self.source.fields_by_place(self.header)
        self._rows = rows

    def values(self, place: int) -> list[str]:
        """The first different values of a column."""
        found = dict.fromkeys(cells[place].strip() for cells in self._rows if place < len(cells))
        return [value for value in found if value][:SHOWN_VALUES]

    def open_places(self) -> list[int]:
        """Columns that may be put right: without secrets and personal data, and not such that only the format reads."""
        offered = {name for name, _label in self.source.offered_fields()}
        closed = self.source.closed_places(self.header)
        return [
            place
            for place, name in enumerate(self.header)
            if name and place not in closed and (not self.fields[place] or self.fields[place] in offered)
        ]

    def with_fields(self, chosen: Mapping[int, str]) -> list[str]:
        """Where each column goes with these choices; those that are not open stay as they are."""
        open_places = set(self.open_places())
        return [chosen.get(place, "") if place in open_places else name for place, name in enumerate(self.fields)]


def use_columns(run: ImportRun, columns: Columns, fields: Sequence[str], *, name: str, by: Any) -> None:
    """Checks the kept file again with these columns; with a `name` they are saved for the next file like this."""
    columns.source.ensure_fields(fields)
    with transaction.atomic():
        if name:
            save_mapping(columns.source, columns.header, fields, name=name, by=by)
        engine.check_again(run, by=by, options={"mapping": ",".join(fields), "mapping_name": name})


def save_mapping(
    source: ImportSource, header: Sequence[str], fields: Sequence[str], *, name: str, by: Any
) -> ImportMapping:
    """One for each header: saving again replaces it."""
    signature = signature_of(header)
    ensure_new_name(source.name, name, signature=signature)
    mapping, _created = ImportMapping.objects.update_or_create(
        source=source.name,
        signature=signature,
        defaults={
            "permission": source.permission, "name": name, "header": list(header), "fields": list(fields),
            "options": source.mapping_options(), "saved_by": by,
        },
    )  # fmt: skip
    return mapping


def ensure_new_name(source: str, name: str, *, signature: str) -> None:
    if ImportMapping.objects.filter(source=source, name=name).exclude(signature=signature).exists():
        raise DomainError(
            _("There is an assignment with this name already. Please choose another name."), code="taken", field="name"
        )
