"""Audits as plain JSON, and the folder through which the workers of one run share them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_persona import errors

if TYPE_CHECKING:
    from pytest_persona.engine import Audit
    from pytest_persona.model.inoculation import Inoculation, InoculationSpec
    from pytest_persona.model.suites import AuditSpec, ProbingSpec, SignalSource

__all__ = ["RunFolder", "content_digest", "is_error", "key_of", "record_of", "revive"]

_STALE = 24 * 3600.0
"""Seconds after which the folder of another run can only be a crashed one's."""

Record = dict[str, Any]


def key_of(spec: AuditSpec | InoculationSpec | ProbingSpec) -> str:
    """A hash of all that makes an audit what it is: contents, not places, so that every process finds the same one.

    Of a probing it is that of what is asked; who is asked comes on top.
    """
    from dataclasses import asdict

    from pytest_persona.model.episodes import digest
    from pytest_persona.model.inoculation import InoculationSpec
    from pytest_persona.model.suites import ProbingSpec

    if isinstance(spec, ProbingSpec):
        probes = [[asdict(probe) for probe in spec.probes], {n: list(map(asdict, c)) for n, c in spec.contexts.items()}]
        return digest("probing", key_of(spec.audit), json.dumps(probes))
    if isinstance(spec, InoculationSpec):
        experiment = [
            spec.requests,
            spec.place,
            spec.effect_at_least,
            spec.leak_at_most,
            spec.opposite,
            spec.lookalikes,
        ]
        return digest("inoculation", key_of(spec.audit), json.dumps(experiment))
    declared = [
        spec.traits,
        [asdict(expectation) for expectation in spec.expectations],
        [trait.identity for trait in spec.definitions],
    ]
    return digest(
        spec.name, spec.signal_name, content_digest(spec.signal), json.dumps(declared), spec.suite_sha256 or ""
    )


def content_digest(signal: SignalSource) -> str:
    """A SHA-256 over a file's bytes, or over rows in memory; of a file that cannot be read a word that says so."""
    import hashlib

    if not isinstance(signal, Path):
        return hashlib.sha256(json.dumps(signal, sort_keys=True, default=repr).encode()).hexdigest()
    sha256 = hashlib.sha256()
    try:
        with open(signal, "rb") as stream:
            while block := stream.read(1 << 20):
                sha256.update(block)
    except OSError as error:
        return type(error).__name__
    return sha256.hexdigest()


def record_of(make: Callable[[], Audit | Inoculation], *, rows: bool) -> Record:
    """The audit or experiment that ``make`` makes, or the PersonaError that it raises, as plain JSON; readings only where ``rows``.

    Raises JudgeClosed: that this process ends before it has read something is nothing that others may take for a result.
    """
    from pytest_persona.load.inoculations import inoculation_document
    from pytest_persona.load.profiles import profile_document, row_document
    from pytest_persona.model.inoculation import Inoculation

    try:
        made = make()
    except errors.JudgeClosed:
        raise
    except errors.PersonaError as error:
        told = [str(error)] if not isinstance(error, errors.InputError) else [error.problem]
        where = {name: getattr(error, name) for name in ("remedy", "path", "line", "field") if hasattr(error, name)}
        return {"error": type(error).__name__, "told": told, "where": where}
    if isinstance(made, Inoculation):
        return {"inoculation": inoculation_document(made), "rows": []}
    return {
        "profile": profile_document(made.profile),
        "rows": [row_document(reading) for reading in made.readings] if rows else [],
    }


def is_error(record: Mapping[str, Any]) -> bool:
    """Whether the record is that of an audit that could not be made."""
    return "error" in record


def revive(record: Mapping[str, Any]) -> errors.PersonaError:
    """The error of such a record, as it was raised."""
    kind: type[errors.PersonaError] = getattr(errors, record["error"], errors.PersonaError)
    return kind(*record["told"], **record["where"])


class RunFolder:
    """Where the processes of one run share what each of them would otherwise make again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def once(self, key: str, make: Callable[[], Record]) -> Record:
        """The record of ``key``; the first process to ask makes it, the others wait and read.

        On a disk that cannot be written or locked each process makes its own.
        """
        from filelock import FileLock

        lock = FileLock(self.path / f"{key}.lock")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except (OSError, NotImplementedError):
            return make()
        try:
            file = self.path / f"{key}.json"
            if file.exists():
                known: Record = json.loads(file.read_text("ascii"))
                return known
            record = make()
            _write(file, record)
            return record
        finally:
            lock.release()

    def remove(self) -> None:
        """Remove the folder, and those that crashed runs left behind more than a day ago."""
        shutil.rmtree(self.path, ignore_errors=True)
        runs = self.path.parent
        try:
            for folder in runs.iterdir():
                if time.time() - folder.stat().st_mtime > _STALE:
                    shutil.rmtree(folder, ignore_errors=True)
            runs.rmdir()
        except OSError:
            pass  # there is none, or another run is using it


def _write(file: Path, record: Record) -> None:
    """Whole or not at all; what cannot be shared is made again by those who need it."""
    partial = file.with_suffix(".part")
    try:
        partial.write_text(json.dumps(record, allow_nan=False), "ascii")
        os.replace(partial, file)
    except OSError:
        partial.unlink(missing_ok=True)
