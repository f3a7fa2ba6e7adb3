"""What is taken out of an archive, by a Python with the filters of tarfile and by one without them."""

import io
import tarfile
from pathlib import Path

import pytest

from apps.core.backups.archive import _unpack


def packed(name: str, kind: bytes = tarfile.REGTYPE) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, 5 if kind == tarfile.REGTYPE else 0, "/etc/passwd"
        archive.addfile(member, io.BytesIO(b"Inhalt"))
    target.seek(0)
    return target


@pytest.fixture(params=["with filters", "without"])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    if request.param == "without":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    inner = tmp_path / "inner"
    inner.mkdir()
    return inner


def test_files_are_unpacked(folder: Path) -> None:
    with tarfile.open(fileobj=packed("files/a.csv")) as archive:
        _unpack(archive, folder)
    assert (folder / "files" / "a.csv").read_bytes() == b"Inhal"


@pytest.mark.parametrize(
    ("name", "kind"), [("../outside", tarfile.REGTYPE), ("link", tarfile.SYMTYPE), ("pipe", tarfile.FIFOTYPE)]
)
def test_nothing_gets_out_and_nothing_but_files_comes_in(folder: Path, name: str, kind: bytes) -> None:
    with tarfile.open(fileobj=packed(name, kind)) as archive, pytest.raises(tarfile.TarError):
        _unpack(archive, folder)
    assert not list(folder.iterdir())
    assert [path.name for path in folder.parent.iterdir()] == ["inner"]
