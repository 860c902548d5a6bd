"""Evidence that later runs lie above a baseline, whatever its mean is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.apart import log_apart

RNG = np.random.default_rng(3)


def evidence(base: np.ndarray, runs: np.ndarray, bound: float = 0.0) -> float:
    return log_apart(base, runs, bound=bound, reach_base=1.0, reach_now=1.0)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=20), st.floats(-0.2, 0.4))
def test_the_same_once_more_is_no_evidence(values: list[float], bound: float) -> None:
    base = np.array(values)
    assert evidence(base, base[:, None], max(bound, 0.0)) <= 1e-6


@given(st.integers(1, 6), st.floats(0.0, 0.3), st.integers(0, 1000))
def test_no_mean_makes_less_of_it_than_the_one_that_is_found(days: int, bound: float, seed: int) -> None:
    """The least value over m, against a fine comb of them."""
    rng = np.random.default_rng(seed)
    base, runs = rng.uniform(-0.9, 0.3, 12), rng.uniform(-0.3, 0.9, (12, days))
    from pytest_persona.infer import apart, betting

    comb = [
        betting.mixed(apart._growths(-base[:, None], -m, -1.0)[0])
        + apart._begun_anew(apart._growths(runs, m + bound, -1.0))
        for m in np.linspace(-0.999, 0.999, 400)
    ]
    assert evidence(base, runs, bound) <= min(comb) + 1e-9
    assert evidence(base, runs, bound) == pytest.approx(min(comb), abs=0.02)


def test_days_that_go_on_add_to_it_until_the_baseline_leaves_no_more_to_know() -> None:
    base = np.linspace(-0.8, 0.2, 30)
    found = [evidence(base, np.repeat(base[:, None] + 0.9, days, axis=1)) for days in (1, 2, 4, 60)]
    assert found[0] + 5.0 < found[1] < found[2]
    assert found[3] == pytest.approx(found[2], abs=2.5)


def test_quiet_days_are_not_held_against_those_that_follow() -> None:
    base = np.linspace(-0.8, 0.2, 30)
    loud = base[:, None] + 0.7
    quiet = np.repeat(base[:, None], 99, axis=1)
    late = evidence(base, np.hstack([loud, loud, quiet]))
    assert late > math.log(20.0)
    assert evidence(base, np.hstack([quiet[:, :5], loud, loud, quiet])) < late


def test_a_wider_bound_takes_more() -> None:
    base = np.linspace(-0.8, 0.2, 30)
    found = [evidence(base, base[:, None] + 0.6, bound) for bound in (0.0, 0.2, 0.4, 0.8)]
    assert found == sorted(found, reverse=True)


def test_what_is_not_there_bets_nothing() -> None:
    base = np.linspace(-0.8, 0.2, 30)
    runs = np.hstack([base[:, None] + 0.6, np.full((30, 1), np.nan)])
    assert evidence(base, runs) == pytest.approx(
        evidence(base, runs[:, :1]), abs=1.0
    )  # a day was looked at, and that is all


def test_a_bound_beyond_the_range_is_never_broken() -> None:
    base = np.full(40, -0.99)
    assert evidence(base, np.full((40, 3), 0.99), 2.5) <= 0.0


def test_a_product_that_stays_as_it_is_brings_at_most_one_on_average() -> None:
    """By simulation, at the end of a week; replies are noisy and rarely very bad."""
    last = []
    for _ in range(150):
        likely = RNG.uniform(-0.7, 0.3, 20)

        def day(likely: np.ndarray = likely) -> np.ndarray:
            return np.where(RNG.random(20) < 0.05, 1.0, likely + RNG.uniform(-0.3, 0.3, 20))

        base, runs = day(), np.column_stack([day() for _ in range(7)])
        last.append(math.exp(evidence(base, runs)))
    assert np.mean(last) <= 1.0
    assert max(last) < 20.0
