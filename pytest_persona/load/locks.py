"""``persona.lock``: the shared suites that a project uses, as they were when somebody looked at them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import read_document
from pytest_persona.load.essence import essence
from pytest_persona.load.references import semantic
from pytest_persona.load.schemas.check import check
from pytest_persona.load.versions import changes, rule
from pytest_persona.model.episodes import digest
from pytest_persona.model.locks import Lock, Locked
from pytest_persona.model.probes import Probe
from pytest_persona.model.suites import Suite

__all__ = ["LOCK", "difference", "hold_against", "lock_document", "locked", "read_lock", "relock"]

LOCK = "persona.lock"
"""Its name; it lies in the root of the project."""

_SCHEMA = "pytest-persona/lock/v1"
_SHORT = 16
"""Hexadecimal digits of a part's hash: they tell what has changed; whether anything has is told by the whole one."""


def read_lock(root: Path) -> Lock | None:
    """The lock of the project in ``root``; None where there is none. Raises SuiteError for one that cannot be read."""
    path = root / LOCK
    if not path.is_file():
        return None
    document = read_document(path, SuiteError, root=root, format=".json")
    check(document, "lock", SuiteError)
    suites = document.data["suites"]
    return Lock(
        path=document.path,
        suites={name: Locked(name=name, **entry) for name, entry in suites.items()},
        lines={name: document.line(("suites", name)) or 1 for name in suites},
    )


def lock_document(entries: Iterable[Locked]) -> dict[str, Any]:
    """The lock as plain JSON, sorted, so that what differs between two of them is what has changed."""
    suites = {entry.name: {key: value for key, value in asdict(entry).items() if key != "name"} for entry in entries}
    document: dict[str, Any] = json.loads(json.dumps({"schema": _SCHEMA, "suites": suites}, sort_keys=True))
    return document


def locked(suite: Suite) -> Locked:
    """What a lock says of a shared suite; raises SuiteError where it has no semantic version or a signal cannot be read."""
    offer = suite.offer
    assert offer is not None, "only shared suites are locked"
    if semantic(suite.version) is None:
        problem = f"its version is {suite.version!r}"
        raise SuiteError(problem, remedy="A suite that is shared needs one of the form 1.2.3", path=offer.name)
    return Locked(
        name=offer.name,
        version=suite.version,
        package=offer.package,
        package_version=offer.package_version,
        sha256=suite.sha256,
        parts={kind: parts for kind, parts in _parts(suite) if parts},
    )


def hold_against(lock: Lock, suite: Suite) -> None:
    """Raise SuiteError where a shared suite is not what the lock has under its name."""
    now = locked(suite)
    then = lock.suites.get(now.name)
    if then is None:
        remedy = f"Look at it, then lock it: {relock(now.name)}"
        raise SuiteError(f"the suite {now.name} is not in it", remedy=remedy, path=lock.path)
    if said := difference(then, now):
        remedy = f"If that is wanted, look at the new one, then lock it: {relock(now.name)}"
        raise SuiteError(
            f"what is installed is not what was locked: {said}",
            remedy=remedy, path=lock.path, line=lock.lines[now.name], field=f"suites.{now.name}",
        )  # fmt: skip


def difference(then: Locked, now: Locked) -> str:
    """What has changed between two states of one suite, in words, and whether its version says so; empty: nothing has."""
    said = list(changes(then, now))
    if not said:
        return ""
    version = f"version {now.version} instead of {then.version}"
    if now.version == then.version:
        version = f"the version is {now.version} as before"
    return ", ".join(part for part in (*said, version, rule(then, now)) if part)


def relock(name: str) -> str:
    """The command that locks a suite as it is."""
    return f"pytest-persona suites lock {name}"


def _parts(suite: Suite) -> Iterator[tuple[str, dict[str, str]]]:
    yield "contexts", {name: _hash([essence(turn) for turn in turns]) for name, turns in suite.contexts.items()}
    yield "expect", {e.trait: _hash(essence(e)) for e in suite.expectations}
    yield "probes", {probe.id: _hash(_asked(probe, suite)) for probe in suite.probes}
    yield "signals", {signal: _signal(suite, signal) for signal in suite.signals}
    yield "traits", {trait.name: _hash(trait.identity) for trait in suite.definitions}


def _asked(probe: Probe, suite: Suite) -> Mapping[str, Any]:
    """What a probe asks; its tags are no part of that, the contexts that it is asked in are."""
    return essence(probe, ("line", "source", "tags")) | {"contexts": sorted(probe.contexts or suite.contexts)}


def _signal(suite: Suite, signal: str) -> str:
    """A hash of a signal that comes with the suite; one that the project keeps is the project's own affair."""
    path = suite.place(signal).resolve()
    assert suite.offer is not None
    if not path.is_relative_to(suite.offer.path.parent.resolve()):
        return ""
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                sha256.update(block)
    except OSError as error:
        problem = f"its signal {signal!r} cannot be read: {error.strerror or error}"
        raise SuiteError(problem, remedy="Install the package anew", path=suite.offer.name) from None
    return sha256.hexdigest()[:32]


def _hash(value: Any) -> str:
    return digest(json.dumps(value, sort_keys=True))[:_SHORT]
