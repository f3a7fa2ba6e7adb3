"""A backup restored into an empty database gives the same figures, the same ledger and the same files, to the byte."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from apps.accounts.choices import Role
from apps.core.imports import engine
from apps.core.models import ImportRun
from apps.funding import services as funding
from apps.funding.calculations import LineDecision, LineInput
from apps.inventory import services as inventory
from apps.inventory.models import Device
from apps.quotas.services import recalculate_all
from tests.factories import ProductFactory, SchoolFactory, UserFactory
from tests.funding.factories import BudgetFactory
from tests.operations.commands import done, empty_database, manage
from tests.quotas.factories import count_pupils, make_plan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
QUESTIONS = [
    ("quota_figures", "--json", "--level", "city"),
    ("quota_figures", "--json", "--level", "school_type"),
    ("quota_figures", "--json", "--level", "school"),
    ("check_ledger", "--json"),
]


@pytest.fixture
def city(settings: Any, tmp_path: Path) -> Path:
    """Schools, devices, money and an uploaded file; returns the folder of this portal's files."""
    settings.MEDIA_ROOT = tmp_path / "var" / "files"
    office, approver = UserFactory(role=Role.OFFICE_CLERK), UserFactory(role=Role.OFFICE_APPROVER)
    make_plan(by=office)
    product = ProductFactory()
    for number in range(3):
        school = SchoolFactory()
        count_pupils(school, 100 + number)
        inventory.add_devices(product=product, quantity=5 + number, by=office, school=school)
    coordinator = UserFactory(role=Role.COORDINATOR, schools=[school])
    row = funding.create_draft(by=coordinator, school=school, title="Größe", lines=[LineInput(product.pk, 2)])
    row = funding.submit(application=row, by=coordinator)
    budget = BudgetFactory(name="Ansatz", fiscal_year=2026, appropriation="5000.00")
    lines = [LineDecision(line.pk, 2, budget.pk) for line in row.lines.all()]
    funding.approve(application=row, by=approver, decisions=lines)
    recalculate_all()
    engine.create_run(
        "schuldaten", by=office, file_name="ämter.csv", upload=ContentFile(b"\x00gr\xfc\xdfe" * 1000, name="a.csv")
    )
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def backup(city: Path, tmp_path: Path) -> Path:
    return Path(done("backup", tmp_path / "backups", VAR_DIR=str(city.parent)).strip())


@pytest.fixture
def target(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a portal without data."""
    with empty_database(tmp_path) as url:
        yield {"DATABASE_URL": url, "VAR_DIR": str(tmp_path / "second")}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_restored_portal_answers_the_same(city: Path, backup: Path, target: dict[str, str]) -> None:
    before = [done(*question) for question in QUESTIONS]
    assert len(json.loads(before[2])) == 3
    assert json.loads(before[3])["entries"] > 0

    said = done("restore", backup, **target)

    assert "1 files" in said
    assert [done(*question, **target) for question in QUESTIONS] == before
    assert files_of(Path(target["VAR_DIR"]) / "files") == files_of(city)
    assert len(files_of(city)) == 1
    assert done("migrate", "--check", **target) == ""
    assert not list(Path(target["VAR_DIR"]).glob(".restore-*"))


def test_the_restored_portal_goes_on_working(city: Path, backup: Path, target: dict[str, str]) -> None:
    """Sequences, constraints and extensions came along: the next rows fit."""
    done("restore", backup, **target)
    said = done("recalculate_quotas", "--full", **target)
    assert "0" in said


def test_a_database_with_data_is_only_overwritten_when_told(
    city: Path, backup: Path, target: dict[str, str], tmp_path: Path
) -> None:
    done("restore", backup, **target)
    before = [done(*question) for question in QUESTIONS]

    refused = manage("restore", backup, **target)
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith(
        "Restore into an empty database, or add --replace to overwrite data and files."
    )

    Device.objects.update(note="after the backup")
    ImportRun.objects.all().delete()
    later = Path(done("backup", tmp_path / "later", VAR_DIR=str(city.parent)).strip())
    done("restore", later, "--replace", **target)
    done("restore", backup, "--replace", **target)

    assert [done(*question, **target) for question in QUESTIONS] == before
    assert files_of(Path(target["VAR_DIR"]) / "files") == files_of(city)


def test_files_that_are_there_are_not_overwritten(backup: Path, target: dict[str, str]) -> None:
    kept = Path(target["VAR_DIR"]) / "files" / "imports" / "mine.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    refused = manage("restore", backup, **target)
    assert "holds files" in refused.stderr
    assert kept.read_text() == "mine"


def test_the_archive_is_readable_for_its_owner_only(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]


def test_a_damaged_archive_changes_nothing(backup: Path, target: dict[str, str], tmp_path: Path) -> None:
    half = tmp_path / "half.tar.gz"
    half.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    assert "Nothing was changed." in manage("restore", half, **target).stderr

    other = tmp_path / "other.tar.gz"
    rewrite(backup, other, "database.dump", lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    assert "database.dump has another checksum" in manage("restore", other, **target).stderr
    assert "There is no plan" not in done("restore", backup, **target)


def test_an_archive_of_a_newer_version_is_refused(backup: Path, target: dict[str, str], tmp_path: Path) -> None:
    newer = tmp_path / "newer.tar.gz"

    def later(content: bytes) -> bytes:
        manifest = json.loads(content)
        return json.dumps(manifest | {"migrations": [*manifest["migrations"], "core.9999_later"]}).encode()

    rewrite(backup, newer, "manifest.json", later)
    assert "core.9999_later is not known here" in manage("restore", newer, **target).stderr


def test_a_folder_that_cannot_be_written_is_named(city: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    refused = manage("backup", tmp_path / "file" / "below", VAR_DIR=str(city.parent))
    assert refused.returncode == 1
    assert "The backup could not be written to" in refused.stderr


def rewrite(archive: Path, target: Path, name: str, change: Any) -> None:
    """A copy of the archive with one member changed."""
    with tarfile.open(archive) as source, tarfile.open(target, "w:gz") as copy:
        for member in source.getmembers():
            opened = source.extractfile(member)
            assert opened is not None
            content = change(opened.read()) if member.name == name else opened.read()
            member.size = len(content)
            copy.addfile(member, ContentFile(content))
