"""The checks find what they are for: each is shown one fault that it must name, and a state without any."""

import subprocess
from pathlib import Path

import catalogue
import house_rules
import lock_check
import pytest
import run_tests
from django.conf import settings
from private_servers import Servers

from tests import conftest

ROOT = Path(settings.BASE_DIR)
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def entry(msgid: str, msgstr: str, *, flags: str = "") -> str:
    return f'#: templates/base.html\n{flags}msgid "{msgid}"\nmsgstr "{msgstr}"\n\n'


def test_the_catalogue_names_each_kind_of_gap(tmp_path: Path) -> None:
    committed, collected = tmp_path / "committed.po", tmp_path / "collected.po"
    known = entry("Schools", "Schulen") + entry("Tickets", "")
    new = entry("Budget", "") + entry("Device", "Gerät", flags="#, fuzzy\n")
    old = '#~ msgid "Gone"\n#~ msgstr "Weg"\n'
    committed.write_text(HEAD + known + entry("Device", "Gerät"), encoding="utf-8")
    collected.write_text(HEAD + known + new + old, encoding="utf-8")

    assert catalogue.faults(collected, committed) == [
        "untranslated: 'Tickets' (templates/base.html)",
        "missing: 'Budget' (templates/base.html)",
        "fuzzy: 'Device' (templates/base.html)",
        "used no more: 'Gone'",
    ]
    assert catalogue.faults(committed, committed) == ["untranslated: 'Tickets' (templates/base.html)"]


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the .in files and locks, which the check then reads."""
    for path in ROOT.glob("requirements*"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(lock_check, "ROOT", tmp_path)
    return tmp_path


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def check_locks(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = lock_check.main()
    return code, capsys.readouterr().out.splitlines()


def test_the_lock_files_are_in_step(locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_locks(capsys) == (0, [""])


def test_a_new_requirement_without_a_lock_is_named(locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(locks / "requirements.in", "polib~=1.2", "polib~=1.2\niniconfig")

    code, lines = check_locks(capsys)

    assert code == 1
    assert lines[0] == "requirements.txt: requirements.in asks for iniconfig, locked is nothing"


def test_a_range_that_the_lock_does_not_meet_is_named(locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(locks / "requirements.in", "Django~=5.2.0", "Django~=6.2.0")

    code, lines = check_locks(capsys)

    assert code == 1
    assert lines[0].startswith("requirements.txt: requirements.in asks for Django~=6.2.0, locked is 5.2.")


def test_a_package_that_nothing_needs_is_named(locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(locks / "requirements.in", "polib~=1.2\n", "")

    code, lines = check_locks(capsys)

    assert code == 1
    assert "requirements.txt: polib is locked and no longer needed" in lines


def test_calls_that_lose_cents_are_named(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "sums.py").write_text("a = 1\nb = round(a / 3, 2)\nc = float(b)\n", encoding="utf-8")

    assert house_rules.banned_calls(tmp_path) == [
        "apps/sums.py:2: round() rounds half to even; apps.core.money and the calculations round half-up",
        "apps/sums.py:3: float() loses cents and thirds; use Decimal or integers",
    ]


def test_a_day_that_outlives_midnight_is_named(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "days.py").write_text(
        "DAY = clock.today()\n\n\n@cases([today()])\ndef f(day=now()):\n    return today()\n\n\n"
        "later = lambda: clock.now()\nfield = Field(default=clock.today)\n",
        encoding="utf-8",
    )

    assert [fault.partition(": ")[0] for fault in house_rules.days_kept(tmp_path)] == [
        "tests/days.py:1", "tests/days.py:5", "tests/days.py:4"
    ]  # fmt: skip


def test_paths_of_a_machine_are_named_in_tracked_files_only(tmp_path: Path) -> None:
    path = "/" + "home/anna/portal"
    (tmp_path / "notes.md").write_text(f"fine\nlies in {path}\n", encoding="utf-8")
    (tmp_path / "other.md").write_text(f"{path}\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "notes.md"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)

    assert house_rules.machine_paths(tmp_path) == [f"notes.md:2: {'/' + 'home/'} is a path of one machine"]


class Ended:
    def __init__(self, returncode: int) -> None:
        self.returncode = returncode


def test_every_test_is_played_and_none_twice_on_postgresql() -> None:
    """The parts of `make test` name folders that exist, and the last takes what nobody names."""
    tests = Path(conftest.__file__).parent
    named = [folder for folders in conftest.FOLDERS.values() for folder in folders]
    assert len(set(named)) == len(named)
    assert all((tests / folder).is_dir() for folder in named)
    assert {*conftest.FOLDERS, "others", "browser"} == set(run_tests.ON_POSTGRESQL)
    assert {*run_tests.ON_POSTGRESQL, "both-databases"} == set(conftest.PARTS)


def test_each_run_has_a_database_and_a_queue_of_its_own(tmp_path: Path) -> None:
    runs = run_tests._runs(Servers("postgres://postgres:@//run/mep", "redis://:x@127.0.0.1:6/0"), tmp_path, ["-x"])
    assert [(run.arguments, run.variables) for run in runs] == [
        *(
            (
                [f"--part={part}", "-x"],
                {
                    "DATABASE_URL": f"postgres://postgres:@//run/mep_{part}",
                    "REDIS_URL": f"redis://:x@127.0.0.1:6/{number}",
                    "MEP_TEST_TEMPLATE": "mep",
                },
            )
            for number, part in enumerate(run_tests.ON_POSTGRESQL)
        ),
        (["--part=both-databases", "-x"], {}),
    ]
    assert len({run.folder for run in runs}) == len(runs)


def run_of(outcomes: dict[str, str], *, code: int = 0, reasons: dict[str, str] | None = None) -> run_tests.Run:
    run = run_tests.Run("PostgreSQL", [], {}, Path("unused"), outcomes=outcomes, reasons=reasons or {})
    run.process = Ended(code)  # type: ignore[assignment] # only its exit code is read
    return run


@pytest.mark.parametrize(
    ("run", "narrowed", "code", "last"),
    [
        (run_of({"a": "passed", "b": "passed"}), False, 0, "2 passed, 0 failed"),
        (run_of({"a": "passed", "b": "failed"}, code=1), False, 1, "1 passed, 1 failed"),
        (run_of({"a": "passed"}, code=3), False, 1, "1 passed, 0 failed, and not all is well: see above"),
        (
            run_of({"a": "passed", "b": "skipped"}, reasons={"b": "no browser"}),
            False,
            1,
            "1 passed, 0 failed, and not all is well: see above",
        ),
        (run_of({}, code=5), False, 1, "0 passed, 0 failed, and not all is well: see above"),
        (run_of({}, code=5), True, 1, "0 passed, 0 failed, and not all is well: see above"),
    ],
)
def test_only_a_run_without_failure_and_without_skip_is_good(
    run: run_tests.Run, narrowed: bool, code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_tests._close([run], narrowed=narrowed, seconds=60) == code
    assert capsys.readouterr().out.splitlines()[-1] == last
