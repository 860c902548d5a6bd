"""The two numbers between a contrast of log-probabilities and a score, and how well the contrast tells the poles apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize

from pytest_persona.infer.auroc import auroc
from pytest_persona.model.verdicts import Qualification

__all__ = ["FEWEST_PAIRS", "Scale", "fit_scale"]

Floats = NDArray[np.float64]
FEWEST_PAIRS = 8
_FEW_DOMAINS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Score = 2 sigma(slope (contrast - zero)) - 1."""

    slope: float
    """Per nat a token, >= 0."""
    zero: float
    """Nats a token: neutral replies read 0 on average."""
    qualification: Qualification

    def score(self, contrasts: Floats) -> Floats:
        """``expressed`` in [-1, 1]."""
        scores: Floats = np.tanh(self.slope * (contrasts - self.zero) / 2.0)  # = 2 sigma(...) - 1
        return scores


def fit_scale(anchors: Floats, domains: Sequence[str], neutral: Floats) -> Scale:
    """The scale of a trait from (pairs, 2) contrasts of its anchors (high, low), their domains, and (n,) of neutral replies.

    The contrast itself has no parameter, so anchors are held out whatever they are; what they are tried with is scaled without
    the whole domain of the pair (with fewer than three domains: without the pair), as for the embedded judge. A contrast that
    reads worse than chance gets the slope 0 and reads nothing: a negative one would turn the trait round.
    """
    folds = np.asarray(domains if len(set(domains)) >= _FEW_DOMAINS else [str(i) for i in range(len(domains))])
    held_out = np.empty_like(anchors)
    for fold in sorted(set(folds.tolist())):
        test = folds == fold
        held_out[test] = _slope(anchors[~test]) * anchors[test]
    slope = _slope(anchors)
    qualification = Qualification.of(*auroc(held_out[:, 0], held_out[:, 1]), len(anchors))
    return Scale(slope=slope, zero=_zero(slope, neutral), qualification=qualification)


def _slope(anchors: Floats) -> float:
    """Slope of the logistic map from contrasts to poles; targets are drawn in as Platt (1999) does, so that it stays finite."""
    x = np.concatenate([anchors[:, 0], anchors[:, 1]])
    count, unit = len(anchors), float(x.std())
    if unit == 0.0:
        return 0.0
    y = np.repeat([(count + 1) / (count + 2), 1 / (count + 2)], count)

    def loss(p: Floats) -> float:
        margin = p[0] * x / unit + p[1]
        return float(np.mean(np.logaddexp(0.0, margin) - y * margin))

    return max(float(minimize(loss, np.array([1.0, 0.0]), method="BFGS").x[0]) / unit, 0.0)


def _zero(slope: float, neutral: Floats) -> float:
    if slope == 0.0 or len(neutral) == 0:
        return 0.0
    low, high = float(neutral.min()) - 1.0, float(neutral.max()) + 1.0
    return float(brentq(lambda zero: float(np.tanh(slope * (neutral - zero) / 2.0).mean()), low, high))
