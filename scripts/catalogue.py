"""Says what the German catalogue lacks: `catalogue.py COLLECTED`, a catalogue that makemessages has just updated.

Runs in the environment, because it reads catalogues with polib.
"""

import sys
from pathlib import Path

import polib

COMMITTED = Path(__file__).resolve().parent.parent / "mepportal" / "locale" / "de" / "LC_MESSAGES" / "django.po"


def faults(collected: Path, committed: Path) -> list[str]:
    """One line per text that is missing, untranslated, fuzzy or used no more."""
    known = (
        {_key(entry) for entry in polib.pofile(str(committed)) if not entry.obsolete} if committed.exists() else set()
    )
    found = []
    for entry in polib.pofile(str(collected)):
        where = ", ".join(sorted({name for name, _line in entry.occurrences}))
        if entry.obsolete:
            found.append(f"used no more: {entry.msgid!r}")
        elif _key(entry) not in known:
            found.append(f"missing: {entry.msgid!r} ({where})")
        elif "fuzzy" in entry.flags:
            found.append(f"fuzzy: {entry.msgid!r} ({where})")
        elif not entry.translated():
            found.append(f"untranslated: {entry.msgid!r} ({where})")
    return found


def _key(entry: polib.POEntry) -> tuple[str | None, str, str]:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


if __name__ == "__main__":
    lines = faults(Path(sys.argv[1]), COMMITTED)
    print("\n".join(lines))
    sys.exit(1 if lines else 0)
