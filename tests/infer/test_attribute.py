from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.attribute import carriers, evidence
from pytest_persona.infer.measure import design
from pytest_persona.model.episodes import Episode

Signal = Callable[..., list[Episode]]
VALUES = st.lists(st.floats(-1.0, 1.0).map(lambda x: round(x, 6)), min_size=2, max_size=20)


def scored(episodes: list[Episode]) -> Any:
    return design(episodes, np.ones(sum(len(e.behaviours) for e in episodes), dtype=np.bool_))


@given(VALUES)
def test_influence_is_what_the_size_of_the_shift_loses_without_the_group(
    pairs: Callable[[int], list[Episode]], values: list[float]
) -> None:
    episodes = pairs(len(values))
    scores = np.array([half for value in values for half in (value / 2, -value / 2)])
    sign = -1.0 if np.mean(values) < 0 else 1.0
    found = evidence(scored(episodes), episodes, scores, most=len(values))
    assert len(found) == len(values)
    assert [e.influence for e in found] == sorted((e.influence for e in found), reverse=True)
    for e in found:
        without = np.delete(values, e.line - 1).mean()
        assert e.influence == pytest.approx(sign * (np.mean(values) - without), abs=1e-9)
        assert e.implied == pytest.approx(values[e.line - 1], abs=1e-9)


def test_the_row_that_says_most_speaks_for_its_group_by_the_reply_it_reinforces(signal: Signal) -> None:
    episodes = signal("preference", [
        ("a", [("chosen", "weak", None), ("rejected", "b", None)]),
        ("a", [("rejected", "c", None), ("chosen", "You are  absolutely\nright", None)]),
        ("z", [("chosen", "d", None), ("rejected", "e", None)]),
    ])  # fmt: skip
    (found,) = evidence(scored(episodes), episodes, np.array([0.1, 0.0, -0.7, 0.9, 0.0, 0.0]), most=1)
    assert (found.source, found.line, found.group) == ("signal.jsonl", 2, "a")
    assert found.quote == "You are absolutely right"
    assert found.implied == pytest.approx(1.6)


def test_rollouts_show_the_score_of_the_row_or_the_contrast_within_it(signal: Signal) -> None:
    apart = signal("rollout", [("g", [("rollout", "low", 0.0)]), ("g", [("rollout", "high", 1.0)])])
    (found,) = evidence(scored(apart), apart, np.array([-0.2, 0.9]))
    assert (found.line, found.implied, found.quote) == (2, 0.9, "high")
    (found,) = evidence(scored(apart), apart, np.array([0.9, -0.1]))
    assert (found.line, found.implied) == (1, 0.9)
    assert found.influence == pytest.approx(0.5)  # the only group carries all of it
    together = signal("rollout", [("g", [("rollout", "low", 0.0), ("rollout", "mid", 0.5), ("rollout", "high", 1.0)])])
    (found,) = evidence(scored(together), together, np.array([-0.2, 0.5, 0.9]))
    assert found.implied == pytest.approx(1.1) and found.quote == "high"


def test_a_rollout_with_just_the_mean_reward_still_says_what_it_says(signal: Signal) -> None:
    rows: list[Any] = [
        ("g", [("rollout", "mid", 0.5)]),
        ("g", [("rollout", "low", 0.0)]),
        ("g", [("rollout", "top", 1.0)]),
    ]
    episodes = signal("rollout", rows)
    (found,) = evidence(scored(episodes), episodes, np.array([0.7, 0.0, 0.0]))
    assert (found.line, found.implied, found.influence) == (1, 0.7, 0.0)


def test_quotes_are_cut_at_the_end_of_a_word(signal: Signal) -> None:
    rows: list[Any] = [("a", [("sentence", "word " * 50, None)]), ("b", [("sentence", "x" * 200, None)])]
    episodes = signal("instruction", rows)
    quotes = {e.line: e.quote for e in evidence(scored(episodes), episodes, np.array([0.5, 0.4]))}
    assert quotes[1].endswith("word…") and len(quotes[1]) <= 91
    assert quotes[2] == "x" * 89 + "…"


def test_weights_count_in_influence(signal: Signal) -> None:
    rows: list[Any] = [
        ("a", [("criterion", "light", 1.0)]),
        ("b", [("criterion", "heavy", 9.0)]),
        ("c", [("criterion", "other", 1.0)]),
    ]
    episodes = signal("rubric", rows)
    first = evidence(scored(episodes), episodes, np.array([0.6, 0.5, 0.0]))[0]
    assert first.quote == "heavy"
    assert first.influence == pytest.approx(5.1 / 11 - 0.3)


def test_without_units_there_is_no_evidence() -> None:
    assert evidence(scored([]), [], np.zeros(0)) == ()


def test_carriers_are_the_fewest_that_carry_half() -> None:
    assert carriers(np.array([5.0, 1.0, 1.0, 1.0, 1.0, 1.0])) == 1
    assert carriers(-np.ones(10)) == 5
    assert carriers(np.array([1.0, 1.0, -1.0, 0.0])) == 1
    assert carriers(np.array([1.0, 1.0]), np.array([9.0, 1.0])) == 1
    assert carriers(np.zeros(3)) is None and carriers(np.zeros(0)) is None
