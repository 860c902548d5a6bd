"""The ledger: what was answered, who asks what, and what was spent."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import filelock
import pytest

from pytest_persona.judge.chat import ledger as module
from pytest_persona.judge.chat.ledger import Ledger, payload_of, verdict_of
from pytest_persona.model.verdicts import Verdict

Open = Callable[[], Ledger]
GOOD = payload_of(Verdict(expressed=0.5, requested=0.25, quote="wörds", detail="d"), "m")


@pytest.fixture
def open_one(tmp_path: Path) -> Iterator[Open]:
    """Ledgers on one file; two in one process are to each other as two processes."""
    ledgers: list[Ledger] = []

    def make() -> Ledger:
        ledgers.append(Ledger(tmp_path / "verdicts.sqlite"))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


def damage(path: Path) -> None:
    pages = bytearray(path.read_bytes())
    pages[4096:] = b"\xff" * (len(pages) - 4096)
    path.write_bytes(pages)


# ---------------------------------------------------------------------------------------------------- verdicts
@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(expressed=-1.0, requested=None, quote="q"),
        Verdict(expressed=None, reason="suspected-injection", detail="the seal"),
    ],
)
def test_a_payload_is_its_verdict_and_the_model(verdict: Verdict) -> None:
    payload = payload_of(verdict, "m-1")
    assert payload["model"] == "m-1"
    assert verdict_of(payload) == verdict


@pytest.mark.parametrize(
    "payload",
    [
        None,
        3,
        "text",
        [],
        {},
        {**GOOD, "expressed": 7},
        {**GOOD, "expressed": "0.5"},
        {**GOOD, "reason": "failed"},
        {**GOOD, "later": 1},
        {key: value for key, value in GOOD.items() if key != "model"},
    ],
)
def test_what_is_no_verdict_is_none(payload: object) -> None:
    assert verdict_of(payload) is None


def test_what_is_kept_is_known_to_all(open_one: Open) -> None:
    one, two = open_one(), open_one()
    one.keep({"a": GOOD, "b": {"of": "another kind"}})
    assert two.known(["a", "b", "c"]) == {"a": GOOD}
    assert one.problem == two.problem == ""


# ---------------------------------------------------------------------------------------------------- leases
def test_a_key_is_granted_to_one_owner(open_one: Open) -> None:
    one, two = open_one(), open_one()
    assert one.claim(["a", "b"]) == {"a", "b"}
    assert two.claim(["b", "c"]) == {"c"}
    assert one.claim(["a", "c"]) == {"a"}  # its own again
    one.release(["b"])
    assert two.claim(["a", "b"]) == {"b"}


def test_what_is_answered_is_not_granted_and_keeping_lets_go(open_one: Open) -> None:
    one, two = open_one(), open_one()
    one.claim(["a", "b", "c"])
    one.keep({"a": GOOD}, ["b"])
    assert two.claim(["a", "b", "c"]) == {"b"}
    assert two.claim(["a"]) == set()


def test_what_is_kept_but_no_verdict_is_granted(open_one: Open) -> None:
    one = open_one()
    one.keep({"a": {"of": "another kind"}})
    assert one.claim(["a"]) == {"a"}


def test_more_keys_than_a_statement_takes_are_claimed_and_kept(open_one: Open) -> None:
    one, two = open_one(), open_one()
    keys = [f"k{n}" for n in range(1234)]
    assert one.claim(keys) == set(keys)
    assert two.claim(iter(keys)) == set()
    one.keep(dict.fromkeys(keys, GOOD))
    assert len(two.known(keys)) == 1234


def test_closing_lets_go_of_everything_and_leaves_no_lock(open_one: Open, tmp_path: Path) -> None:
    one, two = open_one(), open_one()
    one.claim(["a"])
    one.close()
    one.close()
    assert two.claim(["a"]) == {"a"}
    assert len(list((tmp_path / "owners").iterdir())) == 1
    two.close()
    assert list((tmp_path / "owners").iterdir()) == []


def test_the_claims_of_the_dead_are_free_at_once(open_one: Open, tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from pytest_persona.judge.chat.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]) / 'verdicts.sqlite'); ledger.claim(['a', 'b']); os._exit(9)"
    )
    one = open_one()
    one.claim(["x"])
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    owners = tmp_path / "owners"
    assert len(list(owners.iterdir())) == 2  # the second has cleaned up after the first
    assert one.claim(["a"]) == {"a"}
    assert len(list(owners.iterdir())) == 1
    with sqlite3.connect(tmp_path / "verdicts.sqlite") as db:
        assert sorted(key for (key,) in db.execute("SELECT key FROM leases")) == ["a", "x"]
    db.close()


@pytest.mark.parametrize("owner", ["gone", "../../etc/passwd"])
def test_a_claim_whose_owner_has_left_no_lock_is_free(open_one: Open, tmp_path: Path, owner: str) -> None:
    one = open_one()
    one.claim(["x"])
    with sqlite3.connect(tmp_path / "verdicts.sqlite") as db:
        db.execute("INSERT INTO leases VALUES ('a', ?)", (owner,))
    db.close()
    assert one.claim(["a"]) == {"a"}


@pytest.mark.parametrize("kind", ["refused", "soft", "warned"])
def test_where_files_cannot_be_locked_all_claims_are_granted(
    open_one: Open, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    class Refusing(filelock.FileLock):
        def acquire(self, *args: Any, **named: Any) -> Any:
            if kind == "warned":
                warnings.warn("flock not supported on this filesystem", stacklevel=2)
            raise OSError(38, "Function not implemented")

    monkeypatch.setattr(module, "FileLock", filelock.SoftFileLock if kind == "soft" else Refusing)
    one, two = open_one(), open_one()
    assert one.claim(["a", "b"]) == two.claim(["a", "b"]) == {"a", "b"}
    one.keep({"a": GOOD}, ["b"])
    assert two.known(["a"]) == {"a": GOOD}
    assert one.problem == ""


def test_an_owner_that_cannot_be_tried_is_not_waited_for(open_one: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = open_one(), open_one()
    one.claim(["a"])
    two.claim(["x"])

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "_locked", refuse)
    assert two.claim(["a"]) == {"a"}


def test_who_cannot_write_is_not_waited_for(open_one: Open) -> None:
    one, two = open_one(), open_one()
    one.claim(["a", "b"])
    assert one._store._db is not None
    one._store._db.execute("PRAGMA max_page_count=1")
    one._store._db.execute("PRAGMA query_only=1")
    one.keep({"a": GOOD})
    assert one.problem.startswith("readings are not kept: ")
    assert one.known(["a"]) == {"a": GOOD}
    assert two.claim(["a", "b"]) == {"a", "b"}
    assert one.claim(["c"]) == {"c"}
    one.release(["c"])


def test_a_folder_that_cannot_be_made_is_lived_with(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    ledger = Ledger(tmp_path / "cache" / "verdicts.sqlite")
    assert ledger.claim(["a"]) == {"a"}
    ledger.keep({"a": GOOD})
    assert ledger.known(["a"]) == {"a": GOOD}
    assert [ledger.reserve("r", 40.0, 100.0) for _ in range(3)] == [True, True, False]
    ledger.settle("r", -30.0)
    assert ledger.reserve("r", 40.0, 100.0)
    assert ledger.problem.startswith("readings are not kept: ")
    ledger.close()


def test_damage_found_by_a_claim_is_mended_and_the_claim_granted(open_one: Open, tmp_path: Path) -> None:
    one = open_one()
    one.keep({f"{n:032x}": GOOD for n in range(2000)})
    one.reserve("r", 5.0, 10.0)
    one.close()
    damage(tmp_path / "verdicts.sqlite")
    two = open_one()
    two._spent["r"] = 5.0
    assert two.claim(["a"]) == {"a"}
    assert "the cache was damaged" in two.problem
    assert two.reserve("r", 6.0, 10.0) is False  # what was spent is not forgotten
    assert open_one().claim(["a", "b"]) == {"b"}


# ---------------------------------------------------------------------------------------------------- spending
def test_a_budget_holds_for_all_ledgers_of_a_run(open_one: Open) -> None:
    one, two = open_one(), open_one()
    assert one.reserve("r", 60.0, 100.0)
    assert not two.reserve("r", 60.0, 100.0)
    assert two.reserve("another", 60.0, 100.0)
    one.settle("r", -30.0)
    assert two.reserve("r", 60.0, 100.0)
    assert two.reserve("r", 10.0, 100.0)  # to the last
    assert not one.reserve("r", 0.01, 100.0)


def test_threads_share_a_ledger(open_one: Open) -> None:
    one = open_one()
    granted: list[str] = []
    lock = threading.Lock()

    def work(first: int) -> None:
        for n in range(first, first + 30):
            one.reserve("r", 1.0, 1e9)
            one.keep({f"k{n}": GOOD})
            with lock:
                granted.extend(one.known([f"k{n}"]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (0, 100, 200, 300)))
    assert len(granted) == 120
    assert not one.reserve("r", 1.0, 120.5) and one.reserve("r", 0.5, 120.5)
    assert one.problem == ""
