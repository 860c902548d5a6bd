from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_persona.infer.measure import Design, design
from pytest_persona.infer.nulls import null_test

Planned = Callable[[int], Design]


def test_a_shift_beyond_all_nulls_has_the_highest_rank(planned: Planned) -> None:
    rng = np.random.default_rng(0)
    scores, nulls = rng.normal(size=400), rng.normal(size=(400, 300))
    scores[::2] += 2.0
    found = null_test(planned(200), np.tanh(scores), scores, nulls)
    assert found is not None
    assert found.rank == 1.0 and found.vectors == 300
    assert found.z == pytest.approx(2.0 / np.sqrt(2 / 200), rel=0.25)


def test_pure_noise_stands_among_the_nulls_at_any_rank(planned: Planned) -> None:
    plan = planned(100)
    ranks = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=200)
        found = null_test(plan, scores, scores, rng.normal(size=(200, 60)))
        assert found is not None
        ranks.append(found.rank)
    assert np.mean(ranks) == pytest.approx(0.5, abs=0.07)
    assert np.mean(np.array(ranks) >= 0.95) == pytest.approx(0.05, abs=0.05)


def test_the_spread_is_in_units_of_the_shift_and_steady_where_the_shift_is_near_zero(planned: Planned) -> None:
    rng = np.random.default_rng(1)
    scores, nulls = rng.normal(size=400), rng.normal(size=(400, 300))
    found = null_test(planned(200), 0.1 * scores, scores, nulls)
    tenfold = null_test(planned(200), 0.1 * scores, 10.0 * scores, 10.0 * nulls)
    assert found is not None and tenfold is not None
    assert found.spread == pytest.approx(0.1 * 1.96 * np.sqrt(2 / 200), rel=0.15)
    assert tenfold.spread == pytest.approx(found.spread)


def test_a_signal_turned_round_turns_z_and_nothing_else(planned: Planned) -> None:
    rng = np.random.default_rng(2)
    scores, nulls = rng.normal(size=100), rng.normal(size=(100, 50))
    swap = np.arange(100).reshape(-1, 2)[:, ::-1].ravel()
    ours = null_test(planned(50), scores, scores, nulls)
    theirs = null_test(planned(50), scores[swap], scores[swap], nulls[swap])
    assert ours is not None and theirs is not None
    assert theirs.z == -ours.z and theirs.rank == ours.rank and theirs.spread == pytest.approx(ours.spread)


def test_weights_count(signal: Any) -> None:
    rows = [(str(i), [("criterion", f"text {i}", weight)]) for i, weight in enumerate([8.0, 1.0, 1.0])]
    plan = design(signal("rubric", rows), np.ones(3, dtype=np.bool_))
    scores = np.array([1.0, 0.0, 0.0])
    found = null_test(plan, scores, scores, np.eye(3))
    assert found is not None and found.rank == pytest.approx(2 / 3)
    assert found.spread == pytest.approx(np.quantile([0.8, 0.1, 0.1], 0.95))


def test_nothing_to_compare_is_none(planned: Planned) -> None:
    plan, scores = planned(2), np.array([1.0, 0.0, 0.5, 0.0])
    empty = design([], np.zeros(0, dtype=np.bool_))
    assert null_test(empty, np.zeros(0), np.zeros(0), np.zeros((0, 5))) is None
    assert null_test(plan, scores, scores, np.zeros((4, 0))) is None
    assert null_test(plan, scores, np.ones(4), np.eye(4)) is None
    assert null_test(plan, scores, scores, np.ones((4, 3))) is None
