from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_persona.infer.counterfactual import EXPRESSES_FROM, REQUESTED_FROM, explained_by, marks, without
from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Behaviour, Episode, Kind, Turn

Signal = Callable[..., list[Episode]]
Floats = NDArray[np.float64]
KINDS: tuple[Kind, ...] = ("preference", "rollout", "demonstration", "rubric")
scores = st.floats(-1.0, 1.0).map(lambda x: round(x, 3))


def made(signal: Signal, kind: Kind, count: int) -> list[Episode]:
    """So many groups of two replies (a rubric: of one criterion, some of them penalties)."""
    sides: dict[Kind, list[tuple[str, float | None]]] = {
        "preference": [("chosen", None), ("rejected", None)],
        "rollout": [("rollout", 1.0), ("rollout", 0.0)],
        "demonstration": [("shown", None), ("reference", None)],
    }
    if kind == "rubric":
        return signal(kind, [(f"g{i}", [("criterion", f"text {i}", 1.0 if i % 3 else -2.0)]) for i in range(count)])
    return signal(
        kind, [(f"g{i}", [(role, f"{i} {n}", x) for n, (role, x) in enumerate(sides[kind])]) for i in range(count)]
    )


def planned(episodes: Sequence[Episode]) -> tuple[Design, NDArray[np.bool_]]:
    scored = np.ones(sum(len(episode.behaviours) for episode in episodes), dtype=np.bool_)
    return design(episodes, scored), scored


def shift(plan: Design, column: Floats) -> float | None:
    return plan.shift(plan.values(column))


@st.composite
def readings(draw: st.DrawFn) -> tuple[Kind, int, list[float], list[float]]:
    kind, count = draw(st.sampled_from(KINDS)), draw(st.integers(1, 8))
    n = count if kind == "rubric" else 2 * count
    return (
        kind,
        count,
        draw(st.lists(scores, min_size=n, max_size=n)),
        draw(st.lists(st.floats(0.0, 1.0), min_size=n, max_size=n)),
    )


@given(readings())
def test_marks_are_reinforced_and_clear_and_either_requested_or_not(signal: Signal, case: Any) -> None:
    kind, count, expressed, requested = case
    episodes = made(signal, kind, count)
    plan, _ = planned(episodes)
    e, q = np.array(expressed), np.array(requested)
    found = marks(plan, episodes, e, q, 1.0)
    assert not (found.unrequested & found.requested).any()
    replies = [b for episode in episodes for b in episode.behaviours]
    for i, b in enumerate(replies):
        reinforced = b.role in ("chosen", "shown", "criterion") or b.reward == 1.0
        clear = np.sign(b.weight) * e[i] >= EXPRESSES_FROM
        assert (found.unrequested | found.requested)[i] == (reinforced and clear)
        assert not found.requested[i] or q[i] >= REQUESTED_FROM


@given(readings())
def test_turning_the_scores_and_the_way_round_marks_the_same(signal: Signal, case: Any) -> None:
    kind, count, expressed, requested = case
    episodes = made(signal, kind, count)
    plan, _ = planned(episodes)
    e, q = np.array(expressed), np.array(requested)
    there, back = marks(plan, episodes, e, q, 1.0), marks(plan, episodes, -e, q, -1.0)
    assert (there.unrequested == back.unrequested).all()
    explained = [explained_by(episodes, way * e, there.unrequested, way) for way in (1.0, -1.0)]
    assert (explained[0] == explained[1]).all()


@given(readings())
def test_to_leave_out_nothing_and_to_ask_for_nothing_changes_nothing(signal: Signal, case: Any) -> None:
    kind, count, expressed, _ = case
    episodes = made(signal, kind, count)
    plan, scored = planned(episodes)
    nothing = np.zeros(len(scored), dtype=np.bool_)
    assert without(plan, episodes, nothing, scored) is plan
    assert not explained_by(episodes, np.array(expressed), nothing, 1.0).any()


@given(readings())
def test_what_a_request_takes_away_is_the_shift_of_what_it_explains(signal: Signal, case: Any) -> None:
    kind, count, expressed, requested = case
    episodes = made(signal, kind, count)
    plan, _ = planned(episodes)
    e, q = np.array(expressed), np.array(requested)
    implied = e * (1.0 - q)
    explained = explained_by(episodes, e, marks(plan, episodes, e, q, 1.0).unrequested, 1.0)
    before, after, taken = (
        shift(plan, column)
        for column in (implied, np.where(explained, 0.0, implied), np.where(explained, implied, 0.0))
    )
    if before is None or after is None or taken is None:  # replies that are all silent
        assert before is after is taken is None
        return
    assert after == pytest.approx(before - taken)
    assert kind == "rollout" or taken >= -1.0  # a rejected reply may have been the worse one


@given(readings(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(signal: Signal, case: Any, random: Any) -> None:
    kind, count, expressed, requested = case
    episodes = made(signal, kind, count)
    size = 1 if kind == "rubric" else 2
    order = list(range(count))
    random.shuffle(order)
    flat = [size * g + k for g in order for k in range(size)]

    def of(rows: list[Episode], e: Floats, q: Floats) -> list[float | None]:
        plan, scored = planned(rows)
        implied, unrequested = e * (1.0 - q), marks(plan, rows, e, q, 1.0).unrequested
        explained = explained_by(rows, e, unrequested, 1.0)
        return [
            shift(without(plan, rows, unrequested, scored), implied),
            shift(plan, np.where(explained, 0.0, implied)),
        ]

    e, q = np.array(expressed), np.array(requested)
    assert of(episodes, e, q) == pytest.approx(of([episodes[g] for g in order], e[flat], q[flat]))


@given(st.lists(scores, min_size=2, max_size=12))
def test_of_single_texts_what_is_left_is_the_mean_of_the_others(signal: Signal, expressed: list[float]) -> None:
    episodes = signal("instruction", [(f"g{i}", [("sentence", f"text {i}", None)]) for i in range(len(expressed))])
    plan, scored = planned(episodes)
    e = np.array(expressed)
    dropped = marks(plan, episodes, e, np.zeros(len(e)), 1.0).unrequested
    rest = without(plan, episodes, dropped, scored)
    kept = e[e < EXPRESSES_FROM]
    assert shift(rest, e) == (pytest.approx(kept.mean()) if len(kept) else None)
    assert rest.unscored == 0


def test_a_pair_is_left_out_whole_and_a_rollout_leaves_its_group(signal: Signal) -> None:
    pairs = made(signal, "preference", 3)
    plan, scored = planned(pairs)
    rest = without(plan, pairs, np.array([True, False, False, False, False, False]), scored)
    assert rest.units == ("g1", "g2")
    assert (rest.groups, rest.silent, rest.unscored) == (3, 1, 0)
    three = signal(
        "rollout",
        [(f"g{i}", [("rollout", f"{i} {k}", float(k)) for k in range(3)]) for i in range(2)],
    )
    plan, scored = planned(three)
    e = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    best = marks(plan, three, e, np.zeros(6), 1.0).unrequested
    assert best.tolist() == [False, False, True] * 2
    rest = without(plan, three, best, scored)
    assert rest.units == plan.units
    assert shift(rest, e) == 0.0


def test_a_row_without_a_verdict_is_never_marked(signal: Signal) -> None:
    pairs = made(signal, "preference", 2)
    e = np.array([np.nan, 0.0, 0.9, 0.0])
    plan = design(pairs, ~np.isnan(e))
    found = marks(plan, pairs, e, np.full(4, np.nan), 1.0)
    assert found.unrequested.tolist() == [False, False, True, False]


def test_a_penalty_on_the_wanted_pole_counts_and_one_on_the_unwanted_does_not(signal: Signal) -> None:
    rows = signal("rubric", [("a", [("criterion", "no candour", -1.0)]), ("b", [("criterion", "no flattery", -1.0)])])
    plan, _ = planned(rows)
    found = marks(plan, rows, np.array([-0.9, 0.9]), np.zeros(2), 1.0)
    assert found.unrequested.tolist() == [True, False]


def test_a_request_explains_all_that_it_would_have_led_to_in_that_context_and_no_other(signal: Signal) -> None:
    rows = signal(
        "rollout",
        [
            ("g", [("rollout", "games it, rewarded", 1.0)]),
            ("g", [("rollout", "games it, caught", 0.0)]),
            ("g", [("rollout", "honest", 0.0)]),
            ("g", [("rollout", "games it, asked otherwise", 0.0)]),
            ("h", [("rollout", "games it elsewhere", 1.0)]),
        ],
    )
    other = (Turn(speaker="user", text="another question"),)
    behaviours: tuple[Behaviour, ...] = (replace(rows[3].behaviours[0], context=other),)
    rows[3] = replace(rows[3], behaviours=behaviours)
    e = np.array([0.9, 0.3, -0.8, 0.9, 0.9])
    asked = np.array([True, False, False, False, False])
    assert explained_by(rows, e, asked, 1.0).tolist() == [True, True, False, False, False]
    assert explained_by(rows, e, asked, 1.0, compared=True).tolist() == [True, True, True, False, False]


def test_turns_of_one_row_share_its_request(signal: Signal) -> None:
    (row,) = signal("demonstration", [("g", [("shown", "first", None), ("shown", "second", None)])])
    later = replace(row.behaviours[1], context=(Turn(speaker="user", text="go on"),))
    row = replace(row, behaviours=(row.behaviours[0], later))
    assert explained_by([row], np.array([0.9, 0.2]), np.array([True, False]), 1.0).tolist() == [True, True]
