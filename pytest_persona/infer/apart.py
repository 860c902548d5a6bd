"""Evidence that a product lies above its baseline, gathered run by run, whatever the baseline's mean really is.

Suppose that mean were m. Then a gambler on the baseline, who bets that it is below m, wins nothing on average; and one on the
later runs, who bets that they are above m + bound, wins nothing on average on any day, whatever came before. Both wealths
together, multiplied, are then an e-process: replies of later days are new. As m is not known, the least of the products over
all m is taken, which is no more than that of the true one. Unlike what is compared probe by probe it pays for the
spread between probes; but its stakes are higher, as the range of a value is half that of a difference, and each further
day adds to it.

The gambler on the runs keeps half of his purse, and begins anew on every day with a part of the other half (that of day s is
1 / (s (s + 1)), which sum to 1), so that quiet days are not held against those that follow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer import betting

__all__ = ["log_apart"]

Floats = NDArray[np.float64]

_TINY = 1e-9
_EDGE = 1e-6
_CUTS = 24
_TOGETHER = 16
_GOLDEN = (5.0**0.5 - 1.0) / 2.0


def log_apart(base: Floats, runs: Floats, *, bound: float, reach_base: float, reach_now: float) -> float:
    """Log of the evidence that the runs' mean has exceeded the baseline's by more than ``bound``, looked at after any of them.

    (units,) values of the baseline within ``reach_base`` in size, (units, runs) of the runs within ``reach_now``, the latest first;
    NaN where there is none. Each logarithm is convex in m, so that their sum is, and its least value is found by cutting.
    """

    def both(mean: float) -> float:
        before = betting.mixed(_growths(-base[:, None], -mean, -reach_base)[0])
        return before + _begun_anew(_growths(runs, mean + bound, -reach_now))

    low, high = -reach_base + _EDGE, reach_base - _EDGE
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = both(left), both(right)
    for _ in range(_CUTS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = both(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = both(right)
    return min(at_left, at_right)


def _growths(values: Floats, mean: float, low: float) -> Floats:
    """(runs, bets) log of each bet's wealth from each run alone, against "the mean of the run is at most ``mean``"."""
    returns = np.nan_to_num((values - mean) / max(mean - low, _TINY))
    factors = 1.0 + np.multiply.outer(np.maximum(returns, -1.0), betting.BETS)
    # As in betting: logs cost most, so of products of a few factors, which cannot overflow.
    products = np.multiply.reduceat(factors, np.arange(0, len(values), _TOGETHER), axis=0)
    return np.asarray(np.log(products).sum(axis=0))


def _begun_anew(growths: Floats) -> float:
    """Log of the wealth of the gamblers of all days together, from (runs, bets) growths, the latest first."""
    since = np.logaddexp.reduce(np.cumsum(growths, axis=0) + np.log(betting.STAKES), axis=1)
    day = np.arange(len(growths), 0, -1)
    begun = np.logaddexp.reduce(since - np.log(day * (day + 1.0)))
    not_begun = -np.log(len(growths) + 1.0)
    return float(np.logaddexp.reduce([0.0, begun, not_begun]) - np.log(2.0))
