"""Readings that survive the run: SQLite in WAL mode, JSON payloads, keyed by content hash."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_persona.errors import CacheError

__all__ = ["FORMAT", "Store"]

FORMAT = 1
"""Version of the tables; a higher one in a file means that a newer pytest-persona wrote it."""

_AT_ONCE = 500  # below SQLite's oldest limit on bound parameters


class Store:
    """Payloads by key, shared by processes. Writing may fail (full disk, read-only folder): then they live for this run alone.

    Raises CacheError when a newer version wrote the file. A file that is no database is moved aside and begun anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """Why readings are not kept, in words; empty where they are."""
        self._memory: dict[str, str] = {}
        self._db: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _mark_as_cache(path.parent)
            self._db = _open(path)
        except (sqlite3.DatabaseError, OSError) as error:
            self._mend(error)

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """The payloads that are there, by key; an entry that is not valid JSON counts as not there."""
        wanted = list(dict.fromkeys(keys))
        found = {key: self._memory[key] for key in wanted if key in self._memory}
        missing = [key for key in wanted if key not in found]
        if self._db is not None:
            for start in range(0, len(missing), _AT_ONCE):
                part = missing[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                try:
                    found.update(self._db.execute(f"SELECT key, payload FROM readings WHERE key IN ({marks})", part))
                except sqlite3.DatabaseError as error:
                    self._mend(error)
                    break
        return {key: value for key, text in found.items() if (value := _parsed(text)) is not None}

    def put(self, entries: Mapping[str, Any]) -> None:
        """Keep payloads; what cannot be written to disk is kept in memory and ``problem`` says why."""
        rows = [(key, json.dumps(payload, separators=(",", ":"))) for key, payload in entries.items()]
        if self._db is not None:
            try:
                with self._db:
                    self._db.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?)", rows)
                return
            except sqlite3.DatabaseError as error:
                self._mend(error)
        self._memory.update(rows)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def __del__(self) -> None:
        # Python 3.13 warns of a connection that is dropped without having been closed.
        if hasattr(self, "_db"):
            self.close()

    def _mend(self, error: Exception) -> None:
        """Begin a damaged file anew; what hinders us otherwise (a full disk, a lock) is said and lived with."""
        self.problem = f"readings are not kept: {error}"
        if type(error) is not sqlite3.DatabaseError:  # its subclasses stand for everything but damage
            return
        self.close()
        aside = self.path.with_suffix(".damaged")
        try:
            self.path.replace(aside)
            self._db = _open(self.path)
            self.problem = f"the cache was damaged; it was moved to {aside.name} and begun anew"
        except (OSError, sqlite3.DatabaseError) as worse:
            self.problem = f"readings are not kept: {worse}"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise CacheError(
                f"{path}: the cache was written by a newer pytest-persona (format {version}, this one knows {FORMAT})."
                " Upgrade pytest-persona, or name another folder with --persona-cache."
            )
        if version < FORMAT:
            with db:
                db.execute(
                    "CREATE TABLE IF NOT EXISTS readings (key TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID"
                )
                db.execute(f"PRAGMA user_version={FORMAT}")
    except BaseException:
        db.close()
        raise
    return db


def _mark_as_cache(folder: Path) -> None:
    """Keep the folder out of backups and version control, as pytest does with its own; one with files in it may be the user's."""
    if any(entry.is_file() for entry in folder.iterdir()):
        return
    for name, text in (
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# Made by pytest-persona; may be deleted.\n"),
        (".gitignore", "*\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
