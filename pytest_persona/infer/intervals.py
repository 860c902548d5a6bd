"""Intervals and p-values for the mean of bounded values, one value a unit; by betting (the default), t or BCa."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer import betting, classical
from pytest_persona.model.findings import Method

__all__ = ["Side", "groups_needed", "interval", "p_value"]

Floats = NDArray[np.float64]
Side = Literal["above", "below"]

_MOST_TIMES = 100
"""``groups_needed`` gives up where this many times the units at hand would not do."""


def interval(
    values: Floats,
    *,
    low: float,
    high: float,
    level: float,
    method: Method,
    seed: int = 0,
    population: int | None = None,
    weights: Floats | None = None,
) -> tuple[float, float]:
    """A two-sided interval for the mean of (n,) values in [low, high], inside [low, high] and around the sample's mean.

    ``population`` is the size of a finite population of which the values are a random sample without replacement, in
    the order they were drawn; None stands for an endless one, and the order then does not matter. ``weights`` are
    (n,) and positive: the mean is weighted. ``seed`` is that of BCa's resampling. Without values it is [low, high].
    Turning the signs of values and range round turns the interval round, to the last bit. Only ``betting`` may be
    looked at more than once.
    """
    if len(values) == 0:
        return low, high
    centre = min(max(classical.weighted_mean(values, weights), low), high)
    if method == "betting":
        alpha = (1.0 - level) / 2.0
        bottom = betting.lower_end(values, low, high, alpha=alpha, population=population, weights=weights)
        top = -betting.lower_end(-values, -high, -low, alpha=alpha, population=population, weights=weights)
    else:
        if method == "t":
            bottom, top = classical.t_interval(values, low, high, level=level, weights=weights)
        else:
            bottom, top = classical.bca_interval(values, low, high, level=level, seed=seed, weights=weights)
        shrink = _finite(len(values), population)
        bottom, top = centre - (centre - bottom) * shrink, centre + (top - centre) * shrink
    return max(low, min(bottom, centre)), min(high, max(top, centre))


def p_value(
    values: Floats,
    bound: float,
    *,
    side: Side,
    low: float,
    high: float,
    method: Method,
    seed: int = 0,
    population: int | None = None,
    weights: Floats | None = None,
) -> float:
    """One-sided p-value of "the mean is at most ``bound``" (side above) or "at least ``bound``" (side below).

    It agrees with :func:`interval`: the bound lies outside the interval of level 1 - a just where twice the smaller p
    is at most a. For ``betting`` it is 1 / wealth, an e-value turned over, and valid at every stopping time.
    """
    if side == "below":
        values, bound, low, high = -values, -bound, -high, -low
    if len(values) == 0 or bound >= high:
        return 1.0
    if bound < low:
        return 0.0
    if method == "betting":
        return math.exp(betting.log_p(values, bound, low, population=population, weights=weights))
    centre, shrink = classical.weighted_mean(values, weights), _finite(len(values), population)
    if shrink == 0.0:
        return 0.0 if centre > bound else 1.0
    bound = centre + (bound - centre) / shrink
    if method == "t":
        return classical.t_p_value(values, bound, low, high, weights=weights)
    return classical.bca_p_value(values, bound, low, high, seed=seed, weights=weights)


def groups_needed(
    values: Floats,
    bound: float,
    *,
    low: float,
    high: float,
    level: float,
    method: Method = "betting",
    weights: Floats | None = None,
) -> int | None:
    """How many further units would bring ``bound`` outside the interval if they went on like these; at least 1.

    A guide, not a promise: about half of such signals would need more. None where 100 times the units at hand would
    not do, and below two units.
    """
    count = len(values)
    if count < 2:
        return None
    centre = classical.weighted_mean(values, weights)
    if centre < bound:
        values, centre, bound, low, high = -values, -centre, -bound, -high, -low
    if not low < bound < centre:
        return None
    if method != "betting":
        reach = NormalDist().inv_cdf(0.5 + level / 2.0) * classical.standard_error(values, weights)
        total = math.ceil(count * (reach / (centre - bound)) ** 2)
        return max(total - count, 1) if total <= (_MOST_TIMES + 1) * count else None
    growth = betting.growth(values, bound, low, weights=weights)
    goal = math.log(2.0 / (1.0 - level))
    few, enough = 0, _MOST_TIMES * count
    if betting.mixed(growth * (1.0 + enough / count)) < goal:
        return None
    while enough - few > 1:
        middle = (few + enough) // 2
        if betting.mixed(growth * (1.0 + middle / count)) >= goal:
            enough = middle
        else:
            few = middle
    return enough


def _finite(count: int, population: int | None) -> float:
    """What drawing without replacement leaves of a standard error: the finite population correction."""
    return 1.0 if population is None else math.sqrt(max(0.0, 1.0 - count / population))
