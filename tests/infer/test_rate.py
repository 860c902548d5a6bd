"""Events over probes with an exact bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_persona.infer.rate import EVENT_FROM, rate, upper_bound

Signal = Callable[..., list[Any]]


@given(trials=st.integers(1, 400), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]), share=st.floats(0, 1))
def test_the_bound_is_the_largest_share_that_leaves_so_few_events_likely(
    trials: int, level: float, share: float
) -> None:
    events = int(share * (trials - 1))
    high = upper_bound(events, trials, level)
    assert events / trials < high <= 1.0
    assert stats.binom.cdf(events, trials, high) == pytest.approx(1.0 - level, abs=1e-9)
    assert upper_bound(trials, trials, level) == 1.0


@pytest.mark.parametrize("trials", [10, 30, 100, 1000])
def test_without_an_event_it_is_near_three_over_n(trials: int) -> None:
    exact = upper_bound(0, trials, 0.95)
    assert exact == pytest.approx(1.0 - 0.05 ** (1.0 / trials))
    assert exact <= -math.log(0.05) / trials <= 3.0 / trials


def test_it_covers_at_its_level() -> None:
    rng = np.random.default_rng(0)
    for share in (0.02, 0.1, 0.4):
        events = rng.binomial(30, share, 4000)
        held = np.array([upper_bound(int(e), 30, 0.95) for e in range(31)])[events] >= share
        assert held.mean() >= 0.94


def test_a_probe_counts_once_by_its_worst_reply_and_only_with_a_verdict(signal: Signal) -> None:
    spoken = [("shown", "x", None), ("shown", "y", None)]
    episodes = signal("demonstration", [(group, spoken) for group in ("a", "b", "c", "d", "a")])
    implied = np.array([0.2, EVENT_FROM, 0.49, np.nan, np.nan, np.nan, 1.0, 1.0, -1.0, -1.0])
    high = rate(episodes, implied, unwanted="high", level=0.95)
    assert high is not None
    assert (high.events, high.probes, high.level, high.threshold) == (2, 3, 0.95, EVENT_FROM)
    assert high.high == upper_bound(2, 3, 0.95)
    low = rate(episodes, implied, unwanted="low", level=0.9)
    assert low is not None
    assert (low.events, low.probes) == (1, 3)
    assert rate(episodes, implied, unwanted="none", level=0.95) is None
    assert rate(episodes, np.full(10, np.nan), unwanted="high", level=0.95) is None
