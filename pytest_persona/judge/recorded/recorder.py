"""What one run judged, on its way to the record: left by each process, gathered by the one that ends the run."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.judge.recorded.lines import Entry, Header, entry_of, entry_of_fit
from pytest_persona.judge.recorded.record import Record, merged
from pytest_persona.judge.recorded.writing import check_destination, read_parts, write, write_part
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict
from pytest_persona.settings import Settings

__all__ = ["NEW", "Recorder", "check_record", "gather"]

NEW = "new"
"""In place of a path: add to the record that is replayed what it lacks."""


class Recorder:
    """Keeps the verdicts that one process used; called by several threads."""

    def __init__(self, settings: Settings, model: str) -> None:
        self._folder = _folder(settings)
        self._model = model
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()

    def saw(self, shown: Sequence[Behaviour], trait: Trait, verdict: Verdict) -> None:
        """Keep a verdict, where it is one that comes of the content."""
        entry = entry_of(shown, trait, verdict, model=self._model)
        if entry is not None:
            with self._lock:
                self._entries[entry.key] = entry

    def saw_fit(self, question: SetQuestion, name: str, verdict: Verdict) -> None:
        """The same of a verdict on a set of texts and a character."""
        entry = entry_of_fit(question, name, verdict, model=self._model)
        if entry is not None:
            with self._lock:
                self._entries[entry.key] = entry

    def leave(self) -> None:
        """Leave what was kept to whoever ends the run; raises JudgeError."""
        with self._lock:
            write_part(self._folder, self._entries.values())
            self._entries.clear()


def check_record(settings: Settings) -> None:
    """Raise JudgeError, before anything is asked, where the record could not be written."""
    if settings.record is not None:
        named = _target(settings)
        check_destination(settings.root / named, named=named)


def gather(settings: Settings, header: Header) -> list[str]:
    """Write the record of a run from what its processes left; what of it was lost, in words. Raises JudgeError.

    What the run did not need stays in the record: it may have been one test of many. Where both know, the run's verdict is written.
    """
    named, folder = _target(settings), _folder(settings)
    entries, problems = read_parts(folder)
    old = Record.read(settings.root / named, named=named, otherwise=header)
    write(settings.root / named, header, merged(old, entries), named=named)
    shutil.rmtree(folder, ignore_errors=True)
    return [*old.problems, *problems]


def _target(settings: Settings) -> str:
    return settings.replay if settings.record in (None, NEW) else settings.record


def _folder(settings: Settings) -> Path:
    return settings.root / settings.cache / "records" / (settings.run or f"alone-{os.getpid()}")
