"""Replies to files: a journal of what is being asked, so that nothing is lost, and a record to commit and read again."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn, digest
from pytest_persona.model.probes import TargetInfo

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["FORMAT", "Journal", "Kept", "check_record", "read_record", "reply_key", "write_record"]

FORMAT = "pytest-persona/replies/v1"
"""The header of a record names it; what is written with another is not read."""
_HEADER = json.dumps({"schema": FORMAT})
_STALE = 24 * 3600.0
"""Seconds after which what an interrupted run was told is no longer taken for what the product says."""
_REMEDY = "Name a file in a folder that exists, on a disk with room."


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One reply. It has no field for a time, a path, a header, or a secret."""

    key: str
    """A hash of target, repetition and all of the dialogue before the reply: what it is called does not count."""
    target: str
    kind: str
    fingerprint: str
    suite: str
    probe: str
    context: str
    wording: int
    sample: int
    turn: int
    """0 is the first reply of the dialogue."""
    reply: str

    @property
    def info(self) -> TargetInfo:
        """Who replied."""
        return TargetInfo(name=self.target, kind=self.kind, fingerprint=self.fingerprint)  # type: ignore[arg-type]


def reply_key(fingerprint: str, sample: int, turns: Sequence[Turn]) -> str:
    """The key of the reply to a dialogue."""
    return digest("reply", fingerprint, str(sample), *(part for turn in turns for part in (turn.speaker, turn.text)))


# ---------------------------------------------------------------------------------------------------- the journal
class Journal:
    """The replies of one probing while it goes on, each written as it comes; what killed processes left is found again.

    A living process holds a lock beside its file, so that no other takes its replies for left behind. Where nothing can be written
    or locked, nothing is kept, and ``problem`` says so.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.problem = ""
        self._folder, self._name = folder, name
        self._path = folder / f"{name}-{uuid.uuid4().hex}.jsonl"
        self._stream: TextIO | None = None
        self._lock: BaseFileLock | None = None
        self._left: list[Path] = []

    def left_behind(self) -> list[Kept]:
        """Replies that runs of this probing which did not end got within the last day."""
        found: list[Kept] = []
        for path in sorted(self._folder.glob(f"{self._name}-*.jsonl")):
            lock = _held(path)
            if lock is None:
                continue
            with suppress(OSError):
                if time.time() - path.stat().st_mtime < _STALE:
                    found += _readable(path.read_bytes())
                self._left.append(path)
            lock.release()
        return found

    def write(self, kept: Kept) -> None:
        """Keep one reply, before anybody is told of it."""
        try:
            stream = self._stream or self._begin()
            stream.write(f"{_line(kept)}\n")
            stream.flush()
        except OSError as error:
            self.problem = f"replies are not kept until the run ends: {error.strerror or error}"

    def close(self, *, finished: bool) -> None:
        """Let go of the files, and of what is in them where all was ``finished``; may be called twice."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if finished:
            self._left.append(self._path)
            for path in self._left:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                    path.with_suffix(".lock").unlink(missing_ok=True)
            self._left = []
        if self._lock is not None:
            lock_file = Path(self._lock.lock_file)
            self._lock.release()
            self._lock = None
            with suppress(OSError):
                lock_file.unlink(missing_ok=True)

    def _begin(self) -> TextIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _held(self._path)
        self._stream = self._path.open("a", encoding="ascii")
        return self._stream


def _held(path: Path) -> BaseFileLock | None:
    """A lock that ends with its process; None where another holds it, or where there is no such thing."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, OSError, NotImplementedError):
        return None
    return lock


def _readable(raw: bytes) -> Iterator[Kept]:
    """The lines that are whole: a process may have been killed while it wrote one."""
    for line in raw.splitlines():
        with suppress(ValueError):
            yield _parsed(line)


# ---------------------------------------------------------------------------------------------------- the record
def check_record(path: Path, *, named: str) -> None:
    """Raise TargetError, before anything is asked, where a record could not be written or would replace what is none."""
    problem = ""
    if path.is_dir():
        problem = "it is a folder"
    elif not path.parent.is_dir():
        problem = "its folder does not exist"
    elif path.exists():
        read_record(path, named=named)
    if problem:
        raise TargetError(f"{named}: the replies cannot be written: {problem}. {_REMEDY}")


def read_record(path: Path, *, named: str) -> list[Kept]:
    """The replies of a record, none of an empty file; raises TargetError with the line for what is no such file."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        raise TargetError(f"{named}: there is no such file. Record replies first: --persona-replies {named}.") from None
    except OSError as error:
        raise TargetError(f"{named}: the replies cannot be read: {error.strerror}.") from None
    if not any(line.strip() for line in lines):
        return []
    if lines[0].decode("ascii", "replace").strip() != _HEADER:
        raise TargetError(f"{named}:1: this is no record of replies in the form {FORMAT}. Name another file.")
    found = []
    for number, line in enumerate(lines[1:], 2):
        try:
            found.append(_parsed(line))
        except ValueError as error:
            raise TargetError(
                f"{named}:{number}: this is no reply: {error}. Take the line out, or record anew."
            ) from None
    return found


def write_record(path: Path, kept: Iterable[Kept], *, whole: bool, locks: Path, named: str) -> None:
    """Put replies into a record, in an order of their own, whole or not at all; raises TargetError.

    With ``whole`` they are all that the record holds of their targets and suites: others of those go. Processes that write the
    same record wait for one another by a lock in ``locks``.
    """
    new = {one.key: one for one in kept}
    about = {(one.target, one.suite) for one in new.values()}
    try:
        with _alone(locks, path):
            old = read_record(path, named=named) if path.exists() else []
            stay = {one.key: one for one in old if not (whole and (one.target, one.suite) in about)}
            _replace(path, sorted((stay | new).values(), key=_place))
    except OSError as error:
        raise TargetError(f"{named}: the replies cannot be written: {error.strerror or error}. {_REMEDY}") from None


def _place(kept: Kept) -> tuple[object, ...]:
    return kept.target, kept.suite, kept.probe, kept.context, kept.wording, kept.sample, kept.turn, kept.key


def _replace(path: Path, kept: Iterable[Kept]) -> None:
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="ascii", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in (_HEADER, *map(_line, kept)))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _alone(locks: Path, path: Path) -> Iterator[None]:
    """Held by one process at a time; where files cannot be locked, by each."""
    from filelock import FileLock

    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"record-{digest(os.path.realpath(path))}.lock")
        lock.acquire()
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _line(kept: Kept) -> str:
    return json.dumps(asdict(kept))


def _parsed(line: bytes) -> Kept:
    """Raises ValueError for a line that holds no reply."""
    document = json.loads(line)
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    for field in fields(Kept):
        value = document.get(field.name)
        if type(value) is not (int if field.type == "int" else str):
            raise ValueError(f"{field.name} is {'missing' if value is None else 'of the wrong type'}")
    return Kept(**{field.name: document[field.name] for field in fields(Kept)})
