"""Baselines are brought up to date, and runs against them remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.engine import Engine
from pytest_persona.engine.keeping import check_baseline
from pytest_persona.engine.outlook import outlooks
from pytest_persona.errors import PersonaError, ProfileError, SettingsError
from pytest_persona.load.profiles import profile_from, read_profile, read_profiles
from pytest_persona.model.verdicts import Usage

Pairs = Callable[..., list[dict[str, str]]]


# ------------------------------------------------------------------------------------------------ bringing it up to date
def test_what_passed_is_put_in_and_what_did_not_is_named(based: Any, pairs: Pairs) -> None:
    before = based.file.read_text()
    bad = based.audit(pairs(60, "candour=0.9", "candour=-0.9"), update=("passed",))
    new = based.audit(pairs(50), name="new", update=("passed",))
    told = based.keep(bad, new, update=("passed",))
    assert told == [
        "baseline base.json: 1 new (new)",
        "baseline base.json: not put in, as violated: rows; --update=rows puts it in all the same",
    ]
    old, added = sorted(read_profiles(based.file), key=lambda p: p.name, reverse=True)
    assert (old.name, added.name) == ("rows", "new")
    assert old == profile_from(json.loads(before))


def test_a_name_puts_in_what_did_not_pass(based: Any, pairs: Pairs) -> None:
    bad = based.audit(pairs(60, "candour=0.9", "candour=-0.9"), update=("rows",))
    assert bad["candour"].status == "violated"
    assert based.keep(bad, update=("rows",)) == ["baseline base.json: 1 changed (rows)"]
    assert based.audit(pairs(60, "candour=0.9", "candour=-0.9"))["candour"].status == "held"


def test_new_leaves_what_is_there(based: Any, pairs: Pairs) -> None:
    fine = based.audit(pairs(60, "candour=0.3", "candour=-0.29"), bounds={"drift_at_most": 1.0}, update=("new",))
    new = based.audit(pairs(50), name="new", update=("new",))
    assert based.keep(fine, new, update=("new",)) == [
        "baseline base.json: 1 new (new)", "baseline base.json: left as it was: rows"
    ]  # fmt: skip


def test_a_profile_whose_test_failed_is_not_put_in(based: Any, pairs: Pairs) -> None:
    fine = based.audit(pairs(60, "candour=0.3", "candour=-0.29"), bounds={"drift_at_most": 1.0}, update=("passed",))
    told = based.keep(fine, failed=[0], update=("passed",))
    assert told == [
        "baseline base.json: nothing was put in",
        "baseline base.json: not put in, as a test of it failed: rows; --update=rows puts it in all the same",
    ]


def test_a_baseline_that_would_be_the_same_is_not_written(based: Any, pairs: Pairs) -> None:
    stamp, text = based.file.stat().st_mtime_ns, based.file.read_text()
    same = based.audit(pairs(60, "candour=0.3", "candour=-0.3"), update=("passed",))
    assert based.keep(same, update=("passed",)) == ["baseline base.json: 1 unchanged (rows)"]
    assert (based.file.stat().st_mtime_ns, based.file.read_text()) == (stamp, text)


def test_a_name_that_is_no_profiles_is_told(based: Any, pairs: Pairs) -> None:
    same = based.audit(pairs(60, "candour=0.3", "candour=-0.3"), update=("wors",))
    assert based.keep(same, update=("wors",)) == [
        "baseline base.json: nothing was put in",
        "baseline base.json: left as it was: rows",
        "--update: no profile of this run is named 'wors'",
    ]


def test_a_trait_that_the_baseline_lacks_may_be_put_in(based: Any, pairs: Pairs) -> None:
    lean = replace(read_profile(based.file), findings=())
    based.keep(lean, update=("rows",))
    rows = pairs(60, "candour=0.3", "candour=-0.3")
    assert based.audit(rows)["candour"].reason == "its drift: the baseline does not have it"
    assert based.audit(rows, update=("passed",))["candour"].status == "observed"


# ------------------------------------------------------------------------------------------------ beforehand
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"baseline": None, "update": ("passed",)},
            "--update is of no use without a baseline. Name its file with --baseline.",
        ),
        (
            {"baseline": None, "history": "h"},
            "--history is of no use without a baseline. Name its file with --baseline.",
        ),
        (
            {"baseline": "none.json"},
            "--baseline: there is no file none.json. Check the path, or make it with --update.",
        ),
        (
            {"baseline": "no/base.json", "update": ("passed",)},
            "--baseline: no/base.json cannot be written: its folder does",
        ),
    ],
)
def test_options_that_are_of_no_use_are_refused_at_once(held: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_baseline(held.settings(**settings), "--")
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "'schema' is missing"),
        ('{"schema": "pytest-persona/profile/v2"}', "'pytest-persona/profile/v2' is another version of the format"),
        ('{"schema": "pytest-persona/profiles/v9", "profiles": []}', "'pytest-persona/profiles/v9' is another version"),
        ('{"schema": "pytest-persona/profiles/v1", "profiles": [{"schema": "pytest-persona/profile/v2"}]}',
         "profiles[0].schema: 'pytest-persona/profile/v2' is another version of the format"),
        ('{"schema": "pytest-persona/inoculation/v1"}', "'pytest-persona/inoculation/v1' is another kind of document"),
        ("[1]", "must be a mapping, not a list"),
        ("", "is empty"),
    ],
)  # fmt: skip
def test_a_baseline_that_is_no_profile_is_refused_at_once(held: Any, text: str, message: str) -> None:
    held.file.write_text(text)
    with pytest.raises(ProfileError) as raised:
        check_baseline(held.settings(), "--")
    assert message in str(raised.value)
    assert "base.json" in str(raised.value)


# ------------------------------------------------------------------------------------------------ history
def test_runs_of_probes_are_remembered_each_once(probes: dict[str, str], held: Any) -> None:
    held.keep(held.probe({name: "candour=-0.1" + name for name in probes}, update=("passed",)), update=("passed",))
    folder = held.folder / ".persona" / "history"
    assert not folder.exists()
    for day in (1, 2, 2):
        now = held.probe({name: f"candour=-0.1 {name} {day}" for name in probes})
        assert now.drift is not None
        assert now.drift["candour"].looks.runs == day  # type: ignore[union-attr]
        assert held.keep(now) == []
    (file,) = folder.glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["name"] for line in lines] == ["suite", "suite"]
    assert lines[0]["values"] == {"candour": " ".join(["-1000"] * 20)}


def test_runs_of_a_signal_are_remembered_where_that_is_asked_for(based: Any, pairs: Pairs) -> None:
    rows = pairs(60, "candour=0.35", "candour=-0.3")
    based.keep(based.audit(rows))
    assert not (based.folder / ".persona" / "history").exists()
    based.keep(based.audit(rows, history="runs"), history="runs")
    assert len(list((based.folder / "runs").glob("rows-*.jsonl"))) == 1


def test_another_baseline_begins_anew(probes: dict[str, str], held: Any) -> None:
    def replies(day: int) -> dict[str, str]:
        return {name: f"candour=-0.1 {name} {day}" for name in probes}

    held.keep(held.probe(replies(0), update=("passed",)), update=("passed",))
    held.keep(held.probe(replies(1)))
    held.keep(held.probe(replies(2), update=("suite",)), update=("suite",))
    assert held.probe(replies(3)).drift["candour"].looks.runs == 1  # type: ignore[index,union-attr]


def test_a_history_that_cannot_be_written_is_said_and_where_it_was_asked_for_refused(
    probes: dict[str, str], held: Any
) -> None:
    held.keep(held.probe({name: "candour=-0.1" + name for name in probes}, update=("passed",)), update=("passed",))
    now = held.probe({name: f"candour=-0.2 {name}" for name in probes})
    (held.folder / ".persona").write_text("in the way")
    (told,) = held.keep(now)
    assert told.startswith("--history: ")
    assert told.endswith("This run is not remembered.")
    (held.folder / "runs").write_text("in the way")
    with pytest.raises(PersonaError, match=r"--history: .*runs cannot be written"):
        held.keep(now, history="runs")


def test_a_dry_run_counts_the_anchors_that_a_baseline_takes(held: Any, pairs: Pairs) -> None:
    seen: list[int] = []

    def forecast(behaviours: Any, traits: Any, *, compare: bool, counted: set[str]) -> Usage:
        seen.append(len(behaviours))
        return Usage(questions=len(behaviours), calls=len(behaviours))

    held.judge.forecast = forecast
    for more in ({"update": ("passed",)}, {}):
        with Engine(held.settings(**more), held.hooks) as engine:
            (found,) = outlooks(engine, [held.spec(pairs(10), define=[held.trait], traits=["candour"])])
            assert found.usage.calls == (44 if more else 20)
    assert seen == [20, 24, 20]
