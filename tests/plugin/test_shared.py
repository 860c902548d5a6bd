"""Audits as plain JSON, and the folder that workers share them through."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_persona.errors import InputError, JudgeClosed, JudgeError, PersonaError, SignalError
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Expectation, Pole, Trait
from pytest_persona.plugin.shared import RunFolder, content_digest, is_error, key_of, record_of, revive


@pytest.mark.parametrize(
    "error",
    [
        SignalError("it is empty", remedy="Add rows", path="a.jsonl", line=3, field="chosen"),
        InputError("bad"),
        JudgeError("no weights"),
        PersonaError("whatever"),
    ],
)
def test_an_error_is_the_same_in_every_process(error):
    def fail():
        raise error

    record = json.loads(json.dumps(record_of(fail, rows=True)))
    assert is_error(record)
    again = revive(record)
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_what_is_no_users_error_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        record_of(lambda: 1 / 0, rows=False)  # type: ignore[arg-type,return-value]


def test_that_a_worker_ended_before_it_had_read_is_no_result_for_the_others(tmp_path):
    def end():
        raise JudgeClosed()

    folder = RunFolder(tmp_path / "run")
    with pytest.raises(JudgeClosed):
        folder.once("key", lambda: record_of(end, rows=False))
    assert folder.once("key", lambda: {"profile": {}}) == {"profile": {}}


def test_an_audits_key_is_that_of_its_contents(tmp_path):
    def key(path: Path, **more):
        return key_of(AuditSpec(**{"name": "x", "signal": path, "signal_name": "x", **more}))

    trait = Trait(name="t", definition="", high=Pole(summary=""), low=Pole(summary=""))
    (tmp_path / "a").write_text("rows")
    (tmp_path / "b").write_text("rows")
    (tmp_path / "c").write_text("other rows")
    base = key(tmp_path / "a")
    assert key(tmp_path / "b") == base
    others = [
        key(tmp_path / "c"), key(tmp_path / "nowhere"), key(tmp_path), key(tmp_path / "a", name="y"),
        key(tmp_path / "a", signal_name="y"), key(tmp_path / "a", traits=("t",)), key(tmp_path / "a", suite_sha256="0"),
        key(tmp_path / "a", expectations=(Expectation(trait="t", at_most=0.1),)),
        key(tmp_path / "a", expectations=(Expectation(trait="t", at_most=0.2),)),
        key(tmp_path / "a", signal=[{"a": 1}]), key(tmp_path / "a", signal=[{"a": 2}]),
        key(tmp_path / "a", definitions=(trait,)), key(tmp_path / "a", definitions=(replace(trait, must_beat=("u",)),)),
    ]  # fmt: skip
    assert len({base, *others}) == len(others) + 1


def test_rows_count_by_what_they_hold():
    assert content_digest([{"a": 1, "b": 2}]) == content_digest([{"b": 2, "a": 1}])
    assert content_digest([{"a": {1}}]) != content_digest([{"a": {2}}])


def test_the_first_makes_what_the_others_read(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "1")
    made = []

    def make():
        made.append(1)
        return {"profile": "a\ud800é"}

    assert folder.once("k", make) == RunFolder(folder.path).once("k", make) == {"profile": "a\ud800é"}
    assert made == [1]


def test_what_fails_in_the_making_is_left_to_the_next(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "1")
    with pytest.raises(KeyboardInterrupt):
        folder.once("k", _interrupt)
    with pytest.raises(OSError, match="judge"):
        folder.once("k", _fail)
    assert folder.once("k", dict) == {}


def _interrupt():
    raise KeyboardInterrupt


def _fail():
    raise OSError("the judge's own")


def test_where_nothing_can_be_written_each_makes_its_own(tmp_path, monkeypatch):
    (tmp_path / "runs").write_text("in the way")
    assert RunFolder(tmp_path / "runs" / "1").once("k", lambda: {"n": 1}) == {"n": 1}

    folder = RunFolder(tmp_path / "other" / "1")
    full = OSError("No space left on device")

    def refuse(*_):
        raise full

    monkeypatch.setattr(os, "replace", refuse)
    assert folder.once("k", lambda: {"n": 1}) == {"n": 1}
    assert folder.once("k", lambda: {"n": 2}) == {"n": 2}
    assert [file.suffix for file in folder.path.iterdir() if file.suffix != ".lock"] == []


def test_a_run_takes_its_folder_away_and_those_of_crashed_runs(tmp_path):
    runs = tmp_path / "runs"
    for name, age in (("own", 0), ("crashed", 90_000), ("running", 60)):
        RunFolder(runs / name).once("k", dict)
        os.utime(runs / name, (time.time() - age,) * 2)
    RunFolder(runs / "own").remove()
    assert [folder.name for folder in runs.iterdir()] == ["running"]
    RunFolder(runs / "running").remove()
    assert not runs.exists()
    RunFolder(runs / "never").remove()
