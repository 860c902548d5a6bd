"""From one judge's scale to another's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.bridge import Crossing, Scale, crossing
from pytest_persona.model.units import FrozenSample

HIGH = (0.9, 0.7, 0.8, 0.5, 0.9, 0.6, 0.8, 0.7)
LOW = (-0.6, -0.9, -0.5, -0.8, -0.7, -0.6, -0.9, -0.4)


def sample(
    high: tuple[float | None, ...] = HIGH, low: tuple[float | None, ...] = LOW, texts: str = "a"
) -> FrozenSample:
    return FrozenSample(texts=texts, high=high, low=low)


def moved(scale: float, offset: float, noise: float = 0.0, seed: int = 0) -> FrozenSample:
    rng = np.random.default_rng(seed)
    high, low = (tuple(scale * x + offset + noise * rng.standard_normal() for x in side) for side in (HIGH, LOW))
    return sample(high, low)


@given(st.floats(0.3, 3.0), st.floats(-0.5, 0.5), st.floats(-1, 1))
def test_a_straight_line_is_found_exactly(scale: float, offset: float, value: float) -> None:
    found = crossing(sample(), moved(scale, offset), "absolute")
    assert isinstance(found, Crossing)
    assert found.scale.of(value) == pytest.approx(scale * value + offset)
    assert found.margin(value, 0.95) == pytest.approx(0.0, abs=1e-6)
    assert found.pairs == 8


@pytest.mark.parametrize("estimand", ["contrast", "selection"])
def test_a_difference_has_no_offset(estimand: str) -> None:
    found = crossing(sample(), moved(0.5, 0.4), estimand)  # type: ignore[arg-type]
    assert isinstance(found, Crossing)
    assert (found.scale.scale, found.scale.offset) == (pytest.approx(0.5), 0.0)


def test_the_margin_holds_the_truth_nearly_always() -> None:
    held = 0
    for seed in range(200):
        found = crossing(sample(), moved(0.8, 0.1, noise=0.1, seed=seed), "absolute")
        assert isinstance(found, Crossing)
        held += abs(found.scale.of(0.4) - (0.8 * 0.4 + 0.1)) <= found.margin(0.4, 0.95)
    assert held >= 180


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (sample(texts="b"), "the judges have not read the same anchors"),
        (sample(HIGH[:4], LOW[:4]), "the judges have not read the same anchors"),
        (sample((*HIGH[:7], None), LOW), "7 pairs of anchors were read by both judges, where 8 are the least"),
        (sample(LOW, HIGH), "one of the judges does not tell the poles apart on the anchors"),
        (
            sample((*[0.1] * 7, 0.9), (*[0.11] * 7, -0.9)),
            "without one pair of anchors, one of the judges does not tell the poles apart",
        ),
    ],
)
def test_what_carries_nothing_is_refused_in_words(now: FrozenSample, why: str) -> None:
    assert crossing(sample(), now, "contrast") == why


def test_a_judge_that_hardly_told_the_poles_apart_is_no_end_of_a_bridge() -> None:
    assert isinstance(crossing(sample([0.02] * 8, [0.0] * 8), sample(), "contrast"), str)  # type: ignore[arg-type]


def test_a_range_is_stretched_with_the_scale() -> None:
    assert Scale(scale=1.5, offset=-0.2).reach(1.0) == pytest.approx(1.7)
