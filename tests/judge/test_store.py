"""Readings that outlive a run, and what becomes of them where a disk or a file fails."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from pytest_persona.errors import CacheError
from pytest_persona.judge import store as module
from pytest_persona.judge.store import FORMAT, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "readings.sqlite"


def written(path: Path, entries: dict[str, object]) -> None:
    store = Store(path)
    store.put(entries)
    assert store.problem == ""
    store.close()


def test_what_was_put_is_there_for_the_next_process(path: Path) -> None:
    written(path, {"a": {"x": [1, 2.5]}, "b": "β"})
    store = Store(path)
    assert store.get(["a", "b", "c", "a"]) == {"a": {"x": [1, 2.5]}, "b": "β"}
    store.close()


def test_two_processes_write_and_read_one_file(path: Path) -> None:
    one, two = Store(path), Store(path)
    one.put({"a": 1})
    two.put({"b": 2, "a": 3})
    assert one.get(["a", "b"]) == two.get(["a", "b"]) == {"a": 3, "b": 2}
    assert (one.problem, two.problem) == ("", "")
    one.close(), two.close()


def test_more_keys_than_a_statement_takes_are_found(path: Path) -> None:
    entries = {f"k{i}": i for i in range(1234)}
    store = Store(path)
    store.put(entries)
    assert store.get(iter(entries)) == entries
    store.close()


def test_closing_twice_is_no_error_and_a_closed_store_remembers_for_the_run(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    store.put({"a": 1})
    assert store.get(["a"]) == {"a": 1}


def test_a_new_folder_is_kept_out_of_backups_and_version_control(path: Path) -> None:
    written(path, {})
    assert (path.parent / "CACHEDIR.TAG").read_text("utf-8").startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert (path.parent / ".gitignore").read_text("utf-8") == "*\n"


def test_so_is_one_in_which_a_run_has_begun(path: Path) -> None:
    (path.parent / "runs").mkdir(parents=True)
    written(path, {})
    assert (path.parent / ".gitignore").exists()


def test_a_folder_with_files_of_the_users_is_not_hidden_from_version_control(path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "setup.py").touch()
    written(path, {"a": 1})
    assert {file.name for file in path.parent.iterdir()} == {"setup.py", path.name}


def test_a_file_of_a_newer_version_is_refused_in_words_and_left_alone(path: Path) -> None:
    written(path, {"a": 1})
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={FORMAT + 1}")
    db.close()
    with pytest.raises(CacheError) as caught:
        Store(path)
    assert str(caught.value) == (
        f"{path}: the cache was written by a newer pytest-persona (format {FORMAT + 1}, this one knows {FORMAT})."
        " Upgrade pytest-persona, or name another folder with --persona-cache."
    )
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM readings").fetchone() == (1,)
    db.close()


def test_a_file_that_is_no_database_is_moved_aside_and_begun_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 100)
    store = Store(path)
    assert store.problem == "the cache was damaged; it was moved to readings.damaged and begun anew"
    assert (path.parent / "readings.damaged").read_bytes().startswith(b"not a database")
    store.put({"a": 1})
    store.close()
    store = Store(path)
    assert (store.get(["a"]), store.problem) == ({"a": 1}, "")
    store.close()


@pytest.mark.parametrize("first", ["get", "put"])
def test_damage_in_the_middle_of_the_file_is_found_and_begun_anew_too(path: Path, first: str) -> None:
    entries = {f"k{i}": "x" * 200 for i in range(200)}
    written(path, entries)
    pages = bytearray(path.read_bytes())
    pages[4096:] = b"\xff" * (len(pages) - 4096)  # the first page, with the header, is whole
    path.write_bytes(pages)
    store = Store(path)
    assert store.problem == ""
    if first == "get":
        assert store.get(entries) == {}
    store.put({"a": 1})
    assert "begun anew" in store.problem
    assert store.get(["a"]) == {"a": 1}
    store.put({"b": 2})
    store.close()
    store = Store(path)
    assert store.get(["b"]) == {"b": 2}
    store.close()


def test_a_folder_that_is_deleted_under_it_is_begun_anew(path: Path) -> None:
    store = Store(path)
    store.put({"a": 1})
    shutil.rmtree(path.parent)
    store.put({"b": 2})
    store.close()
    store = Store(path)
    assert store.get(["a", "b"]) == {"b": 2}
    store.close()


def test_where_nothing_can_be_locked_damage_is_mended_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 100)
    store = Store(path)
    assert store.problem == "the cache was damaged; it was moved to readings.damaged and begun anew"
    store.close()


def test_a_text_that_is_damaged_within_its_row_counts_as_not_there(path: Path) -> None:
    written(path, {"a": "good", "b": "bad"})
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"bad"', b'"\xff\xfe\xfd"'))
    store = Store(path)
    assert (store.get(["a", "b"]), store.problem) == ({"a": "good"}, "")
    store.close()


def test_a_file_that_others_keep_busy_for_too_long_is_lived_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    path.parent.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    store = Store(path)
    assert store.problem == "readings are not kept: database is locked"
    store.put({"a": 1})
    assert store.get(["a"]) == {"a": 1}
    db.close()


def test_damage_that_cannot_be_moved_aside_is_lived_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 100)
    monkeypatch.setattr(Path, "replace", refuse)
    store = Store(path)
    assert store.problem == "readings are not kept: [Errno 13] Permission denied"
    store.put({"a": 1})
    assert store.get(["a"]) == {"a": 1}


def test_a_full_disk_keeps_what_was_read_in_memory_and_says_so(path: Path) -> None:
    store = Store(path)
    store.put({"before": 1})
    assert store._db is not None
    store._db.execute("PRAGMA max_page_count=3")
    big = {f"k{i}": "x" * 1000 for i in range(50)}
    store.put(big)
    assert store.problem == "readings are not kept: database or disk is full"
    assert store.get([*big, "before"]) == {**big, "before": 1}
    store.close()
    store = Store(path)
    assert store.get([*big, "before"]) == {"before": 1}
    store.close()


def test_a_file_that_cannot_be_read_counts_as_empty_and_says_so(path: Path) -> None:
    written(path, {"a": 1})
    store = Store(path)
    assert store._db is not None
    store._db.execute("DROP TABLE readings")
    assert store.get(["a"]) == {}
    assert store.problem == "readings are not kept: no such table: readings"
    store.close()
    assert not (path.parent / "readings.damaged").exists()


def test_a_folder_that_cannot_be_made_is_lived_with(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    store = Store(tmp_path / "cache" / "readings.sqlite")
    assert store.problem.startswith("readings are not kept: ")
    store.put({"a": 1})
    assert store.get(["a", "b"]) == {"a": 1}


def test_a_file_that_cannot_be_opened_is_lived_with(path: Path) -> None:
    path.mkdir(parents=True)
    store = Store(path)
    assert store.problem == "readings are not kept: unable to open database file"
    store.put({"a": 1})
    assert store.get(["a"]) == {"a": 1}


def test_a_payload_that_is_no_json_counts_as_not_there(path: Path) -> None:
    written(path, {"a": 1, "b": 2, "c": 3})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE readings SET payload = '{\"reply\": ' WHERE key = 'a'")
        db.execute("UPDATE readings SET payload = 'null' WHERE key = 'b'")
    db.close()
    store = Store(path)
    assert store.get(["a", "b", "c"]) == {"c": 3}
    store.put({"a": 4})
    assert store.get(["a"]) == {"a": 4}
    store.close()
