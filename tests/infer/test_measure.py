from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design, design, fold
from pytest_persona.model.episodes import Episode

Signal = Callable[..., list[Episode]]
SCORE = st.floats(-1.0, 1.0, allow_nan=False)
ROW = st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 9), SCORE, SCORE)
"""Group, number of the chosen reply, number of the rejected reply, and what a judge says of each."""
ROLLOUT = st.tuples(st.integers(0, 4), st.integers(0, 9), st.sampled_from([-1.0, 0.0, 0.1, 1.0, 3.0]), SCORE)


def all_scored(episodes: list[Episode]) -> NDArray[np.bool_]:
    return np.ones(sum(len(episode.behaviours) for episode in episodes), dtype=np.bool_)


def planned(episodes: list[Episode]) -> Design:
    return design(episodes, all_scored(episodes))


def preference(
    signal: Signal, rows: list[tuple[int, int, int, float, float]]
) -> tuple[list[Episode], NDArray[np.float64]]:
    episodes = signal(
        "preference", [(f"g{g}", [("chosen", f"r{c}", None), ("rejected", f"r{r}", None)]) for g, c, r, _, _ in rows]
    )
    return episodes, np.array([score for *_, a, b in rows for score in (a, b)])


def test_a_preference_is_the_mean_of_chosen_less_rejected_by_group(signal: Signal) -> None:
    episodes = signal("preference", [
        ("a", [("chosen", "1", None), ("rejected", "2", None)]),
        ("b", [("rejected", "3", None), ("chosen", "4", None), ("chosen", "5", None)]),
        ("a", [("chosen", "6", None), ("rejected", "7", None)]),
    ])  # fmt: skip
    plan = planned(episodes)
    scores = np.array([1.0, -0.5, -1.0, 0.2, 0.4, 0.5, 0.5])
    assert plan.units == ("a", "b")
    assert plan.values(scores) == pytest.approx([(1.5 + 0.0) / 2, 0.3 + 1.0])
    assert plan.shift(plan.values(scores)) == pytest.approx((0.75 + 1.3) / 2)
    assert (plan.low, plan.high, plan.estimand, plan.groups, plan.silent) == (-2.0, 2.0, "contrast", 2, 0)
    assert plan.values(np.stack([scores, -scores], axis=1)) == pytest.approx(
        np.stack([plan.values(scores), -plan.values(scores)], axis=1)
    )


def test_identical_replies_say_nothing_whatever_their_white_space(signal: Signal) -> None:
    rows: list[Any] = [(f"g{i}", [("chosen", f"same  {i}\n", None), ("rejected", f"same {i}", None)]) for i in range(3)]
    plan = planned(signal("preference", rows))
    assert (plan.units, plan.groups, plan.silent) == ((), 3, 3)
    assert plan.shift(plan.values(np.zeros(6))) is None
    assert plan.values(np.zeros((6, 4))).shape == (0, 4)
    assert fold("  a\t b ") == "a b"


def test_an_unscored_side_drops_the_row_and_is_counted(signal: Signal) -> None:
    episodes, scores = preference(signal, [(0, 0, 1, 0.5, 0.5), (0, 2, 3, 1.0, 0.0), (1, 4, 5, 1.0, 0.0)])
    scored = np.array([True, False, True, True, False, True])
    plan = design(episodes, scored)
    assert plan.values(scores).tolist() == [1.0]
    assert (plan.unscored, plan.silent, plan.units) == (2, 1, ("g0",))


def test_the_same_texts_in_many_groups_are_one_unit(signal: Signal) -> None:
    rows: list[Any] = [(f"g{i}", [("chosen", "Great question!", None), ("rejected", "No.", None)]) for i in range(400)]
    rows.append(("h", [("chosen", "No.", None), ("rejected", "Great question!", None)]))
    plan = planned(signal("preference", rows))
    scores = np.array([*np.linspace(0.0, 1.0, 400).repeat(2) * np.tile([1.0, 0.0], 400), 0.0, 1.0])
    assert (plan.units, plan.groups, plan.repeated, plan.silent) == (("g0", "h"), 401, 399, 0)
    assert plan.values(scores) == pytest.approx([0.5, -1.0])


@given(st.lists(ROW, max_size=25))
def test_reversing_chosen_and_rejected_reverses_every_value_exactly(
    signal: Signal, rows: list[tuple[int, int, int, float, float]]
) -> None:
    ours, scores = preference(signal, rows)
    turned, turned_scores = preference(signal, [(g, r, c, b, a) for g, c, r, a, b in rows])
    here, there = planned(ours), planned(turned)
    assert here.units == there.units
    assert np.array_equal(here.values(scores), -there.values(turned_scores))
    shift = here.shift(here.values(scores))
    assert shift is None or shift == -(there.shift(there.values(turned_scores)) or 0.0)


@given(st.lists(ROW, max_size=25), st.randoms(use_true_random=False))
def test_the_order_of_episodes_does_not_matter(
    signal: Signal, rows: list[tuple[int, int, int, float, float]], shuffler: Any
) -> None:
    mixed = list(rows)
    shuffler.shuffle(mixed)
    results = []
    for order in (rows, mixed):
        episodes, scores = preference(signal, order)
        plan = planned(episodes)
        results.append((sorted(plan.values(scores)), plan.silent, plan.repeated))
    assert results[0][0] == pytest.approx(results[1][0], abs=1e-12)
    assert results[0][1:] == results[1][1:]


def rollouts(signal: Signal, rows: list[tuple[int, int, float, float]], scale: float = 1.0) -> list[Episode]:
    return signal("rollout", [(f"g{g}", [("rollout", f"r{n}", scale * reward)]) for g, n, reward, _ in rows])


@given(st.lists(ROLLOUT, max_size=25))
def test_a_rollout_is_the_covariance_over_the_pooled_deviation(
    signal: Signal, rows: list[tuple[int, int, float, float]]
) -> None:
    plan = planned(rollouts(signal, rows))
    scores = np.array([score for *_, score in rows])
    groups: dict[int, list[tuple[int, float, float]]] = {}
    for g, n, reward, score in rows:
        groups.setdefault(g, []).append((n, reward, score))
    speaking = [
        found for found in groups.values() if len({r for _, r, _ in found}) > 1 and len({n for n, _, _ in found}) > 1
    ]
    assert plan.groups - plan.silent == len(speaking)
    if not speaking:
        assert plan.units == () and (plan.low, plan.high) == (-1.0, 1.0)
        return
    scale = math.sqrt(np.mean([np.var([r for _, r, _ in found]) for found in speaking]))
    expected = [
        np.mean([r * a for _, r, a in found]) - np.mean([r for _, r, _ in found]) * np.mean([a for *_, a in found])
        for found in speaking
    ]
    if not plan.repeated:
        assert plan.values(scores) == pytest.approx(np.array(expected) / scale, abs=1e-9)
        assert abs(plan.shift(plan.values(scores)) or 0.0) <= 1.0 + 1e-9


@given(st.lists(ROLLOUT, max_size=25))
def test_the_bounds_hold_for_any_scores_and_are_reached(
    signal: Signal, rows: list[tuple[int, int, float, float]]
) -> None:
    plan = planned(rollouts(signal, rows))
    assert plan.low == -plan.high
    if plan.units:
        worst = np.zeros(len(rows))
        worst[plan.behaviours] = np.sign(plan.coefficients)
        assert plan.values(worst).max() == pytest.approx(plan.high)


@given(st.lists(ROLLOUT, max_size=25), st.sampled_from([-1.0, 2.0, 1e-3, 1e300]))
def test_the_unit_of_a_reward_does_not_matter_and_its_sign_turns_the_value(
    signal: Signal, rows: list[tuple[int, int, float, float]], scale: float
) -> None:
    scores = np.array([score for *_, score in rows])
    ours = planned(rollouts(signal, rows)).values(scores)
    theirs = planned(rollouts(signal, rows, scale)).values(scores)
    if scale == -1.0:
        assert np.array_equal(theirs, -ours)
    else:
        assert theirs == pytest.approx(ours, abs=1e-9)


def test_one_rollout_one_reward_and_one_text_are_silent(signal: Signal) -> None:
    plan = planned(signal("rollout", [
        ("one", [("rollout", "a", 1.0)]),
        ("equal", [("rollout", "b", 1.0), ("rollout", "c", 1.0)]),
        ("text", [("rollout", "d", 1.0), ("rollout", " d", 0.0)]),
        ("no reward", [("rollout", "e", None), ("rollout", "f", 0.0)]),
        ("speaks", [("rollout", "g", 1.0), ("rollout", "h", 0.0)]),
    ]))  # fmt: skip
    assert (plan.units, plan.silent) == (("speaks",), 4)
    assert (plan.low, plan.high) == (-1.0, 1.0)


def test_demonstrations_are_contrasts_where_every_row_has_a_reference(signal: Signal) -> None:
    rows: list[Any] = [(f"g{i}", [("shown", f"s{i}", None), ("reference", f"r{i}", None)]) for i in range(3)]
    plan = planned(signal("demonstration", rows))
    assert (plan.estimand, plan.low, plan.note) == ("contrast", -2.0, "")
    assert plan.values(np.array([1.0, 0.5] * 3)).tolist() == [0.5] * 3


def test_demonstrations_with_some_references_are_absolute_and_say_so(signal: Signal) -> None:
    rows: list[Any] = [("a", [("shown", "s", None), ("reference", "r", None)]), ("b", [("shown", "t", None)])]
    plan = planned(signal("demonstration", rows))
    assert (plan.estimand, plan.low, plan.high) == ("absolute", -1.0, 1.0)
    assert plan.values(np.array([1.0, -1.0, 0.5])).tolist() == [1.0, 0.5]
    assert "1 of 2 rows have a reference" in plan.note


def test_a_penalty_reverses_a_criterion_and_weights_count(signal: Signal) -> None:
    plan = planned(signal("rubric", [
        ("1", [("criterion", "praise the user", 3.0)]),
        ("2", [("criterion", "correct the user", -1.0)]),
        ("3", [("criterion", "nothing", 0.0)]),
    ]))  # fmt: skip
    values = plan.values(np.array([0.8, -0.4, 1.0]))
    assert values.tolist() == [0.8, 0.4]
    assert plan.weights is not None and plan.weights.tolist() == [3.0, 1.0]
    assert plan.shift(values) == pytest.approx((3 * 0.8 + 0.4) / 4)
    assert plan.silent == 1


def test_equal_weights_are_no_weights_and_instructions_have_none(signal: Signal) -> None:
    rubric = planned(signal("rubric", [(str(i), [("criterion", str(i), 2.0)]) for i in range(3)]))
    instruction = planned(signal("instruction", [(str(i), [("sentence", str(i), None)]) for i in range(3)]))
    for plan in (rubric, instruction):
        assert plan.weights is None and plan.estimand == "absolute"
        assert plan.shift(plan.values(np.array([0.1, 0.2, 0.6]))) == pytest.approx(0.3)


def test_the_average_is_the_plain_mean_over_what_a_unit_is_made_of(signal: Signal) -> None:
    episodes = signal("rollout", [("g", [("rollout", "a", 0.0), ("rollout", "b", 1.0), ("rollout", "c", 5.0)])])
    plan = planned(episodes).average()
    assert plan.values(np.array([0.0, 0.3, 0.9])) == pytest.approx([0.4])
    assert (plan.low, plan.high, plan.estimand) == (0.0, 1.0, "absolute")


def test_no_episode_no_unit() -> None:
    plan = design([], np.zeros(0, dtype=np.bool_))
    assert plan.units == () and plan.average().units == () and plan.values(np.zeros(0)).shape == (0,)


def test_episodes_that_are_not_about_a_trait_have_no_part_in_it(signal: Callable[..., list[Episode]]) -> None:
    rows = [(f"g{i}", [("answer", f"{i} a", None), ("answer", f"{i} b", None)]) for i in range(6)]
    episodes = signal("probe", rows)
    scored = np.array([True, True, False, True, False, False, True, True, False, False, True, True])
    plan = design(episodes, scored, about=[True, True, True, False, False, True])
    assert plan.units == ("g0", "g1", "g5")
    assert (plan.estimand, plan.low, plan.high) == ("absolute", -1.0, 1.0)
    assert (plan.groups, plan.silent, plan.unscored) == (4, 1, 3)
    scores = np.arange(12) / 12
    assert plan.values(scores) == pytest.approx([(0 + 1) / 24, 3 / 12, (10 + 11) / 24])
    everything = design(episodes, scored)
    assert (everything.groups, everything.silent, everything.unscored) == (6, 2, 5)
