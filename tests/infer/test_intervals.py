from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_persona.infer.intervals import groups_needed, interval, p_value
from pytest_persona.model.findings import Method

Floats = NDArray[np.float64]
METHODS: tuple[Method, ...] = ("betting", "t", "bca")
VALUES = st.lists(st.floats(-2.0, 2.0, allow_nan=False), min_size=1, max_size=40).map(np.array)
LEVELS = st.floats(0.5, 0.999)
POPULATION = st.one_of(st.none(), st.integers(40, 80))
every_method = pytest.mark.parametrize("method", METHODS)


def ends(values: Floats, method: Method = "betting", level: float = 0.95, **more: object) -> tuple[float, float]:
    return interval(values, low=-2.0, high=2.0, level=level, method=method, **more)  # type: ignore[arg-type]


def p(values: Floats, bound: float, side: str, method: Method = "betting", **more: object) -> float:
    return p_value(values, bound, side=side, low=-2.0, high=2.0, method=method, **more)  # type: ignore[arg-type]


@every_method
@settings(max_examples=12)
@given(values=VALUES, level=LEVELS, population=POPULATION)
def test_an_interval_holds_its_mean_and_keeps_to_the_range(
    method: Method, values: Floats, level: float, population: int | None
) -> None:
    low, high = ends(values, method, level, population=population)
    assert -2.0 <= low <= values.mean() + 1e-12 and values.mean() - 1e-12 <= high <= 2.0


@every_method
@settings(max_examples=12)
@given(values=VALUES, population=POPULATION)
def test_turning_the_signs_turns_the_interval_to_the_last_bit(
    method: Method, values: Floats, population: int | None
) -> None:
    low, high = ends(values, method, population=population)
    assert ends(-values, method, population=population) == (-high, -low)


@every_method
@settings(max_examples=12)
@given(values=VALUES, levels=st.tuples(LEVELS, LEVELS))
def test_more_confidence_is_wider(method: Method, values: Floats, levels: tuple[float, float]) -> None:
    inner, outer = (ends(values, method, level) for level in sorted(levels))
    assert outer[0] <= inner[0] + 1e-7 and inner[1] - 1e-7 <= outer[1]


@every_method
@settings(max_examples=12)
@given(values=VALUES, shuffler=st.randoms(use_true_random=False), weighted=st.booleans())
def test_the_order_of_units_does_not_matter(method: Method, values: Floats, shuffler: object, weighted: bool) -> None:
    weights = np.linspace(1.0, 3.0, len(values)) if weighted else None
    order = list(range(len(values)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    mixed = None if weights is None else weights[order]
    assert ends(values[order], method, weights=mixed) == ends(values, method, weights=weights)


@every_method
@settings(max_examples=12)
@given(values=VALUES, bound=st.floats(-1.9, 1.9), level=LEVELS, population=POPULATION)
def test_a_bound_lies_outside_just_where_its_p_value_says_so(
    method: Method, values: Floats, bound: float, level: float, population: int | None
) -> None:
    low, high = ends(values, method, level, population=population)
    two_sided = 2 * min(
        p(values, bound, "above", method, population=population),
        p(values, bound, "below", method, population=population),
    )
    slack = 0.02 if method == "bca" else 1e-6  # the bootstrap interpolates between its resamples
    near = min(abs(bound - low), abs(bound - high)) < (0.02 if method == "bca" else 1e-6)
    if not near:
        assert (two_sided <= 1 - level + slack) if not low <= bound <= high else (two_sided >= 1 - level - slack)


@every_method
@given(count=st.integers(1, 60), value=st.sampled_from([-2.0, -0.5, 0.0, 1.3, 2.0]))
def test_identical_values_never_have_an_interval_without_width(method: Method, count: int, value: float) -> None:
    low, high = ends(np.full(count, value), method)
    assert high - low > 0.02


@every_method
def test_intervals_shrink_as_groups_are_added(method: Method) -> None:
    values = np.tile([-0.4, 0.1, 0.2, 0.7], 100)
    widths = [high - low for low, high in (ends(values[:n], method) for n in (8, 16, 32, 64, 128, 400))]
    assert widths == sorted(widths, reverse=True) and widths[-1] < widths[0] / 5


@every_method
def test_no_value_and_one_value_say_little(method: Method) -> None:
    assert ends(np.zeros(0), method) == (-2.0, 2.0)
    assert p(np.zeros(0), 0.1, "above", method) == 1.0
    low, high = ends(np.array([1.0]), method)
    assert high > 1.9 and low < -1.5
    assert p(np.array([1.0]), 0.1, "above", method) > 0.5


@every_method
def test_the_p_value_of_identical_values_follows_the_rule_of_three(method: Method) -> None:
    low, _ = ends(np.full(30, 0.5), method)
    assert 2 * p(np.full(30, 0.5), low, "above", method) == pytest.approx(0.05, abs=1e-6)


@every_method
def test_equal_weights_are_no_weights(method: Method) -> None:
    values = np.random.default_rng(0).uniform(-0.5, 0.9, 30)
    assert ends(values, method, weights=np.full(30, 2.0)) == pytest.approx(ends(values, method), abs=1e-7)


@every_method
def test_a_heavy_unit_pulls_a_weighted_interval(method: Method) -> None:
    values = np.linspace(-0.5, 0.5, 40)
    weights = np.where(values > 0.3, 4.0, 1.0)
    low, high = ends(values, method, weights=weights)
    assert low < np.average(values, weights=weights) < high
    assert low + high > sum(ends(values, method)) + 0.1


@every_method
def test_a_file_that_is_read_whole_leaves_no_sampling_error(method: Method) -> None:
    values = np.random.default_rng(1).uniform(-0.5, 0.9, 30)
    low, high = ends(values, method, population=30)
    assert low == pytest.approx(values.mean(), abs=1e-7) and high == pytest.approx(values.mean(), abs=1e-7)
    assert p(values, values.mean() - 0.01, "above", method, population=30) == 0.0
    assert p(values, values.mean() + 0.01, "above", method, population=30) == 1.0
    half = ends(values[:15], method, population=30)
    assert half[1] - half[0] < np.diff(ends(values[:15], method))[0]


@every_method
def test_bounds_outside_the_range_are_certain(method: Method) -> None:
    values = np.linspace(-1.0, 1.0, 20)
    assert p(values, -2.1, "above", method) == 0.0 and p(values, 2.0, "above", method) == 1.0
    assert p(values, 2.1, "below", method) == 0.0 and p(values, -2.0, "below", method) == 1.0
    assert p(values, -2.0, "above", "betting") == 0.0
    assert p(np.full(9, -2.0), -2.0, "above", "betting") == 1.0


def ever_missed(values: Floats, mean: float, looks: tuple[int, ...], **more: object) -> bool:
    """Whether the interval of level 0.95 leaves out the true mean at any look."""
    return any(2 * min(p(values[:n], mean, side, **more) for side in ("above", "below")) <= 0.05 for n in looks)  # type: ignore[arg-type]


def test_betting_covers_when_peeked_and_t_does_not() -> None:
    looks = (8, 16, 24, 32, 48, 64, 96, 128)
    seeds = [np.random.default_rng(seed) for seed in range(120)]
    rare = [(rng.random(128) < 0.05).astype(np.float64) for rng in seeds]
    poles = [rng.choice([-2.0, 2.0], 128) for rng in seeds]
    for mean, samples in ((0.05, rare), (0.0, poles)):
        assert np.mean([ever_missed(values, mean, looks) for values in samples]) <= 0.05
        assert np.mean([ever_missed(values, mean, looks, method="t") for values in samples]) > 0.10


def test_drawing_without_replacement_covers_when_peeked() -> None:
    missed = 0
    for seed in range(120):
        drawn = np.random.default_rng(seed).choice([-2.0, 2.0], 100)
        missed += ever_missed(drawn, drawn.mean(), (8, 20, 50, 80, 95, 100), population=100)
    assert missed / 120 <= 0.05


@every_method
@settings(max_examples=12)
@given(shift=st.floats(0.15, 0.6), sign=st.sampled_from([-1.0, 1.0]))
def test_so_many_more_groups_like_these_would_settle_it(method: Method, shift: float, sign: float) -> None:
    values = sign * (shift + np.tile([-0.5, 0.5, 0.0], 4))
    low, high = ends(values, method)
    bound = sign * 0.1
    needed = groups_needed(values, bound, low=-2.0, high=2.0, level=0.95, method=method)
    assert needed is not None
    if low <= bound <= high and method == "betting":
        assert needed > 1
        more = np.tile(values, 1 + -(-needed // len(values)))
        assert not ends(more)[0] <= bound <= ends(more)[1]
        fewer = np.tile(values, max(1, (len(values) + needed) // len(values) - 1))
        assert ends(fewer)[0] <= bound <= ends(fewer)[1]


@every_method
def test_no_number_of_groups_settles_what_is_at_the_bound(method: Method) -> None:
    values = np.tile([-0.5, 0.7], 20)
    assert groups_needed(values, values.mean(), low=-2.0, high=2.0, level=0.95, method=method) is None
    assert groups_needed(values, values.mean() + 1e-3, low=-2.0, high=2.0, level=0.95, method=method) is None
    assert groups_needed(values[:1], 0.0, low=-2.0, high=2.0, level=0.95, method=method) is None
    assert groups_needed(values, 2.0, low=-2.0, high=2.0, level=0.95, method=method) is None
