"""What can be saved of a damaged cache, and who saves it."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from pathlib import Path

import pytest

from pytest_persona.judge import store as module
from pytest_persona.judge.salvage import salvaged
from pytest_persona.judge.store import Store

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "readings.sqlite"


@pytest.fixture(scope="module")
def many() -> dict[str, dict[str, str]]:
    """5,000 readings of 0 to 400 characters, and some that take several pages."""
    draw = random.Random(1)
    sizes = [draw.randint(0, 400) if n % 100 else draw.randint(1_000, 15_000) for n in range(5_000)]
    return {hashlib.sha256(str(n).encode()).hexdigest()[:32]: {"of": "é" + "x" * size} for n, size in enumerate(sizes)}


@pytest.fixture(scope="module")
def whole(many: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "readings.sqlite"
    store = Store(path, ["CREATE TABLE IF NOT EXISTS other (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"])
    entries = list(many.items())
    for start in range(0, len(entries), 100):  # as they are written: pages of a tree that grows
        store.put(
            dict(entries[start : start + 100]),
            also=lambda db: db.execute("INSERT OR REPLACE INTO other VALUES ('k', 'no payload')"),
        )
    store.close()
    return path


def lost(pages: bytearray, chosen: list[int]) -> bytearray:
    for page in chosen:
        pages[page * PAGE : (page + 1) * PAGE] = os.urandom(PAGE)
    return pages


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("one page", 0.98),
        ("3 % of the pages", 0.93),
        ("the root", 0.99),
        ("the header", 0.99),
        ("a quarter cut off", 0.70),
        ("half cut off, within a page", 0.45),
        ("zeros at the end", 0.70),
    ],
)
def test_what_stands_whole_in_a_damaged_file_is_saved(
    whole: Path, many: dict[str, dict[str, str]], path: Path, kind: str, least: float
) -> None:
    pages = bytearray(whole.read_bytes())
    count = len(pages) // PAGE
    draw = random.Random(2)
    if kind == "one page":
        lost(pages, [count // 2])
    elif kind == "3 % of the pages":
        lost(pages, draw.sample(range(2, count), count * 3 // 100))
    elif kind == "the root":
        lost(pages, [1])
    elif kind == "the header":
        lost(pages, [0])
    elif kind == "zeros at the end":
        pages[count * 3 // 4 * PAGE :] = bytes(len(pages) - count * 3 // 4 * PAGE)
    else:
        del pages[count * 3 // 4 * PAGE if "quarter" in kind else count // 2 * PAGE + 100 :]
    path.parent.mkdir()
    path.write_bytes(pages)
    store = Store(path)
    found = store.get(many)
    assert {key: many[key] for key in found} == found
    assert least * len(many) <= len(found) <= len(many)
    assert store.problem == (
        "the cache was damaged; it was moved to readings.damaged and begun anew with the"
        f" {len(found):,} readings that could be saved"
    )
    missing = {key: value for key, value in many.items() if key not in found}
    store.put(missing)
    store.close()
    store = Store(path)
    assert (store.get(many), store.problem) == (many, "")
    store.close()


def test_what_another_process_has_in_the_log_alone_is_saved_too(
    whole: Path, many: dict[str, dict[str, str]], path: Path
) -> None:
    pages = bytearray(whole.read_bytes())
    path.parent.mkdir()
    path.write_bytes(lost(pages, [len(pages) // PAGE // 2]))
    new = {f"{n:032x}": {"of": "x" * (n * 40)} for n in range(200)}
    one, two = Store(path), Store(path)
    two.put(new)
    assert two.problem == ""
    assert one.get(new) == new
    assert len(one.get(many)) > 4_900
    assert "begun anew" in one.problem
    assert one.get(new) == two.get(new) == new
    assert (path.parent / "readings.damaged-wal").exists()
    one.close()
    two.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x0a",
        b"SQLite format 3\0",
        b"\x0a\0\0\xff\xff\0\0\0" + b"\xff" * 4088,
        b"\x0a\0\0\xff\xff\0\0\0" + b"\0" * 4088,
        b"\x02\0\0\0\x01\0\0\0\0\0\0\0\x00\x10" + b"\x88" * 4082,
        bytes(range(256)) * 64,
        random.Random(3).randbytes(100_000),
    ],
    ids=range(8),
)
def test_garbage_holds_nothing_to_save(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert list(salvaged(path)) == []


def test_a_payload_whose_pages_form_a_circle_ends(whole: Path, path: Path) -> None:
    pages = bytearray(whole.read_bytes())
    for page in range(1, len(pages) // PAGE):
        start = page * PAGE
        if pages[start] not in (2, 10):  # an overflow page: back to itself
            pages[start : start + 4] = (page + 1).to_bytes(4, "big")
    path.parent.mkdir()
    path.write_bytes(pages)
    assert len(list(salvaged(path))) > 4_000


def test_two_who_find_the_same_damage_mend_it_once(
    whole: Path, many: dict[str, dict[str, str]], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_bytes(lost(bytearray(whole.read_bytes()), [0]))
    both = threading.Barrier(2)
    real = module._alone

    def together(path: Path) -> object:
        both.wait()
        return real(path)

    monkeypatch.setattr(module, "_alone", together)
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(Store(path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = sorted(store.problem for store in stores)
    assert problems[0] == "the cache was damaged; another process of ours has mended it"
    assert problems[1].startswith(
        "the cache was damaged; it was moved to readings.damaged and begun anew with the 5,000 readings that could be saved"
    )
    stores[0].put({"a": 1})
    assert stores[1].get(["a"]) == {"a": 1}
    for store in stores:
        assert len(store.get(many)) > 4_900
        store.close()


def test_who_has_the_file_open_while_another_mends_it_goes_on_with_the_new_one(
    whole: Path, many: dict[str, dict[str, str]], path: Path
) -> None:
    path.parent.mkdir()
    path.write_bytes(lost(bytearray(whole.read_bytes()), [1]))
    one, two = Store(path), Store(path)
    assert two.problem == ""
    assert len(one.get(many)) > 4_900
    two.put({"a": 1})
    assert one.get(["a"]) == {"a": 1}
    one.put({"b": 2})
    assert two.get(["a", "b"]) == {"a": 1, "b": 2}
    one.close()
    two.close()
    three = Store(path)
    assert (three.get(["a", "b"]), three.problem) == ({"a": 1, "b": 2}, "")
    three.close()
