"""Readings that survive the run: SQLite in WAL mode, JSON payloads, keyed by content hash."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pytest_persona.errors import CacheError
from pytest_persona.judge.salvage import salvaged

__all__ = ["FORMAT", "Store", "parsed", "rows_of"]

FORMAT = 1
"""Version of the tables; a higher one in a file means that a newer pytest-persona wrote it."""

_READINGS = "CREATE TABLE IF NOT EXISTS readings (key TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID"
_PUT = "INSERT OR REPLACE INTO readings VALUES (?, ?)"
_AT_ONCE = 500  # below SQLite's oldest limit on bound parameters
_PATIENCE = 30.0
"""Seconds that another process may keep the file for itself."""

_LOG_PAGES = 4000
"""Pages that the log may hold (16 MB) before they are put in order: keys are hashes, so that nearly every row is on a page of its own."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))

T = TypeVar("T")


class Store:
    """Payloads by key, shared by threads and processes. Writing may fail (full disk, read-only folder): then they live for this run alone.

    Raises CacheError when a newer version wrote the file. A damaged one is moved aside and begun anew with the readings that can be
    saved. ``tables`` are statements that create further tables where they are missing.
    """

    def __init__(self, path: Path, tables: Sequence[str] = ()) -> None:
        self.path = path
        self.problem = ""
        """Why readings are not kept or what was lost, in words; empty where all is well."""
        self._tables = tables
        self._memory: dict[str, str] = {}
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._opened = _identity(path)
        self._open()

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """The payloads that are there, by key; an entry that is not valid JSON counts as not there."""
        wanted = list(dict.fromkeys(keys))
        found = {key: self._memory[key] for key in wanted if key in self._memory}
        missing = [key for key in wanted if key not in found]
        statement = "SELECT key, payload FROM readings WHERE key IN"
        found.update(self.attempt(lambda db: dict(rows_of(db, statement, missing))) or {})
        return {key: value for key, text in found.items() if (value := parsed(text)) is not None}

    def put(self, entries: Mapping[str, Any], also: Callable[[sqlite3.Connection], object] | None = None) -> bool:
        """Keep payloads, and do ``also`` in the same transaction; whether the file took them.

        What cannot be written to disk is kept in memory and ``problem`` says why.
        """
        rows = [(key, _ENCODER.encode(payload)) for key, payload in entries.items()]

        def write(db: sqlite3.Connection) -> bool:
            db.executemany(_PUT, rows)
            if also is not None:
                also(db)
            return True

        if self.change(write):
            return True
        self._memory.update(rows)
        return False

    def change(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What ``work`` returns, done as one transaction; None where the file cannot be written, and ``problem`` says why."""

        def whole(db: sqlite3.Connection) -> T:
            # A transaction that begins by reading cannot wait for its turn to write.
            db.execute("BEGIN IMMEDIATE")
            with db:
                return work(db)

        return self.attempt(whole)

    def attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What ``work`` returns, tried once more on a file that had to be mended; None where that fails, and ``problem`` says why."""
        with self._lock:
            if self._db is not None and _identity(self.path) != self._opened:
                self._reopen()  # another process has mended it, or somebody has deleted it
            for _ in range(2):
                if self._db is None:
                    break
                try:
                    return work(self._db)
                except sqlite3.DatabaseError as error:
                    if not self._mend(error):
                        break
        return None

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __del__(self) -> None:
        # Python 3.13 warns of a connection that is dropped without having been closed.
        if hasattr(self, "_db"):
            self.close()

    def _open(self) -> None:
        try:
            self._begin()
        except (sqlite3.DatabaseError, OSError) as error:
            self._mend(error)

    def _reopen(self) -> None:
        self.close()
        self._open()

    def _begin(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _mark_as_cache(self.path.parent)
        self._opened = _identity(self.path)
        self._db = _connected(self.path, self._tables)
        self._opened = _identity(self.path)

    def _mend(self, error: Exception) -> bool:
        """Begin a damaged file anew, and whether it was; what hinders us otherwise (a full disk, a lock) is said and lived with."""
        self.problem = f"readings are not kept: {error}"
        if type(error) is not sqlite3.DatabaseError:  # its subclasses stand for everything but damage
            return False
        self.close()
        try:
            with _alone(self.path):
                if _identity(self.path) == self._opened:
                    self.problem = self._renew()
                else:
                    self._begin()
                    self.problem = "the cache was damaged; another process of ours has mended it"
        except (OSError, sqlite3.DatabaseError) as worse:
            self.problem = f"readings are not kept: {worse}"
            self.close()
        return self._db is not None

    def _renew(self) -> str:
        """Move the file aside and put what can be read of it into a new one; what happened, in words."""
        aside = self.path.with_suffix(".damaged")
        # Before the file that they belong to: a new one must not find them.
        self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
        log, log_aside = (path.with_name(f"{path.name}-wal") for path in (self.path, aside))
        log_aside.unlink(missing_ok=True)
        if log.exists():
            log.replace(log_aside)
        self.path.replace(aside)
        self._begin()
        assert self._db is not None
        saved = {key: text for key, text in salvaged(aside) if parsed(text) is not None}
        with self._db:
            self._db.executemany(_PUT, saved.items())
        with_them = f" with the {len(saved):,} readings that could be saved" if saved else ""
        return f"the cache was damaged; it was moved to {aside.name} and begun anew{with_them}"


def rows_of(db: sqlite3.Connection, statement: str, keys: Sequence[str]) -> Iterator[Any]:
    """The rows of a statement that ends in IN, for any number of keys."""
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        yield from db.execute(f"{statement} ({','.join('?' * len(part))})", part)


def parsed(text: str) -> Any:
    """The payload in its text; None where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    """One that is damaged becomes empty, which is no JSON, where sqlite3 would refuse the whole statement."""
    try:
        return raw.decode()
    except ValueError:
        return ""


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at the path; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Held by one process at a time; where files cannot be locked, by each."""
    from filelock import FileLock

    lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=_PATIENCE)
    try:
        lock.acquire()
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _connected(path: Path, tables: Sequence[str]) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    db.text_factory = _text
    try:
        _log_ahead(db)
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise CacheError(
                f"{path}: the cache was written by a newer pytest-persona (format {version}, this one knows {FORMAT})."
                " Upgrade pytest-persona, or name another folder with --persona-cache."
            )
        if version < FORMAT:
            with db:
                db.execute(_READINGS)
                db.execute(f"PRAGMA user_version={FORMAT}")
        for statement in tables:
            db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def _log_ahead(db: sqlite3.Connection) -> None:
    """Switch to WAL; where several processes begin at once SQLite refuses instead of waiting."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.02)


def _mark_as_cache(folder: Path) -> None:
    """Keep the folder out of backups and version control, as pytest does with its own; one with files in it may be the user's."""
    if any(entry.is_file() for entry in folder.iterdir()):
        return
    for name, text in (
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# Made by pytest-persona; may be deleted.\n"),
        (".gitignore", "*\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
