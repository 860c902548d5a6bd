"""Replies in files: nothing is lost to a kill, nothing stale is taken for new, and a record is the same bytes again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.probe.replies import FORMAT, Journal, Kept, check_record, read_record, reply_key, write_record

KEPT = Kept(
    key="k1", target="shop:reply", kind="python", fingerprint="f00", suite="shop", probe="a", context="neutral",
    wording=0, sample=0, turn=0, reply="Yes.\nNo \ud800 \u2028 end",
)  # fmt: skip


def entry(key: str, **changes: object) -> Kept:
    return replace(KEPT, key=key, **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- keys
def test_a_key_is_of_the_dialogue_the_repetition_and_the_target() -> None:
    turns = [Turn(speaker="user", text="a")]
    keys = {
        reply_key("f", 0, turns),
        reply_key("g", 0, turns),
        reply_key("f", 1, turns),
        reply_key("f", 0, [Turn(speaker="system", text="a")]),
        reply_key("f", 0, [*turns, Turn(speaker="assistant", text="b")]),
    }
    assert len(keys) == 5
    assert reply_key("f", 0, list(turns)) in keys


# ---------------------------------------------------------------------------------------------------- the journal
def test_what_an_unfinished_run_left_is_found_and_gone_once_all_is_done(tmp_path: Path) -> None:
    first = Journal(tmp_path, "n")
    assert first.left_behind() == []
    first.write(KEPT)
    first.write(entry("k2"))
    first.close(finished=False)
    second = Journal(tmp_path, "n")
    assert second.left_behind() == [KEPT, entry("k2")]
    second.write(entry("k3"))
    second.close(finished=False)
    third = Journal(tmp_path, "n")
    assert {kept.key for kept in third.left_behind()} == {"k1", "k2", "k3"}
    third.close(finished=True)
    assert list(tmp_path.glob("*.jsonl")) == []
    assert Journal(tmp_path, "n").left_behind() == []


def test_another_probing_has_nothing_to_do_with_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "n")
    journal.write(KEPT)
    journal.close(finished=False)
    assert Journal(tmp_path, "m").left_behind() == []


def test_what_a_living_run_writes_is_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "n")
    journal.write(KEPT)
    assert Journal(tmp_path, "n").left_behind() == []
    journal.close(finished=False)
    assert len(Journal(tmp_path, "n").left_behind()) == 1


def test_after_a_day_it_is_no_longer_what_the_product_says(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "n")
    journal.write(KEPT)
    journal.close(finished=False)
    (path,) = tmp_path.glob("*.jsonl")
    old = time.time() - 25 * 3600
    os.utime(path, (old, old))
    later = Journal(tmp_path, "n")
    assert later.left_behind() == []
    later.close(finished=True)
    assert not path.exists()


def test_a_killed_process_leaves_all_it_was_told_but_half_a_line(tmp_path: Path) -> None:
    code = f"""
import os, pathlib
from pytest_persona.probe.replies import Journal
from pytest_persona.probe.replies import Kept
journal = Journal(pathlib.Path({str(tmp_path)!r}), "n")
kept = Kept(**{ {name: getattr(KEPT, name) for name in KEPT.__slots__}!r})
journal.write(kept)
journal._stream.write('{{"key": "half')
journal._stream.flush()
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert Journal(tmp_path, "n").left_behind() == [KEPT]


def test_a_folder_that_cannot_be_written_is_lived_with(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file", "n")
    journal.write(KEPT)
    assert journal.problem.startswith("replies are not kept until the run ends: ")
    journal.close(finished=True)


# ---------------------------------------------------------------------------------------------------- the record
def write(path: Path, *kept: Kept, whole: bool = True) -> None:
    write_record(path, kept, whole=whole, locks=path.parent / "locks", named=path.name)


def test_a_record_is_read_as_it_was_written_and_the_same_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    kept = [entry("k2", probe="b"), entry("k3", turn=1), KEPT]
    write(path, *kept)
    assert read_record(path, named="r.jsonl") == [KEPT, entry("k3", turn=1), entry("k2", probe="b")]
    first = path.read_bytes()
    write(path, *reversed(kept))
    assert path.read_bytes() == first
    assert json.loads(first.splitlines()[0]) == {"schema": FORMAT}


def test_a_whole_run_replaces_what_is_of_its_target_and_suite_a_broken_one_adds(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    others = [entry("o1", suite="other"), entry("o2", target="other:bot")]
    write(path, KEPT, *others)
    write(path, entry("k2"), whole=False)
    assert {kept.key for kept in read_record(path, named="r")} == {"k1", "k2", "o1", "o2"}
    write(path, entry("k3"))
    assert {kept.key for kept in read_record(path, named="r")} == {"k3", "o1", "o2"}


def test_a_new_reply_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write(path, KEPT)
    write(path, entry("k1", reply="New."), whole=False)
    assert [kept.reply for kept in read_record(path, named="r")] == ["New."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}\n", "r.jsonl:1: this is no record of replies in the form pytest-persona/replies/v1. Name another file."),
        ('{"schema": "pytest-persona/replies/v2"}\n', "r.jsonl:1: this is no record of replies"),
        ("HEADER\n[]\n", "r.jsonl:2: this is no reply: it is no object. Take the line out, or record anew."),
        ('HEADER\n{"key": "x"}\n', "r.jsonl:2: this is no reply: target is missing."),
        ("HEADER\nGOOD\nnonsense\n", "r.jsonl:3: this is no reply: "),
        ("HEADER\nWRONG\n", "r.jsonl:2: this is no reply: sample is of the wrong type."),
    ],
)
def test_what_is_no_record_is_refused_with_its_line_and_never_replaced(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.jsonl"
    write(path, KEPT)
    good = path.read_text().splitlines()[1]
    text = text.replace("HEADER", json.dumps({"schema": FORMAT})).replace("GOOD", good)
    path.write_text(text.replace("WRONG", good.replace('"sample": 0', '"sample": true')))
    for use in (read_record, check_record):
        with pytest.raises(TargetError) as caught:
            use(path, named="r.jsonl")
        assert str(caught.value).startswith(said)


def test_where_it_cannot_be_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"x/r\.jsonl: the replies cannot be written: its folder does not exist"):
        check_record(tmp_path / "x" / "r.jsonl", named="x/r.jsonl")
    with pytest.raises(TargetError, match="it is a folder"):
        check_record(tmp_path, named="here")
    with pytest.raises(TargetError, match=r"r\.jsonl: there is no such file\. Record replies first"):
        read_record(tmp_path / "r.jsonl", named="r.jsonl")
    check_record(tmp_path / "r.jsonl", named="r.jsonl")
    (tmp_path / "r.jsonl").write_text("\n")
    assert read_record(tmp_path / "r.jsonl", named="r.jsonl") == []


def test_a_disk_that_refuses_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").mkdir()
    with pytest.raises(TargetError, match=r"r\.jsonl: the replies cannot be (read|written): "):
        write(tmp_path / "r.jsonl", KEPT)


def test_where_nothing_can_be_locked_it_is_written_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_record(tmp_path / "r.jsonl", [KEPT], whole=True, locks=tmp_path / "file" / "locks", named="r.jsonl")
    assert read_record(tmp_path / "r.jsonl", named="r.jsonl") == [KEPT]
