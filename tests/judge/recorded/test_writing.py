"""Records and parts of records as files."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge.recorded import Entry, Header, Record, check_destination, read_parts, write, write_part
from pytest_persona.model.verdicts import Verdict


def test_the_same_entries_make_the_same_bytes_in_any_order(path: Path, header: Header, entries: list[Entry]) -> None:
    whole = path.read_bytes()
    disputed = entries[0]._replace(verdict=Verdict(expressed=-1.0))
    variants = set()
    for seed in range(20):
        shuffled = entries * 2
        random.Random(seed).shuffle(shuffled)
        write(path, header, iter(shuffled))
        assert path.read_bytes() == whole
        shuffled.insert(seed % 13, disputed)
        write(path, header, shuffled)
        variants.add(path.read_bytes())
    assert len(variants) == 1


def test_lines_stand_by_trait_then_context_then_replies_then_order(path: Path, says: object) -> None:
    record = Record.read(path)
    places = [(e.trait, e.context, sorted(e.reply.split()), e.reply) for e in record.entries.values()]
    assert places == sorted(places)
    kinds = [entry.kind for entry in record.entries.values()]
    assert abs(kinds.index("compare") - (len(kinds) - 1 - kinds[::-1].index("compare"))) == 1


def test_a_record_that_was_read_is_written_as_it_was(path: Path) -> None:
    whole = path.read_bytes()
    record = Record.read(path)
    write(path, record.header, record.entries.values())
    assert path.read_bytes() == whole
    assert whole.endswith(b"}\n")
    assert b"\r" not in whole


def test_nothing_is_left_beside_and_a_link_stays_a_link(tmp_path: Path, header: Header, entries: list[Entry]) -> None:
    (tmp_path / "kept").mkdir()
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "kept" / "r.jsonl")
    write(link, header, entries)
    assert link.is_symlink()
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["r.jsonl"]
    assert len(Record.read(link).entries) == 6


def test_what_fails_in_the_middle_leaves_the_record_as_it_was(
    path: Path, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(JudgeError) as caught:
        write(path, header, [], named="r.jsonl")
    assert str(caught.value) == (
        "r.jsonl: the record cannot be written: No space left on device."
        " Name a file in a folder that exists, on a disk with room."
    )
    assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_of_the_same_number_left_does_not_hinder(path: Path, header: Header) -> None:
    path.with_name(f".{path.name}.{os.getpid()}.partial").write_bytes(b"half a li")
    write(path, header, [])
    assert list(path.parent.iterdir()) == [path]
    assert Record.read(path).entries == {}


def test_a_file_that_is_no_record_is_not_replaced(tmp_path: Path, header: Header) -> None:
    signal = tmp_path / "preferences.jsonl"
    signal.write_text('{"prompt": "x", "chosen": "y"}\n', encoding="utf-8")
    with pytest.raises(JudgeError) as caught:
        write(signal, header, [], named="preferences.jsonl")
    assert "preferences.jsonl: the record cannot be written: the file that is there is no record." in str(caught.value)
    assert signal.read_text("utf-8").startswith('{"prompt"')


@pytest.mark.parametrize(
    "content", [b"", b" \n", b'{"record": "pytest-persona/record/v1", "dam', b'{"trait": "x", "trait_sha256": "0']
)
def test_an_empty_or_damaged_record_may_be_replaced(content: bytes, tmp_path: Path, header: Header) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    write(path, header, [])
    assert Record.read(path).header == header


def test_a_destination_is_checked_before_anything_is_asked(tmp_path: Path, path: Path) -> None:
    check_destination(path)
    check_destination(tmp_path / "new.jsonl")
    with pytest.raises(JudgeError, match="it is a folder"):
        check_destination(tmp_path)
    with pytest.raises(JudgeError, match="its folder does not exist"):
        check_destination(tmp_path / "no" / "r.jsonl")


def test_a_destination_that_cannot_be_opened_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(JudgeError, match="cannot be written: Permission denied"):
        check_destination(path)


def test_what_several_processes_leave_is_gathered(tmp_path: Path, entries: list[Entry]) -> None:
    folder = tmp_path / "runs" / "1"
    assert read_parts(folder) == ([], [])
    write_part(folder, entries[:2])
    write_part(folder, entries[2:])
    write_part(folder, [])
    found, problems = read_parts(folder)
    assert sorted(found) == sorted(entries, key=lambda entry: entry)
    assert problems == []
    assert len(list(folder.iterdir())) == 2


def test_what_a_killed_process_left_half_is_skipped_and_said(tmp_path: Path, entries: list[Entry]) -> None:
    write_part(tmp_path, entries[:1])
    write_part(tmp_path, entries[1:])
    (tmp_path / ".abc.part.jsonl.17.partial").write_bytes(b'{"trait": "syc')
    (tmp_path / "damaged.part.jsonl").write_bytes(b'{"trait": "syc')
    (tmp_path / "folder.part.jsonl").mkdir()
    (tmp_path / "another.thing").touch()
    found, problems = read_parts(tmp_path)
    assert len(found) == 6
    again = "The verdicts are in the cache: run again, and they are recorded."
    assert problems[:2] == [
        f"a process was ended while it wrote what it read. {again}",
        f"what a process read is lost: it is damaged or cut off. {again}",
    ]
    assert problems[2].startswith("what a process read is lost: ")
    assert str(tmp_path) not in problems[0] + problems[1]


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JudgeError, match="the cache: the record cannot be written: "):
        write_part(tmp_path / "file", entries)
