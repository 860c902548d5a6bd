"""One-sided betting against "the mean is at most m", for bounded values; the other side is the mirror image.

A gambler starts with 1 and bets, unit by unit, that the mean is above m. Were the mean at most m, the expected wealth
would never exceed 1, so that wealth of 1/p or more *ever* happens with probability at most p (Ville's inequality),
however often one looks. After Waudby-Smith & Ramdas (2023), JRSS-B, arXiv 2010.09686; here the wealth is a mixture
over fixed bets, so that it does not depend on the order of the units. Drawing without replacement follows the
conditional means of the same paper.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["BETS", "STAKES", "growth", "log_p", "lower_end", "mixed"]

Floats = NDArray[np.float64]

BETS: Floats = np.geomspace(0.03, 0.99, 9)
"""(bets,) shares of the most that could be staked without risk of ruin."""
STAKES: Floats = BETS**1.5 / (BETS**1.5).sum()
"""(bets,) how the starting wealth is divided among them. Chosen by simulation: docs/explanation/statistics.md."""

_HALVINGS = 28
_TINY = 1e-9
_TOGETHER = 16


def growth(
    values: Floats, mean: float, low: float, *, population: int | None = None, weights: Floats | None = None
) -> Floats:
    """(bets,) log of each bet's wealth after (n,) values of at least ``low``, against "the mean is at most ``mean``".

    Infinite where the values refute it outright. Without ``population`` the order of the values does not matter.
    """
    excess = values - mean
    if weights is not None:
        excess = excess * (weights / weights.max())  # E[w (x - m)] <= 0 is what "the weighted mean is at most m" says
    most = np.full(len(values), mean - low)
    if population is None:
        excess = np.sort(excess)
    else:
        left = max(population, len(values)) - np.arange(len(values))
        drawn = np.cumsum(excess)
        if (drawn - (left - 1) * most).max() > _TINY:  # too much for what is left to balance
            return np.full(len(BETS), math.inf)
        expected = (excess - drawn) / left
        excess, most = excess - expected, most + expected
    sure = np.where(excess > _TINY, math.inf, 0.0)
    returns = np.divide(excess, most, out=sure, where=most > _TINY)
    factors = 1.0 + np.multiply.outer(np.maximum(returns, -1.0), BETS)
    # Logs cost most, so of products of a few factors; they cannot overflow: a factor is at most 1 + 4 / _TINY.
    products = np.multiply.reduceat(factors, np.arange(0, len(values), _TOGETHER), axis=0)
    return np.asarray(np.log(products).sum(axis=0))


def mixed(growths: Floats) -> float:
    """Log of the wealth of all bets together, from (bets,) logs."""
    return float(np.logaddexp.reduce(growths + np.log(STAKES)))


def log_p(
    values: Floats, mean: float, low: float, *, population: int | None = None, weights: Floats | None = None
) -> float:
    """Log of the p-value of "the mean is at most ``mean``", at most 0: 1 / wealth, by Markov's inequality."""
    return min(0.0, -mixed(growth(values, mean, low, population=population, weights=weights)))


def lower_end(
    values: Floats,
    low: float,
    high: float,
    *,
    alpha: float,
    population: int | None = None,
    weights: Floats | None = None,
) -> float:
    """The largest m, to (high - low) / 2**28, such that every mean below it has a p-value of at most ``alpha``."""
    refuted, open_ = low, high
    goal = math.log(alpha)
    for _ in range(_HALVINGS):
        middle = (refuted + open_) / 2.0
        if log_p(values, middle, low, population=population, weights=weights) <= goal:
            refuted = middle
        else:
            open_ = middle
    return refuted
