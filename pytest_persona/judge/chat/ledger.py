"""What has been answered, what is being asked and what has been spent: one file for all processes that share a cache."""

from __future__ import annotations

import math
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from pytest_persona.judge.store import Store, parsed, rows_of
from pytest_persona.model.verdicts import Verdict

__all__ = ["Ledger", "ledger_key", "payload_of", "verdict_of"]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS spending (run TEXT PRIMARY KEY, spent REAL NOT NULL) WITHOUT ROWID",
)


def ledger_key(scope: str, part: str) -> str:
    """The key of a part of a question (32 hexadecimal digits) to one judge; the part first, so that keys are spread evenly."""
    return f"{part}{scope}"


def payload_of(verdict: Verdict, model: str) -> dict[str, Any]:
    """A verdict as it is kept, with the model that gave it."""
    return {
        "expressed": verdict.expressed,
        "requested": verdict.requested,
        "quote": verdict.quote,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "model": model,
    }


def verdict_of(payload: object) -> Verdict | None:
    """The verdict in a payload; None where it is none."""
    try:
        fields = dict(payload)  # type: ignore[call-overload]
        fields.pop("model")
        return Verdict(**fields)
    except (KeyError, TypeError, ValueError):
        return None


class Ledger:
    """Verdicts, leases and spending in one SQLite file, safe for several threads and processes; see :class:`Store` for its failures.

    A lease names its owner, and an owner holds a lock on a file of its own for as long as it lives: the claims of a killed process
    are free at once, and no clock is involved. Where files cannot be locked or the disk cannot be written, all claims are granted:
    what two processes ask at once is then asked twice, and nobody waits for a claim that is never let go.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._store = Store(path, _TABLES)
        self._owners = path.parent / "owners"
        self._name = uuid.uuid4().hex
        self._proof: BaseFileLock | None = None
        """Held while claims of ours may stand in the file."""
        self._alone = False
        """Whether claims are granted without being written down."""
        self._spent: dict[str, float] = {}
        """By run, as last seen: for a disk that fails and a file that is begun anew."""

    @property
    def problem(self) -> str:
        """Why verdicts are not kept or what was lost, in words; empty where all is well."""
        return self._store.problem

    def known(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The payloads that hold a verdict, by key."""
        return {key: payload for key, payload in self._store.get(keys).items() if verdict_of(payload) is not None}

    def verdicts(self, keys: Iterable[str]) -> dict[str, Verdict]:
        """The same as verdicts."""
        found = ((key, verdict_of(payload)) for key, payload in self._store.get(keys).items())
        return {key: verdict for key, verdict in found if verdict is not None}

    def keep(self, payloads: Mapping[str, Mapping[str, Any]], free: Sequence[str] = ()) -> None:
        """Keep payloads and let go the claims on their keys and on those of ``free``, in one transaction."""
        keys = [*payloads, *free]
        if not self._store.put(payloads, also=lambda db: self._let_go(db, keys)):
            self._stand_alone()

    def noted(self, key: str) -> Any:
        """What was noted under a key; None where nothing was."""
        return self._store.get([key]).get(key)

    def note(self, key: str, content: Any) -> None:
        """Keep something that is no verdict."""
        self._store.put({key: content})

    def claim(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are now ours to ask: they have no verdict, and no other living owner asks them."""
        wanted = list(dict.fromkeys(keys))
        if not self._alone:
            granted = self._store.change(lambda db: self._claim(db, wanted))
            if granted is not None:
                return granted
            self._stand_alone()
        return set(wanted)

    def release(self, keys: Iterable[str]) -> None:
        """Let go claims of ours."""
        self.keep({}, list(keys))

    def reserve(self, run: str, amount: float, limit: float) -> bool:
        """Add an amount to what a run has spent, unless that would make it more than ``limit``; whether it was added."""

        def work(db: sqlite3.Connection) -> float:
            row = db.execute("SELECT spent FROM spending WHERE run = ?", (run,)).fetchone()
            spent: float = row[0] if row is not None else self._spent.get(run, 0.0)
            if spent + amount <= limit:
                db.execute("INSERT OR REPLACE INTO spending VALUES (?, ?)", (run, spent + amount))
            return spent

        spent = self._store.change(work)
        if spent is None:
            spent = self._spent.get(run, 0.0)
        fits = spent + amount <= limit
        self._spent[run] = spent + amount if fits else spent
        return fits

    def settle(self, run: str, difference: float) -> None:
        """Correct what a run has spent by what it was more, or less, than reserved."""
        self.reserve(run, difference, math.inf)

    def close(self) -> None:
        """Let go all claims and close the file; may be called twice."""
        if self._proof is not None:
            self._store.change(lambda db: db.execute("DELETE FROM leases WHERE owner = ?", (self._name,)))
        self._stand_alone()
        self._store.close()

    def _claim(self, db: sqlite3.Connection, keys: list[str]) -> set[str]:
        if not self._proves(db):
            return set(keys)
        readings = rows_of(db, "SELECT key, payload FROM readings WHERE key IN", keys)
        taken = {key for key, text in readings if verdict_of(parsed(text)) is not None}
        claimed: dict[str, list[str]] = {}
        for key, owner in rows_of(db, "SELECT key, owner FROM leases WHERE key IN", keys):
            claimed.setdefault(owner, []).append(key)
        for owner, theirs in claimed.items():
            if owner == self._name:
                continue
            if self._lives(owner):
                taken.update(theirs)
            else:
                db.execute("DELETE FROM leases WHERE owner = ?", (owner,))
        granted = [key for key in keys if key not in taken]
        db.executemany("INSERT OR REPLACE INTO leases VALUES (?, ?)", [(key, self._name) for key in granted])
        return set(granted)

    def _let_go(self, db: sqlite3.Connection, keys: Sequence[str]) -> None:
        if self._proof is not None:
            rows = [(key, self._name) for key in keys]
            db.executemany("DELETE FROM leases WHERE key = ? AND owner = ?", rows)

    def _proves(self, db: sqlite3.Connection) -> bool:
        """Whether others can see that we live. Locks are made and tried within transactions alone, so that no two do it at once."""
        if self._proof is None:
            try:
                self._owners.mkdir(exist_ok=True)
                self._proof = _locked(self._owners / f"{self._name}.lock")
            except _UNLOCKABLE:
                self._alone = True
                return False
            for path in self._owners.glob("*.lock"):
                if not self._lives(path.stem):
                    db.execute("DELETE FROM leases WHERE owner = ?", (path.stem,))
        return True

    def _lives(self, owner: str) -> bool:
        """Whether somebody holds the owner's lock; the file of one that does not is removed."""
        path = self._owners / f"{owner}.lock"
        if owner == self._name:
            return True
        try:
            if not owner.isalnum() or not path.exists():
                return False
            lock = _locked(path)
            if lock is not None:
                lock.release()
                path.unlink(missing_ok=True)
        except _UNLOCKABLE:
            return False
        return lock is None

    def _stand_alone(self) -> None:
        """Be none whom others wait for: what we keep cannot be seen by them."""
        self._alone = True
        if self._proof is not None:
            path = Path(self._proof.lock_file)
            self._proof.release()
            self._proof = None
            with suppress(OSError):
                path.unlink(missing_ok=True)


_UNLOCKABLE = (OSError, NotImplementedError, Warning)  # filelock warns of file systems that cannot lock


def _locked(path: Path) -> BaseFileLock | None:
    """A lock that ends with its process, held; None where another holds it. Raises one of `_UNLOCKABLE` where there is no such thing."""
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    if isinstance(lock, SoftFileLock):  # a mere file, which outlives who made it
        lock.release()
        raise NotImplementedError
    return lock
