"""Suites outside a run: read by name, found in a project, and locked as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_persona.engine.plugins import console_manager, shared_suites
from pytest_persona.load.locks import difference, locked, read_lock
from pytest_persona.load.references import ENDINGS
from pytest_persona.load.suites import Shelf
from pytest_persona.load.versions import ends_comparisons
from pytest_persona.model.locks import Locked
from pytest_persona.model.suites import Suite

__all__ = ["Relock", "project_suites", "read_suite", "relock"]

_PASSED_BY = ("__pycache__", "build", "dist", "node_modules", "site-packages")
_SUITES = tuple(f".persona{ending}" for ending in ENDINGS)


def read_suite(suite: str | Path, *, root: Path) -> Suite:
    """The suite of a file, or of a reference such as ``acme:support@1.2``, with all that it has from those that it adds to.

    Shared suites are held against the lock in ``root``; errors name files relative to it. Signals are not opened yet.
    Raises SuiteError, or TraitError for a trait that a suite defines.
    """
    shelf = Shelf(root, lambda: shared_suites(console_manager().hook))
    return shelf.read(suite) if isinstance(suite, Path) else shelf.find(suite)


def project_suites(root: Path) -> Iterator[Path]:
    """The suite files of a project, sorted; hidden folders, environments and what was built are passed by."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_searched(Path(folder) / name))
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(_SUITES))


@dataclass(frozen=True, kw_only=True, slots=True)
class Relock:
    """What locking found: the lock that is to be written, and what is said of each suite in it."""

    entries: Mapping[str, Locked]
    said: Sequence[tuple[str, str]]
    """Names with what has become of them, in words."""


def relock(shelf: Shelf, names: Sequence[str]) -> Relock:
    """A lock of the shared suites that ``names`` are made of, beside what was locked before.

    With no names: of all that the suite files of the project are made of, and all that was locked and is still offered.
    ``shelf`` holds nothing against the old lock. Raises SuiteError, TraitError.
    """
    old = read_lock(shelf.root)
    before = dict(old.suites) if old is not None else {}
    if names:
        found = [shelf.find(name) for name in names]
    else:
        found = [shelf.read(path) for path in project_suites(shelf.root)]
        found += [shelf.find(name) for name in before if name in shelf.offers]
    now = {entry.name: entry for suite in found for entry in map(locked, suite.shared())}
    said = {name: _fate(before.get(name), entry) for name, entry in now.items()}
    if not names:
        said |= {name: "dropped: nothing that is installed offers it" for name in before if name not in now}
    kept = {name: entry for name, entry in before.items() if names}
    return Relock(entries=kept | now, said=sorted(said.items()))


def _fate(then: Locked | None, now: Locked) -> str:
    state = f"{now.version}, from {now.package} {now.package_version}".rstrip()
    if then is None:
        return f"{state}: locked"
    if not (said := difference(then, now)):
        return f"{state}: as before"
    end = ". Profiles from before cannot be compared with new ones" if ends_comparisons(then, now) else ""
    return f"{state}: {said}{end}"


def _is_searched(folder: Path) -> bool:
    name = folder.name
    return not name.startswith(".") and name not in _PASSED_BY and not (folder / "pyvenv.cfg").exists()
