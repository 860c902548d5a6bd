"""How well scores tell two poles apart."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["auroc", "unpaired_auroc"]

Floats = NDArray[np.float64]
_LEVEL = 0.95


def auroc(high: Floats, low: Floats) -> tuple[float, float, float]:
    """Area under the ROC curve of matched pairs, with a 95 % interval: all in [0, 1].

    The variance is DeLong's (1988, Biometrics 44) with both placements of a pair added before they are squared, because a pair's replies
    share a context; the interval is made on the logit scale, and half a win is added and taken away so that 1.0 has a width.
    """
    of_high, of_low = _placements(high, low)
    n = len(high)
    variance = float(np.var(of_high + of_low, ddof=1) / n) if n > 1 else 1.0
    return _interval(float(of_high.mean()), variance, n)


def unpaired_auroc(high: Floats, low: Floats) -> tuple[float, float, float]:
    """As :func:`auroc`, for two samples that are not paired."""
    of_high, of_low = _placements(high, low)
    variance = float(np.var(of_high, ddof=1) / len(high) + np.var(of_low, ddof=1) / len(low))
    return _interval(float(of_high.mean()), variance, len(high))


def _placements(high: Floats, low: Floats) -> tuple[Floats, Floats]:
    """For each of the high the share of the low that it beats, and for each of the low the share of the high that beat it."""
    order_low, order_high = np.sort(low), np.sort(high)
    below = np.searchsorted(order_low, high, "left") + np.searchsorted(order_low, high, "right")
    above = 2 * len(high) - np.searchsorted(order_high, low, "left") - np.searchsorted(order_high, low, "right")
    return below / (2 * len(low)), above / (2 * len(high))


def _interval(area: float, variance: float, n: int) -> tuple[float, float, float]:
    smoothed = (area * n + 0.5) / (n + 1)
    variance = max(variance, smoothed * (1 - smoothed) / n / 3)  # none is seen where all pairs are right
    half = NormalDist().inv_cdf((1 + _LEVEL) / 2) * np.sqrt(variance) / (smoothed * (1 - smoothed))
    centre = np.log(smoothed / (1 - smoothed))
    low, high = (float(1 / (1 + np.exp(-(centre + side * half)))) for side in (-1, 1))
    return area, min(area, low), max(area, high)
