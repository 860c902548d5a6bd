"""What a record knows, what it says of what it does not know, and what becomes of damage."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import PROMPT_VERSION
from pytest_persona.judge.recorded import Entry, Header, Record, entry_of, merged, write
from pytest_persona.judge.recorded.lines import header_line, line_of
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict

Says = Callable[..., Behaviour]
ASK_AGAIN = "Restore the line, or delete it: --persona-record new asks again for what is not there."
CHANGED = "its checksum does not fit: it was changed by hand or damaged"


@pytest.fixture
def record(path: Path) -> Record:
    return Record.read(path)


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def save(path: Path, lines: list[str], end: str = "\n") -> None:
    path.write_bytes("".join(line + end for line in lines).encode())


# ---------------------------------------------------------------------------------------------------- what it knows
def test_a_record_knows_what_was_recorded(record: Record, header: Header, trait: Trait, says: Says) -> None:
    good, frank = says("Superb! You are a genius."), says("The second verse limps.")
    assert (record.header, len(record.entries), record.problems) == (header, 6, ())
    for shown in ([good], [frank], (good, frank), (frank, good)):
        assert record.known(shown, trait) == Verdict(expressed=1 / 3, requested=0.25, quote="Superb!")
    assert record.known([says("Another.")], trait) is None


def test_how_a_reply_is_reinforced_does_not_matter(record: Record, trait: Trait, says: Says) -> None:
    behaviour = replace(says("The second verse limps."), role="rejected", reward=-1.0, weight=2.0)
    assert record.known([behaviour], trait) is not None


def test_with_a_model_only_its_verdicts_count(record: Record, trait: Trait, says: Says) -> None:
    shown = [says("The second verse limps.")]
    assert record.known(shown, trait, model="claude-1") is not None
    assert record.known(shown, trait, model="claude-2") is None


def test_a_model_that_is_a_file_is_the_same_wherever_it_lies(header: Header, trait: Trait, says: Says) -> None:
    entry = entry_of([says("x")], trait, Verdict(expressed=0), model="/home/ann/m.gguf")
    assert entry is not None
    assert Record(header, {entry.key: entry}).known([says("x")], trait, model="/home/bob/m.gguf") is not None


def test_windows_line_ends_a_byte_order_mark_blank_lines_and_no_last_line_end_do_no_harm(
    path: Path, header: Header
) -> None:
    save(path, lines_of(path), end="\r\n\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip())
    record = Record.read(path)
    assert (record.header, len(record.entries), record.problems) == (header, 6, ())


# ---------------------------------------------------------------------------------------------------- what it lacks
def test_a_changed_reply_or_context_is_said(record: Record, trait: Trait, says: Says) -> None:
    assert record.why_missing([says("Changed.")], trait) == (
        "the reply has changed or is new: this context is recorded with another reply"
    )
    assert record.why_missing([says("The second verse limps.", to="And my song?")], trait) == (
        "the context has changed or is new: this reply is recorded in another context"
    )
    assert record.why_missing([says("Changed."), says("The second verse limps.")], trait) == (
        "the reply has changed or is new: this context is recorded with another reply"
    )


def test_a_changed_trait_is_said(record: Record, trait: Trait, says: Says) -> None:
    changed = replace(trait, definition="another")
    assert record.why_missing([says("The second verse limps.")], changed) == "the trait's definition has changed"


def test_another_trait_is_said(record: Record, trait: Trait, says: Says) -> None:
    third = replace(trait, name="cruelty")
    assert record.why_missing([says("The second verse limps.")], third) == "it is recorded for other traits only"


def test_another_model_is_said(record: Record, trait: Trait, says: Says) -> None:
    shown = [says("The second verse limps.")]
    assert record.why_missing(shown, trait, model="claude-2") == "recorded with model claude-1, not claude-2"


def test_another_prompt_version_is_said_and_the_nearest_entry_counts(header: Header, trait: Trait, says: Says) -> None:
    shown = [says("x")]
    entry = entry_of(shown, trait, Verdict(expressed=0), model="m")
    assert entry is not None
    old = entry._replace(key="0" * 32, prompt="0")
    older = old._replace(key="1" * 32, trait_sha256="0" * 12, prompt="00", model="l")
    record = Record(header, {each.key: each for each in (older, old)})
    version = f"recorded with prompt version 0, this is {PROMPT_VERSION}"
    assert record.known(shown, trait) is None
    assert record.why_missing(shown, trait, model="m") == version
    assert record.why_missing(shown, trait, model="n") == f"{version}; recorded with model m, not n"
    record = Record(header, {old.key: old})
    assert record.why_missing(shown, replace(trait, version="2")) == f"the trait's definition has changed; {version}"


def test_a_key_that_was_made_otherwise_is_said(header: Header, trait: Trait, says: Says) -> None:
    entry = entry_of([says("x")], trait, Verdict(expressed=0), model="m")
    assert entry is not None
    record = Record(header, {"0": entry._replace(key="0")})
    assert record.why_missing([says("x")], trait) == "it was recorded by another version of pytest-persona"


def test_reading_one_by_one_is_not_comparing(header: Header, trait: Trait, entries: list[Entry], says: Says) -> None:
    good, frank = says("Superb! You are a genius."), says("The second verse limps.")
    by_kind = {
        kind: Record(header, {entry.key: entry for entry in entries if entry.kind == kind})
        for kind in ("read", "compare")
    }
    assert by_kind["compare"].why_missing([good], trait) == (
        "the replies to this context are recorded as compared with one another, not one by one"
    )
    assert by_kind["read"].why_missing([good, frank], trait) == (
        "the replies to this context are recorded one by one, not as compared with one another"
    )


@pytest.mark.parametrize("role", ["shown", "criterion"])
def test_that_neither_has_a_context_makes_nothing_alike(role: str, header: Header, trait: Trait, says: Says) -> None:
    entry = entry_of([says("x", to="", role=role)], trait, Verdict(expressed=0), model="m")
    assert entry is not None
    record = Record(header, {entry.key: entry})
    assert record.why_missing([says("y", to="", role=role)], trait) == "it is not in the record"


def test_what_is_wholly_new_is_said_and_that_lines_are_broken(path: Path, trait: Trait, says: Says) -> None:
    new = [says("New.", to="What?")]
    assert Record.read(path).why_missing(new, trait) == "it is not in the record"
    save(path, [*lines_of(path), "?"])
    assert Record.read(path).why_missing(new, trait) == "it is not in the record (lines of it that do not count: 1)"


# ---------------------------------------------------------------------------------------------------- damage
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda line: line[:70], "it is damaged or cut off"),
        (lambda line: "\x00\x1b\x7f", "it is damaged or cut off"),
        (lambda line: line.replace('"expressed": 0.3', '"expressed": 0.9'), CHANGED),
        (lambda line: line.replace('"trait": "', '"trait": "x'), CHANGED),
        (lambda line: "{}", CHANGED),
    ],
    ids=["truncated", "binary", "score", "trait", "another object"],
)  # fmt: skip
@pytest.mark.parametrize("number", [2, 4, 7])
def test_a_broken_line_loses_itself_alone(number: int, damage: Callable[[str], str], said: str, path: Path) -> None:
    lines = lines_of(path)
    lines[number - 1] = damage(lines[number - 1])
    save(path, lines)
    record = Record.read(path, named="data/r.jsonl")
    assert record.problems == (f"data/r.jsonl:{number}: the line does not count: {said}. {ASK_AGAIN}",)
    assert len(record.entries) == 5


def test_a_file_cut_off_anywhere_loses_one_line_at_most_of_those_that_are_there(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    for end in range(start, len(whole), 37):
        path.write_bytes(whole[:end])
        record = Record.read(path, otherwise=Header(judge="j", model="m", prompt="1", fingerprint="f"))
        assert len(record.entries) >= whole[:end].count(b"\n") - 1
        assert len(record.problems) <= 1


def test_every_changed_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    end = whole.index(b"\n", start)
    draw = random.Random(0)
    for place in range(start, end, 3):
        changed = bytearray(whole)
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        record = Record.read(path)
        assert len(record.entries) == 5
        assert len(record.problems) >= 1


def test_an_unresolved_merge_conflict_is_said_and_the_lines_of_both_sides_count(path: Path) -> None:
    first, *lines = lines_of(path)
    save(path, [first, "<<<<<<< HEAD", *lines[:2], "||||||| 0123abc", "=======", *lines[2:], ">>>>>>> theirs"])
    record = Record.read(path, named="r.jsonl")
    remedy = "a merge conflict was not resolved. Delete the mark; the lines of both sides may stay."
    assert record.problems == tuple(f"r.jsonl:{number}: {remedy}" for number in (2, 5, 6, 11))
    assert len(record.entries) == 6


def test_a_header_that_a_merge_doubled_does_no_harm(path: Path) -> None:
    first, *lines = lines_of(path)
    save(path, [first, *lines[:3], first, *lines[3:]])
    record = Record.read(path)
    assert (len(record.entries), record.problems) == (6, ())


def test_a_conflict_about_the_header_leaves_the_first(path: Path, header: Header) -> None:
    first, *lines = lines_of(path)
    theirs = header_line(replace(header, fingerprint="f2"))
    save(path, ["<<<<<<< HEAD", first, "=======", theirs, ">>>>>>> theirs", *lines])
    record = Record.read(path, named="r.jsonl")
    assert (record.header, len(record.entries), len(record.problems)) == (header, 6, 4)
    assert record.problems[2] == (
        "r.jsonl:4: a second header that differs from the first, which counts. Delete one of them."
    )


def test_two_answers_that_differ_count_for_nothing(path: Path, entries: list[Entry]) -> None:
    other = entries[0]._replace(verdict=Verdict(expressed=-1.0))
    third = entries[0]._replace(model="claude-2")
    lines = lines_of(path)
    place = lines.index(line_of(entries[0])) + 1
    save(path, [*lines, line_of(other), lines[place - 1], line_of(third)])
    record = Record.read(path, named="r.jsonl")
    words = f"it answers the question of line {place} differently, so neither counts. Delete one of them, or both: "
    assert record.problems == tuple(
        f"r.jsonl:{number}: {words}--persona-record new asks again." for number in (8, 9, 10)
    )
    assert entries[0].key not in record.entries
    assert len(record.entries) == 5


def test_two_answers_that_differ_in_words_alone_are_one(path: Path, entries: list[Entry]) -> None:
    other = entries[0]._replace(verdict=replace(entries[0].verdict, quote="genius"))
    save(path, [*lines_of(path), line_of(other), line_of(entries[0])])
    record = Record.read(path)
    assert (len(record.entries), record.problems) == (6, ())
    assert record.entries[entries[0].key] == entries[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "r.jsonl: the record is empty. Restore it, or write it again with --persona-record new."),
        (b"\n \r\n", "r.jsonl: the record is empty. Restore it, or write it again with --persona-record new."),
        (b"\x89PNG\r\n\x1a\n\x00\x00" * 99, "r.jsonl: the file is no record. Name a record"),
        (b'{"prompt": "x", "chosen": "y"}\n' * 3, "r.jsonl: the file is no record. Name a record"),
        (b'{"record": "pytest-persona/record/v1", "ju\n', "r.jsonl: the file is no record. Name a record"),
        (b'{"record": "pytest-persona/record/v2"}\n', "r.jsonl:1: the record is of another version"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused(content: bytes, said: str, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(JudgeError) as caught:
        Record.read(path, named="r.jsonl")
    assert str(caught.value).startswith(said)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(JudgeError) as caught:
        Record.read(tmp_path / "r.jsonl", named="r.jsonl")
    assert str(caught.value) == (
        "r.jsonl: there is no such record. Name a record, or make one with --persona-judge claude --persona-record PATH."
    )


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(JudgeError) as caught:
        Record.read(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: the record cannot be read: ")


@pytest.mark.parametrize("damage", [lambda first: [], lambda first: [first[:40]]], ids=["lost", "cut off"])
def test_a_record_without_its_header_is_refused_unless_one_is_given(
    damage: Callable[[str], list[str]], path: Path, header: Header
) -> None:
    first, *lines = lines_of(path)
    save(path, [*damage(first), *lines])
    with pytest.raises(JudgeError, match="its header, is lost or damaged"):
        Record.read(path)
    record = Record.read(path, named="r.jsonl", otherwise=header)
    assert (record.header, len(record.entries)) == (header, 6)
    told = "r.jsonl:1: its header is damaged. Restore it, or write it again with --persona-record new."
    assert record.problems == (told,) * len(damage(first))


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_a_new_record_begins_where_there_is_none(content: bytes | None, tmp_path: Path, header: Header) -> None:
    if content is not None:
        (tmp_path / "r.jsonl").write_bytes(content)
    record = Record.read(tmp_path / "r.jsonl", otherwise=header)
    assert (record.header, record.entries, record.problems) == (header, {}, ())


def test_no_header_makes_a_record_of_another_file(path: Path, header: Header) -> None:
    path.write_text('{"prompt": "x", "chosen": "y"}\n', encoding="utf-8")
    with pytest.raises(JudgeError, match="no record"):
        Record.read(path, otherwise=header)


# ---------------------------------------------------------------------------------------------------- merging
def test_a_run_adds_what_it_needed_and_its_own_verdict_is_written(record: Record, trait: Trait, says: Says) -> None:
    again = entry_of([says("The second verse limps.")], trait, Verdict(expressed=-1.0), model="claude-1")
    added = entry_of([says("New.")], trait, Verdict(expressed=1.0), model="claude-1")
    assert again is not None
    assert added is not None
    entries = merged(record, [again, added])
    assert again.key in record.entries
    assert {entry.key: entry for entry in entries} == {**record.entries, again.key: again, added.key: added}


def test_new_replaces_what_another_model_said(record: Record, entries: list[Entry]) -> None:
    other = entries[0]._replace(model="claude-2", verdict=Verdict(expressed=-1.0))
    assert other in merged(record, [other])
    assert entries[0] not in merged(record, [other])


def test_new_repairs_a_broken_line_when_its_verdict_comes_again(
    path: Path, header: Header, entries: list[Entry]
) -> None:
    whole = path.read_bytes()
    lines = lines_of(path)
    lines[3] = lines[3][:99]
    save(path, lines)
    write(path, header, merged(Record.read(path), entries))
    assert path.read_bytes() == whole


def test_two_branches_are_merged_line_by_line(path: Path, header: Header, trait: Trait, says: Says) -> None:
    """As git does it with ``merge=union``, or by hand: the lines of both, in whatever order they fall."""
    branches = []
    for word in ("mine", "theirs"):
        new = [entry_of([says(f"{word} {i}")], trait, Verdict(expressed=0), model="m") for i in range(5)]
        branches.append([entry for entry in new if entry])
    base = Record.read(path)
    sides = []
    for branch in branches:
        write(path, header, merged(base, branch))
        sides.append(lines_of(path))
    shared = set(sides[0]) & set(sides[1])
    assert len(shared) == 7  # nothing that was there was rewritten
    union = [*sides[0], *(line for line in sides[1] if line not in shared)]
    save(path, union)
    record = Record.read(path)
    assert (len(record.entries), record.problems) == (16, ())
    write(path, header, record.entries.values())
    assert sorted(lines_of(path)) == sorted(union)


# ---------------------------------------------------------------------------------------------------- ten thousand
def test_ten_thousand_verdicts_are_read_in_little_more_than_their_json_takes(
    path: Path, header: Header, trait: Trait, other: Trait
) -> None:
    behaviours = [
        Behaviour(role="shown", context=(Turn(speaker="user", text=f"Question {i}"),), reply=f"Answer {i}. " * 20)
        for i in range(5000)
    ]
    verdict = Verdict(expressed=1 / 3, requested=0.25, quote="Answer")
    made = [entry_of([b], asked, verdict, model="m") for b in behaviours for asked in (trait, other)]
    write(path, header, [entry for entry in made if entry])
    lines = path.read_bytes().splitlines()
    bare = min(cpu_seconds(lambda: [json.loads(line) for line in lines]) for _ in range(3))
    assert min(cpu_seconds(lambda: Record.read(path)) for _ in range(2)) < 6 * bare  # measured: 2.5
    record = Record.read(path)
    assert len(record.entries) == 10_000
    replayed = cpu_seconds(lambda: [record.known([b], asked) for b in behaviours for asked in (trait, other)])
    assert replayed < 1.0  # measured: 0.1


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
