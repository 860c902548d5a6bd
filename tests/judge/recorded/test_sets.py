"""Verdicts on whole samples in a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_persona.infer.set_prompt import SetQuestion, Sketch
from pytest_persona.judge.recorded import Entry, Header, Record, entry_of_fit, write
from pytest_persona.judge.recorded.lines import entry_from, line_of
from pytest_persona.judge.recorded.replay import Nobody, Recorded
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.verdicts import Verdict

Says = Callable[..., Behaviour]
FIT = Verdict(expressed=2 / 3, quote="It can wait.")


@pytest.fixture
def question(says: Says) -> SetQuestion:
    sketches = (Sketch(name="clerk", text="It does not care."), Sketch(name="trains", text="It likes trains."))
    sets = ((says("It can wait."), says("Later.")), (says("Done."), says("Now.")))
    return SetQuestion(sets=sets, sketches=sketches, names=("clerk", "trains"))


def recorded(path: Path, header: Header, question: SetQuestion, **more: str) -> Record:
    entries = [entry_of_fit(question, name, FIT, model="claude-1") for name in question.names]
    write(path / "r.jsonl", header, [entry._replace(**more) for entry in entries if entry is not None])
    return Record.read(path / "r.jsonl")


def test_a_verdict_on_a_sample_comes_back_as_it_was(question: SetQuestion) -> None:
    entry = entry_of_fit(question, "clerk", FIT, model="claude-1")
    assert entry is not None and entry_from(line_of(entry).encode()) == entry
    assert (entry.trait, entry.kind, entry.excerpt) == ("clerk", "set", "It can wait. / Done.")
    assert entry.key == question.parts["clerk"]


def test_a_verdict_that_failed_is_to_be_asked_again(question: SetQuestion) -> None:
    assert entry_of_fit(question, "clerk", Verdict(expressed=None, reason="failed"), model="m") is None
    assert entry_of_fit(question, "clerk", Verdict(expressed=None, reason="unreliable"), model="m") is not None


def test_what_is_recorded_is_known_and_nobody_is_asked(tmp_path: Path, header: Header, question: SetQuestion) -> None:
    known = Recorded(recorded(tmp_path, header, question))
    assert known.verdicts(list(question.parts.values())) == dict.fromkeys(question.parts.values(), FIT)


def why(record: Record, question: SetQuestion, model: str | None = None) -> str:
    (answered,) = Nobody(Recorded(record, model)).ask([question], lambda _: None)
    assert {verdict.reason for verdict in answered.verdicts.values()} == {"missing"}
    (detail,) = {verdict.detail for verdict in answered.verdicts.values()}
    return detail


def test_what_is_missing_says_what_has_changed(
    tmp_path: Path, header: Header, question: SetQuestion, entries: list[Entry], says: Says
) -> None:
    record = recorded(tmp_path, header, question)
    other = replace(question, sets=(question.sets[0][:1], *question.sets[1:]))
    assert why(record, other) == (
        "this sample is not in the record; other samples are: rows, --seed or the size of samples have changed"
    )
    fewer = replace(question, sketches=question.sketches[:1], names=("clerk",))
    assert why(record, fewer) == "this sample is recorded with other characters, or other words for them"
    assert why(record, question, "claude-2") == "recorded with model claude-1, not claude-2"
    assert why(record, question) == "a part of its answer is not in the record"
    older = recorded(tmp_path, header, question, prompt="0", key="f" * 32)
    assert why(older, question) == "recorded with version 0 of the question, this is 1"
    write(tmp_path / "traits.jsonl", header, entries)
    assert why(Record.read(tmp_path / "traits.jsonl"), question) == "this sample is not in the record; none is"
