"""Fitting heads on anchors, and measuring on whole domains left out how well they tell the poles apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from pytest_persona.infer.auroc import auroc, unpaired_auroc
from pytest_persona.judge.embedded.heads import Floats, RequestHead, Space, TraitHead

__all__ = ["SHRINKAGE", "fit_request", "fit_space", "fit_trait", "held_out"]

SHRINKAGE = 1.0
"""How much of the mean variance is added to the covariance's diagonal; chosen once, on anchors alone."""
REQUEST_RATE = 0.1
"""How often real contexts ask for unusual behaviour; the anchors ask in half of theirs, which would discount everybody."""
_FEW_DOMAINS = 3


def fit_space(states: Sequence[NDArray[Any]], neutral: NDArray[Any]) -> Space:
    """The space of (pairs, 2, width) raw states of every trait's anchors (high, low), and (texts, width) neutral ones."""
    every = np.concatenate([pairs.reshape(-1, pairs.shape[-1]) for pairs in states]).astype(np.float64)
    mean, scale = every.mean(axis=0), every.std(axis=0)
    scale = np.where(scale > 1e-3, scale, 1.0)  # statements all share one context
    # About each trait's own poles: what is left is topic, register and wording.
    within = np.concatenate(
        [(placed - placed.mean(axis=0)).reshape(-1, len(mean)) for placed in ((p - mean) / scale for p in states)]
    )
    covariance = within.T @ within / len(within)
    width = len(mean)
    whiten = np.linalg.inv(covariance + SHRINKAGE * np.trace(covariance) / width * np.eye(width))
    whiten *= width / np.trace(whiten)
    placed = (np.asarray(neutral, np.float64) - mean) / scale
    return Space(mean=mean, scale=scale, whiten=(whiten + whiten.T) / 2, neutral=placed)


def held_out(space: Space, placed: Floats, domains: Sequence[str], valence: Floats | None = None) -> Floats:
    """(pairs, 2) projections of (pairs, 2, width) placed anchors, each on a direction that never saw the pair's domain.

    With fewer than three domains each pair is left out by itself.
    """
    folds = np.asarray(domains if len(set(domains)) >= _FEW_DOMAINS else [str(i) for i in range(len(domains))])
    differences = placed[:, 0] - placed[:, 1]
    scores = np.empty(placed.shape[:2])
    for fold in sorted(set(folds)):
        test = folds == fold
        direction = space.directions(differences[~test], np.ones((1, int((~test).sum()))), valence)[0]
        scores[test] = placed[test] @ direction
    return scores


def fit_trait(
    space: Space,
    states: NDArray[Any],
    domains: Sequence[str],
    trait_sha256: str,
    *,
    valence: Floats | None = None,
    blind: Space | None = None,
) -> TraitHead:
    """The head of a trait from (pairs, 2, width) raw states of its anchors (high, low) and their domains.

    ``valence`` is what the other traits share, to be taken out. ``blind`` is the space fitted without this trait, for measuring:
    a covariance that has seen the held-out pairs flatters. A trait of the user's is in no space, so ``space`` is blind to it
    already.
    """
    taken_out = np.zeros(states.shape[-1]) if valence is None else valence
    judged = blind or space
    scores = held_out(
        judged, judged.place(states.reshape(-1, states.shape[-1])).reshape(states.shape), domains, taken_out
    )
    placed = space.place(states.reshape(-1, states.shape[-1])).reshape(states.shape)
    area, low, high = auroc(scores[:, 0], scores[:, 1])
    differences = placed[:, 0] - placed[:, 1]
    head = TraitHead(
        differences=differences,
        valence=taken_out,
        slope=_slope(scores),
        zero=0.0,
        auroc=area,
        low=low,
        high=high,
        trait_sha256=trait_sha256,
    )
    neutral = head.project(space, space.neutral)
    reach = float(np.abs(neutral).max()) + 1.0
    zero = brentq(lambda z: float(replace(head, zero=z).score(neutral).mean()), -reach, reach) if head.slope else 0.0
    return replace(head, zero=float(zero))


def _slope(scores: Floats) -> float:
    """Slope of the logistic map from (pairs, 2) held-out projections to poles."""
    # A negative slope would turn the trait round: a head that reads worse than chance reads nothing.
    return max(_platt(scores[:, 0], scores[:, 1])[0], 0.0)


def _platt(high: Floats, low: Floats) -> tuple[float, float]:
    """Slope and intercept of the logistic map; targets are drawn in as Platt (1999) does, so that it stays finite."""
    x = np.concatenate([high, low])
    y = np.repeat([(len(high) + 1) / (len(high) + 2), 1 / (len(low) + 2)], [len(high), len(low)])

    def loss(p: Floats) -> float:
        margin = p[0] * x + p[1]
        return float(np.mean(np.logaddexp(0, margin) - y * margin))

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return float(slope), float(intercept)


def fit_request(states: NDArray[Any], requested: NDArray[np.bool_], domains: Sequence[str], layer: int) -> RequestHead:
    """The request head from (contexts, 2 width) raw states, their labels and domains."""
    x, y = np.asarray(states, np.float64), np.where(requested, 1.0, -1.0)
    folds = np.asarray(domains)
    scores = np.empty(len(x))
    for fold in sorted(set(folds)):
        test = folds == fold
        weights, bias = _ridge_logistic(x[~test], y[~test])
        scores[test] = x[test] @ weights + bias
    area, low, high = unpaired_auroc(scores[requested], scores[~requested])
    slope, intercept = _platt(scores[requested], scores[~requested])
    weights, bias = _ridge_logistic(x, y)
    weights, bias = slope * weights, slope * bias + intercept
    bias += float(logit(REQUEST_RATE) - logit(requested.mean()))
    return RequestHead(layer=layer, weights=weights, bias=bias, auroc=area, low=low, high=high)


def _ridge_logistic(x: Floats, y: Floats, penalty: float = 0.05) -> tuple[Floats, float]:
    """Weights and bias on raw states of a logistic regression on standardised ones, fitted in the span of the rows."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = (x - mean) / scale
    gram = z @ z.T

    def loss(p: Floats) -> tuple[float, Floats]:
        a, bias = p[:-1], p[-1]
        margin = y * (gram @ a + bias)
        slope = -y * expit(-margin) / len(y)
        value = float(np.logaddexp(0, -margin).mean() + 0.5 * penalty * a @ gram @ a)
        return value, np.append(gram @ (slope + penalty * a), slope.sum())

    p = minimize(loss, np.zeros(len(y) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    weights: Floats = (z.T @ p[:-1]) / scale
    return weights, float(p[-1] - mean @ weights)
