"""Student's t and the BCa bootstrap for a mean of bounded values: familiar, approximate, for one look at much data.

Both take the spread of the values for that of the population. Where all values are identical there is no spread to go
by, and the "rule of three" stands in: none of n values differed, so at confidence 1 - a fewer than ln(2/a)/n of the
others do.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["bca_interval", "bca_p_value", "standard_error", "t_interval", "t_p_value", "weighted_mean"]

Floats = NDArray[np.float64]

_NORMAL = NormalDist()
_RESAMPLES = 4999
_CHUNK = 500_000
_FEWEST_BCA = 8
"""Below this the bootstrap's distribution is too coarse to mean anything."""
_SAME = 1e-9
"""A standard error below this share of the range counts as none."""


def weighted_mean(values: Floats, weights: Floats | None) -> float:
    """The mean of (n,) values, exactly rounded, so that their order does not matter."""
    if weights is None:
        return math.fsum(values) / len(values)
    return math.fsum(weights * values) / math.fsum(weights)


def standard_error(values: Floats, weights: Floats | None) -> float:
    """The standard error of the (weighted) mean of at least two values, linearised where it is weighted."""
    share = np.ones(len(values)) if weights is None else weights
    squares = math.fsum((share * (values - weighted_mean(values, weights))) ** 2)
    return math.sqrt(squares * len(values) / (len(values) - 1)) / math.fsum(share)


def t_interval(
    values: Floats, low: float, high: float, *, level: float, weights: Floats | None = None
) -> tuple[float, float]:
    """Mean and Student's quantile (n - 1 degrees of freedom) times the standard error; [low, high] for one value."""
    if len(values) < 2:
        return low, high
    centre, error = weighted_mean(values, weights), standard_error(values, weights)
    if error <= _SAME * (high - low):
        half = (high - low) * math.log(2.0 / (1.0 - level)) / len(values)
    else:
        from scipy.special import stdtrit

        half = float(stdtrit(len(values) - 1, 0.5 + level / 2.0)) * error
    return centre - half, centre + half


def t_p_value(values: Floats, bound: float, low: float, high: float, *, weights: Floats | None = None) -> float:
    """p-value of "the mean is at most ``bound``", agreeing with :func:`t_interval`."""
    if len(values) < 2:
        return 1.0
    centre, error = weighted_mean(values, weights), standard_error(values, weights)
    if error <= _SAME * (high - low):
        return math.exp(-len(values) * (centre - bound) / (high - low)) if centre > bound else 1.0
    from scipy.special import stdtr

    return float(stdtr(len(values) - 1, (bound - centre) / error))


def bca_interval(
    values: Floats, low: float, high: float, *, level: float, seed: int, weights: Floats | None = None
) -> tuple[float, float]:
    """Efron's bias-corrected and accelerated bootstrap (1987, JASA 82); all of [low, high] below 8 values."""
    if len(values) < _FEWEST_BCA:
        return low, high
    if standard_error(values, weights) <= _SAME * (high - low):
        return t_interval(values, low, high, level=level, weights=weights)
    if weighted_mean(values, weights) < 0.0:  # resampling is not symmetric by itself
        bottom, top = bca_interval(-values, -high, -low, level=level, seed=seed, weights=weights)
        return -top, -bottom
    means, bias, acceleration = _resampled(values, weights, seed)
    ends = []
    for tail in ((1.0 - level) / 2.0, (1.0 + level) / 2.0):
        shifted = bias + _NORMAL.inv_cdf(tail)
        ends.append(_NORMAL.cdf(bias + shifted / max(1.0 - acceleration * shifted, _SAME)))
    bottom, top = np.quantile(means, ends)
    return float(bottom), float(top)


def bca_p_value(
    values: Floats, bound: float, low: float, high: float, *, seed: int, weights: Floats | None = None
) -> float:
    """p-value of "the mean is at most ``bound``": the tail at which :func:`bca_interval` ends there."""
    if len(values) < _FEWEST_BCA:
        return 1.0
    if standard_error(values, weights) <= _SAME * (high - low):
        return t_p_value(values, bound, low, high, weights=weights)
    mirrored = weighted_mean(values, weights) < 0.0
    sign = -1.0 if mirrored else 1.0
    means, bias, acceleration = _resampled(sign * values, weights, seed)
    below = np.searchsorted(means, sign * bound)
    shifted = _NORMAL.inv_cdf(float((below + 0.5) / (len(means) + 1))) - bias
    tail = _NORMAL.cdf(shifted / max(1.0 + acceleration * shifted, _SAME) - bias)
    return 1.0 - tail if mirrored else tail


def _resampled(values: Floats, weights: Floats | None, seed: int) -> tuple[Floats, float, float]:
    """Sorted bootstrap means, bias correction and acceleration; in whatever order the values come."""
    order = np.argsort(values) if weights is None else np.lexsort((weights, values))
    values = values[order]
    share = np.ones(len(values)) if weights is None else weights[order]
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // len(values))
    parts = []
    for start in range(0, _RESAMPLES, rows):
        drawn = rng.integers(0, len(values), size=(min(rows, _RESAMPLES - start), len(values)))
        parts.append((share * values)[drawn].sum(axis=1) / share[drawn].sum(axis=1))
    means = np.sort(np.concatenate(parts))
    centre = weighted_mean(values, weights if weights is None else share)
    below = (np.searchsorted(means, centre, "left") + np.searchsorted(means, centre, "right") + 1.0) / 2.0
    bias = _NORMAL.inv_cdf(float(below / (len(means) + 1)))
    pull = share * (values - centre)
    return means, bias, float((pull**3).sum() / (6.0 * (pull**2).sum() ** 1.5))
