"""How well scores tell two poles apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.infer.auroc import auroc

scores = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(scores)
def test_auroc_is_how_often_high_beats_low_and_lies_in_its_interval(pairs: Sequence[tuple[int, int]]) -> None:
    high, low = np.array(pairs, float).T
    wins = [(h > other) + 0.5 * (h == other) for h in high for other in low]
    area, lower, upper = auroc(high, low)
    assert area == pytest.approx(np.mean(wins))
    assert 0.0 <= lower <= area <= upper <= 1.0


def test_a_perfect_auroc_has_a_width_that_shrinks_with_pairs() -> None:
    few, many = (auroc(np.arange(n) + 100.0, np.arange(n) + 0.0) for n in (8, 80))
    assert few[0] == many[0] == 1.0
    assert few[1] < many[1] < 1.0
    assert few[1] > 0.5
    turned = auroc(np.arange(8) + 0.0, np.arange(8) + 100.0)
    assert turned[0] == 0.0
    assert turned[2] == pytest.approx(1.0 - few[1])


def test_aurocs_interval_covers_where_pairs_share_a_context() -> None:
    rng, covered, runs = np.random.default_rng(1), 0, 300
    for _ in range(runs):
        context = rng.standard_normal(30)
        high, low = context + rng.standard_normal(30) + 1.0, context + rng.standard_normal(30) - 1.0
        _, lower, upper = auroc(high, low)
        covered += lower <= 0.8413 <= upper  # P(N(2, 4) > 0)
    assert covered / runs > 0.92
