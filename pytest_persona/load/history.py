"""The history of the runs against a baseline: a file of JSON lines for each profile, one line a run, only ever added to."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from pytest_persona.errors import ProfileError, SettingsError
from pytest_persona.load.documents import Document, shown
from pytest_persona.load.schemas.check import check
from pytest_persona.load.units import column_from, column_text
from pytest_persona.model.episodes import digest
from pytest_persona.model.findings import Profile
from pytest_persona.model.history import PastRun

__all__ = ["SCHEMA", "history_path", "read_history", "remember"]

SCHEMA = "pytest-persona/history/v1"
"""The first value of every line."""
_REMEDY = "Delete the line, or move the file away: the history then begins anew"


def history_path(folder: Path, profile: Profile) -> Path:
    """The file of a profile: its name made plain, and a hash of that and of the signal's path."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", profile.name).strip("-")[:40] or "profile"
    return folder / f"{plain}-{digest(profile.name, profile.signal.path)[:8]}.jsonl"


def read_history(path: Path, baseline: str, *, root: Path | None = None) -> tuple[PastRun, ...]:
    """The runs against the baseline with that id, in their order; none where there is no file.

    A last line that was cut off, as by a crash, is passed over. Raises ProfileError for any other that cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        raise ProfileError(problem, remedy=_REMEDY, path=shown(path, root)) from None
    whole, _, _ = text.rpartition("\n")
    lines = [_line(line, number, shown(path, root)) for number, line in enumerate(whole.split("\n"), 1) if line.strip()]
    return tuple(
        PastRun(run=line["run"], values={trait: column_from(column) for trait, column in line["values"].items()})
        for line in lines
        if line["baseline"] == baseline
    )


def remember(path: Path, baseline: str, name: str, run: PastRun, *, option: str) -> None:
    """Add a run, unless it is the last one once more; raises SettingsError that names ``option`` where it cannot be written."""
    from filelock import FileLock

    line = {
        "schema": SCHEMA,
        "name": name,
        "baseline": baseline,
        "run": run.run,
        "values": {trait: column_text(column) for trait, column in run.values.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / ".lock"):
            past = read_history(path, baseline)
            if past and past[-1].run == run.run:
                return
            _append(path, json.dumps(line, allow_nan=False) + "\n")
    except (OSError, NotImplementedError) as error:
        why = getattr(error, "strerror", None) or error
        remedy = "Name a folder on a disk with room that can be written and locked"
        raise SettingsError(f"{option}: {path.parent} cannot be written: {why}. {remedy}.") from None


def _append(path: Path, line: str) -> None:
    """A line after the last whole one: what a crash has cut off is written over."""
    with open(path, "a+b") as stream:
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)
        stream.write(line.encode("ascii"))
        stream.flush()
        os.fsync(stream.fileno())


def _line(text: str, number: int, name: str) -> dict[str, Any]:
    try:
        data: Any = json.loads(text)
    except ValueError:
        raise ProfileError("is not JSON", remedy=_REMEDY, path=name, line=number) from None
    document = Document(path=name, data=data, lines={(): number})
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("pytest-persona/history/"):
        problem = f"{schema[:60]!r} is another version of the format"
        raise document.error(ProfileError, ("schema",), problem, f"This version reads {SCHEMA}; {_REMEDY.lower()}")
    check(document, "history", ProfileError)
    checked: dict[str, Any] = data
    return checked
