"""``pytest-persona diff``: two saved profiles, compared or refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Pairs = Callable[..., str]


@pytest.fixture
def saved(audit: Run, pairs: Pairs, folder: Path) -> Callable[..., str]:
    """Saves a profile of sycophancy, changed at will, and gives its name."""

    def save(name: str, *, bound: float = 2.0, drift: float | None = None, judge: str = "", **signal: str) -> str:
        audit(pairs(**signal), "--read-all", "--at-most", f"sycophancy={bound}", "--json", name)
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        if drift is not None:
            document["findings"][0]["expectation"]["drift_at_most"] = drift
        if judge:
            document["judge"]["fingerprint"] = judge
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
        return name

    return save


NEUTRAL = {"chosen": "So it is", "rejected": "It is so"}


def test_a_profile_has_not_changed_from_itself(run: Run, saved: Callable[..., str]) -> None:
    name = saved("base.json")
    ran = run("diff", name, name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "change from pairs.jsonl to pairs.jsonl"
    assert ran.out.splitlines()[1:3] == [" nothing has changed", " observed     sycophancy   +0.00 [+0.00, +0.00]"]


def test_a_broken_bound_on_drift_ends_with_1(run: Run, saved: Callable[..., str]) -> None:
    ran = run("diff", saved("base.json", **NEUTRAL), saved("now.json", drift=0.3))
    assert ran.code == 1
    assert " violated     sycophancy   +1.60 [" in ran.out
    assert "drift at most +0.30" in ran.out


def test_a_broken_bound_of_now_ends_with_1(run: Run, saved: Callable[..., str]) -> None:
    ran = run("diff", saved("base.json"), saved("now.json", bound=0.1))
    assert ran.code == 1
    assert "violated now: at most +0.10" in ran.out


def test_what_the_intervals_leave_open_ends_with_3(run: Run, saved: Callable[..., str]) -> None:
    ran = run("diff", saved("base.json", rejected="It is flawed indeed"), saved("now.json", drift=0.0))
    assert ran.code == 3
    assert " inconclusive sycophancy" in ran.out


def test_another_judge_of_the_same_texts_is_named_as_the_cause_and_is_no_drift(
    run: Run, saved: Callable[..., str]
) -> None:
    ran = run("diff", saved("base.json", judge="ffffffff"), saved("now.json", drift=0.0))
    assert ran.code == 0
    assert ran.out.splitlines()[1] == (
        " judge: keywords/ffffff before, keywords/012345 now; "
        "it reads the same texts as sycophancy +0.00 against before"
    )
    assert " held         sycophancy   +0.00 [+0.00, +0.00]" in ran.out


def test_other_texts_that_were_read_by_another_judge_are_not_compared(run: Run, saved: Callable[..., str]) -> None:
    ran = run("diff", saved("base.json", judge="ffffffff", **NEUTRAL), saved("now.json"), "--json", "-")
    assert ran.code == 2
    document = json.loads(ran.out)
    assert document["comparable"] is False
    why = "the judges differ, and no anchors were read by both that would bridge them"
    assert (document["why"], document["causes"]) == ([why], ["data", "judge"])
    assert [drift["reason"] for drift in document["drifts"]] == [why]
    assert ran.err == (
        f"pytest-persona: error: now.json: 'pairs.jsonl' cannot be compared with base.json: {why}. Make both profiles with "
        "one judge from signals of one kind.\n"
    )


def test_the_comparison_is_written_as_json(run: Run, saved: Callable[..., str], folder: Path) -> None:
    base, now = saved("base.json", **NEUTRAL), saved("now.json", drift=0.3)
    alone = run("diff", base, now, "--json", "-")
    document = json.loads(alone.out)
    assert document["schema"] == "pytest-persona/drift/v1"
    assert document["comparable"] is True
    assert document["drifts"][0]["status"] == "violated"
    beside = run("diff", base, now, "--json", "drift.json")
    assert beside.out.startswith("change from ")
    assert json.loads((folder / "drift.json").read_text(encoding="utf-8")) == document


def test_what_is_no_profile_ends_with_2(run: Run, saved: Callable[..., str], folder: Path) -> None:
    (folder / "other.json").write_text("{}", encoding="utf-8")
    ran = run("diff", "other.json", saved("now.json"))
    assert ran.code == 2
    assert ran.err.startswith("pytest-persona: error: other.json")


def test_files_with_several_profiles_are_compared_by_name(
    run: Run, audit: Run, pairs: Pairs, saved: Callable[..., str], folder: Path
) -> None:
    suite = "persona: 1\nname: s\nsignals: [a.jsonl, b.jsonl]\nexpect: {sycophancy: {at_most: 2.0}}\n"
    (folder / "s.persona.yaml").write_text(suite, encoding="utf-8")
    for name in ("a.jsonl", "b.jsonl"):
        pairs(name=name)
    audit("--suite", "s.persona.yaml", "--read-all", "--json", "base.json")
    pairs(name="b.jsonl", **NEUTRAL)
    audit("--suite", "s.persona.yaml", "--read-all", "--json", "now.json")
    ran = run("diff", "base.json", "now.json", "--json", "drifts.json")
    assert ran.code == 0
    assert [line for line in ran.out.splitlines() if line.startswith("change")] == [
        "change from s: a.jsonl to s: a.jsonl", "change from s: b.jsonl to s: b.jsonl"
    ]  # fmt: skip
    document = json.loads((folder / "drifts.json").read_text(encoding="utf-8"))
    assert document["schema"] == "pytest-persona/drifts/v1"
    assert [found["causes"] for found in document["drifts"]] == [[], ["data"]]
    other = run("diff", "base.json", saved("other.json"))
    assert other.code == 2
    assert other.err == (
        "pytest-persona: error: other.json: holds no profile of a name or a signal that is in base.json. "
        "Those are: s: a.jsonl, s: b.jsonl.\n"
    )


def test_a_history_is_read_and_not_written(run: Run, audit: Run, pairs: Pairs, folder: Path) -> None:
    bounds = ("--read-all", "--drift-at-most", "sycophancy=0.3", "--baseline", "base.json")
    audit(pairs(**NEUTRAL), *bounds, "--update")
    first = audit(pairs(), *bounds, "--history", "runs", "--json", "now.json")
    assert first.code == 1
    (file,) = (folder / "runs").glob("*.jsonl")
    before = file.read_text(encoding="utf-8")
    ran = run("diff", "base.json", "now.json", "--history", "runs")
    assert ran.code == 1
    assert "              run 1 against this baseline, evidence " in ran.out
    audit(pairs(chosen="It is brilliant and so on"), *bounds, "--history", "runs", "--json", "now.json")
    again = run("diff", "base.json", "now.json", "--history", "runs")
    assert "              run 2 against this baseline, evidence " in again.out
    assert file.read_text(encoding="utf-8").startswith(before)
