"""What an uploaded file is, by its bytes: neither its name nor what the browser says of it counts."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from django.core.files import File
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


@dataclass(frozen=True)
class FileKind:
    """`start`: the bytes with which every file of the kind begins; `end`: what stands in its last `TAIL` bytes.

    Phones append films and sounds to their photos, so nothing is asked of the end of a JPEG.
    """

    name: str
    content_type: str
    extensions: tuple[str, ...]
    start: bytes
    end: bytes


PDF = FileKind("PDF", "application/pdf", (".pdf",), b"%PDF-", b"%%EOF")
JPEG = FileKind("JPEG", "image/jpeg", (".jpg", ".jpeg"), b"\xff\xd8\xff", b"")
PNG = FileKind("PNG", "image/png", (".png",), b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
TAIL = 1024
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])|/ObjStm")
"""A page of a PDF, or packed objects in which its pages may stand. Nobody here unpacks what strangers send."""
NAME_LENGTH = 120


def recognised(file: File, *, kinds: Collection[FileKind], most_bytes: int, field: str = "file") -> FileKind:
    """The kind of an uploaded file; `DomainError` for one that is empty, too large, cut off, or of another kind.

    A PDF without a page is empty, too.
    """
    size = file.size or 0
    if size == 0:
        raise DomainError(_("The file is empty. Please choose another file."), field=field)
    if size > most_bytes:
        raise DomainError(
            _("The file is larger than %(megabytes)s MB. Please choose a smaller file.")
            % {"megabytes": most_bytes // 1024 // 1024},
            field=field,
        )
    file.seek(0)
    head = file.read(16)
    file.seek(max(size - TAIL, 0))
    tail = file.read(TAIL)
    file.seek(0)
    kind = next((kind for kind in kinds if head.startswith(kind.start)), None)
    names = ", ".join(kind.name for kind in kinds)
    if kind is None:
        raise DomainError(
            _("This file is none of these kinds: %(kinds)s. Please save it as one of them and choose that file.")
            % {"kinds": names},
            field=field,
        )
    if kind.end not in tail:
        raise DomainError(
            _("The file is cut off, or something was added at its end. Please save it anew and choose that file."),
            field=field,
        )
    if kind is PDF and not _PAGE.search(_content(file)):
        raise DomainError(_("The file has no page. Please save it anew and choose that file."), field=field)
    return kind


def _content(file: File) -> bytes:
    content: bytes = file.read()
    file.seek(0)
    return content


def safe_name(name: str, kind: FileKind) -> str:
    """The sender's name for a file without path and control characters, with an ending that fits its kind."""
    base = PurePath(name.replace("\\", "/")).name
    base = "".join(letter for letter in base if letter.isprintable()).strip(". ")
    stem, suffix = PurePath(base).stem, PurePath(base).suffix.lower()
    ending = suffix if suffix in kind.extensions else kind.extensions[0]
    if suffix and suffix not in kind.extensions:
        stem = base
    return f"{(stem or kind.name)[: NAME_LENGTH - len(ending)]}{ending}"
