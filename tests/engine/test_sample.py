"""From verdicts to a profile: what is decided, what is shown beside it, and what is never decided by accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_persona.model.findings import Finding
from pytest_persona.model.verdicts import Verdict

Run = Callable[..., Any]
Pairs = Callable[..., list[dict[str, str]]]


def noise(count: int, *names: str, seed: int = 0) -> list[dict[str, str]]:
    """Pairs whose two sides draw their scores from one distribution."""
    rng = np.random.default_rng(seed)

    def reply(i: int) -> str:
        return " ".join(f"{name}={rng.uniform(-0.9, 0.9):.3f}" for name in names) + f" ({i} {rng.integers(10**9)})"

    return [{"prompt": f"question {i}", "chosen": reply(i), "rejected": reply(i)} for i in range(count)]


def turned(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"prompt": r["prompt"], "chosen": r["rejected"], "rejected": r["chosen"]} for r in rows]


def ends(finding: Finding) -> list[tuple[float | None, float, float]]:
    return [(s.value, s.low, s.high) for s in (finding.shift, finding.expressed)]


@pytest.fixture(params=["without nulls", "with nulls"])
def by(request: pytest.FixtureRequest, judge: Any, controlled: Any) -> Any:
    return judge if request.param == "without nulls" else controlled


# ------------------------------------------------------------------------- issue A, Shows 6


@pytest.mark.parametrize("bound", [-0.1, 0.0, 0.1])
def test_identical_replies_are_never_held_nor_violated(run: Run, by: Any, bound: float) -> None:
    rows = [{"prompt": f"question {i}", "chosen": "candour=0.9", "rejected": "candour=0.9"} for i in range(300)]
    finding = run(rows, by=by, at_most={"candour": bound}).profile["candour"]
    assert (finding.status, finding.shift.value) == ("inconclusive", None)
    assert "not identifiable" in finding.reason


@pytest.mark.parametrize("bound", [-0.1, 0.0, 0.1])
def test_one_pair_that_is_repeated_is_one_piece_of_evidence(run: Run, by: Any, bound: float) -> None:
    rows = [{"prompt": f"question {i}", "chosen": "candour=0.9", "rejected": "candour=-0.9"} for i in range(300)]
    assert run(rows, by=by, at_most={"candour": bound}).profile["candour"].status == "inconclusive"


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_never_violated_at_a_bound_of_zero_nor_held(run: Run, by: Any, seed: int) -> None:
    finding = run(noise(300, "candour", seed=seed), by=by, at_most={"candour": 0.0}).profile["candour"]
    assert finding.status == "inconclusive"
    assert finding.shift.low < 0.0 < finding.shift.high


@pytest.mark.parametrize("scope", ["signals", "file"])
@pytest.mark.parametrize("chosen", ["candour=1.0", "candour=-1.0"])
def test_two_groups_decide_nothing(run: Run, by: Any, pairs: Pairs, scope: str, chosen: str) -> None:
    rows = pairs(2, chosen, "candour=0.0")
    finding = run(rows, by=by, at_most={"candour": 0.1}, settings={"scope": scope}).profile["candour"]
    assert finding.status == "inconclusive"


@pytest.mark.parametrize("interval", ["betting", "t", "bca"])
def test_chosen_and_rejected_turned_round_reverse_every_sign_exactly(run: Run, by: Any, interval: str) -> None:
    rows = noise(120, "candour", "doubt", "requested")
    rows = [{**r, "chosen": r["chosen"].replace("requested=-", "requested=") + " candour=0.7",
             "rejected": r["rejected"].replace("requested=-", "requested=")} for r in rows]  # fmt: skip
    settings = {"read_all": True, "interval": interval}
    there = run(rows, by=by, traits=["candour", "doubt"], settings=settings).profile
    back = run(turned(rows), by=by, traits=["candour", "doubt"], settings=settings).profile
    for name in ("candour", "doubt"):
        assert there[name].shift.value != 0.0
        reverse = [(-value, -high, -low) for value, low, high in ends(there[name])]
        assert ends(back[name]) == reverse
        assert back[name].requested == there[name].requested
        assert back[name].carriers == there[name].carriers


# ------------------------------------------------------------------------- what a finding says


def test_a_request_is_taken_out_of_the_shift_and_shown_beside_it(run: Run, pairs: Pairs) -> None:
    finding = run(pairs(40, "candour=0.8 requested=0.5", "other requested=0.5"), traits=["candour"]).profile["candour"]
    assert finding.shift.value == pytest.approx(0.4)
    assert finding.expressed.value == pytest.approx(0.8)
    assert finding.requested.value == pytest.approx(0.5)
    assert 0.0 <= finding.requested.low <= finding.requested.high <= 1.0


def test_a_request_that_the_judge_cannot_tell_is_none_in_the_rows_and_counts_as_zero(run: Run, pairs: Pairs) -> None:
    audit = run(pairs(10), traits=["candour"])
    assert {reading.requested for reading in audit.readings} == {None}
    assert audit.profile["candour"].requested.value == 0.0


def test_evidence_names_the_rows_that_carry_the_shift(run: Run, pairs: Pairs) -> None:
    rows = pairs(40, "candour=0.1", "candour=0.0")
    rows[16]["chosen"] = "candour=1.0 You are absolutely right"
    finding = run(rows, traits=["candour"]).profile["candour"]
    first = finding.evidence[0]
    assert (first.source, first.line, first.implied) == ("rows", 17, pytest.approx(1.0))
    assert first.quote == "candour=1.0 You are absolutely right"
    assert len(finding.evidence) == 3
    assert finding.carriers is not None and finding.carriers < 20


def test_an_unqualified_reading_is_shown_and_decides_nothing(run: Run, judge: Any, pairs: Pairs) -> None:
    judge.unqualified = {"candour": "AUROC 0.61 on held-out anchors, below 0.80"}
    finding = run(pairs(100), at_most={"candour": 0.1}).profile["candour"]
    assert (finding.status, finding.qualified) == ("inconclusive", False)
    assert finding.shift.value == pytest.approx(1.6)
    assert "AUROC 0.61 on held-out anchors, below 0.80" in finding.reason


def test_a_shift_that_meaningless_directions_make_too_is_not_a_violation(
    run: Run, controlled: Any, pairs: Pairs
) -> None:
    controlled.spread = 2.0
    finding = run(pairs(100), by=controlled, at_most={"candour": 0.1}).profile["candour"]
    assert finding.shift.low > 0.1
    assert finding.status == "inconclusive"
    assert "meaningless directions" in finding.reason
    controlled.spread = 0.01
    finding = run(pairs(100), by=controlled, at_most={"candour": 0.1}).profile["candour"]
    assert (finding.status, finding.unwanted) == ("violated", True)
    assert finding.null is not None and (finding.null.rank, finding.null.vectors) == (1.0, 400)


def test_a_panel_is_asked_for_once_a_trait_and_look(run: Run, controlled: Any, pairs: Pairs) -> None:
    asked: list[str] = []
    panel = controlled.panel
    controlled.panel = lambda behaviours, trait: asked.append(trait.name) or panel(behaviours, trait)
    run(pairs(100), by=controlled, traits=["candour", "doubt"])
    assert asked == ["candour", "doubt"]


def test_valence_comes_from_the_judge_or_from_the_other_traits(
    run: Run, controlled: Any, trait: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(0)
    names = ["candour", "b", "c", "d"]
    rows = []
    for i in range(60):
        bad = rng.uniform(0.1, 0.9)
        chosen = " ".join(f"{name}={'-' if name == 'd' else ''}{bad:.2f}" for name in names)
        rows.append({"prompt": f"q {i}", "chosen": f"{chosen} ({i})" + "!" * int(40 * bad), "rejected": f"plain ({i})"})
    traits = [trait(name, unwanted="low" if name == "d" else "high") for name in names]
    by_traits = run(rows, traits=names, define=traits).profile["candour"].nuisance
    assert (by_traits.valence, by_traits.taken_out) == (pytest.approx(1.0, abs=0.05), False)
    by_judge = run(rows, by=controlled, traits=["candour"]).profile["candour"].nuisance
    assert (by_judge.valence, by_judge.taken_out) == (pytest.approx(0.6), True)
    alone = run(rows, traits=["candour"]).profile["candour"].nuisance
    assert alone.valence is None
    assert "valence was not measured" in alone.reason


def test_traits_that_lack_different_verdicts_are_each_measured_on_what_they_have(
    run: Run, judge: Any, pairs: Pairs
) -> None:
    known = judge.verdict
    failed = Verdict(expressed=None, reason="failed")
    judge.verdict = lambda reply, trait: failed if (trait, "(3 a)" in reply) == ("doubt", True) else known(reply, trait)
    profile = run(pairs(20), traits=["candour", "doubt"]).profile
    assert (profile["candour"].shift.groups, profile["candour"].shift.unscored) == (20, 0)
    assert (profile["doubt"].shift.groups, profile["doubt"].shift.unscored) == (19, 1)


# ------------------------------------------------------------------------- the document


def test_there_is_one_reading_for_each_behaviour_and_trait_in_the_order_of_the_file(run: Run, pairs: Pairs) -> None:
    rows = pairs(3, "candour=0.8 requested=0.5")
    rows[1]["rejected"] = "candour=-0.4"
    audit = run(rows, traits=["candour", "doubt"])
    assert [(r.line, r.role, r.trait) for r in audit.readings] == [
        (line, role, name) for line in (1, 2, 3) for role in ("chosen", "rejected") for name in ("candour", "doubt")
    ]
    first = audit.readings[0]
    assert (first.source, first.expressed, first.requested, first.reason) == ("rows", 0.8, 0.5, None)
    assert first.implied == pytest.approx(0.4)
    assert (audit.readings[6].expressed, audit.readings[6].requested) == (-0.4, None)


def test_the_profile_records_what_was_audited_by_whom_and_with_which_settings(
    run: Run, judge: Any, pairs: Pairs
) -> None:
    rows = [{"q": r["prompt"], **{k: r[k] for k in ("chosen", "rejected")}} for r in pairs(5)]
    settings = {"map": {"prompt": "q"}, "seed": 3, "threads": 2, "cache": "elsewhere"}
    profile = run(rows, traits=["candour"], suite="5f", settings=settings).profile
    assert (profile.name, profile.suite_sha256, profile.judge, profile.signal.path) == (
        "the audit",
        "5f",
        judge.info,
        "rows",
    )
    assert profile.settings == {
        "level": 0.95, "interval": "betting", "scope": "signals", "seed": 3, "max_groups": 0, "read_all": False, "bound": 0.10,
        "format": "auto", "map": {"prompt": "q"}, "on_bad_row": "fail",
    }  # fmt: skip


def test_notes_say_what_was_skipped_labelled_cut_and_not_kept(run: Run, judge: Any) -> None:
    picture = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": "x.png"}}]
    rows: list[Any] = [
        {"messages": [{"role": "user", "content": picture}, {"role": "assistant", "content": "a cat (long)"}]},
        {"messages": 7},
    ]
    judge.problem = "readings are not kept: database or disk is full"
    notes = run(rows, traits=["candour"], settings={"on_bad_row": "skip"}).profile.notes
    assert "1 unreadable rows were skipped" in notes
    assert "1 content parts of type image were read as a label" in notes
    assert "1 behaviours were longer than the judge's budget and were cut in the middle" in notes
    assert notes[-1] == "readings are not kept: database or disk is full"


def test_a_note_of_how_the_signal_was_read_is_passed_on_once(run: Run) -> None:
    rows = [{"prompt": f"q {i}", "completion": f"candour=0.{i} ({i})"} for i in range(8)]
    rows[5]["reference"] = "plain"
    notes = run(rows, traits=["candour", "doubt"]).profile.notes
    assert notes == ("1 of 8 rows have a reference answer, too few: all are read without one",)
