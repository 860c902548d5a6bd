"""Evidence over many runs against one baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer import sequence
from pytest_persona.infer.pairs import Match, Strata, match, strata
from pytest_persona.model.findings import Profile
from pytest_persona.model.history import PastRun

Make = Callable[..., Profile]


def compared(profiled: Make, base: dict[str, float | None], now: dict[str, float | None], **more: Any) -> Match:
    made = profiled(base, kind="probe", content="x"), profiled(now, kind="probe", content="y", **more)
    found = match(*made)
    assert found is not None
    return found


def named(values: Any) -> dict[str, float | None]:
    return {f"p{k}": float(v) for k, v in enumerate(values)}


def pairs_of(profiled: Make, base: Any, now: Any) -> Strata:
    return strata(compared(profiled, named(base), named(now)), "t")


def test_the_shares_of_all_looks_are_one() -> None:
    assert sum(sequence.share(run) for run in range(1, 10_000)) == pytest.approx(1.0, abs=1e-3)


def test_a_run_is_remembered_in_the_baselines_order(profiled: Make) -> None:
    found = compared(profiled, {"a": 0.1, "b": 0.2, "c": 0.3}, {"c": 0.5, "new": 0.9, "a": 0.4}, unread=["a"])
    run = sequence.past_run(found)
    assert run.values == {"t": (None, None, 0.5)}


def test_the_same_replies_again_are_no_further_run(profiled: Make) -> None:
    run = sequence.past_run(compared(profiled, named([0.1, 0.2]), named([0.3, 0.4])))
    other = PastRun(run="other", values=run.values)
    assert sequence.earlier([other, run], run) == [other]
    assert sequence.earlier([run, other], run) == [run, other]
    assert sequence.earlier([], run) == []


@given(st.lists(st.floats(-0.5, 0.4), min_size=5, max_size=30), st.floats(0.0, 0.3))
def test_what_has_not_grown_is_never_evidence_of_growth(profiled: Make, values: list[float], bound: float) -> None:
    pairs = pairs_of(profiled, values, values)
    assert sequence.evidence(pairs, "t", [], bound=bound, pole="high") <= 0.75 + 1e-9
    assert (
        sequence.unlike(pairs, "t", []) <= 0.5 + 1e-9
    )  # half of what a first look may spend, and exactly nothing learnt


@given(st.floats(0.2, 0.6), st.integers(10, 40))
def test_growth_counts_towards_the_unwanted_pole_alone(profiled: Make, growth: float, count: int) -> None:
    base = np.linspace(-0.3, 0.3, count)
    up, down = pairs_of(profiled, base, base + growth), pairs_of(profiled, base, base - growth)
    found = {
        (way, pole): sequence.evidence(pairs, "t", [], bound=0.0, pole=pole)  # type: ignore[arg-type]
        for way, pairs in (("up", up), ("down", down))
        for pole in ("high", "low", "none")
    }
    assert found["up", "high"] == pytest.approx(found["down", "low"], rel=1e-6)
    assert found["up", "high"] > found["up", "low"]
    assert found["up", "none"] == pytest.approx((found["up", "high"] + found["up", "low"]) / 2)


@given(st.floats(-0.1, 0.3))
def test_a_wider_bound_takes_more_evidence(profiled: Make, bound: float) -> None:
    base = np.linspace(-0.4, 0.2, 20)
    pairs = pairs_of(profiled, base, base + 0.4)
    narrow, wide = (sequence.evidence(pairs, "t", [], bound=b, pole="high") for b in (bound, bound + 0.05))
    assert wide <= narrow


def history_of(days: Any) -> list[PastRun]:
    return [PastRun(run=str(k), values={"t": tuple(day)}) for k, day in enumerate(days)]


def test_the_last_days_outweigh_older_ones_and_a_gap_is_passed_over(profiled: Make) -> None:
    base = np.zeros(60)
    quiet = history_of([base] * 7)
    loud = history_of([base + 0.4] * 7)
    pairs = pairs_of(profiled, base, base + 0.4)
    after_quiet = sequence.evidence(pairs, "t", quiet, bound=0.0, pole="high")
    after_loud = sequence.evidence(pairs, "t", loud, bound=0.0, pole="high")
    assert after_quiet < after_loud
    assert after_quiet > 20.0  # the run itself is a window
    gaps = history_of([[None] * 60] * 7)
    assert sequence.evidence(pairs, "t", gaps, bound=0.0, pole="high") > 20.0
    assert sequence.unlike(pairs, "t", gaps) > 20.0


@pytest.mark.parametrize("kind", ["evidence", "unlike"])
def test_a_product_that_stays_as_it_is_has_evidence_of_at_most_one_on_average(profiled: Make, kind: str) -> None:
    """The claim behind all of it, by simulation: what the last of some days brings, of ``unlike`` even what all of them do together."""
    rng, totals = np.random.default_rng(5), []
    for _ in range(60):
        likely = np.clip(rng.normal(0.0, 0.3, 25), -0.6, 0.6)
        base = likely + rng.uniform(-0.4, 0.4, 25)
        past: list[PastRun] = []
        total = 0.0
        for _ in range(6):
            found = compared(profiled, named(base), named(likely + rng.uniform(-0.4, 0.4, 25)))
            pairs = strata(found, "t")
            if kind == "evidence":
                total = sequence.evidence(pairs, "t", past, bound=0.0, pole="high")
                assert total < 20.0
            else:
                total += sequence.unlike(pairs, "t", past)
            past.append(sequence.past_run(found))
        totals.append(total)
    assert np.mean(totals) <= 1.0
    assert max(totals) < 20.0


def test_more_evidence_than_can_be_told_apart_is_cut(profiled: Make) -> None:
    pairs = pairs_of(profiled, np.zeros(400), np.full(400, 0.9))
    assert sequence.evidence(pairs, "t", [], bound=0.0, pole="high") == pytest.approx(sequence.MOST_EVIDENCE)
    assert sequence.unlike(pairs, "t", []) == pytest.approx(sequence.MOST_EVIDENCE)


def test_probes_with_the_same_replies_are_one_in_every_run_and_a_short_run_counts_for_nothing(profiled: Make) -> None:
    base = {"a": 0.0, "b": 0.0, "c": 0.0}
    now = {"a": 0.4, "b": 0.4, "c": 0.4}
    alike = {name: name for name in base}
    made = profiled(base, kind="probe", content=alike), profiled(now, kind="probe", content=alike, bound=0.0)
    for profile, text in zip(made, ("x", "y"), strict=True):
        object.__setattr__(profile.units, "content", (text, text, f"{text} else"))
    found = match(*made)
    assert found is not None
    pairs = strata(found, "t")
    assert len(pairs.now) == 2
    past = [PastRun(run="1", values={"t": (0.2, 0.4, None)}), PastRun(run="2", values={"t": (None, None, 0.1)})]
    both = sequence._runs(pairs, "t", past)
    assert both == pytest.approx(np.array([[0.4, np.nan, 0.3], [0.4, 0.1, np.nan]]), nan_ok=True)
    short = sequence._runs(pairs, "t", [PastRun(run="1", values={"t": (0.2,)}), PastRun(run="2", values={})])
    assert np.isnan(short[:, 1:]).all()
